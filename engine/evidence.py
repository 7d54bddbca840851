"""Verification of a database: every chain, from its bytes, then the tree over all of them and what was signed about
it. Shares no code with what writes history, tree and checkpoints, so that a broken writer shows; what it shares with
the stand-alone verifier (checkpoints, keys) is imported from there.

Per chain: events are numbered 1, 2, 3 …; each body hashes (SHA-256) to its stored hash; each names the hash before it
(zeros for the first); the body says what its row says (instance, seq, type); the case's row points at the last event,
and its state hashes to what the last `state.saved` says; and the runs that place the events in the tree cover them
one after the other. The tree is then checked by `evidence_tree`.

One pass over the events in batches; the leaf hashes of the tree go into a temporary file, so memory stays the same
however many events there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from engine.db import Database
from engine.evidence_tree import Broken, Leaves, TreeCheck, broken
from engine.models import history as events
from engine.models import instances, tree_runs

__all__ = ["Broken", "Report", "check_case", "verify"]

BATCH = 4000  # events fetched at once
APART = ("deployments", "access")  # the chains that are no case's


class Said(msgspec.Struct):
    """What an event's body says about its own place."""

    instance: str
    seq: int
    prev: str
    type: str


class Saved(msgspec.Struct):
    """The part of a `state.saved` that matters here."""

    data: dict[str, msgspec.Raw]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was verified: chains, events, how many of them the tree holds and how many wait to be signed for,
    checkpoints, the keys they were checked with (none: signatures were not checked), and what is broken: each chain's
    first bad event, then tree and checkpoints."""

    chains: int
    events: int
    signed: int
    waiting: int
    checkpoints: int
    keys: tuple[str, ...]
    broken: tuple[Broken, ...]


Row = tuple[int, str, bytes, bytes]  # seq, type, body, hash
End = tuple[int, bytes, bytes]  # a case's seq, head and state
Run = tuple[int, int, int | None]  # first, last, place
_SAID = msgspec.json.Decoder(Said)
_SAVED = msgspec.json.Decoder(Saved)


def verify(
    db: Database,
    *,
    keys: Sequence[str] = (),
    published: Path | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Report:
    """Check the whole database in one snapshot. `keys` are the published keys' texts; without any, signatures are not
    checked. `published` is a folder of published checkpoints. `progress` is called with (events seen, events in all).
    """
    found: list[Broken] = []
    chains = seen = runs_seen = waiting = 0
    with db.snapshot() as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0
        tree = TreeCheck(connection, keys=keys, published=published)
        with Leaves(tree.size, total) as leaves:
            for batch in _batches(connection):
                ends, runs = _around(connection, [chain for chain, _ in batch])
                for chain, rows in batch:
                    chains, seen = chains + 1, seen + len(rows)
                    mine = runs.get(chain, [])
                    fault = _check(chain, rows, ends.get(chain)) or _placed(chain, rows, mine, leaves)
                    runs_seen += len(mine)
                    waiting += sum(last - first + 1 for first, last, place in mine if place is None)
                    if fault:
                        found.append(fault)
                if progress:
                    progress(seen, total)
            found.extend(_without_history(connection))
            if runs_seen != connection.scalar(sa.select(sa.func.count()).select_from(tree_runs)):
                found.extend(_runs_without_history(connection, {one.instance_id for one in found}))
            found.extend(tree.check(leaves, {one.instance_id for one in found}))
    return Report(
        chains=chains,
        events=seen,
        signed=tree.size,
        waiting=waiting,
        checkpoints=tree.checkpoints,
        keys=tuple(keys),
        broken=tuple(found),
    )


def check_case(connection: sa.Connection, instance_id: str) -> Broken | None:
    """The first bad event of one case's chain, or None. The tree is not looked at."""
    rows = connection.execute(_events().where(events.c.instance_id == instance_id)).all()
    if not rows:
        return broken(instance_id, 0, "empty")
    chain: list[Row] = [(row[1], row[2], bytes(row[3]), bytes(row[4])) for row in rows]
    ends, _ = _around(connection, [instance_id])
    return _check(instance_id, chain, ends.get(instance_id))


def _events() -> sa.Select[Any]:
    query = sa.select(events.c.instance_id, events.c.seq, events.c.type, _bytes(events.c.body), _bytes(events.c.hash))
    return query.order_by(events.c.instance_id, events.c.seq)


def _bytes(column: sa.Column[bytes]) -> sa.Label[bytes]:
    """The column as bytes even where somebody put text into it: SQLite keeps whatever it is given."""
    return sa.cast(column, sa.LargeBinary).label(column.name)


def _batches(connection: sa.Connection) -> Iterator[list[tuple[str, list[Row]]]]:
    """Whole chains, some thousand events at a time."""
    streamed = connection.execute(_events().execution_options(stream_results=True, yield_per=BATCH))
    batch: list[tuple[str, list[Row]]] = []
    chain, rows, held = None, list[Row](), 0
    for part in streamed.partitions():
        for instance_id, seq, kind, body, digest in part:
            if instance_id != chain:
                if held >= BATCH:
                    yield batch
                    batch, held = [], 0
                chain, rows = instance_id, []
                batch.append((instance_id, rows))
            rows.append((seq, kind, body, digest))
            held += 1
    if batch:
        yield batch


def _around(connection: sa.Connection, chains: list[str]) -> tuple[dict[str, End], dict[str, list[Run]]]:
    """The cases' rows, and the runs of their events."""
    cases = sa.select(instances.c.instance_id, instances.c.seq, _bytes(instances.c.head), _bytes(instances.c.state))
    placed = sa.select(tree_runs.c.instance_id, tree_runs.c.first, tree_runs.c.last, tree_runs.c.place)
    ends: dict[str, End] = {}
    runs: dict[str, list[Run]] = {}
    for at in range(0, len(chains), 500):
        some = chains[at : at + 500]
        for name, seq, head, state in connection.execute(cases.where(instances.c.instance_id.in_(some))):
            ends[name] = (seq, bytes(head), bytes(state))
        ordered = placed.where(tree_runs.c.instance_id.in_(some)).order_by(tree_runs.c.instance_id, tree_runs.c.first)
        for name, first, last, place in connection.execute(ordered):
            runs.setdefault(name, []).append((first, last, place))
    return ends, runs


def _check(chain: str, rows: list[Row], end: End | None) -> Broken | None:
    before, saved = b"\0" * 32, None
    said_by = _SAID.decode
    for place, (seq, kind, body, digest) in enumerate(rows, start=1):
        if seq != place:
            return broken(chain, place, "missing")
        if sha256(body).digest() != digest:
            return broken(chain, seq, "hash")
        try:
            said = said_by(body)
        except (msgspec.MsgspecError, ValueError):
            return broken(chain, seq, "unreadable")
        if said.prev != before.hex():
            return broken(chain, seq, "link")
        if said.seq != seq or said.instance != chain or said.type != kind:
            return broken(chain, seq, "row")
        if kind == "state.saved":
            saved = body
        before = digest
    if end is None:
        return None if chain in APART else broken(chain, 1, "orphan")
    seq, head, stored = end
    if (seq, head) != (len(rows), before):
        return broken(chain, len(rows) + 1, "head")
    state = msgspec.json.decode(_SAVED.decode(saved).data["state"]) if saved else None
    return None if sha256(stored).hexdigest() == state else broken(chain, len(rows), "state")


def _placed(chain: str, rows: list[Row], runs: list[Run], leaves: Leaves) -> Broken | None:
    """Put the events' leaf hashes where the runs place them. Every event stands in one run, the runs in order."""
    covered, behind = 0, -1
    for first, last, place in runs:
        if first != covered + 1 or last < first or last > len(rows):
            return broken(chain, covered + 1, "unlisted")
        if place is not None:
            if place <= behind or not leaves.put(place, [row[3] for row in rows[first - 1 : last]]):
                return broken(chain, first, "place")
            behind = place + last - first
        else:
            behind = leaves.size  # nothing of this chain stands in the tree behind an event that does not
        covered = last
    return None if covered == len(rows) else broken(chain, covered + 1, "unlisted")


def _without_history(connection: sa.Connection) -> list[Broken]:
    """Cases whose every event is gone."""
    there = sa.select(events.c.seq).where(events.c.instance_id == instances.c.instance_id).exists()
    query = sa.select(instances.c.instance_id).where(~there)
    return [broken(name, 0, "empty") for name in connection.scalars(query.order_by(instances.c.instance_id))]


def _runs_without_history(connection: sa.Connection, known: set[str]) -> list[Broken]:
    """Chains that the tree knows and the history does not."""
    there = sa.select(events.c.seq).where(events.c.instance_id == tree_runs.c.instance_id).exists()
    query = sa.select(tree_runs.c.instance_id).where(~there).distinct().order_by(tree_runs.c.instance_id)
    return [broken(name, 1, "missing") for name in connection.scalars(query) if name not in known]
