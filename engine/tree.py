"""An RFC 9162 Merkle tree over every event of every chain, kept in tiles so that proofs read O(log n) rows.

The tree's entries are the events' 32-byte hashes; an event's body names its case, its seq and the event before it, so
the hash fixes its place in its chain, and the leaf's position fixes its place among all. `tree_runs` says which events
stand where: a run is what one transaction wrote to one chain, and its `place` is that of its first leaf. A tile of
level L holds up to 32 hashes of complete subtrees of 32**L leaves; tiles only ever grow.

The verifiers (`evidence`, `verifier/guiju_verify.py`) share no code with this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import GuijuError, NotFound
from engine.models import tree_runs, tree_tiles
from engine.prepared import Prepared

HEIGHT = 5  # levels of the tree that one tile spans
WIDTH = 1 << HEIGHT
HASH = 32  # bytes
EMPTY = sha256(b"").digest()  # the root of a tree of nothing

_TILE = Prepared(
    sa.select(tree_tiles.c.hashes).where(
        tree_tiles.c.level == sa.bindparam("level"), tree_tiles.c.number == sa.bindparam("number")
    )
)
_ADD = Prepared(sa.insert(tree_tiles), columns=("level", "number", "hashes"))
_GROW = Prepared(
    sa.update(tree_tiles)
    .where(tree_tiles.c.level == sa.bindparam("at_level"), tree_tiles.c.number == sa.bindparam("at_number"))
    .values(hashes=sa.bindparam("hashes"))
)


class TreeDamaged(GuijuError):
    """A tile of the tree is missing or too short."""

    code = "tree_damaged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """That the event `seq` of a chain stands at `place`: the hashes beside the way from its leaf to the root."""

    seq: int
    place: int
    path: tuple[bytes, ...]


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 §2.1.1: the hash of a leaf."""
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 §2.1.1: the hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """The tree as the tiles of one connection's snapshot hold it; tiles read once are kept as long as this object."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves. Raises TreeDamaged."""
        return self._range(0, size) if size else EMPTY

    def inclusion(self, place: int, size: int) -> tuple[bytes, ...]:
        """RFC 9162 §2.1.3: from the leaf at `place` up to the root of the first `size` leaves."""
        path: list[bytes] = []
        low, count = 0, size
        while count > 1:
            half = _split(count)
            if place < low + half:
                path.append(self._range(low + half, count - half))
                count = half
            else:
                path.append(self._range(low, half))
                low, count = low + half, count - half
        return tuple(reversed(path))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """RFC 9162 §2.1.4: that the tree of `new` leaves begins with the tree of `old` ones (0 < old <= new)."""
        path: list[bytes] = []
        low, count, wanted, whole = 0, new, old, True
        while wanted != count:
            half = _split(count)
            if wanted <= half:
                path.append(self._range(low + half, count - half))
                count = half
            else:
                path.append(self._range(low, half))
                low, count, wanted, whole = low + half, count - half, wanted - half, False
        if not whole:
            path.append(self._range(low, count))
        return tuple(reversed(path))

    def append(self, size: int, leaves: Iterable[bytes]) -> int:
        """Write leaf hashes behind the first `size` and whatever tiles they complete; return the new size."""
        level, start, hashes = 0, size, list(leaves)
        grown = size + len(hashes)
        while hashes:
            number, filled = divmod(start, WIDTH)
            joined = (self._tile(level, number)[: filled * HASH] if filled else b"") + b"".join(hashes)
            rows = []
            completed: list[bytes] = []
            for offset in range(0, len(joined), WIDTH * HASH):
                tile = joined[offset : offset + WIDTH * HASH]
                self._tiles[level, number] = tile
                if offset == 0 and filled:
                    _GROW.run(self._connection, at_level=level, at_number=number, hashes=tile)
                else:
                    rows.append({"level": level, "number": number, "hashes": tile})
                if len(tile) == WIDTH * HASH:
                    completed.append(_fold(tile))
                number += 1
            _ADD.run_many(self._connection, rows)
            level, start, hashes = level + 1, start // WIDTH, completed
        return grown

    def _range(self, low: int, count: int) -> bytes:
        """The root of `count` leaves from `low`, which every split of RFC 9162 leaves aligned."""
        if count & (count - 1):
            half = _split(count)
            return node_hash(self._range(low, half), self._range(low + half, count - half))
        height = count.bit_length() - 1
        level, rest = divmod(height, HEIGHT)
        number, offset = divmod((low >> height) << rest, WIDTH)
        tile = self._tile(level, number)
        part = tile[offset * HASH : (offset + (1 << rest)) * HASH]
        if len(part) != HASH << rest:
            raise _damaged(level, number)
        return _fold(part)

    def _tile(self, level: int, number: int) -> bytes:
        found = self._tiles.get((level, number))
        if found is None:
            stored = _TILE.run(self._connection, level=level, number=number).scalar()
            if stored is None:
                raise _damaged(level, number)
            found = self._tiles[level, number] = bytes(stored)
        return found


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 §2.1.4.2: whether the proof shows that the newer tree begins with the older one."""
    if old == new:
        return old_root == new_root and not path
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    this, last = old - 1, new - 1
    while this & 1:
        this, last = this >> 1, last >> 1
    mine = theirs = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if this & 1 or this == last:
            mine, theirs = node_hash(step, mine), node_hash(step, theirs)
            while not this & 1 and this:
                this, last = this >> 1, last >> 1
        else:
            theirs = node_hash(theirs, step)
        this, last = this >> 1, last >> 1
    return last == 0 and mine == old_root and theirs == new_root


def inclusion(connection: Connection, instance_id: str, first: int, last: int, size: int) -> list[Proof]:
    """A proof for each event `first`…`last` of a chain against the tree of `size` leaves.

    Raises NotFound when one of them is not in that tree yet.
    """
    runs = connection.execute(
        sa.select(tree_runs.c.first, tree_runs.c.last, tree_runs.c.place)
        .where(tree_runs.c.instance_id == instance_id, tree_runs.c.last >= first, tree_runs.c.first <= last)
        .order_by(tree_runs.c.first)
    ).all()
    placed = [run for run in runs if run.place is not None]
    places = {seq: run.place + seq - run.first for run in placed for seq in range(run.first, run.last + 1)}
    tree, proofs = Tree(connection), []
    for seq in range(first, last + 1):
        place = places.get(seq, size)
        if place >= size:
            raise NotFound(
                "event_not_signed",
                text={
                    "zh-CN": "事件 {seq} 尚未列入已签名的存证，请稍后再试",
                    "en": "Event {seq} is not covered by a signed checkpoint yet; try again shortly",
                },
                seq=seq,
            )
        proofs.append(Proof(seq=seq, place=place, path=tree.inclusion(place, size)))
    return proofs


def _fold(hashes: bytes) -> bytes:
    """The root over 1, 2, 4 … 32 concatenated hashes."""
    while len(hashes) > HASH:
        pairs = range(0, len(hashes), 2 * HASH)
        hashes = b"".join([sha256(b"\1" + hashes[at : at + 2 * HASH]).digest() for at in pairs])
    return hashes


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _damaged(level: int, number: int) -> TreeDamaged:
    return TreeDamaged(
        "tree_damaged",
        text={
            "zh-CN": "存证树的分片 {level}/{number} 缺失或不完整",
            "en": "Tile {level}/{number} of the evidence tree is missing or incomplete",
        },
        level=level,
        number=number,
    )
