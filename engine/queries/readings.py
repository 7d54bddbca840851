"""What auditors see of readings, refusals, erasures and holds: over the cases they may audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from engine import deployment
from engine.models import history, instances
from engine.models_privacy import erasures, legal_holds
from engine.moments import moment
from engine.queries.auditing import auditing
from engine.queries.rows import Names, PersonRef

if TYPE_CHECKING:
    from engine.runtime import Engine

SCANNED = 20_000  # newest cases looked at
LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Somebody read something of a case, or was refused: `what` is `case`, `task`, `attachment`, `replay` …"""

    at: datetime
    who: PersonRef | None
    refused: bool
    what: str
    instance_id: str
    case: str
    seq: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """Personal data that was erased: all of a case, or one person's in it."""

    at: datetime
    case: str
    instance_id: str
    subject: PersonRef | None
    rule: str
    reason: str
    requested_by: PersonRef | None
    approved_by: list[PersonRef | None]
    request: str | None
    keys: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A legal hold on an audited case or on a person."""

    case: str | None
    who: PersonRef | None
    reason: str
    set_by: PersonRef | None
    set_at: datetime
    lifted_at: datetime | None


def readings(engine: Engine, *, actor: str, person: str = "", case: str = "") -> list[Reading]:
    """The newest readings and refusals in the cases the auditor may audit; of one person, of one case.

    Raises Denied."""
    with auditing(engine, actor, "readings") as audit:
        connection, where = audit.connection, [audit.mine]
        if case:
            where.append(instances.c.business_key == case.strip())
        else:
            shelf = engine.shelf
            logged = [
                found.process
                for found in deployment.latest(connection)
                if shelf.get(found.number, connection).processes[found.process].properties.get("log_reads") == "true"
            ]
            where.append(instances.c.process.in_(logged))
        newest = sa.select(instances.c.instance_id).where(*where).order_by(instances.c.started_at.desc()).limit(SCANNED)
        query = (
            sa.select(history.c.body, history.c.type, history.c.seq, instances.c.instance_id, instances.c.business_key)
            .join(instances, instances.c.instance_id == history.c.instance_id)
            .where(history.c.instance_id.in_(newest), history.c.type.in_(("case.read", "access.refused")))
        )
        found: list[tuple[dict[str, Any], Any]] = []
        for row in connection.execute(query):
            body = orjson.loads(bytes(row.body))
            if not person or body["actor"] == person:
                found.append((body, row))
        found.sort(key=lambda one: one[0]["at"], reverse=True)
        found = found[:LIMIT]
        names = Names(connection)
        names.load(body["actor"] for body, _ in found)
        return [
            Reading(
                at=moment(body["at"]),
                who=names.person(body["actor"]),
                refused=row.type == "access.refused",
                what=str(body["data"].get("what") or body["data"].get("tried") or ""),
                instance_id=row.instance_id,
                case=row.business_key or row.instance_id,
                seq=row.seq,
            )
            for body, row in found
        ]


def erased(engine: Engine, *, actor: str) -> tuple[list[Erasure], list[Standing]]:
    """What was erased in the cases the auditor may audit, newest first, and the legal holds. Raises Denied."""
    with auditing(engine, actor, "erasures") as audit:
        connection, names = audit.connection, Names(audit.connection)
        query = sa.select(erasures, instances.c.business_key).join(
            instances, instances.c.instance_id == erasures.c.instance_id
        )
        rows = connection.execute(query.where(audit.mine).order_by(erasures.c.at.desc()).limit(LIMIT)).all()
        query = (
            sa.select(legal_holds, instances.c.business_key)
            .outerjoin(instances, instances.c.instance_id == legal_holds.c.instance_id)
            .where(sa.or_(legal_holds.c.instance_id.is_(None), audit.mine))
        )
        held = connection.execute(query.order_by(legal_holds.c.set_at.desc()).limit(LIMIT)).all()
        for row in rows:
            names.load([row.subject, row.requested_by, *row.approved_by])
        names.load([name for row in held for name in (row.username, row.set_by)])
        gone = [
            Erasure(
                at=moment(row.at),
                case=row.business_key or row.instance_id,
                instance_id=row.instance_id,
                subject=names.person(row.subject),
                rule=row.rule,
                reason=row.reason,
                requested_by=names.person(row.requested_by),
                approved_by=[names.person(one) for one in row.approved_by],
                request=row.request,
                keys=row.keys,
            )
            for row in rows
        ]
        standing = [
            Standing(
                case=row.business_key or row.instance_id,
                who=names.person(row.username),
                reason=row.reason,
                set_by=names.person(row.set_by),
                set_at=moment(row.set_at),
                lifted_at=moment(row.lifted_at) if row.lifted_at else None,
            )
            for row in held
        ]
        return gone, standing
