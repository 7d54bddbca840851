"""Opening a sealed identity under a grant; each opening goes into the complaint's history."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine import Engine
from engine.errors import Denied
from engine.identity import barred_of
from engine.moments import stamp
from processes.complaint.correspondence import seal_of
from processes.complaint.seal import unsealed
from processes.complaint.tables import grants


def granted(engine: Engine, instance_id: str, *, actor: str) -> Any:
    """The actor's grant that is open now, or None; never for whom the case is kept from."""
    now = stamp(engine.now())
    mine = sa.and_(grants.c.instance_id == instance_id, grants.c.username == actor, grants.c.until > now)
    with engine.db.read() as connection:
        if actor in barred_of(connection, instance_id):
            return None
        return connection.execute(sa.select(grants).where(mine).order_by(grants.c.until.desc()).limit(1)).first()


def open_identity(engine: Engine, instance_id: str, *, by: str) -> dict[str, str]:
    """What is sealed, opened: field → text. Raises Denied without a grant, Unavailable without the key.

    It is written down before anything is shown.
    """
    grant = granted(engine, instance_id, actor=by)
    if grant is None:
        text = {"zh-CN": "须先经两人批准才能查看", "en": "It opens only after two people approved"}
        raise Denied("identity_sealed", text=text)
    about = {"reason": grant.reason, "approved_by": grant.approved_by, "request": grant.request_no}
    engine.note(instance_id, "identity.opened", by=by, **about)
    with engine.db.read() as connection:
        return unsealed(seal_of(engine), connection, instance_id)
