"""The mailbox of one who reports: a thread of messages, opened with a receipt of 16 digits and nothing else.

The receipt is drawn at random, told once, and kept as an argon2id hash. A keyed mark of 16 bits finds the few rows
worth checking; a look-up always costs one hash, found or not. What reporters write is sealed; nothing says from where.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from engine.errors import Text, Unavailable
from engine.moments import moment
from processes.complaint.seal import Seal
from processes.complaint.tables import messages, threads

DIGITS = 16
ONCE = "1"  # before the mark of a receipt that went out by mail: opening the mailbox with it draws another
LONGEST = 8000  # characters of a message
MOST = 200  # messages a reporter may leave in one thread
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # as for passwords: 19 MiB, two passes
_kitchen = threading.BoundedSemaphore(3)  # a flood of guesses takes neither the memory nor the log-ins' own kitchen


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message. `kind`: `sent` (to the reporter), `received`, `review` (the reporter asks for a review)."""

    at: datetime
    kind: str
    text: Text | str


def open_thread(connection: Connection, instance_id: str, at: str) -> str:
    """The thread of a case, opened when there is none; return its id."""
    thread: str | None = thread_of(connection, instance_id)
    if thread is None:
        thread = instance_id
        row = {"thread_id": thread, "instance_id": instance_id, "opened_at": at}
        connection.execute(sa.insert(threads).values(**row))
    return thread


def thread_of(connection: Connection, instance_id: str) -> str | None:
    """The thread that belongs to a case now."""
    query = sa.select(threads.c.thread_id).where(threads.c.instance_id == instance_id)
    found: str | None = connection.scalar(query)
    return found


def case_of(connection: Connection, thread_id: str) -> str | None:
    """The case a thread belongs to now."""
    found: str | None = connection.scalar(sa.select(threads.c.instance_id).where(threads.c.thread_id == thread_id))
    return found


def move(connection: Connection, thread_id: str, instance_id: str) -> None:
    """Give a thread to the case that takes an earlier one up again; its receipt goes with it."""
    connection.execute(sa.delete(threads).where(threads.c.instance_id == instance_id))
    connection.execute(sa.update(threads).where(threads.c.thread_id == thread_id).values(instance_id=instance_id))


def draw() -> str:
    """A receipt: 16 random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def digits(typed: str) -> str:
    """What was typed as a receipt without blanks and dashes; empty when it cannot be one."""
    plain = "".join(char for char in typed[:64] if not (char.isspace() or char in "-－–"))
    return plain if len(plain) == DIGITS and plain.isascii() and plain.isdigit() else ""


def keep(seal: Seal, connection: Connection, instance_id: str, code: str, hashed: str) -> None:
    """Make `code` the receipt of a case's thread. `hashed` comes from `hashed_receipt`, before the transaction."""
    mine = threads.c.instance_id == instance_id
    connection.execute(sa.update(threads).where(mine).values(lookup=seal.tag(code), receipt_hash=hashed))


def keep_once(connection: Connection, thread_id: str, mark: str, hashed: str) -> bool:
    """Make a receipt for one opening that of a thread, unless its reporter has drawn their own already."""
    free = sa.and_(threads.c.thread_id == thread_id, sa.or_(threads.c.lookup.is_(None), _once(threads.c.lookup)))
    changed = connection.execute(sa.update(threads).where(free).values(lookup=mark, receipt_hash=hashed))
    return int(changed.rowcount) == 1


def is_once(seal: Seal, connection: Connection, thread_id: str, code: str) -> bool:
    """Whether the code is its thread's receipt for one opening."""
    mine = sa.and_(threads.c.thread_id == thread_id, threads.c.lookup == ONCE + seal.tag(code))
    return connection.execute(sa.select(threads.c.thread_id).where(mine)).first() is not None


def exchange(seal: Seal, connection: Connection, thread_id: str, old: str, code: str, hashed: str) -> bool:
    """Put the receipt `code` in the place of `old`, which was good for one opening. False when `old` is not that."""
    mine = sa.and_(threads.c.thread_id == thread_id, threads.c.lookup == ONCE + seal.tag(old))
    changed = connection.execute(sa.update(threads).where(mine).values(lookup=seal.tag(code), receipt_hash=hashed))
    return int(changed.rowcount) == 1


def _once(mark: Any) -> Any:
    """Marks have four characters, those of receipts for one opening five."""
    return sa.func.length(mark) == len(ONCE) + 4


def hashed_receipt(code: str) -> str:
    """The slow hash of a receipt. Raises Unavailable when too many are asked for at once."""
    with _Turn():
        return _hasher.hash(code)


@cache
def _nothing() -> str:
    """What a code that opens nothing is compared with, so that it takes as long."""
    return _hasher.hash(secrets.token_hex(16))


def find(seal: Seal, connection: Connection, code: str) -> str | None:
    """The thread a receipt opens, or None. Always takes at least one hash's time."""
    if not code:
        return None
    marks = (seal.tag(code), ONCE + seal.tag(code))
    rows = connection.execute(sa.select(threads).where(threads.c.lookup.in_(marks))).all()
    found = None
    for hashed, thread_id in [(row.receipt_hash, row.thread_id) for row in rows] or [(_nothing(), None)]:
        with _Turn():
            try:
                if _hasher.verify(hashed, code):
                    found = thread_id
            except (VerificationError, InvalidHashError):
                continue
    return found


def known_mark(seal: Seal, connection: Connection, code: str) -> str | None:
    """The mark of a code when a thread's receipt has the same one, else None. Hashes nothing."""
    if not code:
        return None
    mark = seal.tag(code)
    same = threads.c.lookup.in_((mark, ONCE + mark))
    found = connection.execute(sa.select(threads.c.thread_id).where(same).limit(1)).first()
    return mark if found else None


class _Turn:
    """A turn in the kitchen; raises Unavailable after five seconds' wait."""

    def __enter__(self) -> None:
        if not _kitchen.acquire(timeout=5):
            text = {"zh-CN": "查询的人较多，请稍后再试", "en": "Many are asking right now; try again shortly"}
            raise Unavailable("receipt_busy", text=text)

    def __exit__(self, *_: object) -> None:
        _kitchen.release()


def send(connection: Connection, thread_id: str, text: Mapping[str, str] | str, at: str) -> None:
    """Leave a message for the reporter."""
    words = {"zh-CN": text, "en": text} if isinstance(text, str) else dict(text)
    sent = sa.select(sa.func.count()).where(messages.c.thread_id == thread_id, messages.c.kind == "sent")
    number = f"{connection.scalar(sent) or 0:05d}"  # what one moment sends keeps its order
    row = {"thread_id": thread_id, "message_id": f"{number}-{uuid4().hex[:30]}", "at": at, "kind": "sent"}
    connection.execute(sa.insert(messages).values(**row, text=words))


def receive(seal: Seal, connection: Connection, thread_id: str, text: str, *, kind: str, at: str, key: str) -> bool:
    """Take a message from the reporter, sealed; the same `key` again is the same message. False when there is no room
    or it is there already."""
    mine = sa.select(messages.c.message_id).where(messages.c.thread_id == thread_id, messages.c.kind != "sent")
    known = set(connection.scalars(mine))
    if key in known or len(known) >= MOST:
        return False
    row = {"thread_id": thread_id, "message_id": key, "at": at, "kind": kind}
    connection.execute(sa.insert(messages).values(**row, sealed=seal.close(text[:LONGEST], f"{thread_id}/{key}")))
    return True


def read(seal: Seal, connection: Connection, thread_id: str) -> list[Message]:
    """The thread's messages, oldest first."""
    query = sa.select(messages).where(messages.c.thread_id == thread_id)
    found = []
    for row in connection.execute(query.order_by(messages.c.at, messages.c.message_id)):
        text = seal.open(bytes(row.sealed), f"{thread_id}/{row.message_id}") if row.sealed is not None else row.text
        text = text or {"zh-CN": "内容已按规定销毁", "en": "Erased as the rules require"}
        found.append(Message(at=moment(row.at), kind=row.kind, text=text))
    return found


def since(connection: Connection, thread_id: str, at: str, kinds: tuple[str, ...]) -> list[Any]:
    """The rows of messages of these kinds since a moment."""
    query = sa.select(messages).where(messages.c.thread_id == thread_id, messages.c.kind.in_(kinds))
    return list(connection.execute(query.where(messages.c.at >= at).order_by(messages.c.at)).all())
