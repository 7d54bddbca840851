"""Which cases an export holds: one, or every one that answers a question; each read in a snapshot of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.errors import NotFound
from engine.exports.trail import Trail, trail
from engine.models import instances
from engine.queries import searching
from engine.queries.asked import Question
from engine.queries.auditing import audited

if TYPE_CHECKING:
    from engine.runtime import Engine


def one(engine: Engine, instance_id: str, *, actor: str | None) -> Trail:
    """The trail of a case. `actor` None: the operator at the server's own command line. Raises NotFound, Denied."""
    if actor is not None:
        with audited(engine, instance_id, actor, "export") as case:
            return trail(engine, case.connection, case.row)
    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).first()
        if row is None:
            raise NotFound(id=instance_id)
        return trail(engine, connection, row)


def many(engine: Engine, question: Question, *, actor: str) -> Iterator[Trail]:
    """The trails of every case that answers, newest first. Raises Denied before the first."""
    found = searching.every(engine, question, actor=actor)
    return (one(engine, hit.case.instance_id, actor=actor) for hit in found)


def every(
    engine: Engine, question: Question, *, progress: Callable[[int, int | None], None] | None = None
) -> Iterator[Trail]:
    """The same for the operator at the server's own command line; `progress` is told how many are done, of how many."""
    ids = searching.ids(engine, question)
    for number, instance_id in enumerate(ids, 1):
        yield one(engine, instance_id, actor=None)
        if progress:
            progress(number, len(ids))
