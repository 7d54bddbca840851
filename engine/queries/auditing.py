"""Who audits, and which cases: the one condition that stands inside the SQL of every audit query.

An auditor is an active member of an auditors' group. Without *scope* rows they read every case. Once an administrator
has set a scope (`engine.scopes`), only scopes that have neither expired nor been revoked count: the procedures they
name, the cases started within their period. A case that is kept from the auditor (`case_barred`), or in which they are
recused from a task, is out of reach whatever the scope says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses
from engine.errors import Denied, NotFound
from engine.identity import Standing, standing
from engine.models import case_barred, instances, task_access
from engine.models_privacy import audit_scopes
from engine.moments import stamp
from engine.prepared import Prepared

if TYPE_CHECKING:
    from engine.runtime import Engine

AUDITORS = frozenset({"auditor"})
SPARED = 500  # cases kept from an auditor that are named one by one
EVERY = "*"  # in a scope: every procedure
_SCOPES = Prepared(sa.select(audit_scopes).where(audit_scopes.c.username == sa.bindparam("username")))


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """One case that is being audited: the auditor's own connection, which cannot write, and the instance's row."""

    connection: Connection
    row: Any
    who: Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Auditing:
    """An audit over many cases: the connection, which cannot write, and the condition every query must carry."""

    connection: Connection
    mine: sa.ColumnElement[bool]
    who: Standing


def auditable(
    connection: Connection, actor: str, now: datetime, *, groups: frozenset[str] = AUDITORS
) -> sa.ColumnElement[bool]:
    """A condition over `instances`: true for the cases that `actor` may audit now, false for everybody else."""
    return _auditable(connection, standing(connection, actor, now), now, groups)


def auditable_as(engine: Engine, connection: Connection, who: Standing) -> sa.ColumnElement[bool]:
    """The same for a standing that is already known, with the engine's own auditors' groups and clock."""
    return _auditable(connection, who, engine.now(), engine.auditors)


def auditable_ids(engine: Engine, audit: Auditing, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The same condition over another table's column of instance ids. An auditor without limits is spared looking at
    the instances: measuring 100,000 cases would spend most of its time there."""
    if not unlimited(engine, audit.connection, audit.who):
        return column.in_(sa.select(instances.c.instance_id).where(audit.mine))
    closed = sa.union(*_closed_to(audit.who)).limit(SPARED + 1)
    ids = sorted(set(audit.connection.scalars(closed)))
    if len(ids) > SPARED:
        kept, recused = _closed_to(audit.who)
        return sa.and_(column.not_in(kept), column.not_in(recused))
    return column.not_in(ids) if ids else sa.true()


def _closed_to(who: Standing) -> tuple[sa.Select[tuple[str]], sa.Select[tuple[str]]]:
    kept = sa.select(case_barred.c.instance_id).where(case_barred.c.username == who.username)
    recused = sa.select(task_access.c.instance_id).where(
        task_access.c.principal == f"u:{who.username}", task_access.c.rule == "recused"
    )
    return kept, recused


def _auditable(connection: Connection, who: Standing, now: datetime, groups: frozenset[str]) -> sa.ColumnElement[bool]:
    if not who.active or not who.within(groups):
        return sa.false()
    kept, recused = _closed_to(who)
    free = [instances.c.instance_id.not_in(kept), instances.c.instance_id.not_in(recused)]
    scopes = _SCOPES.run(connection, username=who.username).all()
    if not scopes:
        return sa.and_(*free)
    at = stamp(now)
    parts = [
        _part(scope)
        for scope in scopes
        if scope.revoked_at is None and (scope.expires_at is None or scope.expires_at > at)
    ]
    return sa.and_(*free, sa.or_(*parts)) if parts else sa.false()


def _part(scope: Any) -> sa.ColumnElement[bool]:
    said = [sa.true()]
    if scope.process != EVERY:
        said.append(instances.c.process == scope.process)
    if scope.cases_from is not None:
        said.append(instances.c.started_at >= scope.cases_from)
    if scope.cases_until is not None:
        said.append(instances.c.started_at < scope.cases_until)
    return sa.and_(*said)


def unlimited(engine: Engine, connection: Connection, who: Standing) -> bool:
    """Whether they audit every case: what belongs to no case (imported register rows) is open to these auditors."""
    if not who.active or not who.within(engine.auditors):
        return False
    at = stamp(engine.now())
    scopes = _SCOPES.run(connection, username=who.username).all()
    return not scopes or any(
        scope.process == EVERY
        and scope.cases_from is None
        and scope.cases_until is None
        and scope.revoked_at is None
        and (scope.expires_at is None or scope.expires_at > at)
        for scope in scopes
    )


def require_auditor(engine: Engine, connection: Connection, actor: str) -> Standing:
    """The standing of an auditor whose right has not run out. Raises Denied."""
    now = engine.now()
    who = standing(connection, actor, now)
    if who.active and who.within(engine.auditors):
        scopes = _SCOPES.run(connection, username=actor).all()
        at = stamp(now)
        if not scopes or any(
            each.revoked_at is None and (each.expires_at is None or each.expires_at > at) for each in scopes
        ):
            return who
        raise Denied(
            "audit_expired",
            text={
                "zh-CN": "审计权限已到期或已收回，请联系系统管理员",
                "en": "Your right to audit has expired or was revoked; ask an administrator",
            },
        )
    raise Denied("auditors_only", text={"zh-CN": "该页面仅限审计员", "en": "Only auditors may see this"})


def auditable_case(
    connection: Connection, instance_id: str, actor: str, now: datetime, *, groups: frozenset[str] = AUDITORS
) -> Any:
    """The instance's row, selected only when `actor` may audit the case. Raises NotFound, Denied."""
    mine = auditable(connection, actor, now, groups=groups)
    row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id, mine)).first()
    if row is not None:
        return row
    if connection.execute(sa.select(instances.c.rev).where(instances.c.instance_id == instance_id)).first() is None:
        raise NotFound(
            "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
        )
    raise Denied(
        "audit_denied",
        text={"zh-CN": "该案件不在审计范围之内", "en": "This case is outside what you may audit"},
    )


@contextlib.contextmanager
def audited(engine: Engine, instance_id: str, actor: str, what: str) -> Iterator[Audited]:
    """Open one case to an auditor on a connection that cannot write. Raises NotFound, Denied.

    The read is recorded (`record_read`), a refusal as well, both through the writer."""
    try:
        with engine.db.audit() as connection:
            who = require_auditor(engine, connection, actor)
            row = auditable_case(connection, instance_id, actor, engine.now(), groups=engine.auditors)
            yield Audited(connection=connection, row=row, who=who)
    except Denied as refusal:
        accesses.refused(engine, actor, what, refusal, instance_id=instance_id)
        raise
    record_read(engine, instance_id, actor, what)


@contextlib.contextmanager
def auditing(engine: Engine, actor: str, what: str) -> Iterator[Auditing]:
    """Open the audit over many cases, on a connection that cannot write. Raises Denied; the refusal is recorded."""
    try:
        with engine.db.audit() as connection:
            who = require_auditor(engine, connection, actor)
            yield Auditing(connection=connection, mine=auditable_as(engine, connection, who), who=who)
    except Denied as refusal:
        accesses.refused(engine, actor, what, refusal)
        raise


def record_read(engine: Engine, instance_id: str, actor: str, what: str) -> None:
    """Write into the history of a case whose reading is logged that `actor` saw `what` (`case`, `replay`, `dossier`,
    `task:<id>` …). Once in ten minutes for the same reader and thing; nothing for other cases."""
    accesses.read(engine, instance_id, actor, what)
