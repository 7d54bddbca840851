"""The schema's versions, applied by Alembic; `migrate` brings any database to the newest."""

from __future__ import annotations

import contextlib
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from engine import readonly
from engine.db import Database

HERE = Path(__file__).parent


def newest_revision() -> str:
    """The newest version of the schema."""
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py"))


def migrate(db: Database, *, to: str = "head") -> None:
    """Bring the database's schema to the newest version (or to an older one, `to`, from a still older one), in one
    transaction; nothing to do costs one read."""
    newest = newest_revision() if to == "head" else to
    with db.read() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            if found == newest:
                return

    def work(connection: Connection) -> None:
        from alembic import command  # half a second to import: only when there is something to migrate
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        with contextlib.suppress(DBAPIError), connection.begin_nested():  # who may not make roles: `guiju audit-role`
            readonly.make_role(connection)

    db.write(work)
