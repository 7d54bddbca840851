"""All evidence of a database as one file of lines, which `verifier/guiju_verify.py` checks in one pass.

First `{"format": "guiju-export", "version": 1, "made_at", "key"}`; then the events in the order of the tree,
`{"place", "instance", "seq", "body"}` (`raw`, base64, where a body is not text), each checkpoint, `{"checkpoint":
note}`, behind the events it covers; then events that are not signed for yet, with `place` null; then how each case
ends, `{"instance", "seq", "head", "state"}`; last `{"end": …, "signature"}` over the SHA-256 of every line before.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.checkpoints import SigningKey
from engine.dossier import statement_of
from engine.models import checkpoints, history, instances, tree_runs
from engine.moments import stamp

if TYPE_CHECKING:
    from engine.runtime import Engine

STREAMED: dict[str, Any] = {"stream_results": True, "yield_per": 2000}
Rows = Iterator[dict[str, Any]]


def write_evidence(
    engine: Engine, key: SigningKey, out: BinaryIO, *, progress: Callable[[int, int | None], None] | None = None
) -> int:
    """Write everything in one snapshot; return how many events. `progress` is called with (written, in all)."""
    digest, count = sha256(), 0
    with engine.db.snapshot() as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(history))
        made_at = stamp(engine.now())
        head = {"format": "guiju-export", "version": 1, "made_at": made_at, "key": key.public}
        for row in (head, *_rows(connection)):
            line = orjson.dumps(row) + b"\n"
            digest.update(line)
            out.write(line)
            count += "place" in row
            if progress and count % 1000 == 0:
                progress(count, total)
    signature = statement_of("export", made_at, digest.hexdigest(), key)
    out.write(orjson.dumps({"end": {"events": count}, "signature": signature}) + b"\n")
    return count


def _rows(connection: Connection) -> Rows:
    marks = iter(connection.execute(sa.select(checkpoints).order_by(checkpoints.c.size).execution_options(**STREAMED)))
    mark = next(marks, None)
    for row in connection.execute(_events(placed=True).execution_options(**STREAMED)):
        place = row.place + row.seq - row.first
        while mark is not None and mark.size <= place:
            yield {"checkpoint": mark.note}
            mark = next(marks, None)
        yield {"place": place, **_event(row)}
    while mark is not None:
        yield {"checkpoint": mark.note}
        mark = next(marks, None)
    for row in connection.execute(_events(placed=False).execution_options(**STREAMED)):
        yield {"place": None, **_event(row)}
    ends = sa.select(instances.c.instance_id, instances.c.seq, instances.c.head, instances.c.state)
    for row in connection.execute(ends.order_by(instances.c.instance_id).execution_options(**STREAMED)):
        state = sha256(bytes(row.state)).hexdigest()
        yield {"instance": row.instance_id, "seq": row.seq, "head": bytes(row.head).hex(), "state": state}


def _events(*, placed: bool) -> sa.Select[Any]:
    mine = sa.and_(
        history.c.instance_id == tree_runs.c.instance_id, history.c.seq.between(tree_runs.c.first, tree_runs.c.last)
    )
    columns = (tree_runs.c.place, tree_runs.c.first, history.c.instance_id, history.c.seq, history.c.body)
    query = sa.select(*columns).join_from(tree_runs, history, mine)
    if placed:
        return query.where(tree_runs.c.place.is_not(None)).order_by(tree_runs.c.place, history.c.seq)
    return query.where(tree_runs.c.place.is_(None)).order_by(history.c.instance_id, history.c.seq)


def _event(row: Any) -> dict[str, Any]:
    body = bytes(row.body)
    try:
        return {"instance": row.instance_id, "seq": row.seq, "body": body.decode()}
    except UnicodeDecodeError:
        return {"instance": row.instance_id, "seq": row.seq, "raw": base64.b64encode(body).decode()}
