"""What starts by the clock: a weekly patrol, a yearly training, the next change of an account's password.

The policy says what there is to be started and how often (`Schedule`); the table `schedules` says when each comes next.
Whoever takes a period moves its row on in the transaction that starts the case, so each period is started exactly once,
however many nodes tick. Periods missed while nothing ran are not made up for: only the latest is started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import deployment
from engine.calendar import Calendar, parse_duration
from engine.errors import GuijuError, Text
from engine.identity import Directory
from engine.meeting import SYSTEM
from engine.models import schedules
from engine.moments import moment, stamp
from engine.operations import notify
from engine.registers import Registers
from engine.starting import begin

if TYPE_CHECKING:
    from engine.runtime import Engine

LOOK = "*"  # the row, made by the migration, that says when the policy is asked again
EVERY = timedelta(minutes=10)
BACKOFF = timedelta(minutes=5)  # doubled after each failure, at most a day


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A case that is started again and again.

    `every` is a duration (`P1W`, `P1Y`, `P90D`, `5wd`); periods begin at `first` (aware) and each `every` after it.
    `first` comes from data, never from the clock: when it changes, the row is planned anew from it. A `first` that has
    passed already means the next period after now, or, with `overdue`, that the case is due at once.
    `viewers`: groups and usernames who see it coming; nobody named means all staff.
    """

    name: str
    process: str
    every: str
    first: datetime
    variables: Mapping[str, Any] = field(default_factory=dict)
    title: Text | None = None
    by: str | None = None
    viewers: tuple[str, ...] = ()
    overdue: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Planning:
    """What the policy may look at to say what there is to be started."""

    now: datetime
    registers: Registers
    directory: Directory
    calendar: Calendar


def period(calendar: Calendar, first: datetime, every: str, number: int) -> datetime:
    """When period `number` (0: the first) begins. Months count from the first, so the 31st comes back."""
    length = parse_duration(every)
    if length.is_working:
        at = first
        for _ in range(number):
            at = calendar.add(at, every)
        return at
    at = calendar.add(first, f"P{length.months * number}M") if length.months and number else first
    return at.astimezone(UTC) + length.elapsed * number


def around(calendar: Calendar, first: datetime, every: str, now: datetime) -> tuple[datetime, datetime]:
    """When the period that `now` lies in began (the first, when none has), and when the next one begins."""
    length = parse_duration(every)
    rough = length.elapsed + timedelta(days=31) * length.months
    number = 0
    if not length.is_working and now > first and rough:
        number = max(0, (now - first) // rough - 1)
    began = following = period(calendar, first, every, number)
    while following <= now:
        number += 1
        began, following = following, period(calendar, first, every, number)
    return began, following


def next_due(engine: Engine) -> datetime | None:
    """When the next case is to be started, as far as was looked, or None."""
    if engine.schedules is None:
        return None
    with engine.db.read() as connection:
        earliest = connection.scalar(sa.select(sa.func.min(schedules.c.try_at)).where(schedules.c.name != LOOK))
    return moment(earliest) if earliest else None


def run_due(engine: Engine, limit: int) -> int:
    """Ask the policy when it is time to, and start what is due. Returns how many periods were taken or tried."""
    if engine.schedules is None:
        return 0
    now = stamp(engine.now())
    with engine.db.read() as connection:
        known = sa.or_(schedules.c.name == LOOK, schedules.c.try_at <= now)
        rows = connection.execute(sa.select(schedules.c.name, schedules.c.try_at).where(known).limit(2)).all()
    if any(row.name == LOOK and row.try_at > now for row in rows) and len(rows) == 1:
        return 0
    refresh(engine)
    with engine.db.read() as connection:
        due = sa.and_(schedules.c.name != LOOK, schedules.c.try_at <= now)
        query = sa.select(schedules).where(due).order_by(schedules.c.try_at, schedules.c.name)
        found = connection.execute(query.limit(limit)).all()
    return sum(_take(engine, row) for row in found)


def refresh(engine: Engine) -> None:
    """Ask the policy what there is to be started, and plan what is new or changed. One node at a time."""
    provider = engine.schedules
    if provider is None:
        return

    def work(connection: Connection) -> None:
        now = engine.now()
        again = {"next_at": stamp(now + EVERY), "try_at": stamp(now + EVERY)}
        connection.execute(sa.update(schedules).where(schedules.c.name == LOOK).values(**again))  # locks out others
        calendar = engine.calendar(connection)
        planning = Planning(
            now=now, registers=Registers(connection, now=now), directory=Directory(connection), calendar=calendar
        )
        deployed = {found.process for found in deployment.latest(connection)}
        wanted = {item.name: item for item in provider(planning) if item.process in deployed}
        rows = connection.execute(sa.select(schedules).where(schedules.c.name != LOOK)).all()
        known = {row.name: row for row in rows}
        for name in known.keys() - wanted.keys():
            connection.execute(sa.delete(schedules).where(schedules.c.name == name))
        for name, item in wanted.items():
            _plan(connection, calendar, item, known.get(name), now)

    engine.db.write(work)


def _plan(connection: Connection, calendar: Calendar, item: Schedule, row: Any, now: datetime) -> None:
    details = {
        "variables": dict(item.variables),
        "by": item.by,
        "title": item.title,
        "viewers": list(item.viewers),
    }
    fixed = {"process": item.process, "every": item.every, "first_at": stamp(item.first), "details": details}
    if row is not None and (row.first_at, row.every) == (fixed["first_at"], item.every):
        if (row.process, row.details) != (item.process, details):
            connection.execute(sa.update(schedules).where(schedules.c.name == item.name).values(**fixed))
        return
    ahead = item.overdue or item.first >= now
    at = stamp(item.first if ahead else around(calendar, item.first, item.every, now)[1])
    planned = {**fixed, "next_at": at, "try_at": at, "attempts": 0, "error": None}
    if row is None:
        connection.execute(sa.insert(schedules).values(name=item.name, **planned))
    else:
        connection.execute(sa.update(schedules).where(schedules.c.name == item.name).values(**planned))


def _take(engine: Engine, row: Any) -> int:
    """Move the row on and start the period's case, both or neither; a failure is put off and told."""
    same = sa.and_(schedules.c.name == row.name, schedules.c.next_at == row.next_at)

    def work(connection: Connection) -> int:
        began, following = around(engine.calendar(connection), moment(row.first_at), row.every, engine.now())
        moved = {"next_at": stamp(following), "try_at": stamp(following), "attempts": 0, "error": None}
        if connection.execute(sa.update(schedules).where(same).values(**moved)).rowcount != 1:
            return 0  # another node took it
        origin = {"instance_id": None, "business_key": None, "schedule": row.name, "period": stamp(began)}
        by = row.details["by"] or SYSTEM
        begin(engine, connection, row.process, row.details["variables"], by=by, origin=origin)
        return 1

    try:
        return engine.db.write(work)
    except GuijuError as error:
        fields = getattr(error, "fields", {})
        reason = "; ".join([error.message["en"], *(f"{name}: {text['en']}" for name, text in fields.items())])
    except Exception as error:  # whatever a procedure raised: the period is tried again, and the reason kept
        reason = f"{type(error).__name__}: {error}"
    return _put_off(engine, row, reason[:500])


def _put_off(engine: Engine, row: Any, reason: str) -> int:
    same = sa.and_(schedules.c.name == row.name, schedules.c.try_at == row.try_at)

    def work(connection: Connection) -> int:
        now = engine.now()
        later = stamp(now + min(BACKOFF * 2 ** min(row.attempts, 10), timedelta(days=1)))
        values = {"try_at": later, "attempts": row.attempts + 1, "error": reason}
        if connection.execute(sa.update(schedules).where(same).values(**values)).rowcount and not row.attempts:
            text = {
                "zh-CN": f"定期流程「{row.name}」未能发起：{reason}",
                "en": f"The recurring procedure “{row.name}” could not be started: {reason}",
            }
            users = Directory(connection).usernames(f"g:{group}" for group in sorted(engine.administrators))
            notify(connection, users, text, instance_id=None, at=stamp(now), new_id=uuid4)
        return 1

    return engine.db.write(work)
