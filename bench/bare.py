"""The yardstick: SpiffWorkflow as it comes, its own JSON saved into SQLite after every step, with nothing around.

No history, no inbox, no rights, no form: only what a program must do so that a case survives the process. With `reload`
the case is read back from the database before each step, as any server must that answers more than one request; without
it the case stays in memory and is only saved.
"""

from __future__ import annotations

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

DIAGRAM = Path(__file__).parent / "approval.bpmn"
REQUEST = {"subject": "添置样品架"}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("submit", {"outcome": "submit", "amount": 1200, "reason": "双12 直播间布置"}),
    ("approve", {"outcome": "agree", "comment": "同意"}),
)


def run(folder: Path, instances: int, *, reload: bool) -> float:
    """Instances a second for the approval process: start, submit, approve."""
    parser = SpiffBpmnParser()
    parser.add_bpmn_file(str(DIAGRAM))
    spec = parser.get_spec("approval")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG))
    scripts = PythonScriptEngine()
    connection = pysqlite3.dbapi2.connect(str(folder / f"bare-{reload}.db"), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE cases (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")

    def save(number: int, workflow: Any) -> None:
        state = serializer.serialize_json(workflow)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO cases VALUES (?, ?)", (number, state))
        connection.execute("COMMIT")

    def load(number: int) -> Any:
        (state,) = connection.execute("SELECT state FROM cases WHERE id = ?", (number,)).fetchone()
        workflow = serializer.deserialize_json(state)
        workflow.script_engine = scripts
        return workflow

    began = time.perf_counter()
    for number in range(instances):
        workflow = BpmnWorkflow(spec, script_engine=scripts)
        workflow.set_data(**REQUEST)
        workflow.do_engine_steps()
        save(number, workflow)
        for element, result in STEPS:
            if reload:
                workflow = load(number)
            (task,) = workflow.get_tasks(state=TaskState.READY, manual=True)
            assert task.task_spec.name == element
            task.data[element] = result
            task.run()
            workflow.do_engine_steps()
            save(number, workflow)
        assert workflow.is_completed() and workflow.last_task.data["total"] == 2400
    seconds = time.perf_counter() - began
    connection.close()
    return instances / seconds
