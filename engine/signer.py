"""The signer: gives every new event its place in the tree and signs a checkpoint about it, seconds after its commit.

Every node that has the key runs one; a lease in `tree_head` elects who works, and any node takes over when it runs out.
The lease only spares work. What keeps two nodes from signing conflicting trees is that a checkpoint is signed in the
transaction that grows the tree, under the lock of that one row and with `UPDATE … WHERE size = ?`: of two nodes on the
same size one commits and the other begins again; a note whose transaction did not commit leaves the node nowhere.

Commit order is not the order of any id on PostgreSQL, so new events are not found by a high-water mark: each command
leaves a run without a place (`tree_runs`), and what is not committed yet is found the next time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import publishing
from engine.checkpoints import Checkpoint, SigningKey, latest, read
from engine.db import Stale
from engine.errors import GuijuError, Text
from engine.identity import Directory
from engine.models import checkpoints, history, tree_head, tree_runs
from engine.moments import stamp
from engine.operations import notify
from engine.prepared import Prepared
from engine.tree import Tree, TreeDamaged, consistent, leaf_hash

if TYPE_CHECKING:
    from engine.runtime import Engine

LEASE = timedelta(seconds=2.5)  # with two seconds between ticks, another node takes over within five
BATCH = 400  # runs a transaction: some thousand events, some tens of milliseconds for whoever waits to write
log = logging.getLogger(__name__)

_WAITING = Prepared(sa.select(tree_runs.c.instance_id).where(tree_runs.c.place.is_(None)).limit(sa.literal_column("1")))
_PLACE = Prepared(
    sa.update(tree_runs)
    .where(tree_runs.c.instance_id == sa.bindparam("chain"), tree_runs.c.first == sa.bindparam("from_seq"))
    .values(place=sa.bindparam("place"))
)


class TreeRefused(GuijuError):
    """The stored tree contradicts what was signed before; nothing is signed until somebody has looked."""

    status = 409
    code = "tree_refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Consecutive events of one chain and their leaf hashes."""

    instance_id: str
    first: int
    leaves: list[bytes]


class Signer:
    """This node's signer. `memory` is a file outside the database that holds the newest checkpoint it signed."""

    def __init__(
        self,
        engine: Engine,
        key: SigningKey,
        *,
        memory: Path | None = None,
        sinks: Sequence[publishing.Sink] = (),
        node: str | None = None,
    ) -> None:
        self._engine, self.key, self._memory, self._sinks = engine, key, memory, tuple(sinks)
        self._node = node or str(uuid4())
        self._last: Checkpoint | None = None
        self._recalled = False

    def run(self) -> Checkpoint | None:
        """Place, sign and publish what is new; return the newest checkpoint signed by this call.

        What contradicts an earlier checkpoint is not signed: administrators and auditors are told, once.
        """
        signed = None
        try:
            while self._waits() and (grown := self._engine.db.write(self._grow)) is not None:
                signed = grown
                self._remember(grown)
        except (TreeRefused, TreeDamaged) as refusal:
            self._report(refusal)
        if self._sinks and self._elected():
            publishing.publish(self._engine, self._sinks, self.key.public)
        return signed

    def _waits(self) -> bool:
        with self._engine.db.read() as connection:
            return _WAITING.run(connection).first() is not None

    def _elected(self) -> bool:
        with self._engine.db.read() as connection:
            head = connection.execute(sa.select(tree_head)).one()
        return head.lease in (None, self._node) or head.lease_until <= stamp(self._engine.now())

    def _grow(self, connection: Connection) -> Checkpoint | None:
        """1. Lock the head; leave it to the node that holds the lease. 2. Read the new events. 3. Check the tree
        against what was signed before. 4. Append, and move the size on from what it was. 5. Sign the new root."""
        now = self._engine.now()
        head = connection.execute(sa.select(tree_head).with_for_update()).one()
        if head.lease not in (None, self._node) and head.lease_until > stamp(now):
            return None
        runs = _new_runs(connection)
        if not runs:
            return None
        tree, before = Tree(connection), latest(connection)
        old = {checkpoint.size: checkpoint for checkpoint in (before, self._recall()) if checkpoint is not None}
        for checkpoint in old.values():
            _refuse_rewriting(connection, tree, head.size, checkpoint)
        rows, place = [], head.size
        for run in runs:
            rows.append({"chain": run.instance_id, "from_seq": run.first, "place": place})
            place += len(run.leaves)
        size = tree.append(head.size, [leaf for run in runs for leaf in run.leaves])
        root = tree.root(size)
        for checkpoint in old.values():
            if not consistent(checkpoint.size, size, checkpoint.root, root, tree.consistency(checkpoint.size, size)):
                raise _rewritten(checkpoint.size)
        _PLACE.run_many(connection, rows)
        origin = self.key.name  # a new name begins a new log: after a restored backup, the old one cannot go on
        values = {"size": size, "origin": origin, "lease": self._node, "lease_until": stamp(now + LEASE), "fault": None}
        if connection.execute(sa.update(tree_head).where(tree_head.c.size == head.size).values(values)).rowcount != 1:
            raise Stale
        made = self.key.checkpoint(origin=origin, size=size, root=root, at=now, after=before.size if before else 0)
        connection.execute(sa.insert(checkpoints).values(size=size, note=made.note))
        return made

    # -- what the node remembers outside the database -----------------------------------------------------------------
    def _recall(self) -> Checkpoint | None:
        """The newest checkpoint of this key that is known outside the database: remembered, or published."""
        if not self._recalled:
            notes = [sink.newest() for sink in self._sinks]
            if self._memory is not None:
                with suppress(OSError, UnicodeDecodeError):
                    notes.append(self._memory.read_text(encoding="utf-8"))
            known = []
            for note in notes:
                with suppress(ValueError):
                    if note and self.key.signed(note):
                        known.append(read(note))
            self._last = max(known, key=lambda checkpoint: checkpoint.size, default=None)
            self._recalled = True
        return self._last

    def _remember(self, checkpoint: Checkpoint) -> None:
        self._last = checkpoint
        if self._memory is not None:
            try:
                publishing.write_whole(self._memory, checkpoint.note)
            except OSError:
                log.exception("the newest checkpoint could not be kept beside the signing key")

    def _report(self, refusal: GuijuError) -> None:
        """Keep the refusal where auditors and administrators see it, and tell them when it is new."""
        fault: dict[str, Any] = {"code": refusal.code, "message": refusal.message}

        def work(connection: Connection) -> None:
            was = connection.scalar(sa.select(tree_head.c.fault))
            if was is not None and {**was, "at": None} == {**fault, "at": None}:
                return
            at = stamp(self._engine.now())
            connection.execute(sa.update(tree_head).values(fault={**fault, "at": at}))
            groups = sorted(self._engine.administrators | self._engine.auditors)
            users = Directory(connection).usernames(f"g:{group}" for group in groups)
            text: Text = {
                "zh-CN": f"存证签名已停止：{refusal.message['zh-CN']}",
                "en": f"Evidence is no longer signed: {refusal.message['en']}",
            }
            notify(connection, users, text, instance_id=None, at=at, new_id=uuid4)

        self._engine.db.write(work)
        log.error("checkpoints are not signed: %s", refusal.message["en"])


def _new_runs(connection: Connection) -> list[Run]:
    """The next runs without a place, the events of a chain in their order. Raises TreeRefused when events are gone."""
    wanted = (
        sa.select(tree_runs.c.instance_id, tree_runs.c.first, tree_runs.c.last)
        .where(tree_runs.c.place.is_(None))
        .order_by(tree_runs.c.instance_id, tree_runs.c.first)
        .limit(BATCH)
        .subquery()
    )
    between = history.c.seq.between(wanted.c.first, wanted.c.last)
    query = (
        sa.select(wanted.c.instance_id, wanted.c.first, wanted.c.last, history.c.seq, history.c.hash)
        .outerjoin(history, sa.and_(history.c.instance_id == wanted.c.instance_id, between))
        .order_by(wanted.c.instance_id, wanted.c.first, history.c.seq)
    )
    runs = []
    for (instance_id, first, last), rows in groupby(connection.execute(query), key=lambda row: tuple(row[:3])):
        leaves = [leaf_hash(bytes(row.hash)) for row in rows if row.hash is not None]
        if len(leaves) != last - first + 1:
            raise TreeRefused(
                "events_missing",
                text={
                    "zh-CN": "案件 {instance} 的事件 {first}–{last} 在列入存证之前已缺失",
                    "en": "Events {first}–{last} of case {instance} were gone before they were signed for",
                },
                instance=instance_id,
                first=first,
                last=last,
            )
        runs.append(Run(instance_id=instance_id, first=first, leaves=leaves))
    return runs


def _refuse_rewriting(connection: Connection, tree: Tree, size: int, checkpoint: Checkpoint) -> None:
    """Raise TreeRefused unless the tree of `size` leaves still holds what the checkpoint says."""
    if checkpoint.size > size:
        raise TreeRefused(
            "tree_cut",
            text={
                "zh-CN": "数据库的存证树只有 {size} 个事件，而此前已为 {signed} 个事件签名：末尾被截断，或恢复了旧备份",
                "en": "The tree in the database holds {size} events, but {signed} were signed for before: "
                "its tail was cut off, or an older backup was restored",
            },
            size=size,
            signed=checkpoint.size,
        )
    if tree.root(checkpoint.size) != checkpoint.root:
        raise _rewritten(checkpoint.size)
    stored = connection.scalar(sa.select(checkpoints.c.note).where(checkpoints.c.size == checkpoint.size))
    if stored != checkpoint.note:
        raise TreeRefused(
            "checkpoint_gone",
            text={
                "zh-CN": "已签名的检查点 {size} 在数据库中缺失或被改动",
                "en": "The checkpoint signed at {size} events is missing from the database or was changed",
            },
            size=checkpoint.size,
        )


def _rewritten(size: int) -> TreeRefused:
    return TreeRefused(
        "tree_rewritten",
        text={
            "zh-CN": "存证树的前 {size} 个事件与此前签名的检查点不符：历史被改写",
            "en": "The first {size} events of the tree are not those of the checkpoint signed before: "
            "the past was rewritten",
        },
        size=size,
    )
