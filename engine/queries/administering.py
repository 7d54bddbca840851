"""What an administrator sees of cases: that they run, since when and whether something is stuck. Never their content.

No title, no variables, no step, no person: those are content. A case kept from an administrator is not theirs to see
here either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Denied, NotFound, Text
from engine.models import incidents, instances
from engine.moments import moment
from engine.queries.reading import not_kept_from, reader
from engine.queries.rows import Page

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class AdministeredRow:
    """A case by its number alone. `stuck`: something of it gave up and waits for an administrator."""

    instance_id: str
    business_key: str | None
    process_name: Text
    status: str
    suspended: bool
    stuck: bool
    started_at: datetime
    ended_at: datetime | None


def administered(engine: Engine, *, actor: str, search: str = "", cursor: str | None = None, limit: int = 30) -> Page:
    """Running cases, newest first; with `search`, every case whose number begins with it. Raises Denied."""
    with engine.db.read() as connection:
        where = [_theirs(engine, connection, actor)]
        wanted = search.strip()[:64]
        if wanted:
            begins = instances.c.business_key.startswith(wanted.upper(), autoescape=True)
            where.append(sa.or_(begins, instances.c.instance_id == wanted))
        else:
            where.append(instances.c.ended_at.is_(None))
        if cursor:
            at, _, instance_id = cursor.partition(" ")
            where.append(
                sa.tuple_(instances.c.started_at, instances.c.instance_id)
                < sa.tuple_(sa.literal(at), sa.literal(instance_id))
            )
        query = _columns().where(*where).order_by(instances.c.started_at.desc(), instances.c.instance_id.desc())
        rows = connection.execute(query.limit(limit + 1)).all()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=_rows(engine, connection, rows[:limit]),
            next=f"{last.started_at} {last.instance_id}" if last else None,
        )


def administered_case(engine: Engine, instance_id: str, *, actor: str) -> AdministeredRow:
    """One case as an administrator sees it. Raises Denied, NotFound."""
    with engine.db.read() as connection:
        where = [_theirs(engine, connection, actor), instances.c.instance_id == instance_id]
        rows = _rows(engine, connection, connection.execute(_columns().where(*where)).all())
    if not rows:
        raise NotFound(
            "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
        )
    return rows[0]


def _theirs(engine: Engine, connection: Connection, actor: str) -> sa.ColumnElement[bool]:
    if not reader(engine, connection, actor).within(engine.administrators):
        raise Denied(
            "administrators_only", text={"zh-CN": "该页面仅限系统管理员", "en": "Only administrators may see this"}
        )
    return not_kept_from(actor, instances.c.instance_id)


def _columns() -> Any:
    names = ("instance_id", "business_key", "process", "deployment", "status", "suspended", "started_at", "ended_at")
    stuck = sa.exists().where(incidents.c.instance_id == instances.c.instance_id, incidents.c.resolved_at.is_(None))
    return sa.select(*[instances.c[name] for name in names], stuck.label("stuck"))


def _rows(engine: Engine, connection: Connection, found: Iterable[Any]) -> list[AdministeredRow]:
    return [
        AdministeredRow(
            instance_id=row.instance_id,
            business_key=row.business_key,
            process_name=engine.shelf.get(row.deployment, connection).processes[row.process].name,
            status=row.status,
            suspended=bool(row.suspended),
            stuck=bool(row.stuck),
            started_at=moment(row.started_at),
            ended_at=moment(row.ended_at) if row.ended_at else None,
        )
        for row in found
    ]
