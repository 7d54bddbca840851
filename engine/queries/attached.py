"""Files handed in with forms: which a reader may know of, and their content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses
from engine.errors import Denied, NotFound
from engine.identity import Standing
from engine.jobs import note_refusal
from engine.models import attachment_uses, attachments, instances, tasks
from engine.moments import moment
from engine.queries.reading import Sealed, is_auditor, readable_case, reader
from engine.safes import content_of, plain_name
from engine.spiff.case import Case

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentRow:
    """A file, without its content. `type` was found from the content; `sha256` in hex, of what is stored; `name` None:
    erased."""

    id: str
    name: str | None
    type: str
    size: int
    sha256: str
    by: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentView(AttachmentRow):
    """A file with its content: to be sent as a download, never shown in place."""

    content: bytes


def attachment(engine: Engine, attachment_id: str, *, actor: str) -> AttachmentView:
    """A file for whoever may read the entry it was handed in with, or uploaded it. Raises NotFound, Denied.

    A refusal is written into the case's history."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        where = attachments.c.attachment_id == attachment_id
        row = connection.execute(sa.select(attachments).where(where)).first()
        if row is None:
            raise _missing(attachment_id)
        uses = connection.execute(
            sa.select(attachment_uses).where(attachment_uses.c.attachment_id == attachment_id)
        ).all()
        if not uses and row.by != actor:
            raise _missing(attachment_id)
        refusal = _refusal(engine, connection, uses, who) if uses else None
        if refusal is None:
            content = content_of(engine.personal, connection, row)
            view = AttachmentView(**_values(engine, connection, row), content=content)
    if refusal is None:
        for instance_id in {use.instance_id for use in uses}:
            accesses.read(engine, instance_id, actor, f"attachment:{attachment_id}")
        return view
    note_refusal(engine, ("instance", uses[0].instance_id), by=actor, command="attachment", refusal=refusal)
    raise refusal


def attachments_of(engine: Engine, instance_id: str, *, actor: str) -> dict[str, AttachmentRow]:
    """The files of a case that the actor may read, by id. Raises NotFound, Denied."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        readable_case(engine, connection, instance_id, who)
        used = (attachment_uses.c.instance_id, attachment_uses.c.task_id, attachment_uses.c.element)
        query = sa.select(attachments, *used).join(
            attachment_uses, attachment_uses.c.attachment_id == attachments.c.attachment_id
        )
        rows = connection.execute(query.where(attachment_uses.c.instance_id == instance_id)).all()
        sealed = Sealed(engine, connection, instance_id, who)
        named = _named_now(engine, connection, instance_id)
        open_ = [row for row in rows if not _hidden(engine, connection, who, sealed, row, named)]
        return {row.attachment_id: AttachmentRow(**_values(engine, connection, row)) for row in open_}


def attachment_rows(engine: Engine, ids: list[str], *, actor: str) -> dict[str, AttachmentRow]:
    """The files among `ids` that the actor may read: their own ones not handed in yet, and those of entries they
    may read. What forms and records show."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        rows = connection.execute(sa.select(attachments).where(attachments.c.attachment_id.in_(ids))).all()
        used = attachment_uses.c.attachment_id.in_(ids)
        uses: dict[str, list[Any]] = {}
        for use in connection.execute(sa.select(attachment_uses).where(used)).all():
            uses.setdefault(use.attachment_id, []).append(use)
        found = {}
        for row in rows:
            handed_in = uses.get(row.attachment_id, [])
            if _refusal(engine, connection, handed_in, who) is None if handed_in else row.by == actor:
                found[row.attachment_id] = AttachmentRow(**_values(engine, connection, row))
        return found


def _refusal(engine: Engine, connection: Connection, uses: Any, who: Standing) -> Denied | None:
    """Why the reader may not have the file by any of its uses; None when they may."""
    refusal: Denied | None = None
    for use in uses:
        try:
            readable_case(engine, connection, use.instance_id, who)
        except Denied as error:
            refusal = error
            continue
        sealed, named = (
            Sealed(engine, connection, use.instance_id, who),
            _named_now(engine, connection, use.instance_id),
        )
        if not _hidden(engine, connection, who, sealed, use, named):
            return None
    return refusal or Denied("attachment_denied")


def _hidden(
    engine: Engine, connection: Connection, who: Standing, sealed: Sealed, use: Any, named: frozenset[str] | None
) -> bool:
    """Whether this use of a file is not for the reader.

    What the request names now (`named`) is for every reader of the case; what it came with and was corrected to leave
    out is for whoever uploaded it, and for auditors.
    """
    if named is not None and use.attachment_id in named:
        return False
    if not use.task_id:
        owner = sa.select(attachments.c.by).where(attachments.c.attachment_id == use.attachment_id)
        mine = connection.scalar(owner) == who.username
        return named is not None and not mine and not is_auditor(engine, who)
    where = sa.and_(tasks.c.instance_id == use.instance_id, tasks.c.task_id == use.task_id)
    by = connection.scalar(sa.select(tasks.c.completed_by).where(where))
    return sealed.hides(use.task_id, use.element, by)


def _named_now(engine: Engine, connection: Connection, instance_id: str) -> frozenset[str] | None:
    """The files that the case's own variables name under the fields of its start form; None when they say nothing."""
    columns = (instances.c.process, instances.c.deployment, instances.c.state)
    row = connection.execute(sa.select(*columns).where(instances.c.instance_id == instance_id)).one()
    parsed = engine.shelf.get(row.deployment, connection)
    form = parsed.processes[row.process].start.form
    if form is None:
        return None
    fields = parsed.forms[form].get("properties", {})
    current = Case.load(parsed, row.state).variables()
    lists = [current.get(name) for name, field in fields.items() if field.get("x-widget") == "attachments"]
    told = [each for each in lists if isinstance(each, list)]
    return frozenset(str(one) for each in told for one in each) if told else None


def _missing(attachment_id: str) -> NotFound:
    text = {"zh-CN": "没有找到该附件", "en": "The file was not found"}
    return NotFound("attachment_not_found", text=text, id=attachment_id)


def _values(engine: Engine, connection: Connection, row: Any) -> dict[str, Any]:
    kept = {name: getattr(row, name) for name in ("type", "size", "sha256", "by")}
    name = plain_name(engine.personal, connection, row)
    return {"id": row.attachment_id, "name": name, "at": moment(row.at), **kept}
