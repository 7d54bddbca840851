"""The lists a person starts the day with. Each reads one page by index, however many tasks are open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.identity import Grant, Standing, standing
from engine.models import instances, notifications, task_access, tasks
from engine.moments import moment, stamp
from engine.queries.rows import TASK_COLUMNS, Page, case_rows, task_rows

if TYPE_CHECKING:
    from engine.runtime import Engine

COUNTED = 100  # counts stop here: a page says "99+"


def inbox(engine: Engine, *, actor: str, tab: str = "mine", cursor: str | None = None, limit: int = 30) -> Page:
    """Open tasks of `actor`, oldest first: `mine` those they hold, `claimable` those offered to them. Recused ones
    never show."""
    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        picked = connection.execute(_picked(who, tab, cursor, limit + 1)).all() if who.active else []
        more = picked[limit - 1] if len(picked) > limit else None
        behalf = {row.task_id: row.behalf for row in picked[:limit]}
        rows = connection.execute(_tasks(list(behalf))).all() if behalf else []
        items = task_rows(engine, connection, rows, behalf)
        return Page(items=items, next=f"{more.created_at} {more.task_id}" if more else None)


def counts(engine: Engine, *, actor: str) -> dict[str, int]:
    """How many tasks `mine` and `claimable` hold, counted to COUNTED at most."""
    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        if not who.active:
            return {"mine": 0, "claimable": 0}
        return {tab: len(connection.execute(_picked(who, tab, None, COUNTED)).all()) for tab in ("mine", "claimable")}


def done(engine: Engine, *, actor: str, cursor: str | None = None, limit: int = 30) -> Page:
    """Tasks `actor` completed, newest first."""
    with engine.db.read() as connection:
        where = [tasks.c.completed_by == actor]
        if cursor:
            where.append(sa.tuple_(tasks.c.completed_at, tasks.c.task_id) < sa.tuple_(*_split(cursor)))
        query = sa.select(*TASK_COLUMNS).join(instances, instances.c.instance_id == tasks.c.instance_id).where(*where)
        rows = connection.execute(
            query.order_by(tasks.c.completed_at.desc(), tasks.c.task_id.desc()).limit(limit + 1)
        ).all()
        items = task_rows(engine, connection, rows[:limit], {})
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(items=items, next=f"{last.completed_at} {last.task_id}" if last else None)


def started(engine: Engine, *, actor: str, cursor: str | None = None, limit: int = 30) -> Page:
    """Cases `actor` started, newest first."""
    with engine.db.read() as connection:
        where = [instances.c.initiator == actor]
        if cursor:
            where.append(sa.tuple_(instances.c.started_at, instances.c.instance_id) < sa.tuple_(*_split(cursor)))
        query = (
            sa.select(instances).where(*where).order_by(instances.c.started_at.desc(), instances.c.instance_id.desc())
        )
        rows = connection.execute(query.limit(limit + 1)).all()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=case_rows(engine, connection, rows[:limit]),
            next=f"{last.started_at} {last.instance_id}" if last else None,
        )


def told(engine: Engine, *, actor: str, limit: int = 50) -> list[dict[str, Any]]:
    """The newest notifications of `actor`: id, at, instance_id, text in both languages, read."""
    with engine.db.read() as connection:
        query = (
            sa.select(notifications)
            .where(notifications.c.username == actor)
            .order_by(notifications.c.at.desc())
            .limit(limit)
        )
        return [
            {
                "id": row.notification_id,
                "at": moment(row.at),
                "instance_id": row.instance_id,
                "text": row.text,
                "read": row.read_at is not None,
            }
            for row in connection.execute(query)
        ]


def unread(engine: Engine, *, actor: str) -> int:
    """How many notifications `actor` has not read, counted to COUNTED at most."""
    with engine.db.read() as connection:
        mine = sa.and_(notifications.c.username == actor, notifications.c.read_at.is_(None))
        return len(connection.execute(sa.select(notifications.c.notification_id).where(mine).limit(COUNTED)).all())


def mark_read(engine: Engine, *, actor: str) -> None:
    """Mark every notification of `actor` as read."""

    def work(connection: Connection) -> None:
        mine = sa.and_(notifications.c.username == actor, notifications.c.read_at.is_(None))
        connection.execute(sa.update(notifications).where(mine).values(read_at=stamp(engine.now())))

    engine.db.write(work)


def _split(cursor: str) -> tuple[Any, Any]:
    first, _, second = cursor.partition(" ")
    return sa.literal(first), sa.literal(second)


def _tasks(task_ids: list[str]) -> Any:
    query = sa.select(*TASK_COLUMNS).join(instances, instances.c.instance_id == tasks.c.instance_id)
    return query.where(tasks.c.task_id.in_(task_ids)).order_by(tasks.c.created_at, tasks.c.task_id)


def _picked(who: Standing, tab: str, cursor: str | None, limit: int) -> Any:
    """(task_id, created_at, behalf) of one page. A limited index scan per principal, merged: cost follows the page,
    not the backlog."""
    parts = (
        [_mine(who, grant, cursor, limit) for grant in _persons(who)]
        if tab == "mine"
        else [_offered(who, grant, cursor, limit) for grant in who.grants]
    )
    merged = sa.union_all(*[sa.select(part.subquery()) for part in parts]).subquery()
    first = sa.func.min(merged.c.created_at).label("created_at")
    query = sa.select(merged.c.task_id, first, sa.func.min(merged.c.behalf).label("behalf"))
    return query.group_by(merged.c.task_id).order_by(first, merged.c.task_id).limit(limit)


def _persons(who: Standing) -> Iterable[Grant]:
    return [grant for grant in who.grants if grant.principal.startswith("u:")]


def _mine(who: Standing, grant: Grant, cursor: str | None, limit: int) -> Any:
    query = sa.select(tasks.c.task_id, tasks.c.created_at, sa.literal(grant.behalf, sa.String).label("behalf"))
    query = query.where(
        tasks.c.assignee == grant.principal[2:], tasks.c.status == "open", _not_recused(who, grant, tasks)
    )
    return _paged(_scoped(query, grant), tasks.c, cursor, limit)


def _offered(who: Standing, grant: Grant, cursor: str | None, limit: int) -> Any:
    joined = sa.and_(tasks.c.instance_id == task_access.c.instance_id, tasks.c.task_id == task_access.c.task_id)
    query = sa.select(
        task_access.c.task_id, task_access.c.created_at, sa.literal(grant.behalf, sa.String).label("behalf")
    )
    query = query.join(tasks, joined).where(
        task_access.c.principal == grant.principal,
        task_access.c.rule == "may",
        tasks.c.assignee.is_(None),
        tasks.c.status == "open",
        _not_recused(who, grant, task_access),
    )
    return _paged(_scoped(query, grant), task_access.c, cursor, limit)


def _scoped(query: Any, grant: Grant) -> Any:
    return query if grant.scope == "*" else query.where(tasks.c.element == grant.scope)


def _paged(query: Any, columns: Any, cursor: str | None, limit: int) -> Any:
    if cursor:
        query = query.where(sa.tuple_(columns.created_at, columns.task_id) > sa.tuple_(*_split(cursor)))
    return query.order_by(columns.created_at, columns.task_id).limit(limit)


def _not_recused(who: Standing, grant: Grant, outer: Any) -> Any:
    """Neither the reader nor the one they stand in for is recused from the task."""
    barred = task_access.alias()
    persons = [f"u:{who.username}"] + ([f"u:{grant.behalf}"] if grant.behalf else [])
    return ~sa.exists(
        sa.select(barred.c.task_id).where(
            barred.c.instance_id == outer.c.instance_id,
            barred.c.task_id == outer.c.task_id,
            barred.c.rule == "recused",
            barred.c.principal.in_(persons),
        )
    )
