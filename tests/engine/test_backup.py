"""The whole database as one file, from either kind into either kind, and still provable afterwards."""

from __future__ import annotations

import gzip
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engine import Database, Engine, Signer, SigningKey, migrate, replay, verify
from engine.backup import BackupUnusable, backup, restore
from engine.errors import Conflict
from tests.engine.conftest import FILES, HandClock, Mail, build, fill
from tests.engine.steps import review_of

KEY = SigningKey.make("guiju.example/log")
AT = "2026-11-09T01:00:00.000000Z"


def worked(engine: Engine) -> tuple[str, str]:
    """A few signed cases; one case and its open review."""
    for _ in range(3):
        review_of(engine)
        Signer(engine, KEY, node="one").run()
    return review_of(engine)


def written(engine: Engine) -> bytes:
    out = io.BytesIO()
    assert backup(engine.db, out, at=AT) > 50
    return out.getvalue()


def goes_on(db: Database, instance: str, task: str, clock: HandClock) -> None:
    """What was restored holds, re-executes, and can be worked on and signed further."""
    report = verify(db, keys=[KEY.public])
    assert report.broken == () and report.checkpoints == 3 and report.events > 20
    engine = build(db, clock, Mail())
    engine.complete(task, {"outcome": "reject"}, by="boris")
    assert replay(engine, instance).same
    clock.advance(seconds=3)
    assert Signer(engine, KEY).run() is not None
    assert verify(db, keys=[KEY.public]).broken == ()


def test_a_backup_of_either_database_comes_back_in_a_file(engine: Engine, tmp_path: Path, clock: HandClock) -> None:
    instance, task = worked(engine)
    other = Database.open(f"sqlite:///{tmp_path / 'restored.db'}")
    restore(other, io.BytesIO(written(engine)))
    goes_on(other, instance, task, clock)
    other.close()


def test_a_backup_of_a_file_comes_back_in_either_database(db: Database, tmp_path: Path, clock: HandClock) -> None:
    source = Database.open(f"sqlite:///{tmp_path / 'source.db'}")
    migrate(source)
    engine = build(source, clock, Mail())
    fill(engine)
    engine.deploy(FILES, by="root")
    instance, task = worked(engine)
    content = written(engine)
    source.close()
    restore(db, io.BytesIO(content))
    goes_on(db, instance, task, clock)


def test_what_holds_something_is_never_overwritten(engine: Engine) -> None:
    worked(engine)
    before = verify(engine.db).events
    with pytest.raises(Conflict, match="database_not_empty"):
        restore(engine.db, io.BytesIO(written(engine)))
    assert verify(engine.db).events == before


def changed(content: bytes, change: Any) -> bytes:
    """The backup with its lines changed, its own checksum made right again."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    lines = [json.dumps(row).encode() + b"\n" for row in change([json.loads(line) for line in lines])]
    end = json.loads(lines[-1])
    if "end" in end:
        rows = sum(1 for line in lines if line.startswith(b"["))
        lines[-1] = json.dumps({"end": rows, "sha256": sha256(b"".join(lines[:-1])).hexdigest()}).encode()
    return gzip.compress(b"".join(lines))


@pytest.mark.parametrize("damage", ["cut", "flip", "no end", "other", "newer"])
def test_a_damaged_backup_is_refused_and_nothing_of_it_kept(db: Database, engine: Engine, damage: str) -> None:
    worked(engine)
    content = written(engine)
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content = content[:500] + bytes([content[500] ^ 255]) + content[501:]
    elif damage == "no end":
        content = changed(content, lambda rows: rows[:-1])
    elif damage == "other":
        content = b"something else"
    else:
        content = changed(content, lambda rows: [{**rows[0], "schema": "9999"}, *rows[1:]])
    target = Database.open(f"sqlite:///{db.url.database}.target") if db.sqlite else db
    if not db.sqlite:
        return_to_nothing(db)
    with pytest.raises(BackupUnusable):
        restore(target, io.BytesIO(content))
    migrate(target)
    with target.read() as connection:
        assert connection.exec_driver_sql("select count(*) from history").scalar() == 0
    if target is not db:
        target.close()


def return_to_nothing(db: Database) -> None:
    def work(connection: Any) -> None:
        connection.exec_driver_sql("drop schema public cascade")
        connection.exec_driver_sql("create schema public")

    db.write(work)


def test_an_event_changed_inside_a_backup_shows_after_restoring(engine: Engine, tmp_path: Path) -> None:
    worked(engine)

    def swap(rows: list[Any]) -> list[Any]:
        start = next(n for n, row in enumerate(rows) if isinstance(row, dict) and row.get("table") == "history")
        rows[start + 3][3], rows[start + 4][3] = rows[start + 4][3], rows[start + 3][3]
        return rows

    other = Database.open(f"sqlite:///{tmp_path / 'restored.db'}")
    restore(other, io.BytesIO(changed(written(engine), swap)))
    [found] = verify(other, keys=[KEY.public]).broken
    assert found.code == "hash" and found.seq == 3
    other.close()
