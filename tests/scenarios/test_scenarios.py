"""Every shipped scenario on both databases, each then verified and re-executed from its recorded commands alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

import processes
from engine import Database, Engine, migrate, replay, verify
from engine.models import history, instances
from engine.rehearsal import Rehearsal, rehearse
from engine.replay import recorded as recorded_events
from processes.complaint.seal import Seal
from processes.scenario_runner import DEFAULT_NOW, ScenarioClock, Stage, run_file

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(ROOT.glob("processes/*/scenarios/*.json"))


class Checked(Stage):
    """A stage that, before a scenario's database goes, checks every chain and re-executes every case of it."""

    checked = 0
    commands = 0

    @contextmanager
    def company(self, now: datetime) -> Iterator[tuple[Engine, ScenarioClock]]:
        with super().company(now) as (engine, clock):
            yield engine, clock
            self.check(engine)

    @staticmethod
    def rehearsed(engine: Engine, instance_id: str) -> Rehearsal:
        """The case given again to its own version: followed without an id of the record."""
        with engine.db.read() as connection:
            row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).one()
            rows, due = recorded_events(connection, instance_id), engine.calendar(connection).due
            definitions = engine.shelf.get(row.deployment, connection)
        return rehearse(rows, definitions, functions=engine.functions, due=due)

    def check(self, engine: Engine) -> None:
        assert verify(engine.db).broken == ()
        # a fresh engine: nothing that was kept in memory, no operation and no clock of its own, helps the re-execution
        bare = Engine(engine.db, functions=engine.functions, clock=ScenarioClock(datetime.fromisoformat(DEFAULT_NOW)))
        with engine.db.read() as connection:
            ids = list(connection.scalars(sa.select(instances.c.instance_id)))
            recorded = connection.scalar(sa.select(sa.func.count()).where(history.c.type == "command"))
        steps = 0
        for instance_id in ids:
            again = replay(bare, instance_id)
            assert again.reason is None, again.reason
            assert [step.command for step in again.steps if not step.same] == []
            steps += len(again.steps)
            assert self.rehearsed(engine, instance_id).parting is None
        assert ids and steps == recorded
        self.checked += len(ids)
        self.commands += steps


class CheckedOnPostgres(Checked):
    """The same, each scenario in a PostgreSQL database made from a template with the demo company."""

    def __init__(self, server: str) -> None:
        self._server, self._numbers = sa.make_url(server), itertools.count()
        self._seal_key = Seal.new_key()
        self._admin("DROP DATABASE IF EXISTS demo_company")
        self._admin("CREATE DATABASE demo_company TEMPLATE guiju_empty")
        db = self._open("demo_company")
        migrate(db)
        processes.load_demo(processes.build_engine(db, clock=ScenarioClock(datetime.fromisoformat(DEFAULT_NOW))))
        db.close()

    def __exit__(self, *_: object) -> None:
        self._admin("DROP DATABASE demo_company WITH (FORCE)")

    def _admin(self, statement: str) -> None:
        bind = sa.create_engine(self._server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with bind.connect() as connection:
            connection.exec_driver_sql(statement)
        bind.dispose()

    def _open(self, name: str) -> Database:
        return Database.open(self._server.set(database=name).render_as_string(hide_password=False))

    @contextmanager
    def company(self, now: datetime) -> Iterator[tuple[Engine, ScenarioClock]]:
        name = f"scenario_{next(self._numbers)}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE demo_company")
        clock, db = ScenarioClock(now), self._open(name)
        try:
            engine = processes.build_engine(db, clock=clock, seal_key=self._seal_key)
            yield engine, clock
            self.check(engine)
        finally:
            db.close()
            self._admin(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Iterator[Checked]:
    made = Checked() if request.param == "sqlite" else CheckedOnPostgres(request.getfixturevalue("postgres_server"))
    with made:
        yield made


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_scenario_ends_as_it_says_and_runs_again_to_the_same_states(stage: Checked, path: Path) -> None:
    before = stage.checked
    outcome = run_file(path, stage)
    assert outcome.passed, (outcome.failure, outcome.path)
    assert stage.checked > before


def test_a_change_in_what_was_recorded_is_noticed(stage: Checked) -> None:
    """The re-execution can fail: the same history under another pure function parts from its record."""
    [path] = [path for path in SCENARIOS if path.stem == "closes_early"]
    seen: list[bool] = []

    def check(engine: Engine) -> None:
        other = Engine(engine.db, functions={**engine.functions, "vote_decided": lambda *_: False})
        with engine.db.read() as connection:
            ids = list(connection.scalars(sa.select(instances.c.instance_id)))
        seen.extend(replay(other, instance_id).same for instance_id in ids)

    original, stage.check = stage.check, check  # type: ignore[method-assign]
    try:
        run_file(path, stage)
    finally:
        stage.check = original  # type: ignore[method-assign]
    assert False in seen
