"""A demo company for each test that asks for one: a throw-away stage, or a database of either kind, copied."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

import processes
from engine import Database, Engine, migrate
from processes.scenario_runner import DEFAULT_NOW, ScenarioClock, Stage
from tests.processes.content_driving import NOW

_numbers = itertools.count()


def _load(url: str) -> None:
    db = Database.open(url)
    try:
        migrate(db)
        clock = ScenarioClock(datetime.fromisoformat(DEFAULT_NOW))
        processes.load_demo(processes.build_engine(db, clock=clock))
    finally:
        db.close()


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the demo company."""
    path = tmp_path_factory.mktemp("company") / "demo.db"
    _load(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def demo_template(postgres_server: str) -> str:
    """The name of a PostgreSQL database with the demo company."""
    _admin(postgres_server, "CREATE DATABASE company TEMPLATE guiju_empty")
    _load(sa.make_url(postgres_server).set(database="company").render_as_string(hide_password=False))
    return "company"


@pytest.fixture(params=["sqlite", "postgresql"])
def company_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The demo company in a database of its own."""
    name = f"company{next(_numbers)}"
    if request.param == "sqlite":
        path = tmp_path / "demo.db"
        for suffix in ("", "-wal"):
            if (source := Path(f"{request.getfixturevalue('demo_file')}{suffix}")).exists():
                shutil.copyfile(source, f"{path}{suffix}")
        url = f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres_server")
        _admin(server, f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('demo_template')}")
        url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    db = Database.open(url)
    yield db
    db.close()
    if request.param == "postgresql":
        _admin(server, f"DROP DATABASE {name} WITH (FORCE)")


def _admin(url: str, statement: str) -> None:
    bind = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with bind.connect() as connection:
        connection.exec_driver_sql(statement)
    bind.dispose()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as opened:
        yield opened


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]
