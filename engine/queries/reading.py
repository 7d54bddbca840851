"""Who may read what: the one place that decides it, asked by every view of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Denied, NotFound
from engine.identity import Access, Standing, barred_of, require_active
from engine.models import case_barred, case_viewers, instances, task_access, tasks
from engine.prepared import Prepared
from engine.queries.auditing import auditable_as

if TYPE_CHECKING:
    from engine.runtime import Engine


def reader(engine: Engine, connection: Connection, actor: str) -> Standing:
    """The standing of whoever reads. Raises Denied unless they work here."""
    return require_active(connection, actor, engine.now())


def is_auditor(engine: Engine, who: Standing) -> bool:
    """Whether they audit: read every case, change none."""
    return who.within(engine.auditors)


def readable_case(engine: Engine, connection: Connection, instance_id: str, who: Standing) -> Any:
    """The instance's row, selected only when `who` may read it: who started it, was named a viewer, took part or may
    do an open task of it, or audits; never when the case is kept from them. Raises NotFound when it does not exist,
    Denied otherwise."""
    out = require_not_barred(connection, instance_id, who)
    names = sorted({grant.principal for grant in who.grants if grant.behalf is None or grant.behalf not in out})
    mine = sa.or_(
        instances.c.initiator == who.username,
        sa.exists().where(case_viewers.c.instance_id == instances.c.instance_id, case_viewers.c.principal.in_(names)),
        sa.exists().where(tasks.c.instance_id == instances.c.instance_id, tasks.c.completed_by == who.username),
        sa.exists().where(
            task_access.c.instance_id == instances.c.instance_id,
            task_access.c.rule == "may",
            task_access.c.principal.in_(names),
            ~sa.exists().where(
                (barred := task_access.alias()).c.instance_id == task_access.c.instance_id,
                barred.c.task_id == task_access.c.task_id,
                barred.c.rule == "recused",
                barred.c.principal == f"u:{who.username}",
            ),
        ),
        auditable_as(engine, connection, who),
    )
    row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id, mine)).first()
    if row is not None:
        return row
    if connection.execute(sa.select(instances.c.rev).where(instances.c.instance_id == instance_id)).first() is None:
        raise NotFound(
            "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
        )
    barred_row = sa.and_(
        task_access.c.instance_id == instance_id,
        task_access.c.rule == "recused",
        task_access.c.principal == f"u:{who.username}",
    )
    recused = connection.execute(sa.select(task_access.c.task_id).where(barred_row).limit(1)).first() is not None
    raise Denied(
        "case_denied",
        recused=recused,
        text=None if recused else {"zh-CN": "没有权限查看该案件", "en": "You are not permitted to read this case"},
    )


def require_not_barred(connection: Connection, instance_id: str, who: Standing) -> frozenset[str]:
    """Usernames of those the case is kept from. Raises Denied when the reader is among them."""
    barred = barred_of(connection, instance_id)
    if who.username in barred:
        raise Denied("case_denied", recused=True)
    return barred


def not_kept_from(actor: str, instance_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a list leaves out cases kept from its reader."""
    return ~sa.exists().where(case_barred.c.instance_id == instance_id, case_barred.c.username == actor)


_READS = Prepared(
    sa.select(task_access.c.task_id, task_access.c.principal, task_access.c.rule).where(
        task_access.c.instance_id == sa.bindparam("instance"), task_access.c.rule == sa.literal_column("'reads'")
    )
)
_STILL_OPEN = Prepared(
    sa.select(tasks.c.element).where(
        tasks.c.instance_id == sa.bindparam("instance"), tasks.c.status == sa.literal_column("'open'")
    )
)


class Sealed:
    """Which tasks' entries a reader may see: `visible_to` of the diagram, kept as `reads` rows.

    Whoever wrote an entry reads it. A reader who only audits waits until the step has no open task left (ballots until
    the tally).
    """

    def __init__(self, engine: Engine, connection: Connection, instance_id: str, who: Standing) -> None:
        self._who, self._audits = who, is_auditor(engine, who)
        rows = _READS.run(connection, instance=instance_id).all()
        self._reads: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            self._reads.setdefault(row.task_id, []).append((row.principal, row.rule))
        self._open = {row.element for row in _STILL_OPEN.run(connection, instance=instance_id).all()} if rows else set()

    def hides(self, task_id: str, element: str, by: str | None) -> bool:
        """Whether the entry of this task is not for this reader."""
        rows = self._reads.get(task_id)
        if not rows or by == self._who.username:
            return False
        reads = Access.of(rows).reads
        shared = reads & self._who.own
        if not shared:
            return True
        return self._audits and element in self._open and all(principal == "g:auditor" for principal in shared)
