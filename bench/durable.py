"""The same process through the engine's public face: history, inbox, rights and forms included, SQLite at FULL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pysqlite3
import sqlalchemy as sa

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from engine import Engine


@dataclass
class Sent:
    """What went through the driver: statements (a batch of rows is one) and commits."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0

    def watch(self, bind: sa.Engine) -> None:
        """Count what is sent over new connections of `bind`."""
        sent = self

        class Cursor(pysqlite3.dbapi2.Cursor):  # type: ignore[misc]
            def execute(self, text: str, *given: Any) -> Any:
                sent.note(text)
                return super().execute(text, *given)

            def executemany(self, text: str, *given: Any) -> Any:
                sent.note(text)
                return super().executemany(text, *given)

        class Connection(pysqlite3.dbapi2.Connection):  # type: ignore[misc]
            def cursor(self, *_: Any) -> Any:
                return super().cursor(Cursor)

            def commit(self) -> None:
                sent.commits += 1
                super().commit()

        def connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:
            named["factory"] = Connection

        sa.event.listen(bind, "do_connect", connect)

    def note(self, text: str) -> None:
        """Count a statement; what opens and closes a transaction is not one."""
        if not text.upper().startswith(("BEGIN", "COMMIT", "PRAGMA")):
            self.statements.append(text)


def timed(engine: Engine, instances: int) -> float:
    """Instances a second for the approval process: start, submit, approve."""
    began = time.perf_counter()
    play(engine, instances)
    return instances / (time.perf_counter() - began)


def play(engine: Engine, instances: int) -> None:
    """Take that many cases from start to end."""
    for _ in range(instances):
        result = engine.start("approval", REQUEST, by=ACTOR)
        for _element, answer in STEPS:
            result = engine.complete(result.tasks[0], answer, by=ACTOR)
        assert result.status == "completed" and result.end == "end_agreed"


def statements(folder: Path) -> dict[str, Any]:
    """SQL statements and commits per command, averaged over twenty cases."""
    with company(folder / "statements.db") as engine:
        play(engine, 2)  # what is parsed and cached once per deployment is not part of a step
        engine.db.close()  # so that every connection from here on is watched
        sent = Sent()
        for bind in {engine.db.bind, engine.db.reader}:
            sent.watch(bind)
        seen: dict[str, list[tuple[int, int]]] = {"start": [], "complete": []}
        for _ in range(20):
            with counted(sent, seen["start"]):
                result = engine.start("approval", REQUEST, by=ACTOR)
            for _element, answer in STEPS:
                with counted(sent, seen["complete"]):
                    result = engine.complete(result.tasks[0], answer, by=ACTOR)
    return {
        f"{verb}_{what}": max(pair[index] for pair in pairs)
        for verb, pairs in seen.items()
        for index, what in enumerate(("statements", "commits"))
    }


@contextmanager
def counted(sent: Sent, into: list[tuple[int, int]]) -> Iterator[None]:
    """Add what happens inside as (statements, commits)."""
    sent.statements.clear()
    sent.commits = 0
    yield
    into.append((len(sent.statements), sent.commits))
