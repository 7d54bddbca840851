"""Verification of the history: every chain, from its bytes. Shares no code with the writer, so that a broken writer
shows.

What is checked, per chain: events are numbered 1, 2, 3 …; each body hashes (SHA-256) to its stored hash; each names
the hash before it (zeros for the first); the body says what its row says (instance, seq, type); the instance's row
points at the last event; and the stored state hashes to what the last `state.saved` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa

from engine.db import Database
from engine.models import history as events
from engine.models import instances


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """The first bad event of a chain: where it is, what is wrong with it, in both languages."""

    instance_id: str
    seq: int
    code: str
    message: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was verified: numbers of chains and events, and each chain's first bad event."""

    chains: int
    events: int
    broken: tuple[Broken, ...]


FAULTS = {
    "missing": {"zh-CN": "事件 {seq} 缺失", "en": "event {seq} is missing"},
    "hash": {"zh-CN": "事件 {seq} 的内容与哈希不符", "en": "the content of event {seq} does not match its hash"},
    "link": {"zh-CN": "事件 {seq} 与前一事件脱节", "en": "event {seq} does not follow the one before it"},
    "row": {"zh-CN": "事件 {seq} 的内容与其所在行不符", "en": "event {seq} contradicts the row it stands in"},
    "unreadable": {"zh-CN": "事件 {seq} 无法读取", "en": "event {seq} cannot be read"},
    "head": {"zh-CN": "案件记录的末尾与历史不符", "en": "the case does not point at the last event of its history"},
    "state": {"zh-CN": "案件状态与历史记录的哈希不符", "en": "the stored state is not the one the history recorded"},
    "orphan": {"zh-CN": "有历史而无案件", "en": "there is a history but no case"},
    "empty": {"zh-CN": "有案件而无历史", "en": "there is a case but no history"},
}


def verify(db: Database, *, progress: Callable[[int], None] | None = None) -> Report:
    """Check every chain in one snapshot. `progress` is called with the number of events seen so far."""
    broken: list[Broken] = []
    seen_chains = seen_events = 0
    with db.read() as connection:
        query = sa.select(instances.c.instance_id, instances.c.seq, _bytes(instances.c.head), _bytes(instances.c.state))
        ends = {row.instance_id: (row.seq, bytes(row.head), bytes(row.state)) for row in connection.execute(query)}
        for chain, rows in _chains(connection):
            seen_chains += 1
            fault, count = _check(chain, rows, ends.pop(chain, None))
            seen_events += count
            if fault:
                broken.append(fault)
            if progress:
                progress(seen_events)
    broken.extend(_broken(chain, 0, "empty") for chain in sorted(ends))
    return Report(chains=seen_chains, events=seen_events, broken=tuple(broken))


Row = tuple[int, str, bytes, bytes]


def _chains(connection: sa.Connection) -> Iterator[tuple[str, list[Row]]]:
    query = sa.select(events.c.instance_id, events.c.seq, events.c.type, _bytes(events.c.body), _bytes(events.c.hash))
    streamed = connection.execution_options(stream_results=True, yield_per=5000).execute(
        query.order_by(events.c.instance_id, events.c.seq)
    )
    chain, rows = None, list[Row]()
    for instance_id, seq, kind, body, digest in streamed:
        if chain is not None and instance_id != chain:
            yield chain, rows
            rows = []
        chain = instance_id
        rows.append((seq, kind, bytes(body), bytes(digest)))
    if chain is not None:
        yield chain, rows


def _bytes(column: sa.Column[bytes]) -> sa.Label[bytes]:
    """The column as bytes even where somebody put text into it: SQLite keeps whatever it is given."""
    return sa.cast(column, sa.LargeBinary).label(column.name)


def _check(chain: str, rows: list[Row], end: tuple[int, bytes, bytes] | None) -> tuple[Broken | None, int]:
    before, state = b"\0" * 32, None
    for place, (seq, kind, body, digest) in enumerate(rows, start=1):
        if seq != place:
            return _broken(chain, place, "missing"), len(rows)
        if sha256(body).digest() != digest:
            return _broken(chain, seq, "hash"), len(rows)
        try:
            said = json.loads(body)
        except ValueError:
            return _broken(chain, seq, "unreadable"), len(rows)
        if said.get("prev") != before.hex():
            return _broken(chain, seq, "link"), len(rows)
        if (said.get("instance"), said.get("seq"), said.get("type")) != (chain, seq, kind):
            return _broken(chain, seq, "row"), len(rows)
        if kind == "state.saved":
            state = said["data"]["state"]
        before = digest
    if end is None:
        return (None if chain in ("deployments", "access") else _broken(chain, 1, "orphan")), len(rows)
    seq, head, stored = end
    if (seq, head) != (len(rows), before):
        return _broken(chain, len(rows) + 1, "head"), len(rows)
    if sha256(stored).hexdigest() != state:
        return _broken(chain, len(rows), "state"), len(rows)
    return None, len(rows)


def _broken(chain: str, seq: int, code: str) -> Broken:
    message = {lang: text.replace("{seq}", str(seq)) for lang, text in FAULTS[code].items()}
    return Broken(instance_id=chain, seq=seq, code=code, message=message)
