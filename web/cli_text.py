"""What the commands say: one language at a time, errors as sentences, progress on anything that takes a while."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from engine import Engine

Progress = Callable[[int, int | None], None]  # done, in all (None: unknown)

DEFAULT_DATABASE = "sqlite:///var/guiju.db"


class Tongue:
    """The language of this terminal: `t(zh, en)` picks a sentence, `t.of(text)` reads a {"zh-CN", "en"}."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, zh: str, en: str) -> str:
        return zh if self.language == "zh-CN" else en

    def of(self, text: Mapping[str, str]) -> str:
        """That text in this language, else in Chinese."""
        return text.get(self.language) or text.get("zh-CN") or next(iter(text.values()), "")


def tongue(environ: Mapping[str, str] = os.environ) -> Tongue:
    """GUIJU_LANG, else the locale: English for any locale that names another language, Chinese when none is named."""
    for name in ("GUIJU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "").lower()
        if value and value.split(".")[0] not in ("c", "posix"):
            return Tongue("zh-CN" if value.startswith("zh") else "en")
    return Tongue("zh-CN")


def examples(*lines: str) -> str:
    """A block of command lines that click leaves as it is."""
    return "\n\n\b\n" + "\n".join(f"  $ {line}" for line in lines)


def database_option(t: Tongue) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`--database URL`, GUIJU_DATABASE_URL, or the embedded database under var/."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="GUIJU_DATABASE_URL",
        default=DEFAULT_DATABASE,
        show_default=True,
        help=t("数据库地址", "address of the database"),
    )


def json_option(t: Tongue) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help=t("输出 JSON", "print JSON"))


def fail(sentence: str, status: int = 1) -> NoReturn:
    """Say why on stderr and leave with that status."""
    click.echo(sentence, err=True)
    sys.exit(status)


@contextmanager
def opened(database: str) -> Iterator[Engine]:
    """An engine on that database, made or brought up to date first, closed afterwards."""
    import processes
    from engine import Database, migrate

    _take_demo_keys(database)
    db = Database.open(database)
    try:
        migrate(db)
        yield processes.build_engine(db)
    finally:
        db.close()


def _take_demo_keys(database: str) -> None:
    """A demo keeps its keys beside its database; commands on it find them there. No other database has such files."""
    path = Path(database.removeprefix("sqlite:///") if database.startswith("sqlite:///") else "var/guiju")
    for kind in ("seal", "personal"):
        kept, name = path.with_name(f"{path.name}.demo-{kind}"), f"GUIJU_{kind.upper()}_KEY"
        if not os.environ.get(name) and kept.is_file():
            os.environ[name] = kept.read_text(encoding="ascii")


@contextmanager
def existing(database: str, t: Tongue) -> Iterator[Engine]:
    """Like `opened`, for commands that only look: a missing database is a mistake, not a wish for one."""
    path = database.removeprefix("sqlite:///")
    if path != database and not Path(path).is_file():
        fail(t(f"没有数据库文件「{path}」", f"There is no database file “{path}”"))
    with opened(database) as engine:
        yield engine


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """A bar on stderr where somebody watches; call what it yields with (done, in all)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
