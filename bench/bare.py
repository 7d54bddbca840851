"""The yardstick: SpiffWorkflow as it comes, its own JSON saved into SQLite after every step, with nothing around.

No history, no inbox, no rights, no form: only what a program must do so that a case survives the process. With `reload`
the case is read back from the database before each step, as any server must that answers more than one request; without
it the case stays in memory and is only saved.

It runs in a process of its own, because the engine replaces the library's sources of ids and time, and nothing of ours
may be in the yardstick. `python -m bench.bare DATABASE` reads `instances reload` lines and answers with rates.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pysqlite3
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer import DEFAULT_CONFIG
from SpiffWorkflow.util.task import TaskState

DIAGRAM = Path(__file__).parent / "diagrams" / "approval.bpmn"
REQUEST = {"subject": "添置样品架"}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("submit", {"outcome": "submit", "amount": 1200, "reason": "双12 直播间布置"}),
    ("approve", {"outcome": "agree", "comment": "同意"}),
)


class Loop:
    """An open database and the parsed process."""

    def __init__(self, database: Path) -> None:
        parser = SpiffBpmnParser()
        parser.add_bpmn_file(str(DIAGRAM))
        self._spec = parser.get_spec("approval")
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG))
        self._scripts = PythonScriptEngine()
        self._connection = pysqlite3.dbapi2.connect(str(database), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE cases (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")
        self._number = 0

    def timed(self, instances: int, *, reload: bool) -> float:
        """Instances a second for the approval process: start, submit, approve."""
        began = time.perf_counter()
        for _ in range(instances):
            self._number += 1
            self._play(self._number, reload)
        return instances / (time.perf_counter() - began)

    def _play(self, number: int, reload: bool) -> None:
        workflow = BpmnWorkflow(self._spec, script_engine=self._scripts)
        workflow.set_data(**REQUEST)
        workflow.do_engine_steps()
        self._save(number, workflow)
        for element, result in STEPS:
            if reload:
                workflow = self._load(number)
            (task,) = workflow.get_tasks(state=TaskState.READY, manual=True)
            assert task.task_spec.name == element
            task.data[element] = result
            task.run()
            workflow.do_engine_steps()
            self._save(number, workflow)
        assert workflow.is_completed() and workflow.last_task.data["total"] == 2400

    def _save(self, number: int, workflow: Any) -> None:
        state = self._serializer.serialize_json(workflow)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT OR REPLACE INTO cases VALUES (?, ?)", (number, state))
        self._connection.execute("COMMIT")

    def _load(self, number: int) -> Any:
        (state,) = self._connection.execute("SELECT state FROM cases WHERE id = ?", (number,)).fetchone()
        workflow = self._serializer.deserialize_json(state)
        workflow.script_engine = self._scripts
        return workflow


class Bare:
    """The loop in its own process."""

    def __init__(self, database: Path) -> None:
        command = [sys.executable, "-m", "bench.bare", str(database)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def timed(self, instances: int, *, reload: bool) -> float:
        """Instances a second."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(instances, int(reload), file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main(database: str) -> None:
    """Answer each `instances reload` line with instances a second."""
    loop = Loop(Path(database))
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    for line in sys.stdin:
        instances, reload = map(int, line.split())
        print(loop.timed(instances, reload=bool(reload)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
