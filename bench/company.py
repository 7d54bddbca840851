"""Small companies to measure on: people with passwords, the bench's processes deployed, no cases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import processes
from bench.server import PASSWORD
from engine import Database, Engine, migrate, save_directory
from processes.bundle import collect
from web.sessions import set_password

DIAGRAMS = Path(__file__).parent / "diagrams"
ACTOR = "michuangdian"


@contextmanager
def company(database: Path, *, people: int = 1, diagrams: tuple[str, ...] = ("approval.bpmn",)) -> Iterator[Engine]:
    """An engine on a new database file (SQLite, FULL): ACTOR and `people` - 1 colleagues p1, p2 … in group `staff`."""
    db = Database.open(f"sqlite:///{database}")
    try:
        migrate(db)
        usernames = [ACTOR, *(f"p{number}" for number in range(1, people))]
        persons = [{"username": name, "names": {"zh-CN": name, "en": name}} for name in usernames]
        group = {"id": "staff", "names": {"zh-CN": "员工", "en": "Staff"}}
        members = [(name, "staff") for name in usernames]
        db.write(lambda c: save_directory(c, persons=persons, group_rows=[group], members=members))
        for name in usernames:
            set_password(db, name, PASSWORD)
        engine = processes.build_engine(db)
        engine.deploy(collect([DIAGRAMS / name for name in diagrams]), by=ACTOR)
        yield engine
    finally:
        db.close()
