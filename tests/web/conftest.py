"""A furniture company with one procedure, behind the real application, for tests that press its buttons."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import Database, Engine, save_directory
from web import Config, create_app, sessions

NOW = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)  # Monday, 09:00 in Foshan
HERE = Path(__file__).parent / "company"
FILES = {
    "sample_loan.bpmn": (HERE / "sample_loan.bpmn").read_bytes(),
    "sample_loan/forms/request.json": (HERE / "request.json").read_bytes(),
    "sample_loan/forms/review.json": (HERE / "review.json").read_bytes(),
}
PEOPLE = {
    "michuangdian": ("米床垫", "Mi Chuangdian", "内容策划"),
    "taochouti": ("陶抽屉", "Tao Chouti", "样品管理员"),
    "yepingfeng": ("叶屏风", "Ye Pingfeng", "样品管理员"),
    "luyaoyi": ("陆摇椅", "Lu Yaoyi", "主播"),
    "sushujia": ("苏书架", "Su Shujia", "系统管理员"),
    "jianchigui": ("简尺规", "Jian Chigui", "内审"),
}
GROUPS = {
    "keepers": ("样品管理员", "Sample keepers", ["taochouti", "yepingfeng"]),
    "sysadmin": ("系统管理员", "Administrators", ["sushujia"]),
    "auditor": ("审计员", "Auditors", ["jianchigui"]),
    "employee": ("全体员工", "Everybody", []),
}
PASSWORD = "walnut-and-brass"
REQUEST: dict[str, Any] = {
    "item": "榫卯样件",
    "using_dept": "marketing",
    "kind": "shoot",
    "features": ["carry"],
    "places": ["一号影棚", "展厅"],
    "reason": "新品短片需要实物",
    "count": 2,
    "from_day": "2026-11-12",
    "careful": True,
}


class HandClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


def fill(engine: Engine) -> None:
    """Load the company, its passwords and its procedure."""

    def work(connection: Any) -> None:
        save_directory(
            connection,
            persons=[
                {"username": key, "names": {"zh-CN": zh, "en": en}, "department": "marketing", "title": title}
                for key, (zh, en, title) in PEOPLE.items()
            ],
            units=[{"id": "marketing", "names": {"zh-CN": "市场部", "en": "Marketing"}, "head": "luyaoyi"}],
            group_rows=[{"id": key, "names": {"zh-CN": zh, "en": en}} for key, (zh, en, _) in GROUPS.items()],
            members=[(name, key) for key, (_zh, _en, names) in GROUPS.items() for name in names],
        )

    engine.db.write(work)
    sessions.welcome_demo(engine.db, PASSWORD)
    engine.deploy(FILES, by="sushujia")


@pytest.fixture(scope="session")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the company in it, to copy."""
    path = tmp_path_factory.mktemp("company") / "filled.db"
    shutil.copyfile(sqlite_template, path)
    db = Database.open(f"sqlite:///{path}")
    fill(Engine(db, clock=HandClock()))
    with db.bind.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def engine(filled: Path, tmp_path: Path, clock: HandClock) -> Iterator[Engine]:
    """The company's engine on a database of its own."""
    path = tmp_path / "web.db"
    shutil.copyfile(filled, path)
    db = Database.open(f"sqlite:///{path}")
    yield Engine(db, clock=clock)
    db.close()


@pytest.fixture
def config() -> Config:
    return Config(secret_key="k" * 32, login_rate="1000 per minute", trusted_hosts=("localhost", "127.0.0.1"))


@pytest.fixture
def app(engine: Engine, config: Config) -> Flask:
    return create_app(config, engine=engine)


class Browser:
    """A person at a page: keeps cookies, finds the token in a form, posts."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/login").text)
        assert token is not None
        return self.client.post(path, data={"csrf_token": token[1], **(data or {})}, **more)

    def login(self, username: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/login", {"username": username, "password": password})


@pytest.fixture
def browse(app: Flask) -> Callable[[str | None], Browser]:
    """`browse("michuangdian")`: somebody logged in; `browse(None)`: a stranger."""

    def opened(username: str | None) -> Browser:
        browser = Browser(app.test_client())
        if username:
            assert browser.login(username).status_code == 303
        return browser

    return opened


@pytest.fixture
def loan(engine: Engine) -> Any:
    """A loan requested by 米床垫 with 陆摇椅, waiting for review; `.tasks[0]` is the review."""
    return engine.start("sample_loan", {**REQUEST, "partner": "luyaoyi"}, by="michuangdian")
