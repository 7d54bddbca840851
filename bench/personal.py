"""What sealing and opening personal data costs, a field at a time."""

from __future__ import annotations

import statistics
from pathlib import Path
from time import process_time
from typing import Any

from sqlalchemy.engine import Connection

from engine import Database, migrate
from engine.personal import Keyring, Subjects, reveal

AT = "2026-11-09T01:00:00.000000Z"
TEXT = "当事人陈述" * 40  # 200 characters
ROUNDS, FIELDS = 30, 500


def sealing(folder: Path) -> dict[str, Any]:
    """Processor time in microseconds: to seal a field, the first of a case, and to open one again."""
    db, ring = Database.open(f"sqlite:///{folder / 'personal.db'}"), Keyring(Keyring.new_key())
    try:
        migrate(db)
        return db.write(lambda connection: _measured(connection, ring))
    finally:
        db.close()


def _measured(connection: Connection, ring: Keyring) -> dict[str, Any]:
    case = Subjects(ring, connection, "case", AT)
    boxes = [case.seal("case", "statement", TEXT) for _ in range(FIELDS)]
    seal, opened, first = list[float](), list[float](), list[float]()
    for turn in range(ROUNDS):
        begun = process_time()
        for _ in range(FIELDS):
            case.seal("case", "statement", TEXT)
        seal.append((process_time() - begun) / FIELDS)
        begun = process_time()
        reveal(ring, connection, boxes)
        opened.append((process_time() - begun) / FIELDS)
        begun = process_time()
        for number in range(20):
            Subjects(ring, connection, f"{turn} {number}", AT).seal("case", "statement", TEXT)
        first.append((process_time() - begun) / 20)
    times = {"seal": seal, "open": opened, "first_of_a_case": first}
    return {f"personal_{name}_us": round(statistics.median(each) * 1e6, 1) for name, each in times.items()}
