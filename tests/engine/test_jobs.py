"""Timers, reminders, external calls, and what gives up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine import Database, Engine, queries, replay, verify
from engine.errors import ExecutionFailed, Unavailable
from tests.engine.steps import events, refused, review_of


def test_a_reminder_and_an_escalation_come_in_working_time_and_once(engine: Engine, clock: Any) -> None:
    instance, task = review_of(engine)
    assert engine.next_due() == clock.now() + timedelta(hours=2)
    clock.advance(hours=2)
    assert (engine.tick(), engine.tick()) == (1, 0)
    assert [len(queries.told(engine, actor=name)) for name in ("boris", "bella", "kassa")] == [1, 1, 0]
    refused(lambda: engine.claim(task, by="chief"))
    clock.advance(hours=3)  # lunch does not count: four working hours after nine are two o'clock
    assert (engine.tick(), engine.tick()) == (1, 0)
    engine.complete(task, {"outcome": "agree"}, by="chief")
    assert queries.inspect(engine, instance).variables["review"]["by"] == "chief"
    assert replay(engine, instance).same


def test_an_external_operation_is_retried_with_the_same_key_and_then_given_up(
    engine: Engine, clock: Any, mail: Any
) -> None:
    instance, task = review_of(engine)
    pay = engine.complete(task, {"outcome": "agree"}, by="boris").tasks[0]
    engine.complete(pay, {"outcome": "done"}, by="kassa")
    mail.fail = 6
    for _ in range(6):
        assert engine.tick() == 1
        assert engine.tick() == 0
        clock.advance(minutes=20)
    assert queries.inspect(engine, instance).status == "incident" and mail.sent == []
    [incident] = queries.open_incidents(engine, actor="root")
    refused(lambda: engine.retry(incident.incident_id, by="anna"))
    engine.retry(incident.incident_id, by="root")
    assert engine.tick() == 1
    assert queries.inspect(engine, instance).end == "end_paid" and len(mail.sent) == 1
    assert queries.open_incidents(engine, actor="root") == []
    assert replay(engine, instance).same and verify(engine.db).broken == ()


def test_a_second_node_takes_over_what_the_first_left_leased(engine: Engine, clock: Any, mail: Any) -> None:
    _, task = review_of(engine)
    pay = engine.complete(task, {"outcome": "agree"}, by="boris").tasks[0]
    engine.complete(pay, {"outcome": "done"}, by="kassa")
    from engine.jobs import _claim

    assert len(_claim(engine, 10)) == 1  # a node that dies here
    other = Engine(engine.db, operations=engine.operations, clock=clock)
    assert other.tick() == 0
    clock.advance(seconds=61)
    assert other.tick() == 1 and len(mail.sent) == 1


def broken_at_runtime(files: dict[str, bytes]) -> dict[str, bytes]:
    """The approval procedure with a condition that cannot be worked out for an amount of zero."""
    condition = b'review.outcome == "agree" and 10 // amount > 0'
    return {**files, "approval.bpmn": files["approval.bpmn"].replace(b'review.outcome == "agree"', condition)}


def test_a_case_that_cannot_go_on_is_undone_and_becomes_an_incident(engine: Engine, files: dict[str, bytes]) -> None:
    engine.deploy(broken_at_runtime(files), by="root")
    case = engine.start("approval", {"amount": 0}, by="anna")
    with pytest.raises(ExecutionFailed) as caught:
        engine.complete(case.tasks[0], {"outcome": "agree"}, by="boris")
    assert caught.value.element in ("agreed", "f3")
    assert queries.task(engine, case.tasks[0], actor="boris").status == "open"
    assert queries.inspect(engine, case.instance_id).status == "incident"
    [incident] = queries.open_incidents(engine, actor="root")
    assert incident.error["message"]["zh-CN"]
    with pytest.raises(ExecutionFailed):
        engine.retry(incident.incident_id, by="root")
    assert len(queries.open_incidents(engine, actor="root")) == 1
    engine.complete(case.tasks[0], {"outcome": "return"}, by="boris")
    assert queries.inspect(engine, case.instance_id).end == "end_withdrawn"
    assert queries.open_incidents(engine, actor="root") == []
    assert replay(engine, case.instance_id).same and verify(engine.db).broken == ()


def test_an_operation_that_fails_undoes_the_command_and_names_its_element(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, task = review_of(engine)

    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    operation = engine.operations.get("test.enter")
    monkeypatch.setitem(engine.operations._known, "test.enter", replace(operation, handler=fail))
    with pytest.raises(ExecutionFailed) as caught:
        engine.complete(task, {"outcome": "agree"}, by="boris")
    assert caught.value.element == "enter"
    monkeypatch.undo()
    [incident] = queries.open_incidents(engine, actor="root")
    assert engine.retry(incident.incident_id, by="root").status == "active"
    assert queries.inspect(engine, instance).variables["review"]["by"] == "boris"


def test_the_administrator_is_told_once_when_holidays_are_not_announced_yet(engine: Engine, clock: Any) -> None:
    clock.advance(days=400)
    assert (engine.check_calendar(), engine.check_calendar()) == (True, False)
    [told] = queries.told(engine, actor="root")
    assert "2027" in told["text"]["zh-CN"] or "2028" in told["text"]["zh-CN"]
    assert queries.told(engine, actor="anna") == []


def test_a_timer_that_fell_due_while_nothing_ran_fires_once_after_the_restart(
    engine: Engine, db_url: str, clock: Any
) -> None:
    instance, _ = review_of(engine)
    engine.db.close()
    clock.advance(days=2)
    restarted = Engine(Database.open(db_url), operations=engine.operations, clock=clock)
    assert [restarted.tick(), restarted.tick()] == [2, 0]
    fired = [kind for kind, _, _ in events(restarted, instance)]
    assert (fired.count("timer.fired"), fired.count("task.reminded"), fired.count("task.escalated")) == (1, 1, 1)
    assert restarted.next_due() is None and replay(restarted, instance).same
    restarted.db.close()


def test_a_lost_database_refuses_the_command_and_says_so(engine: Engine, tmp_path: Any) -> None:
    _, task = review_of(engine)
    gone = Engine(Database.open("postgresql://nobody@127.0.0.1:1/none"), operations=engine.operations)
    with pytest.raises(Unavailable) as caught:
        gone.complete(task, {"outcome": "agree"}, by="boris")
    assert caught.value.status == 503 and "未执行" in caught.value.message["zh-CN"]
    with pytest.raises(Unavailable):
        gone.db.ping()
    gone.db.close()
