"""What a draft would do, worked out before anybody decides: the gate, its controls, the scenarios, recent real cases.

An assessment belongs to the exact files it is about, by their digest: one more keystroke, and there is none. Designers
may not read cases (X17), so what real cases would have done is told as steps and numbers, never by case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Engine, Problem, check, drafts
from engine.deployment import closure_digest, digest_of, read_files, with_groups
from engine.difference import difference
from engine.identity import Directory
from engine.models import instances
from engine.models_drafts import draft_assessments
from engine.moments import stamp
from engine.rehearsal import Parting, rehearse
from engine.replay import recorded
from engine.spiff.parse import Definitions, parse
from processes.design.scenarios import play, scenarios_of
from processes.design.weight import touched

CASES = 100  # of each changed procedure, the latest
Progress = Callable[[str, int, int], None]  # stage (gate, scenarios, cases), done, in all


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """`problems`: what the gate says, as rows. `broken`/`restored`: codes of controls (K-01…). `scenarios`: rows
    {file, name, process, passed, step, what, expected, actual}. `partings`: rows {process, was, now, message, cases}.
    `followed`: cases that would have gone the same way, by procedure; `running`: cases that stay on their version.
    `signs`: (path, element) that Administration and Legal sign for."""

    digest: str
    base: int
    processes: list[str] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    scenarios: list[dict[str, Any]] = field(default_factory=list)
    partings: list[dict[str, Any]] = field(default_factory=list)
    followed: dict[str, int] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    signs: list[list[str]] = field(default_factory=list)

    @property
    def green(self) -> bool:
        """Whether it may be submitted: nothing to mend and every scenario passes."""
        return not self.problems and all(row["passed"] for row in self.scenarios)


def assessment_of(connection: Connection, files: Mapping[str, bytes]) -> Assessment | None:
    """What was worked out for exactly these files, or None."""
    query = sa.select(draft_assessments.c.body).where(draft_assessments.c.digest == digest_of(files))
    body = connection.scalar(query)
    return Assessment(**body) if body is not None else None


def gate(engine: Engine, connection: Connection, files: Mapping[str, bytes]) -> list[Problem]:
    """Everything the gate says of the files, notes too."""
    return check(files, with_groups(connection, engine.house(Directory(connection))))


def assess(engine: Engine, draft_id: str, *, progress: Progress | None = None) -> Assessment:
    """Work everything out and keep it. Takes seconds and holds no lock meanwhile. Raises NotFound."""
    tell = progress or (lambda stage, done, total: None)
    tell("gate", 0, 1)
    with engine.db.read() as connection:
        draft = drafts.get(connection, draft_id)
        files, base = drafts.files(connection, draft), read_files(connection, draft.base)
        found = [problem for problem in gate(engine, connection, files) if problem.severity == "problem"]
        before = [problem for problem in gate(engine, connection, base) if problem.severity == "problem"]
    tell("gate", 1, 1)
    controls, old = _controls(found), _controls(before)
    made = Assessment(
        digest=digest_of(files),
        base=draft.base,
        problems=[asdict(problem) for problem in found],
        broken=sorted(controls - old),
        restored=sorted(old - controls),
        signs=[list(each) for each in touched(difference(base, files))],
    )
    if not found:
        _go_on(engine, made, base, files, tell)
    engine.db.write(lambda connection: _keep(connection, made, stamp(engine.now())))
    return made


def _go_on(
    engine: Engine, made: Assessment, base: Mapping[str, bytes], files: Mapping[str, bytes], tell: Progress
) -> None:
    """The scenarios and the real cases of every procedure whose way to run changed."""
    old, new = parse(base), parse(files)
    changed = _changed(old, base, new, files)
    made.processes.extend(changed)
    wanted = scenarios_of(files, [*changed, *_new_scenarios(base, files)])
    outcomes = play(files, wanted, progress=lambda done, total: tell("scenarios", done, total))
    for scenario, outcome in zip(wanted, outcomes, strict=True):
        failure = asdict(outcome.failure) if outcome.failure else {}
        row = {"file": scenario.path, "name": outcome.name, "process": scenario.process, "passed": outcome.passed}
        made.scenarios.append({**row, "path": list(outcome.path), **_plain(failure)})
    _cases(engine, made, new, changed, tell)


def _cases(engine: Engine, made: Assessment, new: Definitions, changed: list[str], tell: Progress) -> None:
    """Rehearse the latest cases of each changed procedure on the new version."""
    with engine.db.read() as connection:
        due, partings = engine.calendar(connection).due, Counter[tuple[str, str, str, str, str]]()
        chosen = {process: _latest(connection, process) for process in changed}
        total, done = sum(len(cases) for cases in chosen.values()), 0
        for process, cases in chosen.items():
            made.followed[process] = 0
            for instance_id in cases:
                tell("cases", done, total)
                done += 1
                rows = recorded(connection, instance_id)
                parting = rehearse(rows, new, functions=engine.functions, due=due).parting
                if parting is None:
                    made.followed[process] += 1
                else:
                    partings[process, *_where(parting)] += 1
            where = [instances.c.process == process, instances.c.status == "active"]
            made.running[process] = connection.scalar(sa.select(sa.func.count()).where(*where)) or 0
    for (process, was, now, zh, en), cases_parted in partings.most_common():
        row = {"process": process, "was": was, "now": now, "message": {"zh-CN": zh, "en": en}, "cases": cases_parted}
        made.partings.append(row)
    tell("cases", total, total)


def _where(parting: Parting) -> tuple[str, str, str, str]:
    was, now = (place[1] if place else "" for place in (parting.was, parting.now))
    return was, now, parting.message["zh-CN"], parting.message["en"]


def _latest(connection: Connection, process: str) -> list[str]:
    query = sa.select(instances.c.instance_id).where(instances.c.process == process)
    return list(connection.scalars(query.order_by(instances.c.started_at.desc()).limit(CASES)))


def _changed(old: Definitions, base: Mapping[str, bytes], new: Definitions, files: Mapping[str, bytes]) -> list[str]:
    """The procedures that would get a new version, or are new."""
    digests = [{path: digest_of({path: content}) for path, content in each.items()} for each in (base, files)]
    return [
        process
        for process in sorted(new.processes)
        if process not in old.processes
        or closure_digest(old, process, digests[0]) != closure_digest(new, process, digests[1])
    ]


def _new_scenarios(base: Mapping[str, bytes], files: Mapping[str, bytes]) -> set[str]:
    return {path.split("/")[0] for path in files if "/scenarios/" in path and files[path] != base.get(path)}


def _controls(problems: Iterable[Problem]) -> set[str]:
    return {problem.code for problem in problems if problem.code.startswith("K-")}


def _plain(failure: Mapping[str, Any]) -> dict[str, Any]:
    return {key: failure.get(key) for key in ("step", "what")} | {
        key: repr(failure.get(key))[:2000] if failure.get(key) is not None else None for key in ("expected", "actual")
    }


def _keep(connection: Connection, made: Assessment, at: str) -> None:
    connection.execute(sa.delete(draft_assessments).where(draft_assessments.c.digest == made.digest))
    connection.execute(sa.insert(draft_assessments).values(digest=made.digest, at=at, body=asdict(made)))
