"""A moment of a case, as an auditor sees it: what happened, what was filled in, who had what to do, and every variable
as it was then and who had last changed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from engine import deployment
from engine.errors import NotFound, Text, Unavailable
from engine.identity import Standing
from engine.moments import moment as moment_of
from engine.personal import reveal
from engine.queries import past, track
from engine.queries.course import Entry, diagrams, element_name
from engine.queries.picture import Picture, picture
from engine.queries.recorded import Beat, Fault, Recorded, beats, first_fault, moment_missing, read
from engine.queries.rows import CaseRow, Names, PersonRef, case_rows
from engine.queries.sealing import opened, veiled
from engine.queries.tables import DecisionTable, table
from engine.spiff.parse import Definitions
from engine.task_forms import of_task

if TYPE_CHECKING:
    from engine.runtime import Engine


AROUND = 40  # beats listed on either side of the moment


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One event with what belongs to it: the form as it was filled in (`schema`, `values`), the decision table, the
    operation's name; `nth`: which attempt at the element it is; `view` the diagram it happened on."""

    entry: Entry
    nth: int = 0
    view: int | None = None
    schema: dict[str, Any] | None = None
    values: dict[str, Any] | None = None
    table: DecisionTable | None = None
    operation: Text | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BeatRow:
    """A beat in the list: what it was about, who it was about, and where it begins and ends."""

    number: int
    first: int
    last: int
    command: str
    lead: Shown
    ends: bool
    actors: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewRow:
    """A diagram as one call saw it, with its name and that of the step that called it."""

    number: int
    process: str
    name: Text
    parent: int | None
    element: str | None
    element_name: Text | None
    nth: int
    first: int
    names: dict[str, Text]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """See the module. `at` is an event's number, `event` that event (None when it is missing), `happened` the events of
    its beat up to it; `beats` those around it, with how many lie `earlier` and `later`; `before` and `after` are the
    last events of the neighbouring beats; `fault` is the first bad event of the case, or None."""

    case: CaseRow
    at: int
    last: int
    time: datetime | None
    event: Shown | None
    beat: BeatRow
    happened: list[Shown]
    inside: list[Shown]
    beats: list[BeatRow]
    number: tuple[int, int]
    earlier: int
    later: int
    before: int | None
    after: int | None
    picture: Picture
    views: list[ViewRow]
    variables: list[past.Variable]
    changed: list[past.Variable]
    tasks: list[past.OpenThen]
    attempts: list[past.Attempt]
    people: list[tuple[PersonRef, int]]
    fault: Fault | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackView:
    """What the browser plays: marks, diagrams, and each beat's first and last event and its moment."""

    marks: list[track.Mark]
    views: list[ViewRow]
    beats: list[tuple[int, int, str]]
    last: int


class Course:
    """A case read once, for whatever is asked of it."""

    def __init__(self, engine: Engine, connection: Connection, row: Any, who: Standing) -> None:
        self.engine, self.connection, self.row = engine, connection, row
        self.parsed: Definitions = engine.shelf.get(row.deployment, connection)
        events = read(connection, row.instance_id)
        self.events = veiled(engine, connection, row.instance_id, who, _revealed(engine, connection, events))
        self.beats = beats(self.events)
        self.track = track.lay(((event.seq, event.body) for event in self.events), row.process, self._calls)
        self.last = self.events[-1].seq if self.events else 0
        self.actors = {beat.number: beat.actors for beat in self.beats}
        self.names = Names(connection)
        self.names.load({event.actor for event in self.events})
        self._nth = past.attempts_by_token(self.track)

    def _calls(self, process: str, element: str) -> bool:
        info = self.parsed.processes.get(process)
        return bool(info and element in info.elements and info.elements[element].called)

    def nth(self, token: str) -> int:
        """Which time the token's step was entered; 0 when that is not known."""
        return self._nth.get(token, 0)

    def home(self, event: Recorded) -> tuple[int, str] | None:
        """The view and element an event happened at."""
        token = event.data.get("token") or event.data.get("task")
        return self.track.homes.get(str(token))

    def shown(self, event: Recorded, *, whole: bool = False) -> Shown:
        """An event in names; `whole`: with its form, table and operation."""
        data, home = event.data, self.home(event)
        process = self.track.views[home[0]].process if home else data.get("process")
        result = data.get("result")
        behalf = result.get("for") if event.type == "task.completed" and isinstance(result, dict) else None
        entry = Entry(
            seq=event.seq,
            at=moment_of(event.at) if event.at else moment_of(self.row.started_at),
            type=event.type,
            actor=self.names.person(event.actor),
            on_behalf=self.names.person(behalf),
            element=event.element,
            name=element_name(self.parsed, self.row.process, process, event.element),
            data=data,
        )
        nth = self.nth(str(data.get("token") or data.get("task")))
        more: dict[str, Any] = {}
        if event.type == "task.completed" and isinstance(result, dict):
            more["schema"] = self.form(process, event.element)
            more["values"] = {key: value for key, value in result.items() if key not in ("by", "at", "for")}
        elif event.type == "instance.started":
            more.update(self._start())
        elif whole and event.type == "decision.evaluated":
            more["table"] = table(self.connection, self.row.deployment, str(data.get("sha")))
        elif event.type == "operation.called" and (info := self.engine.operations.infos.get(str(data.get("name")))):
            more["operation"] = getattr(info, "titles", None) or None
        return Shown(entry=entry, nth=nth, view=home[0] if home else None, **more)

    def form(self, process: str | None, element: str | None) -> dict[str, Any]:
        """The form of a step, as its deployment has it."""
        info = self.parsed.processes.get(process or "")
        step = info.elements.get(element or "") if info else None
        return of_task(self.parsed.forms, step.form if step and step.form in self.parsed.forms else None)

    def _start(self) -> dict[str, Any]:
        start = self.parsed.processes[self.row.process].start
        given = self.events[0].data.get("input", {})
        if start.form is None or not isinstance(given, dict):
            return {}
        schema, variables = self.parsed.forms[start.form], given.get("variables", {})
        values = {name: variables[name] for name in schema.get("properties", {}) if name in variables}
        return {"schema": schema, "values": values}

    def beat_row(self, beat: Beat) -> BeatRow:
        """A beat for the list."""
        return BeatRow(
            number=beat.number,
            first=beat.first,
            last=beat.last,
            command=beat.command,
            lead=self.shown(beat.lead),
            ends=any(event.type == "instance.ended" for event in beat.events),
            actors=self.actors[beat.number],
        )

    def views(self) -> list[ViewRow]:
        """Every diagram the case has been on."""
        rows = []
        for view in self.track.views:
            info = self.parsed.processes.get(view.process)
            parent = self.track.views[view.parent].process if view.parent is not None else None
            rows.append(
                ViewRow(
                    number=view.number,
                    process=view.process,
                    name=info.name if info else {"zh-CN": view.process, "en": view.process},
                    parent=view.parent,
                    element=view.element,
                    element_name=element_name(self.parsed, self.row.process, parent, view.element),
                    nth=view.nth,
                    first=view.first,
                    names={name: item.name for name, item in info.elements.items()} if info else {},
                )
            )
        return rows


def moment(engine: Engine, instance_id: str, *, at: int | None, actor: str, who: str | None = None) -> Moment:
    """The case after event `at` (its last one when None); `who` narrows the list of beats to those about one person.
    Raises NotFound, Denied."""
    with case_of(engine, instance_id, actor) as course:
        at = course.last if at is None else at
        if not 1 <= at <= course.last:
            raise moment_missing(at, course.last)
        here = next((beat for beat in reversed(course.beats) if beat.first <= at), course.beats[0])
        listed = [beat for beat in course.beats if who is None or who in course.actors[beat.number]]
        place = sum(beat.first <= at for beat in listed) - 1
        near = listed[max(0, place - AROUND) : place + AROUND + 1]
        event = next((event for event in here.events if event.seq == at), None)
        happened = [course.shown(event, whole=True) for event in here.events if event.seq <= at]
        variables = past.variables(course, at)
        time = next((item.entry.at for item in reversed(happened)), None)
        return Moment(
            case=case_rows(engine, course.connection, [course.row])[0],
            at=at,
            last=course.last,
            time=time,
            event=course.shown(event, whole=True) if event else None,
            beat=course.beat_row(here),
            happened=happened,
            inside=[course.shown(event) for event in here.events],
            beats=[course.beat_row(beat) for beat in near],
            number=(place + 1, len(listed)),
            earlier=max(0, place - AROUND),
            later=max(0, len(listed) - place - AROUND - 1),
            before=next((beat.last for beat in reversed(listed) if beat.last < here.first), None),
            after=next((beat.last for beat in listed if beat.last > at), None),
            picture=picture(course.track.marks, at),
            views=course.views(),
            variables=variables,
            changed=[variable for variable in variables if here.first <= variable.seq <= at],
            tasks=past.open_then(course, at),
            attempts=past.attempts(course, happened),
            people=_people(course),
            fault=first_fault(course.events, course.row.seq),
        )


def track_of(engine: Engine, instance_id: str, *, actor: str) -> TrackView:
    """What the browser plays. Raises NotFound, Denied."""
    with case_of(engine, instance_id, actor) as course:
        return TrackView(
            marks=course.track.marks,
            views=course.views(),
            beats=[(beat.first, beat.last, beat.at) for beat in course.beats],
            last=course.last,
        )


def drawing(engine: Engine, instance_id: str, process: str, *, actor: str) -> bytes:
    """A diagram of the case's own deployment, as it was deployed. Raises NotFound, Denied."""
    with case_of(engine, instance_id, actor) as course:
        if process not in dict(diagrams(course.parsed, course.row.process)):
            raise NotFound("process_not_found", text={"zh-CN": "没有该流程图", "en": "No such diagram"}, id=process)
        files = deployment.read_files(course.connection, course.row.deployment)
        return files[course.parsed.processes[process].file]


@contextmanager
def case_of(engine: Engine, instance_id: str, actor: str) -> Iterator[Course]:
    """A case opened to an auditor. Raises NotFound, Denied."""
    with opened(engine, instance_id, actor) as (connection, row, who):
        yield Course(engine, connection, row, who)


def _revealed(engine: Engine, connection: Connection, events: list[Recorded]) -> list[Recorded]:
    """The events with personal data opened; one whose boxes were damaged stays as it is."""
    try:
        bodies = reveal(engine.personal, connection, [event.body for event in events])
    except Unavailable:
        bodies = []
        for event in events:
            try:
                bodies.append(reveal(engine.personal, connection, event.body))
            except Unavailable:
                bodies.append(event.body)
    return [replace(event, body=body) for event, body in zip(events, bodies, strict=True)]


def _people(course: Course) -> list[tuple[PersonRef, int]]:
    """Who took part, and in how many beats, most first."""
    counts: dict[str, int] = {}
    for beat in course.beats:
        for name in course.actors[beat.number]:
            counts[name] = counts.get(name, 0) + 1
    course.names.load(counts)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(ref, times) for name, times in ranked if (ref := course.names.person(name)) is not None]
