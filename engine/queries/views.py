"""What one page shows: a task with its form and what came before, a case with its timeline, a diagram with where it
stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses
from engine.errors import Denied, Text
from engine.identity import LOCAL, Access, Directory, Standing
from engine.jobs import note_refusal
from engine.models import history, instances, task_access, tasks
from engine.moments import moment
from engine.personal import reveal
from engine.prepared import Prepared
from engine.queries.course import Entry, diagrams, timeline
from engine.queries.reading import Sealed, readable_case, reader, require_not_barred
from engine.queries.rows import TASK_COLUMNS, CaseRow, Names, PersonRef, TaskRow, case_rows, task_rows
from engine.spiff.case import Case
from engine.spiff.expressions import compile_expression
from engine.spiff.parse import Definitions
from engine.task_forms import of_task
from engine.tasks import apart, require_open

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A filled-in form: its schema and its values; `changed` when they are no longer what was first handed in."""

    schema: dict[str, Any]
    values: dict[str, Any]
    changed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """A completed task and what was entered there."""

    task_id: str
    element: str
    name: Text
    by: PersonRef | None
    on_behalf: PersonRef | None
    at: datetime
    schema: dict[str, Any]
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskView(TaskRow):
    """A task's page. `may` names the verbs open to the reader; `processes` the diagrams it can be seen in."""

    instructions: Text
    schema: dict[str, Any]
    draft: dict[str, Any] | None
    prefill: dict[str, Any]
    start: Record | None
    decided: list[Decided]
    may: frozenset[str]
    processes: list[tuple[str, Text]]
    suspended: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseView(CaseRow):
    """A case's page."""

    start: Record | None
    decided: list[Decided]
    tasks: list[TaskRow]
    timeline: list[Entry]
    processes: list[tuple[str, Text]]
    may: frozenset[str]


_ROW = Prepared(
    sa.select(*TASK_COLUMNS, tasks.c.draft, instances.c.state, instances.c.suspended)
    .join(instances, instances.c.instance_id == tasks.c.instance_id)
    .where(tasks.c.task_id == sa.bindparam("task"))
)
_RULES = Prepared(
    sa.select(task_access.c.principal, task_access.c.rule).where(
        task_access.c.instance_id == sa.bindparam("instance"), task_access.c.task_id == sa.bindparam("task")
    )
)
_FIRST = Prepared(
    sa.select(history.c.body).where(
        history.c.instance_id == sa.bindparam("instance"), history.c.seq == sa.bindparam("seq")
    )
)
_COMPLETED = Prepared(
    sa.select(history.c.body)
    .where(history.c.instance_id == sa.bindparam("instance"), history.c.type == sa.literal_column("'task.completed'"))
    .order_by(history.c.seq)
)
_PROCESSES = Prepared(
    sa.select(tasks.c.task_id, tasks.c.process).where(tasks.c.instance_id == sa.bindparam("instance"))
)


def task(engine: Engine, task_id: str, *, actor: str) -> TaskView:
    """The page of one task. Raises NotFound, Denied (recused said as such), Conflict when it is done or gone.

    A refusal is written into the case's history, as refused commands are."""
    try:
        view = _task(engine, task_id, actor)
    except Denied as refusal:
        note_refusal(engine, ("task", task_id), by=actor, command="open", refusal=refusal)
        raise
    accesses.read(engine, view.instance_id, actor, f"task:{task_id}")
    return view


def _task(engine: Engine, task_id: str, actor: str) -> TaskView:
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        row = _ROW.run(connection, task=task_id).first()
        if row is None:
            from engine.command import task_missing

            raise task_missing(task_id)
        access = Access.of(_RULES.run(connection, instance=row.instance_id, task=task_id).all())
        parsed = engine.shelf.get(row.deployment, connection)
        info = parsed.processes[row.process].elements[row.element]
        aside = apart(info)
        if not aside and "barred" in parsed.processes[row.root].properties:
            require_not_barred(connection, row.instance_id, who)
        _require_readable(row, access, who)
        grant = access.grant_for(who, row.element)
        listed = task_rows(engine, connection, [row], {task_id: grant.behalf if grant else None})[0]
        schema = of_task(parsed.forms, info.form)
        entries = decided(engine, connection, row.instance_id, row.deployment, who)
        case = Case.load(parsed, row.state)
        waiting = next((item for item in case.waiting().tasks if item.token == task_id), None)
        data = waiting.data if waiting else {}
        return TaskView(
            **_values(listed),
            instructions=info.instructions,
            schema=schema,
            draft=reveal(engine.personal, connection, orjson.loads(row.draft)) if row.draft else None,
            prefill=prefill(engine, connection, schema, data, actor, row.business_key),
            start=None
            if aside
            else start_record(engine, connection, parsed, row.instance_id, row.root, case.variables()),
            decided=[entry for entry in entries if entry.task_id == task_id] if aside else entries,
            may=_verbs(row, access, who, engine),
            processes=[] if aside else diagrams(parsed, row.root),
            suspended=row.suspended,
        )


def _require_readable(row: Any, access: Access, who: Standing) -> None:
    if access.is_recused(who):
        raise Denied(recused=True)
    if row.status != "open" and row.completed_by != who.username:
        if access.past_grant_for(who, row.element) is None:
            raise Denied("task_denied", text={"zh-CN": "该任务不由你办理", "en": "This task is not yours to do"})
        require_open(row)
    if row.status == "open" and access.grant_for(who, row.element) is None:
        raise Denied("task_denied", text={"zh-CN": "该任务不由你办理", "en": "This task is not yours to do"})


def _verbs(row: Any, access: Access, who: Standing, engine: Engine) -> frozenset[str]:
    grant = access.grant_for(who, row.element)
    if grant is None or row.status != "open" or row.suspended:
        return frozenset()
    holder = row.assignee in (who.username, grant.behalf) and row.assignee is not None
    if holder:
        others = access.may - {f"u:{who.username}", f"u:{grant.behalf}"}  # a ballot has nobody to be handed to
        verbs = {"complete", "recuse", "reassign"} if others else {"complete", "recuse"}
        return frozenset(verbs | {"release"} if row.claimed_at and row.assignee == who.username else verbs)
    return frozenset({"claim", "complete", "recuse"}) if row.assignee is None else frozenset()


def prefill(
    engine: Engine,
    connection: Connection,
    schema: Mapping[str, Any],
    data: Mapping[str, Any],
    actor: str | None,
    number: str | None,
) -> dict[str, Any]:
    """What a form starts with: `x-prefill` expressions over the case's variables, and the automatic fields."""
    automatic = {"initiator": actor, "business_key": number, "today": engine.now().astimezone(LOCAL).date().isoformat()}
    directory = Directory(connection)
    functions = {**engine.functions, **engine.directory_functions(directory)}
    values: dict[str, Any] = {}
    for name, item in schema.get("properties", {}).items():
        if "x-auto" in item and item["x-auto"] != "case":
            values[name] = data.get(name, automatic.get(item["x-auto"]))
        elif "x-prefill" in item:
            value = compile_expression(item["x-prefill"]).evaluate(data, functions)
            if value is not None:
                values[name] = value
    found: dict[str, Any] = reveal(engine.personal, connection, values)
    return found


def start_record(
    engine: Engine,
    connection: Connection,
    parsed: Definitions,
    instance_id: str,
    process: str,
    current: Mapping[str, Any] | None = None,
) -> Record | None:
    """The start form as it was filled in, from the first command; None for a process without one.

    With the case's `current` variables: as it stands now. Whoever decides on a corrected request reads the correction.
    """
    info = parsed.processes[process]
    if info.start.form is None:
        return None
    body = _FIRST.run(connection, instance=instance_id, seq=1).scalar()
    if body is None:
        return None
    schema = parsed.forms[info.start.form]
    variables = orjson.loads(body)["data"]["input"]["variables"]
    fields = schema.get("properties", {})
    variables, current = reveal(engine.personal, connection, [variables, dict(current or {})])
    first = {name: variables[name] for name in fields if name in variables}
    known = {name: current[name] for name in fields if current.get(name) is not None}
    now = {**first, **known}
    ordered = {name: now[name] for name in fields if name in now}
    return Record(schema=schema, values=ordered, changed=any(first.get(name) != now[name] for name in now))


def decided(engine: Engine, connection: Connection, instance_id: str, deployment: int, who: Standing) -> list[Decided]:
    """Every completed task of the case that the reader may read, oldest first."""
    names, sealed = Names(connection), Sealed(engine, connection, instance_id, who)
    parsed = engine.shelf.get(deployment, connection)
    bodies = [orjson.loads(row.body) for row in _COMPLETED.run(connection, instance=instance_id).all()]
    if not bodies:
        return []
    named = _PROCESSES.run(connection, instance=instance_id).all()
    processes = {row.task_id: row.process for row in named}
    names.load(body["data"]["result"]["by"] for body in bodies)
    found = []
    for body in bodies:
        task_id, element, result = body["data"]["task"], body["element"], dict(body["data"]["result"])
        if sealed.hides(task_id, element, result["by"]):
            continue
        process = processes[task_id]
        info = parsed.processes[process].elements[element]
        schema = of_task(parsed.forms, info.form)
        by, at, behalf = result.pop("by"), result.pop("at"), result.pop("for", None)
        found.append(
            Decided(
                task_id=task_id,
                element=element,
                name=info.name,
                by=names.person(by),
                on_behalf=names.person(behalf),
                at=moment(at),
                schema=schema,
                values=result,
            )
        )
    opened = reveal(engine.personal, connection, [entry.values for entry in found])
    return [replace(entry, values=values) for entry, values in zip(found, opened, strict=True)]


def case(engine: Engine, instance_id: str, *, actor: str) -> CaseView:
    """The page of one case. Raises NotFound, Denied; a refusal is written into the case's history."""
    try:
        view = _case(engine, instance_id, actor)
    except Denied as refusal:
        note_refusal(engine, ("instance", instance_id), by=actor, command="open", refusal=refusal)
        raise
    accesses.read(engine, instance_id, actor, "case")
    return view


def _case(engine: Engine, instance_id: str, actor: str) -> CaseView:
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        row = readable_case(engine, connection, instance_id, who)
        parsed = engine.shelf.get(row.deployment, connection)
        listed = case_rows(engine, connection, [row])[0]
        query = sa.select(*TASK_COLUMNS).join(instances, instances.c.instance_id == tasks.c.instance_id)
        where = [tasks.c.instance_id == instance_id, tasks.c.status == "open"]
        open_tasks = connection.execute(query.where(*where).order_by(tasks.c.created_at, tasks.c.task_id)).all()
        return CaseView(
            **_values(listed),
            start=start_record(
                engine, connection, parsed, instance_id, row.process, Case.load(parsed, row.state).variables()
            ),
            decided=decided(engine, connection, instance_id, row.deployment, who),
            tasks=task_rows(engine, connection, open_tasks, {}),
            timeline=timeline(engine, connection, row, who),
            processes=diagrams(parsed, row.process),
            may=_case_verbs(engine, connection, row, parsed, who),
        )


def _case_verbs(engine: Engine, connection: Connection, row: Any, parsed: Definitions, who: Standing) -> frozenset[str]:
    if row.ended_at is not None:
        return frozenset()
    verbs: set[str] = set()
    properties = parsed.processes[row.process].properties
    if row.initiator == who.username and properties.get("withdraw_to") and not row.suspended:
        barred = [name.strip() for name in properties.get("withdraw_until", "").split(",") if name.strip()]
        past = [tasks.c.instance_id == row.instance_id, tasks.c.element.in_(barred), tasks.c.status == "done"]
        if not connection.execute(sa.select(tasks.c.task_id).where(*past).limit(1)).first():
            verbs.add("withdraw")
    if who.within(engine.administrators):
        verbs |= {"cancel", "resume" if row.suspended else "suspend"}
    return frozenset(verbs)


def _values(row: Any) -> dict[str, Any]:
    return {item.name: getattr(row, item.name) for item in fields(row)}
