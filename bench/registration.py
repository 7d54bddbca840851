"""How large the packed state of a registration grows while it is open, over every case that the demo plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

import processes
from engine import Database, migrate
from engine.personal import Keyring

WATCH = (
    "CREATE TABLE bench_sizes (process TEXT, bytes INTEGER)",
    """CREATE TRIGGER bench_size AFTER UPDATE ON instances WHEN NEW.status = 'active'
       BEGIN INSERT INTO bench_sizes VALUES (NEW.process, length(NEW.state)); END""",
)


def watch(connection: sa.Connection) -> None:
    """Note the size of every state from now on."""
    for statement in WATCH:
        connection.execute(sa.text(statement))


def largest_state(folder: Path) -> dict[str, Any]:
    """Largest and median size in bytes of an open registration's state, over every step of the demo's cases."""
    db = Database.open(f"sqlite:///{folder / 'registration.db'}")
    try:
        migrate(db)
        db.write(watch)
        engine = processes.build_engine(db, personal_key=Keyring.new_key())
        processes.load_demo(engine)
        processes.play_demo(engine)
        with db.read() as connection:
            query = "SELECT bytes FROM bench_sizes WHERE process = 'account_registration' ORDER BY bytes"
            sizes = list(connection.scalars(sa.text(query)))
        return {"registration_state_bytes": sizes[-1], "registration_state_median_bytes": sizes[len(sizes) // 2]}
    finally:
        db.close()
