"""What one case asked to be done in another, carried out: starting it, handing its tasks over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from engine import taking
from engine.command import Unit
from engine.errors import Denied
from engine.identity import Access
from engine.models import idempotency, task_access, tasks
from engine.moments import stamp
from engine.starting import begin
from engine.tasks import TaskState, raise_incident

if TYPE_CHECKING:
    from engine.runtime import Engine


def start_ordered(engine: Engine, order: Mapping[str, Any]) -> str:
    """Start the case that was asked for, once, in a transaction of its own; return its id.

    Raises what starting a case raises.
    """
    once = sa.and_(idempotency.c.actor == order["by"], idempotency.c.key == order["key"])

    def before(connection: Connection) -> str | None:
        found: str | None = connection.scalar(sa.select(idempotency.c.instance_id).where(once))
        return found

    def work(connection: Connection) -> str:
        if (known := before(connection)) is not None:
            return known
        unit = begin(engine, connection, order["process"], order["variables"], by=order["by"], origin=order["origin"])
        row = {"actor": order["by"], "key": order["key"], "command": f"start {order['process']}"[:64]}
        made = unit.row.instance_id
        connection.execute(sa.insert(idempotency).values(**row, instance_id=made, answer=b"{}", at=stamp(engine.now())))
        return made

    try:
        return engine.db.write(work)
    except IntegrityError:  # another node was first
        with engine.db.read() as connection:
            if (known := before(connection)) is not None:
                return known
        raise


def reassign(unit: Unit, order: Mapping[str, Any], element: str) -> None:
    """Hand one task over, if it is still open and still theirs. Who may not have it leaves an incident (K-12)."""
    mine = sa.and_(tasks.c.instance_id == unit.row.instance_id, tasks.c.task_id == order["task"])
    labelled = [column.label(f"task_{column.name}") for column in tasks.c]
    row = unit.connection.execute(sa.select(*labelled).where(mine)).first()
    if row is None or row.task_status != "open" or row.task_assignee not in (None, order["from"]):
        unit.finish()
        return
    theirs = sa.and_(task_access.c.instance_id == unit.row.instance_id, task_access.c.task_id == order["task"])
    rules = unit.connection.execute(sa.select(task_access.c.principal, task_access.c.rule).where(theirs)).all()
    unit.task, unit.access = TaskState.of(row), Access.of((rule.principal, rule.rule) for rule in rules)
    try:
        taking.hand_over(unit, order["to"], anyone=True, reason="", instead_of=order["from"])
    except Denied as refusal:
        error = {"code": refusal.code, "message": refusal.message, "task": order["task"]}
        raise_incident(unit, kind="unstaffed", element=element, error=error)
        unit.finish()
