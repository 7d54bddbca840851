"""Statements of the hot path, compiled to text once per dialect: building and keying an expression each time cost more
than the database did.

Parameters are plain values (text, numbers, bytes, booleans): no type of SQLAlchemy's converts them or what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult


class Prepared:
    """A Core statement with `bindparam`s. For an INSERT, `columns` names what is given."""

    def __init__(self, statement: sa.Executable, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def run(self, connection: Connection, **values: Any) -> CursorResult[Any]:
        """Execute once."""
        text, order, fixed = self._text(connection)
        given = {**fixed, **values} if fixed else values
        return connection.exec_driver_sql(text, tuple([given[name] for name in order]) if order is not None else given)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any] | None:
        """Execute once for each row, as one statement to the driver."""
        if not rows:
            return None
        text, order, fixed = self._text(connection)
        if order is None:
            return connection.exec_driver_sql(text, [{**fixed, **row} for row in rows])
        if fixed:
            rows = [{**fixed, **row} for row in rows]
        return connection.exec_driver_sql(text, [tuple([row[name] for name in order]) for row in rows])

    def _text(self, connection: Connection) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)  # type: ignore[attr-defined]
            fixed = {key: value for key, value in compiled.params.items() if value is not None}
            order = tuple(compiled.positiontup) if compiled.positional else None
            text = str(compiled)
            found = self._compiled[name] = (text, order, fixed)
        return found
