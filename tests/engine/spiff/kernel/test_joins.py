"""Parallel and inclusive gateways: nothing is lost, nothing waits for what cannot come."""

from __future__ import annotations

from itertools import permutations

import pytest

from engine.spiff.case import Case
from engine.spiff.failures import Stalled
from tests.engine.spiff.kernel.driving import Play, diagram


@pytest.mark.parametrize("order", list(permutations(["legal", "brand", "scan"])))
def test_a_join_keeps_what_every_branch_wrote(order: tuple[str, ...]) -> None:
    play = Play("parallel", reload="command")
    for name in order:
        assert play.open() != ["decide"]
        play = play.answer(name, hits=3) if name == "scan" else play.do(name, comment=f"{name} 说")
    variables = play.case.variables()
    assert play.open() == ["decide"]
    assert variables["legal"]["comment"] == "legal 说"
    assert variables["brand"]["comment"] == "brand 说"
    assert variables["scanned"] == {"hits": 3}
    assert variables["noted"] is True


def test_a_join_in_a_loop_waits_for_both_branches_in_every_round() -> None:
    play = Play("parallel_rounds")
    for number in range(30):
        assert sorted(play.open()) == ["left", "right"]
        first, second = ("left", "right") if number % 2 else ("right", "left")
        play.do(first, "no")
        assert play.open() == [second]
        play.do(second, "no")
    play.do("left").do("right")
    assert play.case.status == "completed"


def test_a_join_says_which_tokens_it_merged() -> None:
    play = Play("parallel_rounds").do("left").do("right")
    left = [trace for trace in play.told("left") if trace.element == "join"]
    assert [trace.data.get("merged", False) for trace in left] == [True, False]


@pytest.mark.parametrize("want", [["a"], ["b"], ["a", "b"], []])
def test_an_inclusive_join_waits_for_the_branches_that_were_taken(want: list[str]) -> None:
    play = Play("inclusive", reload="command").do("ask", want=want)
    first = {"a": "a1", "b": "b"}
    assert sorted(play.open()) == ([first[name] for name in want] or ["c"])
    while play.open() != ["sum_up"]:
        assert "sum_up" not in play.open()
        play.do(play.open()[0])
    assert play.visited().count("sum_up") == 1


def test_an_inclusive_join_waits_for_a_token_that_a_timer_sent_on_its_way() -> None:
    play = Play("inclusive").do("ask", want=["a", "b"]).fire("a_late").do("b").do("a1").do("a2")
    assert play.open() == ["remind_a"]
    play.do("remind_a")
    assert play.open() == ["sum_up"]


def test_branches_see_what_the_others_wrote_at_once() -> None:
    play = Play("parallel").do("legal", comment="先写")
    (brand,) = [task for task in play.case.waiting().tasks if task.element == "brand"]
    assert brand.data["legal"]["comment"] == "先写"


def test_what_waits_at_a_join_survives_loading() -> None:
    play = Play("parallel", reload="command").do("legal")
    play.case = Case.load(play.definitions, play.case.dump())
    play.do("brand").answer("scan")
    assert play.open() == ["decide"]


def test_a_second_token_on_the_same_flow_waits_for_a_round_of_its_own() -> None:
    two_and_one = diagram(
        """<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="fork"/><parallelGateway id="fork"/>
        <sequenceFlow id="f2" sourceRef="fork" targetRef="a"/><userTask id="a"/>
        <sequenceFlow id="f3" sourceRef="a" targetRef="m"/>
        <sequenceFlow id="f4" sourceRef="fork" targetRef="b"/><userTask id="b"/>
        <sequenceFlow id="f5" sourceRef="b" targetRef="m"/>
        <exclusiveGateway id="m"/><sequenceFlow id="f6" sourceRef="m" targetRef="join"/>
        <sequenceFlow id="f7" sourceRef="fork" targetRef="c"/><userTask id="c"/>
        <sequenceFlow id="f8" sourceRef="c" targetRef="join"/>
        <parallelGateway id="join"/><sequenceFlow id="f9" sourceRef="join" targetRef="after"/><userTask id="after"/>
        <sequenceFlow id="f10" sourceRef="after" targetRef="e"/><endEvent id="e"/>"""
    )
    play = Play("p", definitions=two_and_one, reload="command").do("a").do("b")
    assert play.open() == ["c"]
    play.do("c")
    assert play.open() == ["after"]
    with pytest.raises(Stalled) as failure:
        play.do("after")
    assert failure.value.element == "join"


def test_the_default_of_an_inclusive_gateway_is_taken_only_when_nothing_else_is() -> None:
    assert Play("inclusive").do("ask", want=["b"]).open() == ["b"]
    assert Play("inclusive").do("ask", want=[]).open() == ["c"]
