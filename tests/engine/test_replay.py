"""Re-execution finds what a forger who knows the chain would get past it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from engine import Engine, replay
from engine.errors import NotFound
from engine.replay import Rerun, recorded
from tests.engine.steps import events, review_of

Forge = Callable[[list[dict[str, Any]]], None]


def finished(engine: Engine) -> str:
    """A case that was claimed, agreed to, paid and mailed."""
    instance, review = review_of(engine)
    engine.claim(review, by="boris")
    paying = engine.complete(review, {"outcome": "agree", "comment": "好"}, by="boris")
    engine.complete(paying.tasks[0], {"outcome": "done"}, by="kassa")
    engine.tick()
    return instance


def bodies(engine: Engine, instance: str) -> list[dict[str, Any]]:
    with engine.db.read() as connection:
        return [orjson.loads(raw) for _, raw in recorded(connection, instance)]


def rerun(engine: Engine, told: list[dict[str, Any]]) -> Rerun:
    """Re-execute bodies as somebody may have rewritten them."""
    with engine.db.read() as connection:
        again = Rerun(lambda number: engine.shelf.get(number, connection), engine.functions)
        list(again.run([(body["seq"], orjson.dumps(body)) for body in told]))
    return again


def one(told: list[dict[str, Any]], kind: str, element: str | None = None) -> dict[str, Any]:
    return next(body for body in told if body["type"] == kind and (element is None or body["element"] == element))


def drop(told: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """Take an event out and close the gap, as a forger would."""
    told.remove(body)
    for seq, each in enumerate(told, 1):
        each["seq"] = seq


FORGERIES: dict[str, tuple[Forge, str]] = {
    "another outcome": (
        lambda told: one(told, "task.completed", "review")["data"]["result"].update(comment="不好"),
        "task.completed",
    ),
    "another command": (
        lambda told: [b for b in told if b["type"] == "command"][2]["data"]["input"]["variables"].update(comment="?"),
        "task.completed",
    ),
    "another way": (lambda told: one(told, "element.entered", "enter").update(element="pay"), "element.entered"),
    "another result": (
        lambda told: one(told, "operation.called", "enter")["data"]["result"].update(amount=6),
        "operation.called",
    ),
    "another due time": (
        lambda told: one(told, "timer.scheduled")["data"].update(due="2030-01-01T00:00:00+00:00"),
        "timer.scheduled",
    ),
    "another change": (lambda told: one(told, "state.saved")["data"]["changes"].pop(), "state.saved"),
    "another state": (lambda told: one(told, "state.saved")["data"].update(state="0" * 64), "state.saved"),
    "another task": (lambda told: one(told, "task.created").update(element="pay"), "task.created"),
    "a step left out": (lambda told: drop(told, one(told, "element.left", "begin")), "element.entered"),
    "a task left out": (lambda told: drop(told, one(told, "task.created")), "state.saved"),
    "a seed": (lambda told: told[0]["data"].update(seed="00" * 16), "element.entered"),
    "a damaged command": (lambda told: told[0]["data"].pop("seed"), "command"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_history_names_its_first_event_that_is_not_so(engine: Engine, forgery: str) -> None:
    told = bodies(engine, finished(engine))
    assert rerun(engine, told).difference is None
    change, kind = FORGERIES[forgery]
    change(told)
    difference = rerun(engine, told).difference
    assert difference is not None and told[difference.seq - 1]["type"] == kind, difference


def test_events_that_said_less_when_they_were_recorded_are_still_confirmed(engine: Engine) -> None:
    told = bodies(engine, finished(engine))
    for body in told:
        body["data"].pop("host", None)
        body["data"].pop("changes", None)
    assert rerun(engine, told).difference is None


def test_the_state_after_an_event_is_that_after_its_command(engine: Engine) -> None:
    instance = finished(engine)
    kinds = [kind for kind, _, _ in events(engine, instance)]
    completed = kinds.index("task.completed") + 1
    for at in (completed, completed + 1):
        then = replay(engine, instance, at=at)
        assert then.same and then.open == ("pay",) and then.variables["review"]["comment"] == "好"
        assert kinds[then.seq - 1] == "state.saved"
    assert replay(engine, instance, at=1).open == ("review",)


@pytest.mark.parametrize("at", [0, -1, 10_000])
def test_a_moment_that_does_not_exist_is_refused_with_those_that_do(engine: Engine, at: int) -> None:
    instance, _ = review_of(engine)
    with pytest.raises(NotFound) as refused:
        replay(engine, instance, at=at)
    last = len(events(engine, instance))
    assert refused.value.message["zh-CN"] == f"该案件没有第 {at} 号事件，现有 1 至 {last} 号"


def test_a_missing_or_unreadable_event_is_named(engine: Engine) -> None:
    told = bodies(engine, finished(engine))
    rows = [(body["seq"], orjson.dumps(body)) for body in told]
    with engine.db.read() as connection:
        for bad, damaged in ((4, rows[:3] + rows[4:]), (5, [*rows[:4], (5, b"\xff{"), *rows[5:]])):
            again = Rerun(lambda number: engine.shelf.get(number, connection), engine.functions)
            list(again.run(damaged))
            assert again.difference is not None and again.difference.seq == bad
