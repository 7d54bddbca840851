"""The commands of those who look after auditors' rights and personal data."""

from __future__ import annotations

import sqlalchemy as sa
from click.testing import CliRunner

from engine import Database
from web.cli import build
from web.cli_text import Tongue


def test_the_auditors_role_can_be_made_again_and_gives_nothing_but_reading(db_url: str, db: Database) -> None:
    for _ in range(2):
        done = CliRunner().invoke(build(Tongue("en")), ["audit-role", "--database", db_url], catch_exceptions=False)
        assert done.exit_code == 0
    if db.sqlite:
        assert "read-only" in done.output
        return
    with db.read() as connection:
        query = (
            "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants WHERE grantee = 'guiju_auditor'"
        )
        assert connection.scalars(sa.text(query)).all() == ["SELECT"]
