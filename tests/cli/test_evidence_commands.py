"""`guiju key`, `verify`, `export`, `backup` and `restore` from the command line, one after the other."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine import Database, Engine, migrate, queries
from tests.engine.conftest import FILES, HandClock, Mail, build, fill
from tests.engine.steps import review_of
from web.cli import build as build_command
from web.cli_text import Tongue


def guiju(*arguments: str | Path, language: str = "en") -> Result:
    return CliRunner().invoke(build_command(Tongue(language)), [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small company with two cases, a signing key and a folder to publish to."""
    url = f"sqlite:///{tmp_path / 'guiju.db'}"
    db = Database.open(url)
    migrate(db)
    engine: Engine = build(db, HandClock(), Mail())
    fill(engine)
    engine.deploy(FILES, by="root")
    review_of(engine)
    review_of(engine)
    db.close()
    monkeypatch.setenv("GUIJU_DATABASE_URL", url)
    made = guiju("key", tmp_path / "signing.key", "--name", "guiju.example")
    assert made.exit_code == 0
    (tmp_path / "guiju.pub").write_text(made.stdout, encoding="utf-8")
    monkeypatch.setenv("GUIJU_SIGNING_KEY", str(tmp_path / "signing.key"))
    monkeypatch.setenv("GUIJU_CHECKPOINT_FOLDER", str(tmp_path / "published"))
    (tmp_path / "published").mkdir()
    return url


def number(url: str) -> str:
    db = Database.open(url)
    with db.read() as connection:
        found = str(connection.exec_driver_sql("select business_key from instances order by business_key").scalar())
    db.close()
    return found


def test_a_key_is_never_written_over(tmp_path: Path, database: str) -> None:
    again = guiju("key", tmp_path / "signing.key", "--name", "guiju.example")
    assert again.exit_code == 1 and "not overwritten" in again.output


def test_a_case_is_exported_signed_and_verified_by_the_same_command(tmp_path: Path, database: str) -> None:
    file = tmp_path / "dossier.json"
    assert guiju("export", number(database), "--format", "json", "-o", file).exit_code == 0
    done = guiju("verify", "--export", file, "--key", tmp_path / "guiju.pub")
    assert done.exit_code == 0 and "everything holds" in done.stdout
    file.write_bytes(file.read_bytes()[:-400])
    done = guiju("verify", "--export", file, language="zh-CN")
    assert done.exit_code == 1 and "截断" in done.stdout


def test_a_whole_database_is_checked_and_written_out_for_others(tmp_path: Path, database: str) -> None:
    guiju("export", number(database), "-o", tmp_path / "any.json")  # signs what is new
    file = tmp_path / "evidence.jsonl"
    done = guiju("verify", "--export", file)
    assert done.exit_code == 0 and "0 broken" in done.stdout and file.exists()
    done = guiju("verify", "--export", file, "--json", "--key", tmp_path / "guiju.pub")
    assert done.exit_code == 0 and json.loads(done.stdout)[0]["checkpoints"] == 1


def test_verify_says_when_signatures_could_not_be_checked(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GUIJU_SIGNING_KEY")
    done = guiju("verify")
    assert done.exit_code == 0 and "Signatures were not checked" in done.output and "not signed for yet" in done.output
    assert guiju("verify", "--key", "nonsense").exit_code == 2


def test_a_backup_is_restored_and_checked(tmp_path: Path, database: str) -> None:
    guiju("export", number(database), "-o", tmp_path / "any.json")
    file, other = tmp_path / "backup.gz", f"sqlite:///{tmp_path / 'other.db'}"
    assert guiju("backup", file).exit_code == 0 and file.stat().st_mode & 0o777 == 0o600
    assert guiju("backup", file).exit_code == 1
    done = guiju("restore", file, "--database", other)
    assert done.exit_code == 0 and "0 broken" in done.stdout and "1 checkpoints" in done.stdout
    db = Database.open(other)
    assert queries.instance_of(Engine(db), number(other))
    db.close()


def test_restoring_an_older_backup_shows_against_what_was_published(tmp_path: Path, database: str) -> None:
    assert guiju("backup", tmp_path / "early.gz").exit_code == 0
    guiju("export", number(database), "-o", tmp_path / "any.json")
    done = guiju("restore", tmp_path / "early.gz", "--database", f"sqlite:///{tmp_path / 'other.db'}")
    assert done.exit_code == 1 and "the tail was cut off" in done.stdout


def test_a_damaged_row_is_named_on_the_command_line(tmp_path: Path, database: str) -> None:
    guiju("export", number(database), "-o", tmp_path / "any.json")
    connection = sqlite3.connect(database.removeprefix("sqlite:///"))
    connection.execute("drop trigger history_no_update")
    name = connection.execute("select instance_id from instances order by instance_id").fetchone()[0]
    connection.execute("update history set body = cast(body || ' ' as blob) where seq = 4 and instance_id = ?", [name])
    connection.commit()
    connection.close()
    done = guiju("verify", language="zh-CN")
    assert done.exit_code == 1 and f"{name}:4 hash 事件 4 的内容与记录的哈希不符" in done.stdout
