"""Reads the history into what auditors search and measure by: `case_facts` and `step_times`.

Nothing is decided here and nothing else writes these tables. The history is read on from where it was left
(`instances.indexed_seq`, with a partial index over the cases that are behind), case by case, so that commands pay
nothing for it; `rebuild` reads everything again and must arrive at the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

from engine.calendar import Calendar
from engine.facts import Fact, Step, facts_of, typed
from engine.models import history, instances, task_access, tasks
from engine.models_audit import case_facts, step_times
from engine.moments import moment
from engine.spiff.parse import Definitions

if TYPE_CHECKING:
    from engine.runtime import Engine

BATCH = 20  # cases a transaction: a writer waits for one of these at most
READ = (
    "command", "instance.started", "instance.ended", "element.entered", "element.left", "element.cancelled",
    "task.created", "task.claimed", "task.completed", "task.cancelled", "task.reassigned", "task.recused",
    "register.changed", "script.run", "operation.called", "decision.evaluated", "access.refused",
)  # fmt: skip
AUDITORS = "g:auditor"
_TASK_KINDS = ("userTask", "manualTask")


def catch_up(engine: Engine, *, limit: int = BATCH) -> int:
    """Bring up to `limit` cases that are behind up to date; return how many were."""
    with engine.db.read() as connection:
        if connection.scalar(sa.select(instances.c.instance_id).where(_BEHIND).limit(1)) is None:
            return 0
    return engine.db.write(lambda connection: _catch_up(engine, connection, limit))


def behind(connection: Connection, *, most: int = 1000) -> int:
    """How many cases have events that were not read yet, counted to `most`."""
    rows = sa.select(instances.c.instance_id).where(_BEHIND).limit(most).subquery()
    return int(connection.scalar(sa.select(sa.func.count()).select_from(rows)) or 0)


def rebuild(engine: Engine, *, progress: Callable[[int], None] | None = None) -> int:
    """Forget everything that was read and read it again; return the number of cases."""

    def forget(connection: Connection) -> None:
        connection.execute(sa.delete(case_facts))
        connection.execute(sa.delete(step_times))
        connection.execute(sa.update(instances).values(indexed_seq=0))

    engine.db.write(forget)
    done = 0
    while found := catch_up(engine):
        done += found
        if progress:
            progress(done)
    return done


_BEHIND = sa.text("instances.seq > instances.indexed_seq")


def _catch_up(engine: Engine, connection: Connection, limit: int) -> int:
    columns = "instance_id process deployment started_at initiator business_key title seq indexed_seq".split()  # noqa: SIM905
    query = sa.select(*[instances.c[name] for name in columns]).where(_BEHIND).limit(limit)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        parsed, calendar = engine.shelf.get(row.deployment, connection), engine.calendar(connection)
        _read_on(connection, row, parsed, calendar)
        done = sa.update(instances).where(instances.c.instance_id == row.instance_id)
        connection.execute(done.values(indexed_seq=row.seq))
    return len(rows)


def _read_on(connection: Connection, row: Any, parsed: Definitions, calendar: Calendar) -> None:
    own = history.c.instance_id == row.instance_id
    query = sa.select(history.c.body).where(own, history.c.seq > row.indexed_seq, history.c.type.in_(READ))
    bodies = [orjson.loads(body) for body in connection.scalars(query.order_by(history.c.seq))]
    homes, secret, kept = _tasks(connection, row.instance_id)
    if kept:  # an entry that was kept back may be open now: every one of them is looked at again
        again = sa.select(history.c.body).where(
            own, history.c.seq <= row.indexed_seq, history.c.type == "task.completed"
        )
        earlier = [orjson.loads(body) for body in connection.scalars(again.order_by(history.c.seq))]
        earlier = [body for body in earlier if body["data"]["task"] in kept - secret]
        _keep(connection, row.instance_id, _facts(earlier, row, parsed, homes, secret))
        for body in earlier:
            same = sa.and_(step_times.c.instance_id == row.instance_id, step_times.c.token == body["data"]["task"])
            outcome = _outcome(body["data"]["result"])
            connection.execute(sa.update(step_times).where(same).values(outcome=outcome))
    called = [Fact("title", name, typed(said), 1) for name, said in _called(row)]
    titles = sa.delete(case_facts).where(case_facts.c.instance_id == row.instance_id, case_facts.c.kind == "title")
    connection.execute(titles)  # a case goes by its present title only
    _keep(connection, row.instance_id, called + _facts(bodies, row, parsed, homes, secret))
    _times(connection, row, bodies, parsed, homes, secret, calendar)


def _called(row: Any) -> list[tuple[str, str]]:
    """What a case goes by."""
    return [(name, said) for name, said in (("number", row.business_key), ("title", row.title)) if said]


def _outcome(result: dict[str, Any]) -> str | None:
    outcome = result.get("outcome")
    return outcome[:100] if isinstance(outcome, str) else None


def _tasks(connection: Connection, instance_id: str) -> tuple[dict[str, str], set[str], set[str]]:
    """(task → process, tasks whose entries auditors may not see now, tasks whose entries are kept from anybody)."""
    query = sa.select(tasks.c.task_id, tasks.c.process, tasks.c.element, tasks.c.status)
    rows = connection.execute(query.where(tasks.c.instance_id == instance_id)).all()
    reads = sa.select(task_access.c.task_id, task_access.c.principal)
    found = connection.execute(reads.where(task_access.c.instance_id == instance_id, task_access.c.rule == "reads"))
    readers: dict[str, set[str]] = {}
    for task_id, principal in found:
        readers.setdefault(task_id, set()).add(principal)
    secret = _secret(rows, readers)
    return {row.task_id: row.process for row in rows}, secret, set(readers)


def _secret(rows: Any, readers: dict[str, set[str]]) -> set[str]:
    still = {row.element for row in rows if row.status == "open"}
    return {
        row.task_id
        for row in rows
        if row.task_id in readers and (AUDITORS not in readers[row.task_id] or row.element in still)
    }


def kept_back(connection: Connection, instance_id: str) -> set[str]:
    """Ids of the tasks whose entries auditors may not see now: never, or (ballots) not before the last one is in."""
    return _tasks(connection, instance_id)[1]


def _facts(
    bodies: list[dict[str, Any]], row: Any, parsed: Definitions, homes: dict[str, str], secret: set[str]
) -> list[Fact]:
    found: list[Fact] = []
    for body in bodies:
        found += facts_of(body, _step(body, row, parsed, homes, secret))
    return found


def _step(body: dict[str, Any], row: Any, parsed: Definitions, homes: dict[str, str], secret: set[str]) -> Step:
    element, data = body["element"], body["data"]
    if body["type"] == "command":
        start = parsed.processes[row.process].start
        return Step(variable="", accounts=_accounts(parsed, start.form))
    process = data.get("process") or homes.get(data.get("task", "")) or row.process
    info = parsed.processes[process].elements.get(element) if element and process in parsed.processes else None
    if info is None:
        return Step(variable=element or "", secret=data.get("task") in secret)
    return Step(
        variable=info.result_variable or info.id,
        accounts=_accounts(parsed, info.form),
        secret=data.get("task") in secret,
    )


def _accounts(parsed: Definitions, form: str | None) -> frozenset[str]:
    """Fields of the form that name an account of the register."""
    if form is None:
        return frozenset()
    fields = parsed.forms[form].get("properties", {})
    return frozenset(
        name
        for name, field in fields.items()
        if field.get("x-source") == "accounts" or field.get("items", {}).get("x-source") == "accounts"
    )


def _keep(connection: Connection, instance_id: str, facts: list[Fact]) -> None:
    first: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        first.setdefault((fact.kind, fact.name, fact.value), fact)
    if first:
        rows = [
            {"instance_id": instance_id, "kind": fact.kind, "name": fact.name, "value": fact.value}
            | {"number": fact.number, "seq": fact.seq}
            for fact in first.values()
        ]
        connection.execute(_insert(connection, case_facts).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # brings every driver's module along: only where it is used

    return postgresql.insert(table)


def _times(
    connection: Connection,
    row: Any,
    bodies: list[dict[str, Any]],
    parsed: Definitions,
    homes: dict[str, str],
    secret: set[str],
    calendar: Calendar,
) -> None:
    """A row for each task and each visit of another element; those begun earlier are ended."""
    begun: dict[str, dict[str, Any]] = {}
    ended: dict[str, dict[str, Any]] = {}
    for body in bodies:
        kind, data, element = body["type"], body["data"], body["element"]
        token = data.get("task") if kind.startswith("task.") else data.get("token")
        if kind == "task.created":
            begun[token] = _begun(row, body, token, homes.get(token, row.process), is_task=True)
        elif kind == "element.entered" and not _is_task(parsed, data["process"], element):
            begun[token] = _begun(row, body, token, data["process"], is_task=False)
        elif kind in ("element.left", "task.completed", "element.cancelled", "task.cancelled"):
            how = ended.setdefault(token, {"at": body["at"], "cancelled": kind.endswith("cancelled")})
            if kind == "task.completed":
                result = data["result"]
                how |= {"by": body["actor"], "behalf": result.get("for"), "cancelled": False}
                how["outcome"] = None if token in secret else _outcome(result)
    known = sa.select(step_times).where(step_times.c.instance_id == row.instance_id, step_times.c.left_at.is_(None))
    for found in connection.execute(known).all() if ended else ():
        if found.token in ended:
            values = _ended(found._mapping, calendar, **ended[found.token])
            same = sa.and_(step_times.c.instance_id == row.instance_id, step_times.c.token == found.token)
            connection.execute(sa.update(step_times).where(same).values(**values))
    rows = [each | (_ended(each, calendar, **ended[token]) if token in ended else {}) for token, each in begun.items()]
    if rows:
        connection.execute(_insert(connection, step_times).on_conflict_do_nothing(), rows)


def _is_task(parsed: Definitions, process: str, element: str) -> bool:
    info = parsed.processes[process].elements.get(element) if process in parsed.processes else None
    return info is not None and info.kind in _TASK_KINDS


def _begun(row: Any, body: dict[str, Any], token: str, process: str, *, is_task: bool) -> dict[str, Any]:
    return {
        "instance_id": row.instance_id,
        "token": token,
        "root": row.process,
        "process": process,
        "element": body["element"],
        "is_task": is_task,
        "case_at": row.started_at,
        "entered_at": body["at"],
        "left_at": None,
        "due_at": body["data"].get("due") if is_task else None,
        "worked": None,
        "late": 0 if is_task and body["data"].get("due") else None,
        "cancelled": False,
        "starter": row.initiator,
        "by": None,
        "behalf": None,
        "outcome": None,
    }


def _ended(begun: Any, calendar: Calendar, *, at: str, cancelled: bool, **how: Any) -> dict[str, Any]:
    worked = None
    if not cancelled:
        worked = int(calendar.working_time_between(moment(begun["entered_at"]), moment(at)).total_seconds())
    late = int(not cancelled and at > begun["due_at"]) if begun["due_at"] is not None else None
    return {"left_at": at, "worked": worked, "late": late, "cancelled": cancelled, **how}
