"""What lists are made of: tasks and cases as plain data, with every name in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Text
from engine.meeting import SYSTEM
from engine.models import groups, instances, people, task_access, tasks
from engine.moments import moment
from engine.spiff.parse import ElementInfo
from engine.tasks import apart

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRef:
    """A person as pages name them. An unknown username names itself."""

    username: str
    names: Text
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRow:
    """A task as a list shows it. `on_behalf`: whom the reader would stand in for; `outcome` only once it is done."""

    task_id: str
    instance_id: str
    business_key: str | None
    title: str
    element: str
    name: Text
    process: str
    process_name: Text
    status: str
    initiator: PersonRef | None
    assignee: PersonRef | None
    candidates: list[Text]
    created_at: datetime
    due_at: datetime | None
    claimed_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: PersonRef | None = None
    on_behalf: PersonRef | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRow:
    """A case as a list shows it; `open` pairs each open step's name with whom it waits for."""

    instance_id: str
    business_key: str | None
    title: str
    process: str
    process_name: Text
    version: int
    status: str
    suspended: bool
    end: str | None
    end_name: Text | None
    initiator: PersonRef | None
    started_at: datetime
    ended_at: datetime | None
    open: list[tuple[Text, list[Text]]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of a list; `next` is the cursor of the following one, or None."""

    items: list[Any]
    next: str | None = None


class Names:
    """Names of people and groups, read in one statement each for a whole page."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._people: dict[str, PersonRef] = {
            SYSTEM: PersonRef(username=SYSTEM, names={"zh-CN": "系统", "en": "System"})
        }
        self._groups: dict[str, Text] | None = None

    def load(self, usernames: Iterable[str | None]) -> None:
        """Read the people not known yet."""
        wanted = {name for name in usernames if name} - self._people.keys()
        if wanted:
            for row in self._connection.execute(_PEOPLE, {"ids": sorted(wanted)}):
                self._people[row.username] = PersonRef(username=row.username, names=row.names, title=row.title)

    def person(self, username: str | None) -> PersonRef | None:
        """The person; one nobody knows names itself."""
        if not username:
            return None
        self.load([username])
        return self._people.get(username) or PersonRef(username=username, names={"zh-CN": username, "en": username})

    def principal(self, principal: str) -> Text:
        """The name of a person or a group."""
        kind, name = principal.split(":", 1)
        if kind == "u":
            ref = self.person(name)
            assert ref is not None
            return ref.names
        if self._groups is None:
            self._groups = {row.id: row.names for row in self._connection.execute(sa.select(groups))}
        return self._groups.get(name, {"zh-CN": name, "en": name})


TASK_COLUMNS = [
    *[column for column in tasks.c if column.name != "draft"],
    instances.c.business_key,
    instances.c.title,
    instances.c.initiator,
    instances.c.process.label("root"),
    instances.c.deployment,
]


def element_of(engine: Engine, connection: Connection, deployment: int, process: str, element: str) -> ElementInfo:
    """The element of a deployed diagram."""
    return engine.shelf.get(deployment, connection).processes[process].elements[element]


def task_rows(
    engine: Engine, connection: Connection, found: Iterable[Any], behalf: Mapping[str, str | None]
) -> list[TaskRow]:
    """Rows selected with TASK_COLUMNS as TaskRow, in the order given; two more statements for the whole list."""
    rows = list(found)
    names = Names(connection)
    waits = waiting_for(connection, rows)
    users: list[str | None] = []
    for principals in waits.values():
        users += [principal[2:] for principal in principals if principal.startswith("u:")]
    for row in rows:
        users += [row.initiator, row.assignee, row.completed_by, row.on_behalf, behalf.get(row.task_id)]
    names.load(users)
    return [
        _task_row(engine, connection, row, names, waits.get(row.task_id, []), behalf.get(row.task_id)) for row in rows
    ]


def _task_row(
    engine: Engine, connection: Connection, row: Any, names: Names, waits: list[str], behalf: str | None
) -> TaskRow:
    parsed = engine.shelf.get(row.deployment, connection)
    info = parsed.processes[row.process].elements[row.element]
    aside = apart(info)  # then neither what the case is about nor who began it
    return TaskRow(
        task_id=row.task_id,
        instance_id=row.instance_id,
        business_key=None if aside else row.business_key,
        title="" if aside else row.title,
        element=row.element,
        name=info.name,
        process=row.root,
        process_name=parsed.processes[row.root].name,
        status=row.status,
        initiator=None if aside else names.person(row.initiator),
        assignee=names.person(row.assignee),
        candidates=[names.principal(principal) for principal in waits],
        created_at=moment(row.created_at),
        due_at=moment(row.due_at) if row.due_at else None,
        claimed_at=moment(row.claimed_at) if row.claimed_at else None,
        completed_at=moment(row.completed_at) if row.completed_at else None,
        completed_by=names.person(row.completed_by),
        on_behalf=names.person(behalf or row.on_behalf),
    )


_WAITING_FOR = (
    sa.select(task_access.c.task_id, task_access.c.principal)
    .where(
        task_access.c.instance_id.in_(sa.bindparam("instances", expanding=True)),  # the key's first column: no scan
        task_access.c.task_id.in_(sa.bindparam("ids", expanding=True)),
        task_access.c.rule == "may",
    )
    .order_by(task_access.c.principal)
)
_PEOPLE = sa.select(people.c.username, people.c.names, people.c.title).where(
    people.c.username.in_(sa.bindparam("ids", expanding=True))
)


def waiting_for(connection: Connection, rows: Iterable[Any]) -> dict[str, list[str]]:
    """Task id → principals it waits for: its holder alone once somebody holds it."""
    open_rows = [row for row in rows if row.status == "open"]
    found = {row.task_id: [f"u:{row.assignee}"] for row in open_rows if row.assignee}
    offered = {row.task_id: row.instance_id for row in open_rows if not row.assignee}
    if offered:
        wanted = {"instances": sorted(set(offered.values())), "ids": list(offered)}
        for row in connection.execute(_WAITING_FOR, wanted):
            found.setdefault(row.task_id, []).append(row.principal)
    return found


def case_rows(engine: Engine, connection: Connection, found: Iterable[Any]) -> list[CaseRow]:
    """Rows of `instances` as CaseRow with their open steps."""
    rows = list(found)
    names = Names(connection)
    names.load(row.initiator for row in rows)
    ids = [row.instance_id for row in rows if row.ended_at is None]
    open_query = sa.select(tasks)
    open_rows = (
        connection.execute(open_query.where(tasks.c.instance_id.in_(ids), tasks.c.status == "open")).all()
        if ids
        else []
    )
    waits = waiting_for(connection, open_rows)
    result = []
    for row in rows:
        parsed = engine.shelf.get(row.deployment, connection)
        steps: dict[str, tuple[Text, list[Text]]] = {}
        for task in open_rows:
            if task.instance_id == row.instance_id:
                name = parsed.processes[task.process].elements[task.element].name
                who = steps.setdefault(task.element, (name, []))[1]
                who.extend(names.principal(principal) for principal in waits.get(task.task_id, []))
        info = parsed.processes[row.process]
        result.append(
            CaseRow(
                instance_id=row.instance_id,
                business_key=row.business_key,
                title=row.title,
                process=row.process,
                process_name=info.name,
                version=row.version,
                status=row.status,
                suspended=row.suspended,
                end=row.end,
                end_name=info.elements[row.end].name if row.end and row.end in info.elements and row.ended_at else None,
                initiator=names.person(row.initiator),
                started_at=moment(row.started_at),
                ended_at=moment(row.ended_at) if row.ended_at else None,
                open=list(steps.values()),
            )
        )
    return result
