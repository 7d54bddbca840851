"""What somebody could do in one case, and which cases run: for the demo and tests, without reading a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.identity import Access, standing
from engine.models import instances, task_access, tasks
from engine.prepared import Prepared

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Doable:
    """An open task; `held` tells whether the actor holds it already or has to claim it."""

    task_id: str
    held: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A case that has not ended."""

    instance_id: str
    business_key: str | None
    title: str


_OPEN = Prepared(
    sa.select(tasks.c.task_id, tasks.c.assignee, task_access.c.principal, task_access.c.rule)
    .outerjoin(
        task_access,
        sa.and_(task_access.c.instance_id == tasks.c.instance_id, task_access.c.task_id == tasks.c.task_id),
    )
    .where(
        tasks.c.instance_id == sa.bindparam("instance", type_=sa.String),
        tasks.c.element == sa.bindparam("element", type_=sa.String),
        tasks.c.status == sa.literal_column("'open'"),
    )
    .order_by(tasks.c.created_at, tasks.c.task_id)
)


def doable(engine: Engine, instance_id: str, element: str, *, actor: str) -> list[Doable]:
    """The open tasks of `element` in the case that `actor` may do, those they hold first. Judged as a command would."""
    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        rows = _OPEN.run(connection, instance=instance_id, element=element).all()
    found = []
    for task_id in dict.fromkeys(row.task_id for row in rows):
        mine = [row for row in rows if row.task_id == task_id]
        grant = Access.of((row.principal, row.rule) for row in mine).grant_for(who, element)
        holder = mine[0].assignee
        if grant is not None and holder in (None, actor, grant.behalf):
            found.append(Doable(task_id=task_id, held=holder is not None))
    return sorted(found, key=lambda each: not each.held)


def running(engine: Engine, process: str) -> list[Running]:
    """The cases of a process that have not ended, oldest first. No actor: never for a page."""
    where = sa.and_(instances.c.process == process, instances.c.ended_at.is_(None))
    query = sa.select(instances.c.instance_id, instances.c.business_key, instances.c.title).where(where)
    with engine.db.read() as connection:
        return [Running(**row._mapping) for row in connection.execute(query.order_by(instances.c.started_at))]
