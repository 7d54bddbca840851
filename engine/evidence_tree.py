"""Verification of the tree and its checkpoints: the second half of `evidence`.

Every leaf is computed again from the events and compared with the stored tiles, every tile above from the tiles below,
every checkpoint's root from the leaves, its signature with the published keys, and what it names as the checkpoint
before it with what is there. Published checkpoints are compared with the stored ones.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.models import checkpoints, tree_head, tree_runs, tree_tiles
from verifier.guiju_verify import TEXT, Checkpoint, Findings, Growing, Key, check_published, published

WIDTH, HASH = 32, 32  # leaves a tile, bytes a hash
TILE = WIDTH * HASH
NOWHERE = bytes(HASH)
STREAMED: dict[str, Any] = {"stream_results": True, "yield_per": 500}

FAULTS = {
    **{code: {"zh-CN": zh, "en": en} for code, (zh, en) in TEXT.items()},
    "head": {"zh-CN": "案件记录的末尾与历史不符", "en": "the case does not point at the last event of its history"},
    "state": {"zh-CN": "案件状态与历史记录的哈希不符", "en": "the stored state is not the one the history recorded"},
    "orphan": {"zh-CN": "有历史而无案件", "en": "there is a history but no case"},
    "empty": {"zh-CN": "有案件而无历史", "en": "there is a case but no history"},
    "unlisted": {"zh-CN": "事件 {seq} 未列入存证树", "en": "event {seq} is not listed for the tree"},
    "place": {"zh-CN": "事件 {seq} 在存证树中的位次不对", "en": "event {seq} is listed at a wrong place of the tree"},
    "leaf": {
        "zh-CN": "事件 {seq} 不是存证树第 {place} 位记下的那个事件",
        "en": "event {seq} is not the one that the tree holds at place {place}",
    },
    "gap": {"zh-CN": "存证树第 {place} 位的事件不见了", "en": "the event at place {place} of the tree is gone"},
    "tile": {
        "zh-CN": "存证树的分片 {level}/{number} 缺失、多余或被改动",
        "en": "tile {level}/{number} of the tree is missing, one too many, or was changed",
    },
    "size": {
        "zh-CN": "存证树记为 {size} 个事件，最新的检查点是 {signed} 个：检查点缺失或末尾被截断",
        "en": "the tree is said to hold {size} events, the newest checkpoint says {signed}: "
        "a checkpoint is missing or the tail was cut off",
    },
    "unstored": {
        "zh-CN": "已发布的检查点 {size} 在数据库中缺失",
        "en": "the published checkpoint {size} is missing from the database",
    },
    "cut_off": {
        "zh-CN": "数据库只有 {size} 个已存证事件，已发布的检查点说有 {signed} 个：末尾被截断",
        "en": "the database holds {size} signed events, a published checkpoint says {signed}: the tail was cut off",
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The first bad event of a chain, or what is wrong with the tree (`instance_id` is then `tree` or `checkpoints`):
    where it is, and a sentence in both languages."""

    instance_id: str
    seq: int
    code: str
    message: dict[str, str]


def broken(instance_id: str, seq: int, code: str, **args: Any) -> Broken:
    """Say what is wrong there."""
    filled = {lang: text.format_map({"seq": seq, **args}) for lang, text in FAULTS[code].items()}
    return Broken(instance_id=instance_id, seq=seq, code=code, message=filled)


class Leaves:
    """Leaf hashes by place, in a temporary file. A damaged size cannot make it larger than the events allow."""

    def __init__(self, size: int, events: int) -> None:
        self.size = max(0, min(size, 2 * events + 10_000))
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in __exit__
        self._file.truncate(max(self.size, 1) * HASH)
        self._map = mmap.mmap(self._file.fileno(), max(self.size, 1) * HASH)

    def __enter__(self) -> Leaves:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._file.close()

    def put(self, place: int, hashes: list[bytes]) -> bool:
        """Hash the entries as leaves from `place` on; False when some other event stands there already, or outside."""
        end = place + len(hashes)
        if place < 0 or end > self.size or self._map[place * HASH : end * HASH].strip(b"\0"):
            return False
        self._map[place * HASH : end * HASH] = b"".join([sha256(b"\0" + entry).digest() for entry in hashes])
        return True

    def tile(self, number: int) -> bytes:
        """The leaves of one tile, as many as there are."""
        return self._map[number * TILE : min((number + 1) * TILE, self.size * HASH)]


class TreeCheck:
    """The tree in one snapshot. Raises ValueError for a key that is none."""

    def __init__(self, connection: sa.Connection, *, keys: Sequence[str], published: Path | None) -> None:
        self._connection, self._published = connection, published
        self._keys = [Key(text) for text in keys]
        self.size: int = connection.scalar(sa.select(tree_head.c.size)) or 0
        self.checkpoints = 0
        self._broken: list[Broken] = []
        self._newest: Checkpoint | None = None
        self._first_bad = False
        self._run = ("", 0, 0, -1)  # case, first seq, first and last place

    def check(self, leaves: Leaves, known: set[str]) -> list[Broken]:
        """Everything that is wrong with tiles and checkpoints; chains in `known` are named already."""
        events, recorded, apart = Growing(), Growing(), False
        uppers: list[bytearray] = []
        stored, marks = self._tiles(), self._marks()
        mark = next(marks, None)
        for number in range(-(-leaves.size // WIDTH)):
            computed, tile = leaves.tile(number), next(stored, b"")
            if tile != computed:
                self._name(number, tile, computed, known)
                if not apart:  # from here on, what the events say and what the tiles say are two trees
                    apart, recorded = True, events.copy()
            while mark is not None and mark.size <= number * WIDTH + len(computed) // HASH:
                self._compare(mark, mark.size - number * WIDTH, events, computed, recorded if apart else None, tile)
                mark = next(marks, None)
            if len(computed) == TILE:
                root = _fold(computed)
                events.add_subtree(root)
                _raise(uppers, root)
                if apart:
                    recorded.add_subtree(_fold(tile.ljust(TILE, b"\0")[:TILE]))
        while mark is not None:
            self._say("root", mark.size, size=mark.size, first=leaves.size, last=mark.size - 1)
            mark = next(marks, None)
        stored.close()
        signed = self._newest.size if self._newest else 0
        if signed != self.size:
            self._say("size", signed, size=self.size, signed=signed)
        if not apart:
            self._check_uppers(leaves.size, uppers)
        if self._published is not None:
            self._check_published()
        return self._broken

    def _say(self, code: str, seq: int, **args: Any) -> None:
        self._broken.append(broken("checkpoints", seq, code, **args))

    def _name(self, number: int, tile: bytes, computed: bytes, known: set[str]) -> None:
        """Name the events of a tile that are not what was recorded of them; or the tile, when it has no length."""
        if len(tile) != len(computed):
            self._broken.append(broken("tree", number, "tile", level=0, number=number))
            return
        for at in range(0, len(computed), HASH):
            if computed[at : at + HASH] != tile[at : at + HASH]:
                place = number * WIDTH + at // HASH
                chain, seq = self._event_at(place)
                if chain in known:
                    continue
                known.add(chain)
                gone = computed[at : at + HASH] == NOWHERE
                self._broken.append(broken(chain, seq, "gap" if gone else "leaf", place=place))

    def _event_at(self, place: int) -> tuple[str, int]:
        """The case and seq of the event that belongs there; the run found last mostly holds the next place too."""
        chain, first, start, end = self._run
        if not start <= place <= end:
            query = sa.select(tree_runs.c.instance_id, tree_runs.c.first, tree_runs.c.last, tree_runs.c.place)
            row = self._connection.execute(
                query.where(tree_runs.c.place <= place).order_by(tree_runs.c.place.desc()).limit(1)
            ).first()
            if row is None or row.place + row.last - row.first < place:
                return "tree", place
            self._run = row.instance_id, row.first, row.place, row.place + row.last - row.first
            chain, first, start, end = self._run
        return chain, first + place - start

    def _compare(
        self, mark: Checkpoint, rest: int, events: Growing, computed: bytes, recorded: Growing | None, tile: bytes
    ) -> None:
        """Compare a checkpoint's root with the events; where they differ from the tiles, the tiles may still agree."""
        if events.root_with(_split(computed[: rest * HASH])) == mark.root:
            return
        if recorded is not None and recorded.root_with(_split(tile[: rest * HASH])) == mark.root:
            return
        if not self._first_bad:  # what follows contradicts as well
            self._first_bad = True
            self._say("root", mark.size, size=mark.size, first=mark.after, last=mark.size - 1)

    def _tiles(self) -> Generator[bytes, None, None]:
        """The tiles of the lowest level in their order; b"" for a missing one."""
        query = sa.select(tree_tiles.c.number, sa.cast(tree_tiles.c.hashes, sa.LargeBinary))
        query = query.where(tree_tiles.c.level == 0).order_by(tree_tiles.c.number)
        streamed = self._connection.execute(query.execution_options(**STREAMED))
        expected = 0
        with streamed:
            for number, hashes in streamed:
                while expected < number and expected <= self.size // WIDTH:
                    yield b""
                    expected += 1
                yield bytes(hashes)
                expected = number + 1

    def _marks(self) -> Iterator[Checkpoint]:
        """The stored checkpoints by size, each checked for its signature and the one before it."""
        query = sa.select(checkpoints.c.size, checkpoints.c.note).order_by(checkpoints.c.size)
        streamed = self._connection.execute(query.execution_options(**STREAMED))
        for size, note in streamed:
            self.checkpoints += 1
            try:
                checkpoint = Checkpoint.read(note)
            except (ValueError, TypeError, AttributeError):
                self._say("note", size, size=size)
                continue
            if checkpoint.size != size:
                self._say("note", size, size=size)
                continue
            if self._keys and (fault := checkpoint.note.fault(self._keys)):
                wanted = ", ".join(f"{key.name}+{key.id.hex()}" for key in self._keys)
                self._say(fault, size, size=size, found=checkpoint.note.signer, wanted=wanted)
            if checkpoint.after != (self._newest.size if self._newest else 0):
                self._say("after", size, size=size, after=checkpoint.after)
            if checkpoint.origin not in [name for name, _, _ in checkpoint.note.signatures]:
                self._say("origin", size, size=size, origin=checkpoint.origin)
            self._newest = checkpoint
            yield checkpoint

    def _check_uppers(self, size: int, uppers: list[bytearray]) -> None:
        """Compare the tiles above the lowest level, and see that there is none too many on any."""
        wanted = {
            (level, at // TILE): bytes(hashes[at : at + TILE])
            for level, hashes in enumerate(uppers, start=1)
            for at in range(0, len(hashes), TILE)
        }
        query = sa.select(tree_tiles.c.level, tree_tiles.c.number, sa.cast(tree_tiles.c.hashes, sa.LargeBinary))
        odd = sa.or_(tree_tiles.c.level != 0, tree_tiles.c.number >= -(-size // WIDTH), tree_tiles.c.number < 0)
        for level, number, hashes in self._connection.execute(query.where(odd).order_by(*tree_tiles.primary_key)):
            if wanted.pop((level, number), None) != bytes(hashes):
                self._broken.append(broken("tree", number, "tile", level=level, number=number))
        for level, number in wanted:
            self._broken.append(broken("tree", number, "tile", level=level, number=number))

    def _check_published(self) -> None:
        """The published checkpoints hold by themselves, and each is stored here, word for word."""
        assert self._published is not None
        found = Findings()
        check_published(self._published, self._keys, found)
        for fault in found.faults:
            if fault.code == "no_checkpoint" and not self.checkpoints:
                continue  # nothing was signed yet, so nothing could be published
            self._say(fault.code, int(fault.args.get("size") or 0) if fault.code != "note" else 0, **fault.args)
        for note in published(self._published):
            try:
                checkpoint = Checkpoint.read(note)
            except ValueError:
                continue
            if self._keys and checkpoint.note.fault(self._keys):
                continue
            stored = self._connection.scalar(sa.select(checkpoints.c.note).where(checkpoints.c.size == checkpoint.size))
            if checkpoint.size > self.size:
                self._say("cut_off", checkpoint.size, size=self.size, signed=checkpoint.size)
                return
            if stored is None:
                self._say("unstored", checkpoint.size, size=checkpoint.size)
            elif stored != note:
                self._say("contradiction", checkpoint.size, size=checkpoint.size)


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]


def _fold(hashes: bytes) -> bytes:
    while len(hashes) > HASH:
        hashes = b"".join([sha256(b"\1" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes


def _raise(uppers: list[bytearray], root: bytes) -> None:
    """Add a complete tile's root to the tiles above it."""
    for level in range(len(uppers) + 1):
        if level == len(uppers):
            uppers.append(bytearray())
        uppers[level] += root
        if len(uppers[level]) % TILE:
            return
        root = _fold(bytes(uppers[level][-TILE:]))
