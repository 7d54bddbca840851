"""Files that people hand in with a form, kept in the database in chunks so that every node sees them.

A file is stored first and gets an id; the form that names the id ties it to its case (a *use*). A file without a use is
its uploader's alone and is swept away after a while.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Conflict, Invalid, Text
from engine.filetypes import type_of
from engine.form_texts import named
from engine.models import attachment_chunks, attachment_uses, attachments
from engine.moments import stamp

CAP = 20 * 1024 * 1024  # bytes of one file
CHUNK = 256 * 1024
WAITING_CAP = 50  # files one person may have stored without handing them in
KEPT = timedelta(days=7)  # how long such a file stays
NAME_CAP = 150

_TOO_LARGE: Text = {"zh-CN": "文件不得超过 20 MB", "en": "A file may have at most 20 MB"}
_EMPTY: Text = {"zh-CN": "文件是空的", "en": "The file is empty"}
_UNKNOWN: Text = {"zh-CN": "附件不存在，或不是你上传的", "en": "is no file that you uploaded"}


def kind_of(content: bytes) -> str:
    """The type of a file that may be kept; looking into an archive takes its time, so this is asked before a
    transaction begins. Raises Invalid (empty, too large, a program, a zip bomb)."""
    if not content or len(content) > CAP:
        text = _TOO_LARGE if content else _EMPTY
        raise Invalid({"file": text}, text=text)
    return type_of(content)


def store(
    connection: Connection, name: str, content: bytes, *, by: str | None, now: datetime, kind: str | None = None
) -> str:
    """Keep a file and return its id; `kind` as `kind_of` said. Raises Invalid, Conflict (too many that were never
    handed in)."""
    kind = kind or kind_of(content)
    row = {
        "attachment_id": str(uuid4()),
        "name": clean_name(name),
        "type": kind,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "by": by,
        "at": stamp(now),
    }
    if by is not None and _waiting(connection, by) >= WAITING_CAP:
        raise Conflict(
            "too_many_attachments",
            text={
                "zh-CN": "已上传而未提交的文件过多，请先提交",
                "en": "Too many files were uploaded without being handed in; hand those in first",
            },
        )
    connection.execute(sa.insert(attachments).values(**row))
    for number, start in enumerate(range(0, len(content), CHUNK)):
        piece = {"attachment_id": row["attachment_id"], "number": number, "content": content[start : start + CHUNK]}
        connection.execute(sa.insert(attachment_chunks).values(**piece))
    return str(row["attachment_id"])


def clean_name(name: str) -> str:
    """The file's name without folders, control characters or marks that turn the direction of text."""
    plain = unicodedata.normalize("NFC", re.split(r"[\\/]", name)[-1])
    kept = "".join(char for char in plain if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, end = kept.rpartition(".")
    if len(kept) > NAME_CAP:
        kept = stem[: NAME_CAP - len(end) - 1] + dot + end if dot and len(end) < 10 else kept[:NAME_CAP]
    return kept or "file"


def content_of(connection: Connection, attachment_id: str) -> bytes:
    """The whole file as it is stored."""
    return b"".join(pieces_of(connection, attachment_id))


def pieces_of(connection: Connection, attachment_id: str) -> list[bytes]:
    """The file's pieces as they are stored, in their order."""
    query = sa.select(attachment_chunks.c.content).where(attachment_chunks.c.attachment_id == attachment_id)
    return [bytes(piece) for piece in connection.scalars(query.order_by(attachment_chunks.c.number))]


def describe(connection: Connection, attachment_id: str) -> dict[str, Any]:
    """What the history says of a file: `{"id", "name", "sha256", "size", "type"}`."""
    row = connection.execute(sa.select(attachments).where(attachments.c.attachment_id == attachment_id)).one()
    return _described(row)


def named_in(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], list[str]]]:
    """Field → (its schema, the ids in it) for every field of the form that holds attachments."""
    fields = schema.get("properties", {})
    return {
        name: (field, [str(item) for item in values[name]])
        for name, field in fields.items()
        if field.get("x-widget") == "attachments" and values.get(name)
    }


def require(
    connection: Connection,
    named_: Mapping[str, tuple[Mapping[str, Any], list[str]]],
    *,
    instance_id: str,
    by: str | None,
    trusted: bool,
) -> list[dict[str, Any]]:
    """What the history says of the files, `{"id", "name", "sha256", "size", "type"}` each, in their order.

    Raises Invalid by field unless `by` uploaded each and it was handed in nowhere else, or it belongs to this case
    already. `trusted` (the engine fills the form in) takes any file.
    """
    problems: dict[str, Text] = {}
    found: dict[str, dict[str, Any]] = {}
    for field, (schema, ids) in named_.items():
        for attachment_id in ids:
            row = connection.execute(sa.select(attachments).where(attachments.c.attachment_id == attachment_id)).first()
            used = attachment_uses.c.attachment_id == attachment_id
            cases = set(connection.scalars(sa.select(attachment_uses.c.instance_id).where(used)))
            if row is None or not (trusted or instance_id in cases or (row.by == by and not cases)):
                problems[field] = named(schema, field, _UNKNOWN)
            else:
                found[attachment_id] = _described(row)
    if problems:
        raise Invalid(problems)
    return list(found.values())


def use(connection: Connection, ids: Iterable[str], *, instance_id: str, task_id: str, element: str, at: str) -> None:
    """Tie files to a case: to a task, or to its start form when `task_id` is empty."""
    for attachment_id in ids:
        key = {"instance_id": instance_id, "attachment_id": attachment_id, "task_id": task_id}
        connection.execute(sa.insert(attachment_uses).values(**key, element=element, at=at))


def sweep(connection: Connection, now: datetime) -> int:
    """Forget files that were stored long ago and never handed in; return how many."""
    old = sa.and_(attachments.c.at < stamp(now - KEPT), ~_handed_in())
    ids = list(connection.scalars(sa.select(attachments.c.attachment_id).where(old).limit(500)))
    for table in (attachment_chunks, attachments):
        connection.execute(sa.delete(table).where(table.c.attachment_id.in_(ids)))
    return len(ids)


def _described(row: Any) -> dict[str, Any]:
    kept = {name: getattr(row, name) for name in ("sha256", "size", "type")}
    return {"id": row.attachment_id, "name": name_of(row), **kept}


def name_of(row: Any) -> Any:
    """A stored file's name: plain or, where the file is encrypted, its box (`engine.personal`)."""
    if row.key_id is None:
        return row.name
    return {"personal": row.key_id, "field": f"attachment:{row.attachment_id}:name", "box": row.name}


def _waiting(connection: Connection, by: str) -> int:
    query = sa.select(sa.func.count()).select_from(attachments).where(attachments.c.by == by, ~_handed_in())
    return int(connection.scalar(query) or 0)


def _handed_in() -> sa.Exists:
    return sa.exists().where(attachment_uses.c.attachment_id == attachments.c.attachment_id)
