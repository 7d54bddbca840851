"""Registers (台账): what procedures leave behind, as documents with the history of every change.

A row is `(register, key)` → fields; `put` merges fields and writes who changed what in which case. The account
register's row keeps its `responsible_history` this way too. Rows are never deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.models import register_changes, register_rows
from engine.moments import stamp
from engine.prepared import Prepared, decoded


@dataclass(frozen=True, kw_only=True, slots=True)
class Readers:
    """Who reads a register: `groups` all of it (`employee` is everybody), whoever one of the fields `own` names the
    rows that do, and with `by_case` whoever may read a case the rows that it wrote. Auditors read every register;
    nobody reads a row written by a case that is kept from them."""

    groups: frozenset[str] = frozenset()
    own: tuple[str, ...] = ()
    by_case: bool = False


_HERE = sa.and_(
    register_rows.c.register == sa.bindparam("register", type_=sa.String),
    register_rows.c.key == sa.bindparam("key", type_=sa.String),
)
_ROW = Prepared(sa.select(register_rows.c.data, register_rows.c.rev).where(_HERE).with_for_update())
_ALL = Prepared(
    sa.select(register_rows.c.key, register_rows.c.data)
    .where(register_rows.c.register == sa.bindparam("register", type_=sa.String))
    .order_by(register_rows.c.key)
)


class Registers:
    """Reads and writes of registers on one connection, in the name of one case (or of nobody, while importing)."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: datetime,
        instance_id: str | None = None,
        business_key: str | None = None,
        by: str | None = None,
    ) -> None:
        self._connection, self._now = connection, now
        self._origin = {"instance_id": instance_id, "business_key": business_key, "by": by}
        self.changed: list[dict[str, Any]] = []  # what was put, for the history

    def get(self, register: str, key: str) -> dict[str, Any] | None:
        """The row's fields, or None."""
        row = _ROW.run(self._connection, register=register, key=key).first()
        return dict(decoded(row.data)) if row else None

    def all(self, register: str) -> dict[str, dict[str, Any]]:
        """Every row of a register, key → fields, by key."""
        return {row.key: dict(decoded(row.data)) for row in _ALL.run(self._connection, register=register).all()}

    def find(self, register: str, **equals: Any) -> dict[str, dict[str, Any]]:
        """The rows whose fields equal what is given."""
        return {
            key: fields
            for key, fields in self.all(register).items()
            if all(fields.get(name) == value for name, value in equals.items())
        }

    def put(self, register: str, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Merge `fields` into the row (made when missing) and return the whole row; what did not change writes
        nothing."""
        row = _ROW.run(self._connection, register=register, key=key).first()
        before = dict(decoded(row.data)) if row else {}
        changes = {name: value for name, value in fields.items() if name not in before or before[name] != value}
        if row is not None and not changes:
            return before
        after, rev, at = {**before, **changes}, (row.rev + 1 if row else 1), stamp(self._now)
        where = sa.and_(register_rows.c.register == register, register_rows.c.key == key)
        if row:
            self._connection.execute(sa.update(register_rows).where(where).values(data=after, rev=rev, updated_at=at))
        else:
            self._connection.execute(
                sa.insert(register_rows).values(register=register, key=key, data=after, rev=rev, updated_at=at)
            )
        shown = {name: {"from": before.get(name), "to": value} for name, value in changes.items()}
        self._connection.execute(
            sa.insert(register_changes).values(
                register=register, key=key, rev=rev, changes=shown, at=at, **self._origin
            )
        )
        self.changed.append({"register": register, "key": key, "rev": rev, "changes": shown})
        return after
