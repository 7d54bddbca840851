"""Which commands were given under an idempotency key already, for whoever has to go on where a run was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.models import idempotency

if TYPE_CHECKING:
    from engine.runtime import Engine


def answered(engine: Engine, prefix: str) -> dict[str, str]:
    """Idempotency key → the case it was about, of every key that begins with `prefix`. No actor: never for a page."""
    query = sa.select(idempotency.c.key, idempotency.c.instance_id)
    with engine.db.read() as connection:
        rows = connection.execute(query.where(idempotency.c.key.startswith(prefix, autoescape=True)))
        return {row.key: row.instance_id for row in rows}
