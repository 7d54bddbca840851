"""What was so at a moment of a case: variables and who last changed them, tasks that were open, attempts at a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.changes import Change, apply
from engine.changes import changes as changed_by
from engine.errors import Text, Unavailable
from engine.moments import moment
from engine.personal import reveal
from engine.queries.course import element_name
from engine.queries.recorded import Beat, Recorded
from engine.queries.rows import PersonRef
from engine.replay import Rerun, recorded

if TYPE_CHECKING:
    from engine.queries.moments import Course, Shown
    from engine.queries.track import Track


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """A variable as it was: its value, what it was before its last change (None: it was not there), which event changed
    it, who, and at which step. `gone`: the last change took it away. `part` is the start form's field it comes from,
    `schema` the form of the step whose result it is."""

    name: str
    value: Any
    before: Any
    fresh: bool
    gone: bool
    seq: int
    at: datetime
    by: PersonRef | None
    element: str | None
    element_name: Text | None
    part: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenThen:
    """A task that was open: who could do it, who held it, who was recused, which attempt it was."""

    task: str
    element: str
    name: Text | None
    view: int | None
    nth: int
    since: datetime
    seq: int
    due: datetime | None
    may: list[Text]
    recused: list[Text]
    holder: PersonRef | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One time a step was entered: by whom it ended and how (`done`, `cancelled`, or still `open`)."""

    nth: int
    task: str
    seq: int
    ended: int | None
    how: str
    by: PersonRef | None
    result: dict[str, Any]
    schema: dict[str, Any]


def variables(course: Course, at: int) -> list[Variable]:
    """Every variable as the commands finished by event `at` left it, by name; just now gone ones too."""
    values: dict[str, Any] = {}
    last: dict[str, tuple[Beat, Any, bool]] = {}
    beat: Beat | None = None
    worked_out: dict[int, list[Change]] | None = None
    for beat in course.beats:
        saved = beat.events[-1]
        if saved.seq > at:
            break
        if saved.type != "state.saved":
            continue
        made = saved.data.get("changes")
        if made is None:  # recorded before changes were kept
            worked_out = worked_out or _worked_out(course)
            made = worked_out.get(saved.seq, [])
        for name, *_ in made:
            last[name] = (beat, values.get(name), name not in values)
        values = apply(values, made)
    here = next((one for one in reversed(course.beats) if one.first <= at), None)
    found = []
    described = _described(course)
    for name in sorted(last):
        beat, before, fresh = last[name]
        if name not in values and beat is not here:
            continue
        writer = _writer(course, beat, name)
        process, element = writer or (None, None)
        found.append(
            Variable(
                name=name,
                value=values.get(name),
                before=before,
                fresh=fresh,
                gone=name not in values,
                seq=beat.last,
                at=moment(beat.at) if beat.at else moment(course.row.started_at),
                by=course.names.person(beat.actor),
                element=element,
                element_name=element_name(course.parsed, course.row.process, process, element),
                **described.get(name, {}),
            )
        )
    return found


def _worked_out(course: Course) -> dict[int, list[Change]]:
    """The changes of every command, by re-execution."""
    rerun = Rerun(lambda number: course.engine.shelf.get(number, course.connection), course.engine.functions)
    found: dict[int, list[Change]] = {}
    before: dict[str, Any] = {}
    for step in rerun.run(recorded(course.connection, course.row.instance_id)):
        after = rerun.case.variables() if rerun.case else {}
        found[step.last] = changed_by(before, after)
        before = after
    try:
        opened: dict[int, list[Change]] = reveal(course.engine.personal, course.connection, found)
    except Unavailable:
        return found
    return opened


def _described(course: Course) -> dict[str, dict[str, Any]]:
    """What forms say of variables: the start form's fields, and the results of steps."""
    found: dict[str, dict[str, Any]] = {}
    for process in {view.process: None for view in reversed(course.track.views)}:
        info = course.parsed.processes.get(process)
        for element in info.elements.values() if info else ():
            if element.form and element.form in course.parsed.forms and element.kind == "userTask":
                found[element.result_variable or element.id] = {"schema": course.parsed.forms[element.form]}
    start = course.parsed.processes[course.row.process].start
    if start.form and start.form in course.parsed.forms:
        for name, part in course.parsed.forms[start.form].get("properties", {}).items():
            found[name] = {"part": part}
    return found


def _writer(course: Course, beat: Beat, name: str) -> tuple[str, str] | None:
    """The step of the beat that wrote the variable, as (process, element), where its events tell."""
    for event in reversed(beat.events):
        process = event.data.get("process")
        if event.type == "task.completed" and (home := course.home(event)):
            process = course.track.views[home[0]].process
        info = course.parsed.processes.get(str(process))
        if info is None or event.element is None or event.element not in info.elements:
            continue
        step = info.elements[event.element]
        if _wrote(event, name, step.result_variable or step.id):
            return info.id, event.element
    return None


def _wrote(event: Recorded, name: str, result: str) -> bool:
    if event.type in ("task.completed", "operation.called"):
        return name == result
    given = {"script.run": "assigned", "decision.evaluated": "outputs"}.get(event.type)
    return bool(given) and name in (event.data.get(str(given)) or {})


def open_then(course: Course, at: int) -> list[OpenThen]:
    """The tasks open after event `at`, oldest first."""
    tasks: dict[str, dict[str, Any]] = {}
    for event in course.events:
        if event.seq > at:
            break
        task, data = str(event.data.get("task")), event.data
        if not event.at:
            continue  # a damaged event: what it was about is not known
        if event.type == "task.created":
            tasks[task] = {
                "event": event,
                "may": data.get("may", []),
                "recused": data.get("recused", []),
                "holder": None,
            }
            alone = [name for name in tasks[task]["may"] if str(name).startswith("u:")]
            if len(alone) == len(tasks[task]["may"]) == 1:
                tasks[task]["holder"] = alone[0][2:]
        elif task not in tasks:
            continue
        elif event.type in ("task.completed", "task.cancelled"):
            del tasks[task]
        elif event.type == "task.claimed":
            tasks[task]["holder"] = event.actor
        elif event.type == "task.released":
            tasks[task]["holder"] = None
        elif event.type == "task.reassigned":
            tasks[task].update(holder=data.get("to"), may=[f"u:{data.get('to')}"])
        elif event.type == "task.recused":
            tasks[task].update(holder=None, recused=[*tasks[task]["recused"], f"u:{data.get('who')}"])
    return [_open(course, task, known) for task, known in tasks.items()]


def _open(course: Course, task: str, known: Mapping[str, Any]) -> OpenThen:
    event: Recorded = known["event"]
    home = course.home(event)
    process = course.track.views[home[0]].process if home else None
    due = event.data.get("due")
    return OpenThen(
        task=task,
        element=event.element or "",
        name=element_name(course.parsed, course.row.process, process, event.element),
        view=home[0] if home else None,
        nth=course.nth(task),
        since=moment(event.at),
        seq=event.seq,
        due=moment(due) if isinstance(due, str) else None,
        may=[course.names.principal(str(name)) for name in known["may"] if ":" in str(name)],
        recused=[course.names.principal(str(name)) for name in known["recused"] if ":" in str(name)],
        holder=course.names.person(known["holder"]),
    )


def attempts_by_token(track: Track) -> dict[str, int]:
    """Token → which time its step was entered in its view; an instance counts as its activity's run."""
    times: dict[tuple[int, str], int] = {}
    by_number: dict[int, int] = {}
    for mark in track.marks:
        if mark["kind"] == "in":
            key = (mark["view"], mark["element"])
            if "index" not in mark:
                times[key] = times.get(key, 0) + 1
            by_number[mark["token"]] = times.get(key, 1)
    return {token: by_number[number] for token, number in track.numbers.items() if number in by_number}


def attempts(course: Course, happened: list[Shown]) -> list[Attempt]:
    """Every attempt at the step the moment is about, when people did it more than once."""
    about = next(
        (one for one in reversed(happened) if one.entry.type.startswith("task.") and one.view is not None), None
    )
    if about is None or about.entry.element is None:
        return []
    here, found = (about.view, about.entry.element), dict[str, Attempt]()
    for event in course.events:
        task = str(event.data.get("task"))
        home = course.track.homes.get(task)
        if home != here:
            continue
        process = course.track.views[home[0]].process
        if event.type == "task.created":
            found[task] = Attempt(
                nth=course.nth(task), task=task, seq=event.seq, ended=None, how="open", by=None, result={},
                schema=course.form(process, event.element),
            )  # fmt: skip
        elif task in found and event.type in ("task.completed", "task.cancelled"):
            old, result = found[task], event.data.get("result")
            found[task] = Attempt(
                nth=old.nth, task=task, seq=old.seq, ended=event.seq,
                how="done" if event.type == "task.completed" else "cancelled",
                by=course.names.person(event.actor), result=result if isinstance(result, dict) else {},
                schema=old.schema,
            )  # fmt: skip
    return list(found.values()) if len(found) > 1 else []
