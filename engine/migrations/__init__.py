"""The schema's versions, applied by Alembic; `migrate` brings any database to the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from engine.db import Database


def migrate(db: Database) -> None:
    """Bring the database's schema to the newest version, in one transaction."""

    def work(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    db.write(work)
