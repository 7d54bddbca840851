"""Scenarios against a draft: those shipped beside the procedures, and those kept in the files themselves, which win."""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy.engine import Connection

from engine import Engine
from engine.deployment import deploy
from engine.identity import Directory
from processes.bundle import SHIPPED_PROCEDURES
from processes.scenario_runner import Failure, Outcome, Stage, run_file

FOLDER = "scenarios"
STEPS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioFile:
    """A scenario: its bundle path (`account_registration/scenarios/R01.json`), the procedure it plays, its bytes."""

    path: str
    process: str
    content: bytes


def scenarios_of(files: Mapping[str, bytes], processes: Iterable[str]) -> list[ScenarioFile]:
    """The scenarios of these procedures, by path."""
    found: dict[str, ScenarioFile] = {}
    for process in sorted(processes):
        for file in sorted((SHIPPED_PROCEDURES / process / FOLDER).glob("*.json")):
            path = f"{process}/{FOLDER}/{file.name}"
            found[path] = ScenarioFile(path=path, process=process, content=file.read_bytes())
        for path, content in files.items():
            if path.startswith(f"{process}/{FOLDER}/") and path.endswith(".json"):
                found[path] = ScenarioFile(path=path, process=process, content=content)
    return [found[path] for path in sorted(found)]


@cache
def _company() -> Stage:
    """The demo company as shipped, prepared once in this process."""
    stage = Stage()
    atexit.register(stage.__exit__)
    return stage


class DraftStage(Stage):
    """The demo company with these files deployed, and nothing else."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        def change(engine: Engine) -> None:
            def work(connection: Connection) -> None:
                house = engine.house(Directory(connection))
                deploy(connection, files, by="draft", now=engine.now(), house=house, alone=True)

            engine.db.write(work)

        super().__init__(_company(), change)


def play(
    files: Mapping[str, bytes], wanted: Iterable[ScenarioFile], *, progress: Callable[[int, int], None] | None = None
) -> list[Outcome]:
    """Play scenarios on the files, in a throw-away company; `progress` hears how many of how many are done."""
    queue, outcomes = list(wanted), []
    if not queue:
        return []
    with DraftStage(files) as stage, tempfile.TemporaryDirectory(prefix="guiju-draft-") as folder:
        for number, scenario in enumerate(queue):
            if progress:
                progress(number, len(queue))
            if (refused := _refused(scenario)) is not None:
                outcomes.append(refused)
                continue
            path = Path(folder) / scenario.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(scenario.content)
            outcomes.append(run_file(path, stage))
    if progress:
        progress(len(queue), len(queue))
    return outcomes


def _refused(scenario: ScenarioFile) -> Outcome | None:
    """A scenario that would read files of the server, or play for ever, is not played."""
    try:
        said = json.loads(scenario.content)
    except ValueError:
        return None  # the runner says what is wrong with it
    what = None
    if isinstance(said, dict) and said.get("diagrams"):
        what = {"zh-CN": "草稿的场景不能另带流程图", "en": "A scenario of a draft brings no diagrams of its own"}
    elif isinstance(said, dict) and isinstance(said.get("steps"), list) and len(said["steps"]) > STEPS:
        what = {"zh-CN": f"场景超过 {STEPS} 步", "en": f"The scenario has more than {STEPS} steps"}
    if what is None:
        return None
    failure = Failure(step=0, what=what)
    return Outcome(file=scenario.path, name=Path(scenario.path).stem, passed=False, seconds=0.0, failure=failure)
