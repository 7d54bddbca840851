"""Statements of the hot path, compiled by SQLAlchemy once per dialect and given to the driver as text.

Building, keying and wrapping an expression each time cost more than the database did. Parameters and what comes back
are plain values (text, numbers, bytes, booleans): no type of SQLAlchemy's converts them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError


def decoded(value: Any) -> Any:
    """What a JSON column holds: PostgreSQL's driver reads it, SQLite's gives the text."""
    return orjson.loads(value) if isinstance(value, (str, bytes)) else value


class Answer:
    """What a statement answered: `rowcount`, and rows as named tuples."""

    def __init__(self, cursor: Any, shape: Any) -> None:
        self._cursor, self._shape = cursor, shape
        self.rowcount: int = cursor.rowcount

    def all(self) -> list[Any]:
        """Every row."""
        make = self._shape._make
        return [make(row) for row in self._cursor.fetchall()]

    def first(self) -> Any:
        """The first row, or None."""
        rows = self._cursor.fetchall()
        return self._shape._make(rows[0]) if rows else None

    def scalar(self) -> Any:
        """The first column of the first row, or None."""
        rows = self._cursor.fetchall()
        return rows[0][0] if rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor.fetchall())


class Prepared:
    """A Core statement with `bindparam`s. For an INSERT, `columns` names what is given."""

    def __init__(self, statement: sa.Executable, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._compiled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}
        self._shape: Any = None

    def run(self, connection: Connection, **values: Any) -> Answer:
        """Execute once."""
        text, order, fixed = self._text(connection)
        if fixed:
            values = {**fixed, **values}
        given: Any = tuple([values[name] for name in order]) if order is not None else values
        return self._execute(connection, text, given, many=False)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each row, as one statement to the driver; nothing at all for no rows."""
        if rows:
            text, order, _ = self._text(connection)
            given: Any = rows if order is None else [tuple([row[name] for name in order]) for row in rows]
            many = len(given) > 1
            self._execute(connection, text, given if many else given[0], many=many)

    def _execute(self, connection: Connection, text: str, given: Any, *, many: bool) -> Answer:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        cursor = raw.cursor()
        try:
            if many:
                cursor.executemany(text, given)
            else:
                cursor.execute(text, given)
        except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
            raise wrapped(connection, error, text, given, cursor) from error
        if cursor.description is not None and self._shape is None:
            self._shape = namedtuple("Row", [column[0] for column in cursor.description], rename=True)  # type: ignore[misc]
        return Answer(cursor, self._shape)

    def _text(self, connection: Connection) -> tuple[str, tuple[str, ...] | None, dict[str, Any]]:
        """The text, the order of its parameters (None: by name), and those whose value stands in the statement."""
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=connection.dialect, column_keys=self._columns)  # type: ignore[attr-defined]
            order = tuple(compiled.positiontup) if compiled.positional else None
            fixed = {key: value for key, value in compiled.params.items() if value is not None}
            found = self._compiled[name] = (str(compiled), order, fixed)
        return found


def wrapped(
    connection: Connection, error: Exception, text: str = "", given: Any = None, cursor: Any = None
) -> BaseException:
    """A driver's error as SQLAlchemy's; a connection it says is lost is not used again."""
    dialect: Any = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        text, given, error, dialect.dbapi.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
