"""Identities are not kept for ever: what was sealed is destroyed once a complaint is over and its watch has passed.

A complaint that ran to its end destroys them itself, with the last round of the watch. This is for those that ended
without one: closed for want of an answer, handed over, merged. A new message keeps them a while longer.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Engine
from engine.moments import stamp
from processes.complaint.seal import destroy
from processes.complaint.tables import instances, messages, sealed_values, threads

KEPT = timedelta(days=90)  # after the end; as long as the retaliation watch
AT_ONCE = 100


def forget(engine: Engine) -> int:
    """Destroy what is due, leaving when that was in the history of each case; return how many cases."""
    before = stamp(engine.now() - KEPT)
    alive = sa.exists().where(
        threads.c.instance_id == instances.c.instance_id,
        messages.c.thread_id == threads.c.thread_id,
        messages.c.at >= before,
        messages.c.kind != "sent",
    )
    holds = sa.exists().where(
        sealed_values.c.instance_id == instances.c.instance_id, sealed_values.c.sealed.is_not(None)
    )
    due = (
        sa.select(instances.c.instance_id)
        .where(
            instances.c.process == "complaint",
            instances.c.status.in_(("completed", "cancelled")),
            instances.c.ended_at < before,
            holds,
            ~alive,
        )
        .limit(AT_ONCE)
    )
    with engine.db.read() as connection:
        cases = list(connection.scalars(due))
    return sum(_forget(engine, case) for case in cases)


def _forget(engine: Engine, case: str) -> bool:
    at = stamp(engine.now())

    def work(connection: Connection) -> int:
        return destroy(connection, case, at)

    if gone := engine.db.write(work):
        engine.note(case, "register.changed", by=None, register="sealed_values", destroyed=gone)
    return gone > 0
