"""Erasing personal data: the keys of a person, or of everybody, in one case are destroyed; everything else stays.

What is erased is said in the history of the case itself (`personal.erased`), and `erasures` keeps rule, reason and who
approved, for the tombstones. Who may ask, who approves and whether the time has come is the policy's to decide
(`processes.personal_erasure`); a legal hold is looked at here as well, so that nothing goes round it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses, history
from engine.errors import Conflict
from engine.models import attachment_uses, attachments, incidents, instances, tasks
from engine.models_privacy import erasures, legal_holds, subject_keys


def live(connection: Connection, instance_id: str, subject: str | None = None) -> list[str]:
    """Whom the case still holds personal data of: usernames, and `case` for people it does not know by name."""
    mine = [subject_keys.c.instance_id == instance_id, subject_keys.c.wrapped.is_not(None)]
    if subject is not None:
        mine.append(subject_keys.c.subject == subject)
    return list(connection.scalars(sa.select(subject_keys.c.subject).where(*mine).order_by(subject_keys.c.subject)))


def holds(connection: Connection, instance_id: str, subject: str | None = None) -> list[str]:
    """Ids of the legal holds that stand on the case, or on somebody it holds personal data of."""
    about = live(connection, instance_id, subject)
    on = sa.or_(legal_holds.c.instance_id == instance_id, legal_holds.c.username.in_(about))
    return list(connection.scalars(sa.select(legal_holds.c.hold_id).where(on, legal_holds.c.lifted_at.is_(None))))


def lent(connection: Connection, instance_id: str) -> list[str]:
    """Ids of other cases that use files encrypted under keys of this one and still hold personal data of their own."""
    files = (
        sa.select(attachments.c.attachment_id)
        .join(subject_keys, subject_keys.c.key_id == attachments.c.key_id)
        .where(subject_keys.c.instance_id == instance_id)
    )
    others = sa.select(attachment_uses.c.instance_id).where(
        attachment_uses.c.attachment_id.in_(files), attachment_uses.c.instance_id != instance_id
    )
    keeping = sa.select(subject_keys.c.instance_id).where(subject_keys.c.wrapped.is_not(None))
    both = sa.and_(instances.c.instance_id.in_(others), instances.c.instance_id.in_(keeping))
    return list(connection.scalars(sa.select(instances.c.instance_id).where(both)))


def erase(
    connection: Connection,
    instance_id: str,
    *,
    subject: str | None,
    rule: str,
    reason: str,
    requested_by: str,
    approved_by: Sequence[str],
    request: str,
    by: str | None,
    at: str,
) -> int:
    """Destroy the keys and return how many; half-filled forms and kept commands of the case go with them.

    Raises Conflict while a legal hold stands, or unless two different people asked and approved.
    """
    if holds(connection, instance_id, subject):
        text = {"zh-CN": "法律保全期间不得销毁", "en": "Nothing is erased while a legal hold stands"}
        raise Conflict("legal_hold", text=text)
    if not set(approved_by) - {requested_by}:
        text = {"zh-CN": "须由另一人批准", "en": "Somebody else must approve"}
        raise Conflict("second_person", text=text)
    erasure_id = str(uuid4())
    mine = [subject_keys.c.instance_id == instance_id, subject_keys.c.wrapped.is_not(None)]
    if subject is not None:
        mine.append(subject_keys.c.subject == subject)
    gone = connection.execute(sa.update(subject_keys).where(*mine).values(wrapped=None, erasure_id=erasure_id)).rowcount
    said = {
        "rule": rule,
        "reason": reason,
        "requested_by": requested_by,
        "approved_by": list(approved_by),
        "subject": subject,
        "keys": gone,
    }
    row = {"erasure_id": erasure_id, "instance_id": instance_id, "request": request, "at": at, **said}
    connection.execute(sa.insert(erasures).values(**row))
    connection.execute(sa.update(tasks).where(tasks.c.instance_id == instance_id).values(draft=None))
    connection.execute(sa.update(incidents).where(incidents.c.instance_id == instance_id).values(command=None))
    event = history.Event(type="personal.erased", actor=by, data={"erasure": erasure_id, "request": request, **said})
    accesses.append(connection, instance_id, event, at=at)
    return int(gone)
