"""The commands of those who look after auditors' rights and personal data."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from engine import Database
from engine.personal import Keyring, Subjects
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


def test_the_wrapping_key_is_changed_by_a_command(db_url: str, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Keyring.new_key(), Keyring.new_key()

    def seal(connection: sa.Connection) -> None:
        Subjects(Keyring(old), connection, "i", "2026-11-09T01:00:00.000000Z").seal("anna", "phone", "138")

    db.write(seal)
    monkeypatch.setenv("GUIJU_PERSONAL_KEY", f"{new},{old}")
    done = CliRunner().invoke(build(Tongue("en")), ["rewrap", "--database", db_url], catch_exceptions=False)
    assert done.exit_code == 0 and "1 key" in done.output
    with db.read() as connection:
        assert connection.scalars(sa.text("SELECT wrapping FROM subject_keys")).all() == [Keyring(new).newest]
