"""The lists a person starts the day with. Each reads one page by index, however many tasks are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.identity import Grant, Standing, standing
from engine.models import instances, notifications, task_access, tasks
from engine.moments import moment, stamp
from engine.personal import reveal
from engine.prepared import Prepared
from engine.queries.reading import not_kept_from
from engine.queries.rows import TASK_COLUMNS, Page, case_rows, task_rows

if TYPE_CHECKING:
    from engine.runtime import Engine

COUNTED = 100  # counts stop here: a page says "99+"


def inbox(engine: Engine, *, actor: str, tab: str = "mine", cursor: str | None = None, limit: int = 30) -> Page:
    """Open tasks of `actor`, oldest first: `mine` those they hold, `claimable` those offered to them. Recused ones
    never show."""
    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        picked = _picked(connection, who, tab, cursor, limit + 1)
        behalf = {row.task_id: grant.behalf for row, grant in picked[:limit]}
        items = task_rows(engine, connection, [row for row, _ in picked[:limit]], behalf)
        last = picked[limit - 1][0] if len(picked) > limit else None
        return Page(items=items, next=f"{last.created_at} {last.task_id}" if last else None)


def counts(engine: Engine, *, actor: str) -> dict[str, int]:
    """How many tasks `mine` and `claimable` hold, counted to COUNTED at most."""
    with engine.db.read() as connection:
        who = standing(connection, actor, engine.now())
        return {tab: len(_picked(connection, who, tab, None, COUNTED)) for tab in ("mine", "claimable")}


def done(engine: Engine, *, actor: str, cursor: str | None = None, limit: int = 30) -> Page:
    """Tasks `actor` completed, newest first."""
    with engine.db.read() as connection:
        where = [tasks.c.completed_by == actor, not_kept_from(actor, tasks.c.instance_id)]
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
        where = [instances.c.initiator == actor, not_kept_from(actor, instances.c.instance_id)]
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
        rows = connection.execute(query).all()
        texts = [_plain(text) for text in reveal(engine.personal, connection, [row.text for row in rows])]
        return [
            {
                "id": row.notification_id,
                "at": moment(row.at),
                "instance_id": row.instance_id,
                "text": text,
                "read": row.read_at is not None,
            }
            for row, text in zip(rows, texts, strict=True)
        ]


def _plain(text: dict[str, Any]) -> dict[str, Any]:
    """A notice whose personal data was erased says so."""
    return {"zh-CN": "内容已按规定销毁", "en": "Erased as the rules require"} if "erased" in text else text


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


def _recused(outer: Any) -> Any:
    """Whether the reader, or the one they stand in for, is recused from the task, or it is for that one in person."""
    barred = task_access.alias()
    return sa.exists(
        sa.select(barred.c.task_id).where(
            barred.c.instance_id == outer.c.instance_id,
            barred.c.task_id == outer.c.task_id,
            sa.or_(
                sa.and_(
                    barred.c.rule == sa.literal_column("'recused'"),
                    barred.c.principal.in_([sa.bindparam("me"), sa.bindparam("them")]),
                ),
                sa.and_(
                    barred.c.rule == sa.literal_column("'alone'"),
                    barred.c.principal == sa.bindparam("lender", type_=sa.String),
                ),
            ),
        )
    )


def _paged(query: Any, columns: Any) -> Prepared:
    scope = sa.bindparam("scope", type_=sa.String)
    after = sa.tuple_(sa.bindparam("after", type_=sa.String), sa.bindparam("after_id", type_=sa.String))
    return Prepared(
        query.where(
            tasks.c.status == sa.literal_column("'open'"),
            sa.or_(scope == sa.literal_column("'*'"), tasks.c.element == scope),
            sa.tuple_(columns.created_at, columns.task_id) > after,
        )
        .order_by(columns.created_at, columns.task_id)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


_JOINED = sa.select(*TASK_COLUMNS).join(instances, instances.c.instance_id == tasks.c.instance_id)
_MINE = _paged(_JOINED.where(tasks.c.assignee == sa.bindparam("user"), ~_recused(tasks)), tasks.c)
_OFFERED = _paged(
    sa.select(*TASK_COLUMNS)
    .select_from(
        task_access.join(
            tasks, sa.and_(tasks.c.instance_id == task_access.c.instance_id, tasks.c.task_id == task_access.c.task_id)
        ).join(instances, instances.c.instance_id == tasks.c.instance_id)
    )
    .where(
        task_access.c.principal == sa.bindparam("principal"),
        task_access.c.rule == sa.literal_column("'may'"),
        tasks.c.assignee.is_(None),
        ~_recused(task_access),
    ),
    task_access.c,
)


def _picked(connection: Connection, who: Standing, tab: str, cursor: str | None, limit: int) -> list[tuple[Any, Grant]]:
    """The rows of one page with the grant that shows each: a limited index scan per principal, merged, so that the cost
    follows the page and not the backlog."""
    after, _, after_id = (cursor or "").partition(" ")
    found: dict[str, tuple[Any, Grant]] = {}
    for grant in who.grants:
        kind, name = grant.principal.split(":", 1)
        if tab == "mine" and kind != "u":
            continue
        what = {"user": name} if tab == "mine" else {"principal": grant.principal}
        persons = {"me": f"u:{who.username}", "them": f"u:{grant.behalf or who.username}"}
        persons["lender"] = f"u:{grant.behalf}" if grant.behalf else ""
        page = {"scope": grant.scope, "after": after, "after_id": after_id, "most": limit}
        for row in (_MINE if tab == "mine" else _OFFERED).run(connection, **what, **persons, **page).all():
            found.setdefault(row.task_id, (row, grant))
    return sorted(found.values(), key=lambda pair: (pair[0].created_at, pair[0].task_id))[:limit]
