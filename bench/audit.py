"""What an auditor asks of 100,000 cases: the heat map and the search, through the queries that the pages call.

The cases are rows made in the database, not played: one real case copied with other ids, moments and people, ten
visits of a step and a dozen searchable values each. Times of a step follow a long-tailed spread without chance, so that
each run measures the same rows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from engine import Database, Engine, indexing
from engine.models import memberships
from engine.queries import asked, measures, searching
from engine.queries.measures import Period

CASES = 100_000
TURNS = 3  # the request is returned twice and filed again: ten visits and more a case
NUMBERED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) "
ID = "printf('%08d-0000-4000-8000-000000000000', i)"
AT = "strftime('%Y-%m-%dT%H:%M:%S', '2024-01-01', (i * 10) || ' minutes') || '.000000Z'"
SPREAD = "(60 + ((i * 7919 + {salt}) % 1000) * ((i * 104729 + {salt}) % 1000) / 3)"  # 1 minute to about 93 hours


def audit(folder: Path) -> dict[str, float]:
    """Milliseconds for the heat map and for searches, common and rare, over CASES cases."""
    with company(folder / "audit.db", people=50) as engine:
        case = engine.start("approval", REQUEST, by=ACTOR)
        for _element, variables in STEPS:
            case = engine.complete(case.tasks[0], variables, by=ACTOR)
        while indexing.catch_up(engine):
            pass
        db = engine.db
        db.write(lambda c: c.execute(sa.insert(memberships).values(username=ACTOR, group_id="auditor")))
        db.write(lambda c: _fill(c, case.instance_id))
        found = {"audit_cases": float(CASES), "audit_visits": float(_count(db, "step_times"))}
        found["heat_map_ms"] = _median(lambda: measures.heat(engine, "approval", actor=ACTOR, period=Period()))
        found["sla_report_ms"] = _median(lambda: measures.levels(engine, actor=ACTOR, period=Period()))
        for name, (parts, values) in QUESTIONS.items():
            found[f"search_{name}_ms"] = _median(lambda p=parts, v=values: _ask(engine, p, v))  # type: ignore[misc]
        return found


QUESTIONS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "newest": ({}, ()),
    "common": ({"element": "approve", "outcome": "agree"}, ()),
    "rare": ({"person": "p7", "role": "did"}, ("serial = 77777",)),
    "two_common": ({"element": "approve", "person": "p7"}, ("serial > 50000",)),
    "title": ({"text": "99999"}, ()),
    "slow_step": ({"element": "approve", "longer": "90"}, ()),
    "no_answer": ({"person": "p7", "outcome": "nothing"}, ()),
}


def _ask(engine: Engine, parts: dict[str, str], values: tuple[str, ...]) -> Any:
    return searching.search(engine, asked.read(parts, values), actor=ACTOR)


def _median(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


def _count(db: Database, table: str) -> int:
    with db.read() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def _fill(connection: sa.Connection, instance_id: str) -> None:
    given = {"many": CASES - 1, "instance": instance_id}

    def copy(table: str, changed: dict[str, str]) -> None:
        names = [column["name"] for column in sa.inspect(connection).get_columns(table)]
        values = ", ".join(changed.get(name, f'"{name}"') for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        text = (
            f"INSERT INTO {table} ({listed}) {NUMBERED} SELECT {values} FROM {table}, n WHERE instance_id = :instance"
        )
        connection.execute(sa.text(text), given)

    copy(
        "instances", {"instance_id": ID, "started_at": AT, "title": "'案件 ' || i", "initiator": "'p' || (i % 49 + 1)"}
    )
    person = (
        "CASE WHEN kind = 'person' THEN 's:p' || (i % 49 + 1) WHEN kind = 'title' THEN 's:案件 ' || i ELSE value END"
    )
    copy("case_facts", {"instance_id": ID, "value": person})
    serials = f"SELECT {ID}, 'variable', 'serial', 'n:' || i, i, 1 FROM n"
    connection.execute(
        sa.text(f"INSERT INTO case_facts (instance_id, kind, name, value, number, seq) {NUMBERED} {serials}"), given
    )
    for turn in range(TURNS):
        salt = f"{turn} * 31 + length(element) * 17"
        times = {
            "instance_id": ID,
            "token": f"printf('%08d-%04d-4000-8000-%012d', i, {turn}, step_times.rowid)",
            "case_at": AT,
            "entered_at": AT,
            "left_at": AT,
            "worked": f"CASE WHEN is_task THEN {SPREAD.format(salt=salt)} ELSE 0 END",
            "late": f"CASE WHEN is_task THEN ({SPREAD.format(salt=salt)}) > 72000 END",
            "due_at": f"CASE WHEN is_task THEN {AT} END",
            "starter": "'p' || (i % 49 + 1)",
        }
        copy("step_times", times)
    connection.execute(sa.text("ANALYZE"))
