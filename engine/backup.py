"""The whole database as one file, and back: any database into any other, SQLite into PostgreSQL included.

A gzip of JSON lines: `{"format": "guiju-backup", "version": 1, "schema": revision, "at"}`; for each table
`{"table", "columns": [[name, kind] …]}` and a list for each row (kind `b`: bytes as base64, `j`: JSON, `v`: as it is);
last `{"end": rows, "sha256": of every line before}`, so that a file that was cut off is noticed before anything is
kept. Keys (signing, sealing) are not in the database, so they are not in the backup.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, BinaryIO

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.db import Database
from engine.errors import Conflict, GuijuError
from engine.migrations import migrate, newest_revision

Progress = Callable[[int, int | None], None]
BATCH = 500
DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error)  # what reading a damaged file raises
VERSION_TABLE = "alembic_version"


class BackupUnusable(GuijuError):
    """A backup cannot be restored: it is something else, cut off, changed, or from a newer version."""

    status = 422
    code = "backup_unusable"


def backup(db: Database, out: BinaryIO, *, at: str, progress: Progress | None = None) -> int:
    """Write everything there is, in one snapshot; return how many rows."""
    digest, rows = sha256(), 0
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as file, db.snapshot() as connection:
        tables = _tables(connection)
        total = sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables)
        for line in _lines(connection, tables, at):
            row = orjson.dumps(line) + b"\n"
            digest.update(row)
            file.write(row)
            if isinstance(line, list):
                rows += 1
                if progress and rows % 1000 == 0:
                    progress(rows, total)
        file.write(orjson.dumps({"end": rows, "sha256": digest.hexdigest()}) + b"\n")
    return rows


def restore(db: Database, source: BinaryIO, *, progress: Progress | None = None) -> int:
    """Fill an empty database from a backup and bring it up to date; return how many rows. All of it or nothing.

    Raises Conflict when the database holds something, BackupUnusable with the reason otherwise.
    """
    revision = _head(source)
    migrate(db, to=revision)

    def work(connection: Connection) -> int:
        tables = {table.name: table for table in _tables(connection)}
        for name in ("history", "instances", "people"):
            if connection.execute(sa.select(sa.literal(1)).select_from(tables[name]).limit(1)).first() is not None:
                raise Conflict(
                    "database_not_empty",
                    text={
                        "zh-CN": "数据库已有内容，不会覆盖。请指定一个空的数据库",
                        "en": "The database holds something already and is not overwritten. Name an empty one",
                    },
                )
        for table in tables.values():  # what migrations leave in an empty database is in the backup as well
            if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
                connection.execute(sa.delete(table))
        return _fill(connection, tables, source, progress)

    rows = db.write(work)
    migrate(db)
    return rows


def _tables(connection: Connection) -> list[sa.Table]:
    """Every table as the database itself describes it: those of the policy too."""
    found = sa.MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):
                column.type = sa.JSON(none_as_null=True)
    return [table for name, table in sorted(found.tables.items()) if name != VERSION_TABLE]


def _lines(connection: Connection, tables: list[sa.Table], at: str) -> Iterator[dict[str, Any] | list[Any]]:
    revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    yield {"format": "guiju-backup", "version": 1, "schema": revision, "at": at}
    for table in tables:
        kinds = [_kind(column) for column in table.columns]
        yield {"table": table.name, "columns": [[c.name, kind] for c, kind in zip(table.columns, kinds, strict=True)]}
        query = sa.select(table).order_by(*table.primary_key.columns)
        for row in connection.execute(query.execution_options(stream_results=True, yield_per=BATCH)):
            yield [_encoded(value) if kind == "b" else value for value, kind in zip(row, kinds, strict=True)]


def _kind(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.JSON):
        return "j"
    return "b" if isinstance(column.type, sa.LargeBinary) else "v"


def _encoded(value: bytes | str | None) -> str | None:
    if value is None:
        return None
    return base64.b64encode(value.encode() if isinstance(value, str) else bytes(value)).decode()


def _head(source: BinaryIO) -> str:
    """The schema's revision that the backup was made at. Raises BackupUnusable."""
    try:
        with gzip.open(source) as file:
            head = orjson.loads(file.readline())
        revision = str(head["schema"])
        if (head["format"], head["version"]) != ("guiju-backup", 1):
            raise ValueError
    except DAMAGED as error:
        raise _unusable("不是规矩的备份文件", "it is not a backup of Guiju") from error
    if revision > newest_revision():
        raise _unusable("它来自更新的版本，请先升级", "it was made by a newer version; upgrade first")
    return revision


def _fill(connection: Connection, tables: dict[str, sa.Table], source: BinaryIO, progress: Progress | None) -> int:
    digest, count, ended = sha256(), 0, False
    table: sa.Table | None = None
    columns: list[tuple[str, str]] = []
    waiting: list[dict[str, Any]] = []

    def flush() -> None:
        if waiting and table is not None:
            connection.execute(sa.insert(table), waiting)
            waiting.clear()

    source.seek(0)
    try:
        with gzip.open(source) as file:
            for line in file:
                row = orjson.loads(line)
                if isinstance(row, list):
                    pairs = zip(columns, row, strict=True)
                    waiting.append({name: _decoded(value, kind) for (name, kind), value in pairs})
                    count += 1
                    if len(waiting) >= BATCH:
                        flush()
                    if progress and count % 1000 == 0:
                        progress(count, None)
                elif "table" in row:
                    flush()
                    table, columns = tables[row["table"]], [(name, kind) for name, kind in row["columns"]]
                elif "end" in row:
                    flush()
                    ended = (row["end"], row["sha256"]) == (count, digest.hexdigest())
                digest.update(line)
    except DAMAGED as error:
        raise _unusable("文件被截断或损坏", "the file is cut off or damaged") from error
    if not ended:
        raise _unusable("文件被截断或改动", "the file was cut off or changed")
    return count


def _decoded(value: Any, kind: str) -> Any:
    return base64.b64decode(value) if kind == "b" and value is not None else value


def _unusable(zh: str, en: str) -> BackupUnusable:
    return BackupUnusable(
        "backup_unusable",
        text={"zh-CN": "备份无法恢复：{zh}", "en": "The backup cannot be restored: {en}"},
        zh=zh,
        en=en,
    )
