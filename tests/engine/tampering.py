"""Random damage to a history, as somebody who owns the database would do it: clumsily, or mending what points at it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from engine.models import history, instances


class Chain:
    """One case's events in an open transaction: [seq, type, body, hash] each."""

    def __init__(self, connection: Any, name: str, dice: random.Random) -> None:
        self.connection, self.name, self.dice = connection, name, dice
        query = sa.select(history.c.seq, history.c.type, history.c.body, history.c.hash)
        rows = connection.execute(query.where(history.c.instance_id == name).order_by(history.c.seq))
        self.rows = [[seq, kind, bytes(body), bytes(digest)] for seq, kind, body, digest in rows]

    def any(self) -> int:
        """The index of some event."""
        return self.dice.randrange(len(self.rows))

    def write(self, *, mend: bool = False) -> None:
        """Put the rows back, whatever they are now; `mend` numbers and chains them again and corrects the case."""
        if mend:
            before = bytes(32)
            for number, row in enumerate(self.rows, start=1):
                said = json.loads(row[2])
                said.update(seq=number, prev=before.hex())
                body = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
                row[:] = number, said["type"], body, (before := sha256(body).digest())
            case = sa.update(instances).where(instances.c.instance_id == self.name)
            self.connection.execute(case.values(seq=len(self.rows), head=before))
        self.connection.execute(sa.delete(history).where(history.c.instance_id == self.name))
        names = ("seq", "type", "body", "hash")
        given = [{"instance_id": self.name, **dict(zip(names, row, strict=True))} for row in self.rows]
        if given:
            self.connection.execute(sa.insert(history), given)


def flip(value: bytes, dice: random.Random) -> bytes:
    """The bytes with one of them changed."""
    at = dice.randrange(len(value))
    return value[:at] + bytes([value[at] ^ dice.randrange(1, 256)]) + value[at + 1 :]


def edit_body(chain: Chain) -> None:
    row = chain.rows[chain.any()]
    row[2] = flip(row[2], chain.dice)
    chain.write()


def edit_hash(chain: Chain) -> None:
    row = chain.rows[chain.any()]
    row[3] = flip(row[3], chain.dice)
    chain.write()


def edit_body_and_hash(chain: Chain) -> None:
    row = chain.rows[chain.any()]
    row[2] = flip(row[2], chain.dice)
    row[3] = sha256(row[2]).digest()
    chain.write()


def edit_type(chain: Chain) -> None:
    row = chain.rows[chain.any()]
    row[1] = row[1] + "x"
    chain.write()


def edit_and_mend(chain: Chain) -> None:
    row = chain.rows[chain.any()]
    row[2] = row[2].replace(b'"at":"2026', b'"at":"20%d' % chain.dice.randrange(27, 99), 1)
    chain.write(mend=True)


def delete(chain: Chain) -> None:
    del chain.rows[chain.any()]
    chain.write()


def delete_and_mend(chain: Chain) -> None:
    del chain.rows[chain.any()]
    chain.write(mend=True)


def insert(chain: Chain) -> None:
    copied = list(chain.rows[chain.any()])
    chain.rows.append([chain.rows[-1][0] + 1, *copied[1:]])
    chain.write()


def insert_and_mend(chain: Chain) -> None:
    chain.rows.insert(chain.any(), list(chain.rows[chain.any()]))
    chain.write(mend=True)


def _two(chain: Chain) -> tuple[int, int]:
    first, second = chain.dice.sample(range(len(chain.rows)), 2)
    return first, second


def reorder(chain: Chain) -> None:
    first, second = _two(chain)
    one, other = chain.rows[first], chain.rows[second]
    one[1:], other[1:] = other[1:], one[1:]
    chain.write()


def reorder_and_mend(chain: Chain) -> None:
    first, second = _two(chain)
    chain.rows[first], chain.rows[second] = chain.rows[second], chain.rows[first]
    chain.write(mend=True)


def cut_tail(chain: Chain) -> None:
    del chain.rows[-chain.dice.randrange(1, len(chain.rows)) :]
    chain.write()


def cut_tail_and_mend(chain: Chain) -> None:
    del chain.rows[-chain.dice.randrange(1, len(chain.rows)) :]
    chain.write(mend=True)


def touch_nothing(chain: Chain) -> None:
    """Write back what was there: no damage at all."""
    chain.write()


DAMAGE: tuple[Callable[[Chain], None], ...] = (
    edit_body,
    edit_hash,
    edit_body_and_hash,
    edit_type,
    edit_and_mend,
    delete,
    delete_and_mend,
    insert,
    insert_and_mend,
    reorder,
    reorder_and_mend,
    cut_tail,
    cut_tail_and_mend,
)
