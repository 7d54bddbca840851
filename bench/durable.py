"""The same process through the engine's public face: history, inbox, rights and forms included, SQLite at FULL."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from engine import Engine


@dataclass
class Statements:
    """SQL statements and commits of one database, counted as they are sent."""

    sent: list[str] = field(default_factory=list)
    commits: int = 0

    def watch(self, bind: sa.Engine) -> None:
        """Count from now on."""
        sa.event.listen(bind, "before_cursor_execute", self._executed)
        sa.event.listen(bind, "commit", self._committed)

    def kinds(self) -> Mapping[str, int]:
        """How often which verb and table, for the report."""
        return Counter(re.sub(r"\s+", " ", statement)[:60] for statement in self.sent)

    def _executed(self, _c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        if not statement.upper().startswith(("BEGIN", "COMMIT", "PRAGMA")):
            self.sent.append(statement)

    def _committed(self, _connection: Any) -> None:
        self.commits += 1


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
        counts = Statements()
        for bind in {engine.db.bind, engine.db.reader}:
            counts.watch(bind)
        seen: dict[str, list[tuple[int, int]]] = {"start": [], "complete": []}
        for _ in range(20):
            with counted(counts, seen["start"]):
                result = engine.start("approval", REQUEST, by=ACTOR)
            for _element, answer in STEPS:
                with counted(counts, seen["complete"]):
                    result = engine.complete(result.tasks[0], answer, by=ACTOR)
    return {
        f"{verb}_{what}": max(pair[index] for pair in pairs)
        for verb, pairs in seen.items()
        for index, what in enumerate(("statements", "commits"))
    }


@contextmanager
def counted(counts: Statements, into: list[tuple[int, int]]) -> Iterator[None]:
    """Add what happens inside as (statements, commits)."""
    counts.sent.clear()
    counts.commits = 0
    yield
    into.append((len(counts.sent), counts.commits))
