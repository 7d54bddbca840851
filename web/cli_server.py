"""`guiju serve` and `demo`: the server, and a company to look at."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.cli_text import Tongue, database_option, examples, fail, opened, progress

if TYPE_CHECKING:
    from engine import Engine
    from web.config import Config

THREADS = 16
LETTING_GO = 2.0  # seconds
HOLIDAYS_AHEAD = timedelta(days=60)  # how early the administrator is told that the holiday calendar ends
_PR_SET_PDEATHSIG = 1


def add(group: click.Group, t: Tongue) -> None:
    """Add the two commands."""

    @group.command(
        name="serve",
        help=t("启动服务器；数据库会先升级到当前版本。", "Start the server; the database is brought up to date first.")
        + examples("guiju serve", "guiju serve --demo --port 8080", "GUIJU_DATABASE_URL=postgresql://… guiju serve"),
    )
    @click.option("--host", envvar="GUIJU_HOST", default="127.0.0.1", show_default=True, help=t("监听地址", "address"))
    @click.option(
        "--port", envvar=["GUIJU_PORT", "PORT"], default=8000, show_default=True, type=int, help=t("端口", "port")
    )
    @click.option(
        "--threads",
        envvar="GUIJU_THREADS",
        default=THREADS,
        show_default=True,
        type=click.IntRange(1, 128),
        help=t("同时处理的请求数", "requests handled at once"),
    )
    @click.option(
        "--demo",
        is_flag=True,
        envvar="GUIJU_DEMO",
        help=t("演示公司：数据库为空时先装入", "the demo company, loaded first when the database is empty"),
    )
    @database_option(t)
    def serve(host: str, port: int, threads: int, demo: bool, database: str) -> None:
        from web.config import Config
        from web.signing import demo_keys

        if demo:
            demo_seals(database)
        if demo:
            demo_keys(database)
        environment = {**os.environ, "PORT": str(port), "GUIJU_DATABASE_URL": database}
        if demo and not environment.get("GUIJU_SECRET_KEY"):
            environment["GUIJU_SECRET_KEY"] = demo_secret(database)
        config = Config.from_environment(environment, demo=demo)
        refuse_taken_port(host, port, t)
        with opened(database) as engine:
            if demo:
                load(engine, t)
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        announce(f"http://{shown}:{port}", demo, t)
        run(config, host, port, threads)

    @group.command(
        name="demo",
        help=t(
            "装入演示公司（人员、部门、台账、流程），并演示各流程一个月的案件。已装入则不变，中断过则接着装入。",
            "Load the demo company (people, departments, registers, procedures) and play a month of cases in every "
            "procedure. Once loaded, nothing changes; a load that was cut off goes on.",
        )
        + examples("guiju demo", "guiju demo --database sqlite:////tmp/try.db"),
    )
    @database_option(t)
    def demo(database: str) -> None:
        from web.config import Config
        from web.signing import demo_keys, signer_of

        demo_seals(database)
        demo_keys(database)
        with opened(database) as engine:
            if not load(engine, t):
                click.echo(t("演示公司已经装入，未作改动", "The demo company is loaded already; nothing was changed"))
            if (signer := signer_of(engine, Config.from_environment(os.environ, demo=True))) is not None:
                signer.run()


def load(engine: Engine, t: Tongue) -> bool:
    """Load and play the demo company, or what is missing of it; whether there was anything to do."""
    import processes

    loaded = processes.is_demo_loaded(engine)
    if loaded and processes.is_demo_played(engine):
        return False
    with progress(t("装入演示公司", "Loading the demo company")) as advance:
        if not loaded:
            processes.load_demo(engine, moved=True, progress=advance)
        astray = processes.play_demo(engine, progress=advance)
    click.echo(t("演示公司已装入", "The demo company is loaded"))
    for step in astray:
        where = f"{step.story} · {step.element} · {step.who}: {step.why}"
        click.echo(t(f"这一步未能演示：{where}", f"This step could not be played: {where}"), err=True)
    return True


def announce(address: str, demo: bool, t: Tongue) -> None:
    """Print where the server is, in the demo who can log in, and whether the calendar runs out soon."""
    from engine import Calendar

    click.echo(t(f"规矩已启动：{address}", f"Guiju is running: {address}"))
    if demo:
        import processes

        click.echo(t("可以登录的人（演示密码相同）：", "Who can log in (the demo password is the same):"))
        for username, names, role in processes.DEMO_LOGINS:
            click.echo(f"  {username:<16} {t.of(names)} · {t.of(role)}")
        click.echo(t(f"演示密码：{processes.DEMO_PASSWORD}", f"Demo password: {processes.DEMO_PASSWORD}"))
    if (datetime.now(UTC) + HOLIDAYS_AHEAD).year > Calendar.horizon:
        year = Calendar.horizon
        click.echo(
            t(
                f"注意：节假日数据只到 {year} 年，此后的时限只按周末计算；可在 calendar_days 表补充",
                f"Note: public holidays are known up to {year}; later deadlines count weekends only. "
                "Add days in the table calendar_days",
            )
        )
    click.echo(t("按 Ctrl+C 停止", "Press Ctrl+C to stop"))


def refuse_taken_port(host: str, port: int, t: Tongue) -> None:
    """The server shares its port by SO_REUSEPORT, so a second one would silently take half the requests: look first.

    A predecessor that was killed a moment ago may still be letting go of it.
    """
    deadline = time.monotonic() + LETTING_GO
    while (error := bind_error(host, port)) is not None:
        if time.monotonic() > deadline:
            fail(
                t(
                    f"无法监听 {host}:{port}：{error.strerror}。可用 --port 换一个端口",
                    f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port",
                )
            )
        time.sleep(0.05)


def bind_error(host: str, port: int) -> OSError | None:
    """Why one cannot listen there alone, if so."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def run(config: Config, host: str, port: int, threads: int) -> None:
    """Serve until told to stop: one worker process (SQLite has one writer), many threads."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        target="web:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        backpressure=threads * 8,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=partial(application, config), wrap_loader=False)


def application(config: Config) -> Callable[..., Any]:
    """Made inside the worker: the web application with the clock ticking beside it."""
    die_with_parent()
    from web import create_app

    app = create_app(config)
    app.extensions["guiju_ticker"].start()
    spare_collector()
    return app


def spare_collector() -> None:
    """What was imported stays: the garbage collector need not walk it again and again under load."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def demo_seals(database: str) -> None:
    """The demo's keys of sealed identities and of personal data, where none are set."""
    for kind in ("seal", "personal"):
        if not os.environ.get(f"GUIJU_{kind.upper()}_KEY"):
            os.environ[f"GUIJU_{kind.upper()}_KEY"] = demo_secret(database, kind)


def demo_secret(database: str, kind: str = "secret") -> str:
    """The demo's signing key (or its `seal` or `personal` key), kept beside its database so that a restart logs nobody
    out and opens what was sealed. Never used elsewhere."""
    path = Path(database.removeprefix("sqlite:///") if database.startswith("sqlite:///") else "var/guiju")
    path = path.with_name(f"{path.name}.demo-{kind}")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        made = base64.b64encode(secrets.token_bytes(32)).decode() if kind != "secret" else secrets.token_hex(32)
        path.write_text(made, encoding="ascii")
    return path.read_text(encoding="ascii")


def die_with_parent() -> None:
    """Whoever kills the server means its worker too; an orphan would keep the port and the database."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
