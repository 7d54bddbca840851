"""Legal holds: while one stands on a case or a person, nothing of it is erased. Legal sets and lifts them.

Each is said in the history of the case, or in the chain `access` when it is on a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Engine, accesses, history
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.identity import LOCAL, Directory, Standing, barred_of, require_active
from engine.models_privacy import legal_holds, subject_keys
from engine.moments import moment, stamp
from engine.queries.reading import not_kept_from
from engine.registers import Registers
from processes import retention
from processes.complaint.tables import instances
from processes.personal_erasure.operations import ended_of, problem_of

KEEPERS = ("legal", "legal_head", "legal_reviewer")
READERS = (*KEEPERS, "admin", "internal_audit", "hr_head")
REASON_CAP = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A legal hold on a case (by its number) or a person (by username)."""

    hold_id: str
    case: str | None
    username: str | None
    reason: str
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """An ended case whose personal data need be kept no longer: by which rules, and since when."""

    case: str
    process: str
    rules: tuple[str, ...]
    since: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looking:
    """What `problem_of` looks at, outside any case."""

    connection: Connection
    registers: Registers
    directory: Directory
    now: datetime


def set_hold(engine: Engine, *, by: str, reason: str, case: str = "", username: str = "") -> str:
    """Put a hold on a case (its number) or a person; return its id. Raises Denied, Invalid."""
    now = engine.now()

    def work(connection: Connection) -> str:
        _require(engine, connection, by, KEEPERS)
        if bool(case) == bool(username) or not reason.strip():
            raise Invalid(
                {
                    "reason": {
                        "zh-CN": "须写明一个案件或一个人，并说明理由",
                        "en": "Name one case or one person, and say why",
                    }
                }
            )
        found = _instance(connection, case, by) if case else None
        if username and Directory(connection).person(username) is None:
            raise Invalid(
                {"username": {"zh-CN": f"没有「{username}」这个人", "en": f"There is nobody called “{username}”"}}
            )
        hold_id = str(uuid4())
        said = {"reason": reason.strip()[:REASON_CAP], "username": username or None}
        row = {"hold_id": hold_id, "instance_id": found, **said, "set_by": by, "set_at": stamp(now)}
        connection.execute(sa.insert(legal_holds).values(**row))
        _say(connection, found, history.Event(type="hold.set", actor=by, data={"hold": hold_id, **said}), stamp(now))
        return hold_id

    return _recorded(engine, by, "hold.set", work)


def lift_hold(engine: Engine, hold_id: str, *, by: str, reason: str) -> None:
    """Lift a hold. Raises Denied, NotFound, Invalid, Conflict when it was lifted before."""
    now = engine.now()

    def work(connection: Connection) -> str:
        _require(engine, connection, by, KEEPERS)
        if not reason.strip():
            raise Invalid({"reason": {"zh-CN": "请说明理由", "en": "Say why"}})
        row = connection.execute(sa.select(legal_holds).where(legal_holds.c.hold_id == hold_id)).first()
        if row is None or (row.instance_id and not _sees(connection, row.instance_id, by)):
            raise NotFound(id=hold_id)
        said = reason.strip()[:REASON_CAP]
        standing = sa.and_(legal_holds.c.hold_id == hold_id, legal_holds.c.lifted_at.is_(None))
        values = {"lifted_by": by, "lifted_at": stamp(now), "lift_reason": said}
        if connection.execute(sa.update(legal_holds).where(standing).values(**values)).rowcount != 1:
            raise Conflict("hold_lifted", text={"zh-CN": "该保全已解除", "en": "The hold was lifted before"})
        data = {"hold": hold_id, "reason": said, "username": row.username}
        _say(connection, row.instance_id, history.Event(type="hold.lifted", actor=by, data=data), stamp(now))
        return hold_id

    _recorded(engine, by, "hold.lifted", work)


def holds(engine: Engine, *, actor: str) -> list[Hold]:
    """Every hold, newest first, but those on cases kept from the reader. Raises Denied."""
    with engine.db.read() as connection:
        _require(engine, connection, actor, READERS)
        query = (
            sa.select(legal_holds, instances.c.business_key)
            .outerjoin(instances, instances.c.instance_id == legal_holds.c.instance_id)
            .where(sa.or_(legal_holds.c.instance_id.is_(None), not_kept_from(actor, legal_holds.c.instance_id)))
        )
        return [
            Hold(
                hold_id=row.hold_id,
                case=row.business_key or row.instance_id,
                username=row.username,
                reason=row.reason,
                set_by=row.set_by,
                set_at=moment(row.set_at),
                lifted_by=row.lifted_by,
                lifted_at=moment(row.lifted_at) if row.lifted_at else None,
            )
            for row in connection.execute(query.order_by(legal_holds.c.set_at.desc()))
        ]


def due(engine: Engine, *, actor: str, limit: int = 200) -> list[Due]:
    """Ended cases whose personal data could be erased today, those kept from the reader left out. Raises Denied."""
    now = engine.now()
    with engine.db.read() as connection:
        _require(engine, connection, actor, READERS)
        keyed = sa.select(subject_keys.c.instance_id).where(subject_keys.c.wrapped.is_not(None)).distinct()
        query = sa.select(instances.c.instance_id, instances.c.business_key, instances.c.process).where(
            instances.c.instance_id.in_(keyed),
            instances.c.status.in_(("completed", "cancelled")),
            not_kept_from(actor, instances.c.instance_id),
        )
        looking = _Looking(
            connection=connection,
            registers=Registers(connection, now=now),
            directory=Directory(connection),
            now=now,
        )
        found: list[Due] = []
        for row in connection.execute(query.order_by(instances.c.business_key)).all():
            if problem_of(looking, row.instance_id, None) is None:
                ended = ended_of(connection, row.instance_id)
                day = ended.astimezone(LOCAL).date() if ended else None
                kept = retention.of_case(looking, row.process, row.business_key, day)
                since = max((each.until for each in kept if each.until), default=None)
                rules = tuple(each.rule.id for each in kept)
                found.append(
                    Due(case=row.business_key or row.instance_id, process=row.process, rules=rules, since=since)
                )
            if len(found) == limit:
                break
        return found


def keeps(engine: Engine, actor: str) -> bool:
    """Whether somebody may set and lift holds."""
    with engine.db.read() as connection:
        return require_active(connection, actor, engine.now()).within(KEEPERS)


def _require(engine: Engine, connection: Connection, actor: str, groups: tuple[str, ...]) -> Standing:
    who = require_active(connection, actor, engine.now())
    if not who.within(groups):
        text = {"zh-CN": "没有权限办理法律保全与销毁", "en": "Legal holds and erasures are not yours to see to"}
        raise Denied("holds_denied", text=text)
    return who


def _instance(connection: Connection, case: str, by: str) -> str:
    query = sa.select(instances.c.instance_id).where(instances.c.business_key == case.strip())
    found: str | None = connection.scalar(query)
    if found is None or not _sees(connection, found, by):
        raise Invalid({"case": {"zh-CN": f"没有案件「{case[:40]}」", "en": f"No case is called “{case[:40]}”"}})
    return found


def _sees(connection: Connection, instance_id: str, by: str) -> bool:
    return by not in barred_of(connection, instance_id)


def _say(connection: Connection, instance_id: str | None, event: history.Event, at: str) -> None:
    if instance_id is None or not accesses.append(connection, instance_id, event, at=at):
        accesses.remember(connection, event, at=at)


def _recorded(engine: Engine, by: str, what: str, work: Callable[[Connection], str]) -> str:
    try:
        return engine.db.write(work)
    except Denied as refusal:
        accesses.refused(engine, by, what, refusal)
        raise
