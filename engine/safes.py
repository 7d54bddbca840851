"""Files that hold personal data: encrypted piece by piece where they lie, and opened for who may read them.

Their hash is that of the ciphertext: the hash of a small document could be guessed from its content.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.attachments import name_of, pieces_of
from engine.models import attachment_chunks
from engine.models import attachments as files
from engine.personal import Keyring, Subjects, decrypt, reveal

NAME_BYTES = 150  # of a file's name, so that its box fits the column


def encrypt_file(connection: Connection, subjects: Subjects, attachment_id: str, subject: str) -> None:
    """Encrypt one stored file, its name too, under the subject's key; one that is encrypted stays under its key."""
    where = files.c.attachment_id == attachment_id
    row = connection.execute(sa.select(files).where(where)).one()
    if row.key_id is not None:
        return
    digest, key_id = hashlib.sha256(), ""
    mine = attachment_chunks.c.attachment_id == attachment_id
    for number in connection.scalars(
        sa.select(attachment_chunks.c.number).where(mine).order_by(attachment_chunks.c.number)
    ).all():
        piece = sa.and_(mine, attachment_chunks.c.number == number)
        plain = bytes(connection.execute(sa.select(attachment_chunks.c.content).where(piece)).scalar_one())
        key_id, box = subjects.encrypt(subject, f"attachment:{attachment_id}:{number}", plain)
        digest.update(box)
        connection.execute(sa.update(attachment_chunks).where(piece).values(content=box))
    name = subjects.seal(subject, f"attachment:{attachment_id}:name", _short(row.name))["box"]
    values = {"name": name, "sha256": digest.hexdigest(), "key_id": key_id}
    connection.execute(sa.update(files).where(where).values(**values))


def content_of(keyring: Keyring | None, connection: Connection, row: Any) -> bytes:
    """The plain content of a file, given its row. Raises Erased when its key was destroyed."""
    pieces = pieces_of(connection, row.attachment_id)
    if row.key_id is None:
        return b"".join(pieces)
    return decrypt(keyring, connection, row.key_id, f"attachment:{row.attachment_id}", pieces)


def plain_name(keyring: Keyring | None, connection: Connection, row: Any) -> str | None:
    """The plain name of a file, given its row; None when its key was destroyed."""
    name = reveal(keyring, connection, name_of(row))
    return name if isinstance(name, str) else None


def _short(name: str) -> str:
    """The name cut so that its box fits, its ending kept."""
    stem, dot, end = name.rpartition(".")
    if len(name.encode()) <= NAME_BYTES:
        return name
    keep = end.encode()[:10].decode(errors="ignore")
    head = (stem if dot else name).encode()[: NAME_BYTES - len(keep.encode()) - 1].decode(errors="ignore")
    return f"{head}.{keep}" if dot else head
