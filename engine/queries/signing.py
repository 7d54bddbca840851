"""How things stand with the evidence: what is signed for, what waits, where it is published, and what stopped it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.checkpoints import Checkpoint, latest
from engine.errors import Text
from engine.models import checkpoint_sinks, tree_head, tree_runs
from engine.moments import moment
from engine.queries.auditing import require_auditor
from engine.queries.reading import reader

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A place of publication: the size of the newest checkpoint it has taken, and why it has not taken more."""

    sink: str
    size: int
    error: Text | None
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """`size` events are in the tree, `waiting` are not yet; `fault` says since when and why nothing is signed."""

    newest: Checkpoint | None
    size: int
    waiting: int
    fault: Text | None
    fault_at: datetime | None
    published: tuple[Published, ...]
    audits: bool


def signed(engine: Engine, *, actor: str) -> Signed:
    """How things stand, for auditors and administrators. Raises Denied to anyone else."""
    with engine.db.read() as connection:
        audits = not reader(engine, connection, actor).within(engine.administrators)
        if audits:
            require_auditor(engine, connection, actor)
        head = connection.execute(sa.select(tree_head)).one()
        length = sa.func.coalesce(sa.func.sum(tree_runs.c.last - tree_runs.c.first + 1), 0)
        waiting = connection.scalar(sa.select(length).where(tree_runs.c.place.is_(None)))
        rows = connection.execute(sa.select(checkpoint_sinks).order_by(checkpoint_sinks.c.sink)).all()
        return Signed(
            newest=latest(connection),
            size=head.size,
            waiting=int(waiting or 0),
            fault=head.fault["message"] if head.fault else None,
            fault_at=moment(head.fault["at"]) if head.fault else None,
            published=tuple(
                Published(
                    sink=row.sink, size=row.size, error=row.error, next_at=moment(row.due_at) if row.error else None
                )
                for row in rows
            ),
            audits=audits,
        )


def measured(engine: Engine) -> tuple[float, int, bool]:
    """For machines that watch: seconds since the newest checkpoint (NaN: none), events that wait, whether signing is
    stopped."""
    with engine.db.read() as connection:
        newest = latest(connection)
        length = sa.func.coalesce(sa.func.sum(tree_runs.c.last - tree_runs.c.first + 1), 0)
        waiting = connection.scalar(sa.select(length).where(tree_runs.c.place.is_(None)))
        stopped = connection.scalar(sa.select(tree_head.c.fault)) is not None
    age = (engine.now() - newest.at).total_seconds() if newest else float("nan")
    return age, int(waiting or 0), stopped
