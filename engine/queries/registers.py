"""Registers as pages and exports show them: which rows a reader may see, and a row's whole history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Denied, NotFound
from engine.identity import EVERYONE, Standing
from engine.models import case_barred, register_changes, register_rows
from engine.moments import moment
from engine.personal import reveal
from engine.queries.auditing import unlimited
from engine.queries.reading import is_auditor, readable_case, reader
from engine.queries.rows import Names, Page, PersonRef
from engine.registers import Readers

if TYPE_CHECKING:
    from engine.runtime import Engine

Visible = Callable[[Any], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterRow:
    """A row of a register."""

    key: str
    data: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change of a register row: field → {"from", "to"}, by whom, in which case (None: imported)."""

    rev: int
    at: datetime
    by: PersonRef | None
    changes: dict[str, Any]
    instance_id: str | None
    business_key: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterView(RegisterRow):
    """A register row with its whole history, newest change first."""

    changes: list[Change]


def register(
    engine: Engine,
    name: str,
    *,
    actor: str,
    search: str = "",
    status: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of a register by key; `search` looks into every text field, `status` compares the field of that name.

    Raises Denied to whoever may read no row of it.
    """
    with engine.db.read() as connection:
        items: list[RegisterRow] = []
        for row in _rows(engine, connection, name, actor, search=search, status=status, cursor=cursor):
            items.append(row)
            if len(items) > limit:
                return Page(items=items[:limit], next=items[limit - 1].key)
        return Page(items=items)


def register_export(
    engine: Engine, name: str, *, actor: str, search: str = "", status: str = "", limit: int = 100_000
) -> list[RegisterRow]:
    """Every row that the reader may see, by key: what an export holds. Raises Denied."""
    with engine.db.read() as connection:
        rows = _rows(engine, connection, name, actor, search=search, status=status, cursor=None)
        return [row for row, _ in zip(rows, range(limit), strict=False)]


def register_row(engine: Engine, name: str, key: str, *, actor: str) -> RegisterView:
    """One row with its history. Raises NotFound, also where the reader may not know of it."""
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        where = sa.and_(register_rows.c.register == name, register_rows.c.key == key, _open_to(actor))
        row = connection.execute(sa.select(register_rows).where(where)).first()
        if row is None or not _visible(engine, connection, name, who)(row):
            raise NotFound(id=key)
        same = sa.and_(register_changes.c.register == name, register_changes.c.key == key)
        rows = connection.execute(sa.select(register_changes).where(same).order_by(register_changes.c.rev.desc())).all()
        names = Names(connection)
        names.load(change.by for change in rows)
        changes = [
            Change(
                rev=change.rev,
                at=moment(change.at),
                by=names.person(change.by),
                changes=reveal(engine.personal, connection, change.changes),
                instance_id=change.instance_id,
                business_key=change.business_key,
            )
            for change in rows
        ]
        data = reveal(engine.personal, connection, row.data)
        return RegisterView(key=row.key, data=data, updated_at=moment(row.updated_at), changes=changes)


def may_open_register(engine: Engine, name: str, *, actor: str) -> bool:
    """Whether the register's page is for this reader: some rows may be theirs even where most are not."""
    with engine.db.read() as connection:
        return _may_open(engine, connection, name, reader(engine, connection, actor))


def register_rows_of(engine: Engine, name: str) -> dict[str, dict[str, Any]]:
    """Every row of a register, key → fields. No authorisation: for tools."""
    with engine.db.read() as connection:
        query = sa.select(register_rows.c.key, register_rows.c.data).where(register_rows.c.register == name)
        rows = connection.execute(query.order_by(register_rows.c.key)).all()
        return {row.key: reveal(engine.personal, connection, row.data) for row in rows}


def _rows(
    engine: Engine, connection: Connection, name: str, actor: str, *, search: str, status: str, cursor: str | None
) -> Iterator[RegisterRow]:
    who = reader(engine, connection, actor)
    if not _may_open(engine, connection, name, who):
        text = {"zh-CN": "没有权限查看该台账", "en": "You are not permitted to read this register"}
        raise Denied("register_denied", text=text)
    visible = _visible(engine, connection, name, who)
    query = sa.select(register_rows).where(register_rows.c.register == name, _open_to(actor))
    if cursor:
        query = query.where(register_rows.c.key > cursor)
    if status:
        query = query.where(register_rows.c.data["status"].as_string() == status)
    wanted = search.strip().casefold()
    for row in connection.execute(query.order_by(register_rows.c.key)).all():
        words = " ".join(str(value) for value in [row.key, *row.data.values()]).casefold()
        if wanted in words and visible(row):
            data = reveal(engine.personal, connection, row.data)
            yield RegisterRow(key=row.key, data=data, updated_at=moment(row.updated_at))


def _reads_all(engine: Engine, connection: Connection, name: str, who: Standing) -> bool:
    if engine.registers is None or unlimited(engine, connection, who):
        return True
    rule = engine.registers.get(name)
    return rule is not None and (EVERYONE in rule.groups or who.within(rule.groups))


def _may_open(engine: Engine, connection: Connection, name: str, who: Standing) -> bool:
    rule = (engine.registers or {}).get(name)
    if _reads_all(engine, connection, name, who) or is_auditor(engine, who):
        return True
    return rule is not None and (bool(rule.own) or rule.by_case)


def _visible(engine: Engine, connection: Connection, name: str, who: Standing) -> Visible:
    """Which rows the reader may see, cases kept from them apart."""
    if _reads_all(engine, connection, name, who):
        return lambda row: True
    rule = (engine.registers or {}).get(name)
    if is_auditor(engine, who):  # a limited scope: what its cases wrote
        rule = Readers(own=rule.own if rule else (), by_case=True)
    if rule is None:
        return lambda row: False

    def visible(row: Any) -> bool:
        if any(_names(row.data.get(each), who.username) for each in rule.own):
            return True
        return rule.by_case and _made_by_readable(engine, connection, row, who)

    return visible


def _names(value: Any, username: str) -> bool:
    return username in value if isinstance(value, list) else value == username


def _made_by_readable(engine: Engine, connection: Connection, row: Any, who: Standing) -> bool:
    """Whether the reader may read a case that wrote the row."""
    same = sa.and_(register_changes.c.register == row.register, register_changes.c.key == row.key)
    made = sa.select(register_changes.c.instance_id).where(same, register_changes.c.instance_id.is_not(None)).distinct()
    for instance_id in connection.scalars(made).all():
        try:
            readable_case(engine, connection, instance_id, who)
        except (Denied, NotFound):
            continue
        return True
    return False


def _open_to(actor: str) -> sa.ColumnElement[bool]:
    """The condition that leaves out rows left behind by a case that is kept from the reader."""
    return ~sa.exists().where(
        register_changes.c.register == register_rows.c.register,
        register_changes.c.key == register_rows.c.key,
        case_barred.c.instance_id == register_changes.c.instance_id,
        case_barred.c.username == actor,
    )
