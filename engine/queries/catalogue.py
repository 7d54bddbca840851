"""What there is to choose from and to look up: procedures to start, people and departments, incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine import deployment, drafts
from engine.errors import Denied, NotFound, Text
from engine.identity import Directory
from engine.models import history, incidents, instances, register_rows, tasks
from engine.moments import moment
from engine.personal import reveal
from engine.queries.reading import reader
from engine.queries.rows import PersonRef
from engine.queries.views import prefill
from engine.spiff.case import Case
from engine.starting import may_start

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessRow:
    """A procedure that can be started."""

    process: str
    name: Text
    version: int
    description: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class StartView(ProcessRow):
    """A procedure's start form; `schema` is None where it starts without one."""

    schema: dict[str, Any] | None
    prefill: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentRow:
    """Something that gave up, without the case's content. `error` is {"code", "message": {"zh-CN", "en"}}."""

    incident_id: str
    instance_id: str
    business_key: str | None
    process_name: Text
    kind: str
    element: str
    name: Text
    error: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTask:
    """An open task, for tools."""

    task_id: str
    element: str
    process: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """Everything of a case that scenarios and the command line compare. No authorisation: never behind a page."""

    instance_id: str
    process: str
    business_key: str | None
    status: str
    end: str | None
    variables: dict[str, Any]
    open: tuple[OpenTask, ...]
    path: tuple[str, ...]


def startable(engine: Engine, *, actor: str) -> list[ProcessRow]:
    """The procedures `actor` may start, by name."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        directory = Directory(connection)
        rows = []
        for found in deployment.latest(connection):
            info = engine.shelf.get(found.number, connection).processes[found.process]
            if may_start(engine, info, directory, who):
                description = info.start.instructions
                rows.append(
                    ProcessRow(process=found.process, name=info.name, version=found.version, description=description)
                )
        return sorted(rows, key=lambda row: row.name["zh-CN"])


def start_form(engine: Engine, process: str, *, actor: str | None) -> StartView:
    """The start form of a procedure's newest version; `actor` None: an outsider. Raises NotFound, Denied."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor) if actor is not None else None
        found = deployment.latest_of(connection, process)
        parsed = engine.shelf.get(found.number, connection)
        info = parsed.processes[process]
        if not may_start(engine, info, Directory(connection), who):
            raise Denied("start_denied", text={"zh-CN": "没有权限发起该流程", "en": "You may not start this procedure"})
        schema = parsed.forms[info.start.form] if info.start.form else None
        return StartView(
            process=process,
            name=info.name,
            version=found.version,
            description=info.start.instructions,
            schema=schema,
            prefill=prefill(engine, connection, schema or {}, {}, actor, None),
        )


def choices(engine: Engine, source: str) -> list[tuple[str, Text, str]]:
    """(id, names, hint) to choose from for a form's `x-source`: people, departments, groups, drafts, accounts."""
    with engine.db.read() as connection:
        directory = Directory(connection)
        if source == "people":
            return [(person.username, person.names, person.title) for person in directory.people() if person.active]
        if source == "departments":
            return [(unit.id, unit.names, "") for unit in directory.departments()]
        if source == "groups":
            return [(unit.id, unit.names, "") for unit in directory.groups()]
        if source == "drafts":
            known = drafts.listed(connection)
            return [(draft.draft_id, {"zh-CN": draft.title, "en": draft.title}, draft.by) for draft in known]
        rows = connection.execute(
            sa.select(register_rows).where(register_rows.c.register == "account").order_by(register_rows.c.key)
        )
        return [
            (row.key, {"zh-CN": row.data["name"], "en": row.data["name"]}, row.data.get("platform", "")) for row in rows
        ]


def procedures_of(engine: Engine) -> list[tuple[str, Text]]:
    """(key, name) of every procedure's newest version, by name."""
    with engine.db.read() as connection:
        found = [
            (each.process, engine.shelf.get(each.number, connection).processes[each.process].name)
            for each in deployment.latest(connection)
        ]
        return sorted(found, key=lambda one: one[1]["zh-CN"])


def person(engine: Engine, username: str) -> PersonRef | None:
    """A person by username, or None."""
    with engine.db.read() as connection:
        found = Directory(connection).person(username)
        return PersonRef(username=found.username, names=found.names, title=found.title) if found else None


def groups_of(engine: Engine, actor: str) -> frozenset[str]:
    """Ids of the groups `actor` belongs to as themselves; empty for whoever does not work here."""
    from engine.identity import standing

    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        return frozenset(name[2:] for name in who.own if name.startswith("g:"))


def open_incidents(engine: Engine, *, actor: str) -> list[IncidentRow]:
    """What gave up and waits for an administrator, oldest first. Raises Denied to anyone else."""
    with engine.db.read() as connection:
        if not reader(engine, connection, actor).within(engine.administrators):
            raise Denied(
                "administrators_only", text={"zh-CN": "该页面仅限系统管理员", "en": "Only administrators may see this"}
            )
        columns = [*incidents.c, instances.c.business_key, instances.c.process, instances.c.deployment]
        query = sa.select(*columns).join(instances, instances.c.instance_id == incidents.c.instance_id)
        found = connection.execute(
            query.where(incidents.c.resolved_at.is_(None)).order_by(incidents.c.created_at).limit(500)
        )
        rows = []
        for row in found:
            parsed = engine.shelf.get(row.deployment, connection)
            names = [
                info.elements[row.element].name for info in parsed.processes.values() if row.element in info.elements
            ]
            rows.append(
                IncidentRow(
                    incident_id=row.incident_id,
                    instance_id=row.instance_id,
                    business_key=row.business_key,
                    process_name=parsed.processes[row.process].name,
                    kind=row.kind,
                    element=row.element,
                    name=names[0] if names else {"zh-CN": row.element, "en": row.element},
                    error=row.error,
                    created_at=moment(row.created_at),
                )
            )
        return rows


def instance_of(engine: Engine, name: str) -> str:
    """The id of the case that `name` means: its id, or its number (business key). No authorisation. Raises NotFound."""
    with engine.db.read() as connection:
        where = sa.or_(instances.c.instance_id == name, instances.c.business_key == name)
        found: str | None = connection.scalar(sa.select(instances.c.instance_id).where(where).limit(1))
    if found is None:
        raise NotFound(
            "case_not_found", text={"zh-CN": "没有找到案件「{id}」", "en": "No case is called “{id}”"}, id=name
        )
    return found


def deployed(engine: Engine, number: int | None = None) -> tuple[int, dict[str, bytes]]:
    """(number, path → content) of a deployment, by default the newest, for the command line: a designer's own files
    back as they were handed in. Raises NotFound."""
    with engine.db.read() as connection:
        wanted = deployment.latest_number(connection) if number is None else number
        files = deployment.read_files(connection, wanted) if wanted else {}
    if not wanted or not files:
        raise NotFound(
            "deployment_not_found",
            text={"zh-CN": f"没有第 {wanted or 1} 次发布", "en": f"There is no deployment number {wanted or 1}"},
            id=str(wanted),
        )
    return wanted, files


def inspect(engine: Engine, instance_id: str) -> Inspection:
    """The whole of a case, for scenarios, replay and the command line. Raises NotFound."""
    import orjson

    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).first()
        if row is None:
            raise NotFound(
                "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
            )
        loaded = Case.load(engine.shelf.get(row.deployment, connection), row.state)
        still = sa.select(tasks.c.task_id, tasks.c.element, tasks.c.process)
        where = [tasks.c.instance_id == instance_id, tasks.c.status == "open"]
        found = connection.execute(still.where(*where).order_by(tasks.c.created_at, tasks.c.task_id))
        entered = sa.select(history.c.body).where(
            history.c.instance_id == instance_id, history.c.type == "element.entered"
        )
        path = [orjson.loads(body)["element"] for body in connection.scalars(entered.order_by(history.c.seq))]
        return Inspection(
            instance_id=instance_id,
            process=row.process,
            business_key=row.business_key,
            status=row.status,
            end=row.end,
            variables=reveal(engine.personal, connection, loaded.variables()),
            open=tuple(OpenTask(task_id=t.task_id, element=t.element, process=t.process) for t in found),
            path=tuple(path),
        )
