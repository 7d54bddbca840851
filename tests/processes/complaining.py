"""What tests of complaints share: a report, doing a step, moving the clock, closing a case, all that is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine import Engine, queries
from engine.errors import Denied
from processes.scenario_runner import ScenarioClock

NOW = "2026-11-09T09:00:00+08:00"
ADMIN = ("fangchaji", "baishuzhuo", "yepingfeng", "taochouti")


def report(**changed: Any) -> dict[str, Any]:
    base = {"channel": "网页", "reporter_mode": "匿名", "category": "不当言论", "respondent_scope": "其他员工"}
    rest = {"target": "xiaodaogou", "description": "辱骂顾客", "pi_exposed": False, "safe_followup": True}
    return {**base, **rest, **changed}


def about_admin(**changed: Any) -> dict[str, Any]:
    return report(respondent_scope="行政部", target="fangchaji", **changed)


def do(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> None:
    for task in queries.inspect(engine, instance).open:
        if task.element == element:
            try:
                engine.complete(task.task_id, variables, by=by)
            except Denied:
                continue
            return
    raise AssertionError(f"{by} has no {element}")


def stored(engine: Engine) -> bytes:
    """Everything the database holds, as one text."""
    found = []
    with engine.db.read() as connection:
        for table in sa.inspect(connection).get_table_names():
            found += [repr(tuple(row)) for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))]
        bodies = connection.execute(sa.text("SELECT body FROM history")).scalars()
        found += [bytes(body).decode() for body in bodies]
    return "\n".join(found).encode()


def move(engine: Engine, clock: ScenarioClock, until: str) -> None:
    end = datetime.fromisoformat(until)
    while (due := engine.next_due()) is not None and due <= end:
        clock.set(max(due, clock.now()))
        if not engine.tick():
            break
    clock.set(end)


def close_with(engine: Engine, case: str, outcome: str) -> None:
    do(engine, case, "triage", "yepingfeng", outcome="investigate")
    do(engine, case, "assign", "fangchaji", outcome="done")
    do(engine, case, "contain", "baishuzhuo", outcome="done")
    do(engine, case, "plan", "baishuzhuo", outcome="done")
    for who in ("baishuzhuo", "tangxiaogui"):
        do(engine, case, "investigate", who, outcome="done")
    do(engine, case, "statement", "xiaodaogou", outcome="waived")
    do(engine, case, "report", "baishuzhuo", outcome="done")
    do(engine, case, "legal_check", "zhongxuanguan", outcome="ok")
    do(engine, case, "decide", "fangchaji", outcome=outcome)
    do(engine, case, "feedback", "yepingfeng", outcome="done")
