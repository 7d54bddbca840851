"""What an auditor may audit and until when: set and revoked by administrators, never by the auditor.

Every change is an event of the chain `access`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses, deployment, history
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.identity import Directory, require_active, standing
from engine.models_privacy import audit_scopes
from engine.moments import moment, stamp

if TYPE_CHECKING:
    from engine.runtime import Engine

T = TypeVar("T")
REASON_CAP = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """One scope. `process` is a process key or `*`; the period is of the cases' start, its end exclusive."""

    scope_id: str
    username: str
    process: str
    cases_from: datetime | None
    cases_until: datetime | None
    expires_at: datetime | None
    reason: str
    set_by: str
    set_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


def set_scope(
    engine: Engine,
    username: str,
    *,
    by: str,
    reason: str,
    processes: Sequence[str] = ("*",),
    cases_from: datetime | None = None,
    cases_until: datetime | None = None,
    expires_at: datetime | None = None,
) -> list[str]:
    """Let an auditor audit `processes`, cases started within the period, until `expires_at`; return the scopes' ids.

    Raises Denied (administrators only, never for oneself), Invalid.
    """
    now = engine.now()

    def work(connection: Connection) -> list[str]:
        _require_setter(engine, connection, by, username)
        _check(engine, connection, username, processes, cases_from, cases_until, expires_at, reason, now)
        made = []
        for process in dict.fromkeys(processes):
            scope_id = str(uuid4())
            values = {
                "process": process,
                "cases_from": _stamp(cases_from),
                "cases_until": _stamp(cases_until),
                "expires_at": _stamp(expires_at),
                "reason": reason.strip()[:REASON_CAP],
            }
            row = {"scope_id": scope_id, "username": username, **values, "set_by": by, "set_at": stamp(now)}
            connection.execute(sa.insert(audit_scopes).values(**row))
            said = history.Event(type="scope.set", actor=by, data={"scope": scope_id, "auditor": username, **values})
            accesses.remember(connection, said, at=stamp(now))
            made.append(scope_id)
        return made

    return _recorded(engine, by, "scope.set", lambda: engine.db.write(work))


def revoke_scope(engine: Engine, scope_id: str, *, by: str) -> None:
    """End a scope at once. Raises Denied, NotFound, Conflict when it was revoked before."""
    now = engine.now()

    def work(connection: Connection) -> None:
        row = connection.execute(sa.select(audit_scopes).where(audit_scopes.c.scope_id == scope_id)).first()
        if row is None:
            require_administrator(engine, connection, by)
            raise NotFound(id=scope_id)
        _require_setter(engine, connection, by, row.username)
        live = sa.and_(audit_scopes.c.scope_id == scope_id, audit_scopes.c.revoked_at.is_(None))
        done = connection.execute(sa.update(audit_scopes).where(live).values(revoked_by=by, revoked_at=stamp(now)))
        if done.rowcount != 1:
            raise Conflict("scope_revoked", text={"zh-CN": "该范围已收回", "en": "The scope was revoked before"})
        said = history.Event(type="scope.revoked", actor=by, data={"scope": scope_id, "auditor": row.username})
        accesses.remember(connection, said, at=stamp(now))

    _recorded(engine, by, "scope.revoked", lambda: engine.db.write(work))


def scopes(engine: Engine, *, actor: str) -> list[Scope]:
    """Every scope, newest first: for administrators; an auditor sees their own. Raises Denied to anyone else."""
    with engine.db.read() as connection:
        who = require_active(connection, actor, engine.now())
        query = sa.select(audit_scopes).order_by(audit_scopes.c.set_at.desc(), audit_scopes.c.scope_id)
        if not who.within(engine.administrators):
            if not who.within(engine.auditors):
                raise _administrators_only()
            query = query.where(audit_scopes.c.username == actor)
        return [
            Scope(
                scope_id=row.scope_id,
                username=row.username,
                process=row.process,
                cases_from=_moment(row.cases_from),
                cases_until=_moment(row.cases_until),
                expires_at=_moment(row.expires_at),
                reason=row.reason,
                set_by=row.set_by,
                set_at=moment(row.set_at),
                revoked_by=row.revoked_by,
                revoked_at=_moment(row.revoked_at),
            )
            for row in connection.execute(query)
        ]


def auditors(engine: Engine) -> list[tuple[str, dict[str, str]]]:
    """(username, names) of everybody who audits, by username."""
    with engine.db.read() as connection:
        directory = Directory(connection)
        users = directory.usernames(f"g:{group}" for group in sorted(engine.auditors))
        return [(name, person.names) for name in users if (person := directory.person(name))]


def require_administrator(engine: Engine, connection: Connection, by: str) -> None:
    """Raise Denied unless `by` administers the system."""
    if not require_active(connection, by, engine.now()).within(engine.administrators):
        raise _administrators_only()


def _administrators_only() -> Denied:
    text = {"zh-CN": "该操作仅限系统管理员", "en": "Only an administrator may do this"}
    return Denied("administrators_only", text=text)


def _require_setter(engine: Engine, connection: Connection, by: str, username: str) -> None:
    require_administrator(engine, connection, by)
    if by == username:
        text = {"zh-CN": "不能设置自己的审计范围", "en": "Nobody sets the scope of their own audit"}
        raise Denied("own_scope", text=text)


def _check(
    engine: Engine,
    connection: Connection,
    username: str,
    processes: Sequence[str],
    cases_from: datetime | None,
    cases_until: datetime | None,
    expires_at: datetime | None,
    reason: str,
    now: datetime,
) -> None:
    wrong: dict[str, dict[str, str]] = {}
    if not standing(connection, username, now).within(engine.auditors):
        wrong["username"] = {"zh-CN": f"「{username}」不是审计员", "en": f"“{username}” is not an auditor"}
    known = {"*", *(found.process for found in deployment.latest(connection))}
    unknown = [process for process in processes if process not in known]
    if not processes:
        wrong["processes"] = {"zh-CN": "请至少选择一个流程", "en": "Choose at least one procedure"}
    elif unknown:
        wrong["processes"] = {"zh-CN": f"没有流程「{unknown[0]}」", "en": f"There is no procedure “{unknown[0]}”"}
    if cases_from is not None and cases_until is not None and cases_from >= cases_until:
        wrong["cases_until"] = {"zh-CN": "止日须晚于起日", "en": "The period must end after it begins"}
    if expires_at is not None and expires_at <= now:
        wrong["expires_at"] = {"zh-CN": "到期日须在将来", "en": "It must expire in the future"}
    if not reason.strip():
        wrong["reason"] = {"zh-CN": "请说明理由", "en": "Say why"}
    if wrong:
        raise Invalid(wrong)


def _recorded(engine: Engine, by: str, what: str, run: Callable[[], T]) -> T:
    try:
        return run()
    except Denied as refusal:
        accesses.refused(engine, by, what, refusal)
        raise


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
