"""What tests of content review share: a company of its own for each test, and people who do things in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine import Engine, queries
from engine.errors import Conflict, Denied

SCENARIOS = Path(__file__).resolve().parents[2] / "processes" / "content_review" / "scenarios"
NOW = "2026-11-09T09:00:00+08:00"
ALL_PASS = dict.fromkeys(("合法", "真实", "准确", "合规", "品牌"), "pass")


def submission(case: str = "C25", **changed: Any) -> dict[str, Any]:
    """What the author of a case of the demo material submits."""
    found: dict[str, Any] = json.loads((SCENARIOS / f"{case}.json").read_text(encoding="utf-8"))["start"]["variables"]
    return {**found, **changed}


def submit(engine: Engine, case: str = "C25", *, by: str | None = None, **changed: Any) -> str:
    """Start a review as its author, or as somebody else for them; return the case's id."""
    variables = submission(case, **changed)
    return engine.start("content_review", variables, by=by or variables["author"]).instance_id


def do(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> None:
    tasks = [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]
    for task in tasks:
        try:
            engine.complete(task, variables, by=by)
        except (Denied, Conflict):
            continue
        return
    raise AssertionError(f"{by} has no {element}")


def prefilled(engine: Engine, instance: str, element: str, by: str) -> dict[str, Any]:
    (task,) = [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]
    return queries.task(engine, task, actor=by).prefill


def settle(engine: Engine) -> None:
    while (due := engine.next_due()) is not None and due <= engine.now() and engine.tick():
        pass


def open_cases(engine: Engine, process: str, actor: str) -> list[str]:
    rows = [row for tab in ("mine", "claimable") for row in queries.inbox(engine, actor=actor, tab=tab).items]
    return list(dict.fromkeys(row.instance_id for row in rows if row.process == process))


def open_steps(engine: Engine, instance: str) -> list[str]:
    """The elements that are open."""
    return [task.element for task in queries.inspect(engine, instance).open]


def refused(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> bool:
    """Whether `by` can neither find an open task of that element in a list, nor open, claim or complete it by id."""
    tasks = [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]
    assert tasks, f"no {element} is open"
    if instance in open_cases(engine, "content_review", by) and not may_otherwise(engine, instance, element, by):
        return False
    for task in tasks:
        for attempt in (
            lambda task=task: queries.task(engine, task, actor=by),
            lambda task=task: engine.claim(task, by=by),
            lambda task=task: engine.complete(task, variables, by=by),
        ):
            try:
                attempt()  # type: ignore[no-untyped-call]
            except (Denied, Conflict):
                continue
            return False
    return True


def may_otherwise(engine: Engine, instance: str, element: str, by: str) -> bool:
    """Whether the case is in somebody's list on account of another step."""
    found = [row for tab in ("mine", "claimable") for row in queries.inbox(engine, actor=by, tab=tab).items]
    return all(row.element != element for row in found if row.instance_id == instance)
