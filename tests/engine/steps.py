"""What several test files do first: start a case, find its review, look at its history."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine import Engine
from engine.errors import Denied


def start(engine: Engine, **more: Any) -> Any:
    return engine.start("approval", {"amount": 5, "about": "椅子", **more}, by="anna")


def review_of(engine: Engine, **more: Any) -> tuple[str, str]:
    """A started case and its review task."""
    case = start(engine, **more)
    return case.instance_id, case.tasks[0]


def events(engine: Engine, instance_id: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    """(type, actor, data) of a case's history."""
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql(f"select body from history where instance_id = '{instance_id}' order by seq")
        bodies = [orjson.loads(bytes(row[0])) for row in rows]
    return [(body["type"], body["actor"], body["data"]) for body in bodies]


def refused(call: Any) -> Denied:
    with pytest.raises(Denied) as caught:
        call()
    return caught.value


def drop_guards(connection: Any) -> None:
    """Do away with what keeps history and checkpoints append-only, as whoever owns the database can."""
    if connection.dialect.name == "sqlite":
        for table in ("history", "checkpoints"):
            for what in ("update", "delete", "replace"):
                connection.exec_driver_sql(f"drop trigger if exists {table}_no_{what}")
    else:
        for table in ("history", "checkpoints"):
            connection.exec_driver_sql(f"grant update, delete on {table} to current_user")
            connection.exec_driver_sql(f"alter table {table} disable trigger all")
