"""Small facts the installation keeps for itself, one JSON value under each name."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.models import settings


def read_setting(connection: Connection, name: str) -> Any:
    """The value kept under `name`, or None."""
    return connection.scalar(sa.select(settings.c.value).where(settings.c.name == name))


def write_setting(connection: Connection, name: str, value: Any) -> None:
    """Keep a JSON value under `name`, in place of what was there."""
    connection.execute(sa.delete(settings).where(settings.c.name == name))
    connection.execute(sa.insert(settings).values(name=name, value=value))
