"""The auditor's waiting: any moment of a case of 1,000 events on screen, and a case executed again."""

from __future__ import annotations

import random
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.server import PASSWORD, Client, serving
from bench.web import timed
from engine import Engine, replay, save_directory
from engine.models import instances
from processes.scenario_runner import ScenarioClock, Stage, run_file
from web.sessions import set_password

CASE = Path(__file__).parents[1] / "processes" / "complaint" / "scenarios" / "K03.json"  # 1,056 events
AUDITOR = "b_auditor"  # takes no part in any case


class Kept(Stage):
    """Plays one scenario and keeps the company it was played in."""

    def __init__(self, database: Path) -> None:
        super().__init__()
        self._database = database
        self.instance, self.events = "", 0
        self.rate = 0.0

    @contextmanager
    def company(self, now: datetime) -> Iterator[tuple[Engine, ScenarioClock]]:
        with super().company(now) as (engine, clock):
            yield engine, clock
            with engine.db.read() as connection:
                longest = sa.select(instances.c.instance_id, instances.c.seq).order_by(instances.c.seq.desc()).limit(1)
                self.instance, self.events = connection.execute(longest).one()
            self.rate = _rate(engine, self.instance, self.events)
            engine.db.write(_appoint)
            set_password(engine.db, AUDITOR, PASSWORD)
            with engine.db.bind.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(str(engine.db.bind.url.database), self._database)


def _appoint(connection: sa.Connection) -> None:
    person = {"username": AUDITOR, "names": {"zh-CN": "外审", "en": "External auditor"}}
    save_directory(connection, persons=[person], members=[(AUDITOR, "auditor")])


def _rate(engine: Engine, instance: str, events: int, times: int = 20) -> float:
    """Events a second of re-execution, chain and every comparison included: the median of several."""
    assert replay(engine, instance).same
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        assert replay(engine, instance).same
        seconds.append(time.perf_counter() - began)
    return events / statistics.median(seconds)


def moments(folder: Path, requests: int = 200) -> dict[str, Any]:
    """p95 in ms of the whole page of a moment drawn at random, over HTTP; events re-executed a second."""
    database, rng = folder / "moments.db", random.Random(1)
    stage = Kept(database)
    with stage:
        assert run_file(CASE, stage).passed
    with serving(database) as server, closing(Client(server.port).login(AUDITOR)) as client:
        pages = [f"/audit/{stage.instance}?at={rng.randint(1, stage.events)}" for _ in range(requests + 10)]
        times = [timed(client, page) for page in pages][10:]
    return {
        "moment_events": stage.events,
        "moment_p95_ms": round(statistics.quantiles(times, n=20)[18], 1),
        "moment_median_ms": round(statistics.median(times), 1),
        "replay_events_per_s": round(stage.rate),
    }
