"""The proof of a case, line by line: its chain, every command executed again, the stored state, the signed tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import checkpoints, tree
from engine.errors import GuijuError, Text
from engine.models import history, tree_runs
from engine.moments import stamp
from engine.queries.auditing import audited
from engine.queries.recorded import first_fault, read
from engine.replay import Rerun, recorded

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One thing that was checked. `kind`: chain · command · state · tree; `seq` to `last` the events it is about;
    `holds` None: it could not be checked yet; `message` says why it does not hold, or what was found."""

    kind: str
    seq: int
    last: int
    holds: bool | None
    message: Text | None = None
    command: str = ""
    actor: str | None = None
    recorded: str = ""
    found: str = ""
    bad: int | None = None  # the first bad event


def prove(
    engine: Engine, instance_id: str, *, actor: str, signed: Callable[[str], bool] | None = None
) -> Iterator[Line]:
    """Check the case and tell each result as it comes. `signed` says whether a checkpoint carries our signature;
    without it that is not asked. Raises NotFound, Denied."""
    with audited(engine, instance_id, actor, "proof") as audit:
        yield from _lines(engine, audit.connection, audit.row, signed)


def _lines(engine: Engine, connection: Connection, row: Any, signed: Callable[[str], bool] | None) -> Iterator[Line]:
    fault = first_fault(read(connection, row.instance_id), row.seq)
    yield Line(
        kind="chain",
        seq=1,
        last=row.seq,
        holds=fault is None,
        message=fault.message if fault else None,
        bad=fault.seq if fault else None,
    )
    rerun = Rerun(lambda number: engine.shelf.get(number, connection), engine.functions)
    last = None
    for last in rerun.run(recorded(connection, row.instance_id)):
        yield Line(
            kind="command",
            seq=last.seq,
            last=last.last,
            holds=last.same,
            message=last.difference.message if last.difference else None,
            command=last.command,
            actor=last.actor,
            recorded=last.recorded,
            found=last.found,
            bad=last.difference.seq if last.difference else None,
        )
    stored = sha256(bytes(row.state)).hexdigest()
    holds = last is not None and last.found == stored
    wrong: Text = {"zh-CN": "案件现在的状态与重新执行的结果不同", "en": "The case's present state is not what follows"}
    yield Line(
        kind="state", seq=row.seq, last=row.seq, holds=holds, message=None if holds else wrong,
        recorded=stored, found=last.found if last else "",
    )  # fmt: skip
    yield _in_tree(connection, row, signed)


def _in_tree(connection: Connection, row: Any, signed: Callable[[str], bool] | None) -> Line:
    """Whether every event that has been signed for is in the tree of the newest checkpoint."""
    checkpoint = checkpoints.latest(connection)
    covered = None
    if checkpoint is not None:
        mine = [tree_runs.c.instance_id == row.instance_id, tree_runs.c.place < checkpoint.size]
        covered = connection.scalar(sa.select(sa.func.max(tree_runs.c.last)).where(*mine))
    if checkpoint is None or not covered:
        none: Text = {"zh-CN": "还没有签名的存证", "en": "No checkpoint has been signed yet"}
        return Line(kind="tree", seq=1, last=row.seq, holds=None, message=none)
    covered = min(covered, row.seq)
    if signed is not None and not signed(checkpoint.note):
        other: Text = {
            "zh-CN": "存证的签名与本系统的公钥不符",
            "en": "The checkpoint's signature is not that of this system's key",
        }
        return Line(kind="tree", seq=1, last=covered, holds=False, message=other)
    body = sa.cast(history.c.body, sa.LargeBinary)
    where = [history.c.instance_id == row.instance_id, history.c.seq <= covered]
    rows = connection.execute(sa.select(history.c.seq, body).where(*where))
    leaves = {seq: sha256(bytes(raw)).digest() for seq, raw in rows}
    try:
        for proof in tree.inclusion(connection, row.instance_id, 1, covered, checkpoint.size):
            leaf = leaves.get(proof.seq)
            if leaf is None or root(tree.leaf_hash(leaf), proof.place, checkpoint.size, proof.path) != checkpoint.root:
                outside: Text = {
                    "zh-CN": f"事件 {proof.seq} 不在已签名的存证中",
                    "en": f"Event {proof.seq} is not in the signed tree",
                }
                return Line(kind="tree", seq=1, last=covered, holds=False, message=outside, bad=proof.seq)
    except GuijuError as error:
        return Line(kind="tree", seq=1, last=covered, holds=False, message=dict(error.message))
    when, origin, size, top = stamp(checkpoint.at)[:19], checkpoint.origin, checkpoint.size, checkpoint.root.hex()
    inside: Text = {
        "zh-CN": f"事件 1 至 {covered} 都在已签名的存证中（{origin}，{size} 条，签于 {when}Z）",
        "en": f"Events 1 to {covered} are in the signed checkpoint ({origin}, {size} events, signed {when}Z)",
    }
    return Line(kind="tree", seq=1, last=covered, holds=True, message=inside, recorded=top, found=top)


def root(leaf: bytes, place: int, size: int, path: tuple[bytes, ...]) -> bytes:
    """The root that an inclusion path leads to (RFC 9162, 2.1.3.2); empty when the path has another length."""
    here, last, found = place, size - 1, leaf
    for other in path:
        if last == 0:
            return b""
        if here & 1 or here == last:
            found = tree.node_hash(other, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = tree.node_hash(found, other)
        here, last = here >> 1, last >> 1
    return found if last == 0 else b""
