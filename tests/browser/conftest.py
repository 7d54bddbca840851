"""A real browser before a real server with the demo company: nothing may break the policy or leave this machine."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from werkzeug.serving import make_server

import processes
from engine import Database, Engine, migrate
from web import Config, create_app, sessions

CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation',
  (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
PASSWORD = sessions.DEMO_PASSWORD


class HandClock:
    """A clock that stands still until told: 25 November 2026, 09:30 in Foshan, after the demo's last act."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo company with its cases played, to copy."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    db = Database.open(f"sqlite:///{path}")
    migrate(db)
    engine = processes.build_engine(db)
    processes.load_demo(engine)
    processes.play_demo(engine)
    sessions.welcome_demo(db, PASSWORD)
    with db.bind.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@dataclass
class Site:
    """The running server: its address and the engine behind it."""

    url: str
    engine: Engine


@pytest.fixture
def site(played: Path, tmp_path: Path) -> Iterator[Site]:
    """The application on a database of its own, on a free port."""
    path = tmp_path / "browser.db"
    shutil.copyfile(played, path)
    db = Database.open(f"sqlite:///{path}")
    engine = processes.build_engine(db, clock=HandClock())
    config = Config(secret_key="b" * 32, demo=True, login_rate="1000 per minute", database_url=f"sqlite:///{path}")
    server = make_server("127.0.0.1", 0, create_app(config, engine=engine), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(url=f"http://127.0.0.1:{server.server_port}", engine=engine)
    server.shutdown()
    thread.join()
    server.server_close()
    db.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    assert CHROMIUM, "install chromium: the pages are tested in a real browser"
    with sync_playwright() as playwright:
        driver: Playwright = playwright
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One person's window, watched."""

    page: Page
    site: Site
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    scripted: bool = True

    def go(self, path: str) -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def login(self, username: str) -> Page:
        self.go("/login")
        self.page.fill("#username", username)
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        self.page.wait_for_url("**/inbox")
        return self.page

    def check(self) -> None:
        """Nothing broke the policy, nothing was asked of another host, no script failed."""
        violations = self.page.evaluate("window.__violations ?? []")
        assert violations == [] and self.foreign == [] and self.errors == []


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """`visit("michuangdian", width=390, language="en")`: a window of somebody's, checked at the end."""
    opened: list[tuple[Visit, BrowserContext]] = []

    def open_window(username: str | None = None, *, width: int = 1280, language: str = "zh-CN", **more: Any) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": 844}, locale=language, **more)
        context.add_init_script(WATCH)
        found = Visit(page=context.new_page(), site=site, scripted=more.get("java_script_enabled", True))

        def note(request: Any) -> None:
            if not request.url.startswith((site.url, "data:")):
                found.foreign.append(request.url)

        found.page.on("request", note)
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        opened.append((found, context))
        if username:
            found.login(username)
        return found

    yield open_window
    for found, context in opened:
        if found.scripted:
            found.check()
        context.close()
