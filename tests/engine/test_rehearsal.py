"""Rehearsal: what a new version would have done with a real case, and where it would part."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Engine
from engine.rehearsal import Rehearsal, rehearse
from engine.replay import recorded
from engine.spiff.parse import parse
from tests.engine.conftest import APPROVAL, FILES, HandClock
from tests.engine.steps import review_of


def again(engine: Engine, instance_id: str, diagram: str = APPROVAL) -> Rehearsal:
    """The case on another diagram of the same procedure."""
    definitions = parse({**FILES, "approval.bpmn": diagram.encode()})
    with engine.db.read() as connection:
        rows = recorded(connection, instance_id)
        due = engine.calendar(connection).due
    return rehearse(rows, definitions, functions=engine.functions, due=due)


@pytest.fixture
def paid(engine: Engine, clock: HandClock) -> str:
    """A case that was overdue, agreed, paid and told about by mail."""
    case, task = review_of(engine)
    clock.advance(hours=4)
    engine.tick()
    engine.complete(task, {"outcome": "agree"}, by="boris")
    with engine.db.read() as connection:
        pay = connection.exec_driver_sql("select task_id from tasks where element = 'pay'").scalar_one()
    engine.complete(pay, {"outcome": "done"}, by="kassa")
    engine.tick()
    return case


def test_the_same_diagram_goes_the_same_way_to_the_end(engine: Engine, paid: str) -> None:
    found = again(engine, paid)
    assert found.parting is None and found.commands >= 4


def test_what_changes_only_words_parts_nowhere(engine: Engine, paid: str) -> None:
    assert again(engine, paid, APPROVAL.replace('name="付款"', 'name="出纳付款"')).parting is None


def test_a_step_put_in_between_is_where_they_part(engine: Engine, paid: str) -> None:
    step = (
        '<bpmn:scriptTask id="count" name="计数"><bpmn:incoming>f5</bpmn:incoming><bpmn:outgoing>n1</bpmn:outgoing>'
        "<bpmn:script>n = 1</bpmn:script></bpmn:scriptTask>"
    )
    more = APPROVAL.replace('<bpmn:userTask id="pay"', step + '<bpmn:userTask id="pay"')
    more = more.replace(
        'sourceRef="enter" targetRef="pay"/>',
        'sourceRef="enter" targetRef="count"/><bpmn:sequenceFlow id="n1" sourceRef="count" targetRef="pay"/>',
    )
    more = more.replace(
        "<bpmn:incoming>f5</bpmn:incoming><bpmn:outgoing>f6", "<bpmn:incoming>n1</bpmn:incoming><bpmn:outgoing>f6"
    )
    parting = again(engine, paid, more).parting
    assert parting and parting.was == ("approval", "pay") and parting.now == ("approval", "count")
    assert "count" in parting.message["zh-CN"] and "count" in parting.message["en"]


def test_another_condition_sends_the_case_elsewhere(engine: Engine, paid: str) -> None:
    parting = again(engine, paid, APPROVAL.replace('== "agree"', '== "yes"')).parting
    assert parting and parting.was == ("approval", "enter") and parting.now == ("approval", "end_rejected")


def test_an_operation_nobody_called_then_is_not_invented(engine: Engine, paid: str) -> None:
    changed = APPROVAL.replace('sourceRef="agreed" targetRef="enter">', 'sourceRef="agreed" targetRef="mail">')
    changed = changed.replace('sourceRef="pay" targetRef="mail"/>', 'sourceRef="pay" targetRef="enter"/>')
    parting = again(engine, paid, changed).parting
    assert parting is not None and parting.now is not None and parting.now[1] in ("mail", "enter")


def test_a_case_of_a_procedure_that_is_gone_parts_at_once(engine: Engine, paid: str) -> None:
    parting = again(engine, paid, APPROVAL.replace('id="approval"', 'id="approval2"')).parting
    assert parting and parting.now == ("approval", "")


def test_a_running_case_is_followed_as_far_as_it_went(engine: Engine, clock: Any) -> None:
    case, _task = review_of(engine)
    found = again(engine, case)
    assert found.parting is None and found.commands == 1


def test_nothing_is_written_and_no_operation_runs(engine: Engine, paid: str, mail: Any) -> None:
    sent = list(mail.sent)
    with engine.db.read() as connection:
        before = len(recorded(connection, paid))
    again(engine, paid)
    with engine.db.read() as connection:
        assert len(recorded(connection, paid)) == before and mail.sent == sent
