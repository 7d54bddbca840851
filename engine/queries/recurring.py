"""What is coming by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine import deployment
from engine.errors import Text
from engine.identity import Directory
from engine.models import schedules
from engine.moments import moment, stamp
from engine.queries.reading import is_auditor, reader
from engine.queries.rows import Page
from engine.schedules import LOOK

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """A case that the clock will start at `at`. `error` says why the last try failed, for administrators."""

    name: str
    title: Text
    process: str
    process_name: Text
    at: datetime
    every: str
    variables: dict[str, Any]
    attempts: int
    error: str | None


def coming(engine: Engine, *, actor: str, cursor: str | None = None, limit: int = 50) -> Page:
    """What the clock will start, soonest first, as far as the actor may see it: what names them or their groups, or
    names nobody; administrators and auditors see all."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        administers = who.within(engine.administrators)
        sees_all = administers or is_auditor(engine, who)
        directory, items = Directory(connection), list[Coming]()
        names = {
            found.process: engine.shelf.get(found.number, connection).processes[found.process].name
            for found in deployment.latest(connection)
        }
        query = sa.select(schedules).where(schedules.c.name != LOOK)
        if cursor:
            at, _, name = cursor.partition("|")
            query = query.where(sa.tuple_(schedules.c.next_at, schedules.c.name) > (at, name))
        for row in connection.execute(query.order_by(schedules.c.next_at, schedules.c.name)):
            viewers = row.details["viewers"]
            if viewers and not sees_all and not set(directory.principals(viewers)) & who.own:
                continue
            if len(items) == limit:
                last = items[-1]
                return Page(items=items, next=f"{stamp(last.at)}|{last.name}")
            process_name = names.get(row.process, {"zh-CN": row.process, "en": row.process})
            items.append(
                Coming(
                    name=row.name,
                    title=row.details["title"] or process_name,
                    process=row.process,
                    process_name=process_name,
                    at=moment(row.next_at),
                    every=row.every,
                    variables=dict(row.details["variables"]),
                    attempts=row.attempts,
                    error=row.error if administers else None,
                )
            )
        return Page(items=items)
