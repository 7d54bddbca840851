"""Who read what, and who was refused: events in the case's own chain, or in the chain `access` that belongs to no case.

A process whose property `log_reads` is `true` has its reads recorded. The event is appended under the lock of the
instance's row without running a command: reading changes nothing of the case but the end of its history. The same
reader and thing is written once in a while only, so that polling pages do not flood the history.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import history
from engine.errors import Denied
from engine.models import instances, people
from engine.moments import stamp
from engine.operations import next_number
from engine.prepared import Prepared

if TYPE_CHECKING:
    from engine.runtime import Engine

WINDOW = timedelta(minutes=10)
KEPT = 20_000  # readers and things remembered by one process
_WHERE = Prepared(
    sa.select(instances.c.process, instances.c.deployment).where(instances.c.instance_id == sa.bindparam("instance"))
)
_LOCKED = Prepared(
    sa.select(instances.c.seq, instances.c.head)
    .where(instances.c.instance_id == sa.bindparam("instance"))
    .with_for_update()
)
_MOVED = Prepared(
    sa.update(instances)
    .where(instances.c.instance_id == sa.bindparam("this"))
    .values(seq=sa.bindparam("seq"), head=sa.bindparam("head"))
)


class Recently:
    """What was written a short while ago and need not be written again. Each node remembers for itself."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, ...], datetime] = OrderedDict()
        self._guard = threading.Lock()

    def first(self, *key: str, now: datetime) -> bool:
        """Whether this is the first time within the window; it counts from now if so."""
        with self._guard:
            before = self._seen.get(key)
            if before is not None and now - before < WINDOW:
                return False
            self._seen[key] = now
            self._seen.move_to_end(key)
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
            return True

    def forget(self, *key: str) -> None:
        """Let the next time count as the first: writing it down failed."""
        with self._guard:
            self._seen.pop(key, None)


def logs_reads(engine: Engine, connection: Connection, process: str, deployment: int) -> bool:
    """Whether the reading of such a case is recorded."""
    return engine.shelf.get(deployment, connection).processes[process].properties.get("log_reads") == "true"


def read(engine: Engine, instance_id: str, actor: str, what: str) -> None:
    """Record that `actor` read `what` of the case, where its process wants that and it was not just written."""
    now = engine.now()
    with engine.db.read() as connection:
        row = _WHERE.run(connection, instance=instance_id).first()
        if row is None or not logs_reads(engine, connection, row.process, row.deployment):
            return
    if not engine.recently.first("read", actor, instance_id, what, now=now):
        return
    kind, _, thing = what.partition(":")
    data = {"what": kind, **({"id": thing} if thing else {})}
    event = history.Event(type="case.read", actor=actor, data=data)
    try:
        engine.db.write(lambda connection: append(connection, instance_id, event, at=stamp(now)))
    except BaseException:
        engine.recently.forget("read", actor, instance_id, what)
        raise


def refused(engine: Engine, actor: str, what: str, refusal: Denied, *, instance_id: str | None = None) -> None:
    """Record that `actor` was refused `what`: in the case's history when it is about a case that exists."""
    now = engine.now()
    data = {"tried": what, "target": instance_id, "reason": refusal.code}
    event = history.Event(type="access.refused", actor=actor, data=data)

    def work(connection: Connection) -> None:
        if connection.execute(sa.select(people.c.username).where(people.c.username == actor)).first() is None:
            return
        if instance_id is None or not append(connection, instance_id, event, at=stamp(now)):
            remember(connection, event, at=stamp(now))

    engine.db.write(work)


def append(connection: Connection, instance_id: str, event: history.Event, *, at: str) -> bool:
    """Append to a case's chain, its row locked; False when there is no such case."""
    row: Any = _LOCKED.run(connection, instance=instance_id).first()
    if row is None:
        return False
    seq, head = history.append(connection, instance_id, [event], at=at, seq=row.seq, head=bytes(row.head))
    _MOVED.run(connection, this=instance_id, seq=seq, head=head)
    return True


def remember(connection: Connection, event: history.Event, *, at: str) -> None:
    """Append to the chain of what concerns rights rather than a case. Writers wait for one another."""
    next_number(connection, f"chain {history.ACCESS}")
    history.append_unowned(connection, history.ACCESS, [event], at=at)
