"""Loops, depth and stalls: what is long works, what never ends or cannot go on is refused, naming the place."""

from __future__ import annotations

import pytest

from engine.errors import ExecutionFailed
from engine.spiff.case import Case
from engine.spiff.failures import BadValue, EvaluationFailed, NotOpen, NoWayOut, Stalled, StepBudgetExceeded
from engine.spiff.steps import UserTask
from tests.engine.spiff.kernel.driving import Answers, Play, diagram

TURNING = """
<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="again"/>
<exclusiveGateway id="again"/><sequenceFlow id="f2" sourceRef="again" targetRef="count"/>
<scriptTask id="count"><script>n = n + 1</script></scriptTask>
<sequenceFlow id="f3" sourceRef="count" targetRef="fork"/>
<parallelGateway id="fork"/>
<sequenceFlow id="f4" sourceRef="fork" targetRef="one"/><sequenceFlow id="f5" sourceRef="fork" targetRef="meet"/>
<scriptTask id="one"><script>one = n</script></scriptTask><sequenceFlow id="f6" sourceRef="one" targetRef="meet"/>
<parallelGateway id="meet"/><sequenceFlow id="f7" sourceRef="meet" targetRef="enough"/>
<exclusiveGateway id="enough" default="f9"/>
<sequenceFlow id="f8" sourceRef="enough" targetRef="end"><conditionExpression>n >= most</conditionExpression>
</sequenceFlow>
<sequenceFlow id="f9" sourceRef="enough" targetRef="again"/>
<endEvent id="end"/>"""


def test_a_loop_of_the_engine_may_turn_two_hundred_times() -> None:
    play = Play("p", definitions=diagram(TURNING), most=250)
    assert (play.case.status, play.case.variables()["n"]) == ("completed", 250)


def test_a_loop_that_never_ends_is_stopped_and_named() -> None:
    context, turns = Answers(), []
    context.functions = {"tick": lambda: turns.append(1) or len(turns)}
    endless = diagram(TURNING.replace("n = n + 1", "n = tick()"))
    with pytest.raises(StepBudgetExceeded) as failure:
        Case.start(endless, "p", {"n": 0, "most": 10**9}, context)
    assert failure.value.process == "p"
    assert failure.value.element in {"again", "count", "fork", "one", "meet", "enough"}
    assert 300 < len(turns) < 500


def test_a_rework_loop_of_a_thousand_turns_leaves_nothing_behind() -> None:
    play = Play("approval", reload="command")
    for _ in range(500):
        play.do("apply").do("head", "reject")
    assert len(play.states[-1]) == len(play.states[2])
    assert len(play.case._root.tasks) == 2
    play.do("apply").do("head")
    assert play.open() == ["finance"]


def test_a_join_inside_a_loop_may_turn_as_often() -> None:
    play = Play("parallel_rounds", reload="command")
    for _ in range(300):
        play.do("left", "no").do("right", "no")
    assert len(play.states[-1]) == len(play.states[2])


def test_a_join_that_can_never_be_complete_is_a_stall_naming_it() -> None:
    one_of_two = diagram(
        """<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="which"/>
        <exclusiveGateway id="which" default="f3"/>
        <sequenceFlow id="f2" sourceRef="which" targetRef="meet"><conditionExpression>n > 1</conditionExpression>
        </sequenceFlow>
        <sequenceFlow id="f3" sourceRef="which" targetRef="other"/><scriptTask id="other"><script>x = 1</script>
        </scriptTask>
        <sequenceFlow id="f4" sourceRef="other" targetRef="meet"/><parallelGateway id="meet"/>
        <sequenceFlow id="f5" sourceRef="meet" targetRef="end"/><endEvent id="end"/>"""
    )
    with pytest.raises(Stalled) as failure:
        Play("p", definitions=one_of_two)
    assert (failure.value.element, failure.value.process) == ("meet", "p")


def test_a_process_that_calls_itself_without_end_is_stopped() -> None:
    endless = diagram(
        """<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="me"/>
        <callActivity id="me" calledElement="p"/><sequenceFlow id="f2" sourceRef="me" targetRef="end"/>
        <endEvent id="end"/>"""
    )
    with pytest.raises(Stalled) as failure:
        Play("p", definitions=endless)
    assert failure.value.element == "me"


def test_a_diagram_with_hundreds_of_elements_in_a_row_runs() -> None:
    chain = [f'<sequenceFlow id="f{i}" sourceRef="s{i}" targetRef="s{i + 1}"/>' for i in range(600)]
    tasks = [f'<scriptTask id="s{i}"><script>n = n + 1</script></scriptTask>' for i in range(1, 600)]
    play = Play("p", definitions=diagram('<startEvent id="s0"/>', *chain, *tasks, '<endEvent id="s600"/>'))
    assert (play.case.end, play.case.variables()["n"]) == ("s600", 599)


def test_a_gateway_without_a_way_out_is_named() -> None:
    nowhere = diagram(
        """<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="which"/>
        <exclusiveGateway id="which"/>
        <sequenceFlow id="f2" sourceRef="which" targetRef="end"><conditionExpression>n > 1</conditionExpression>
        </sequenceFlow>
        <endEvent id="end"/>"""
    )
    with pytest.raises(NoWayOut) as failure:
        Play("p", definitions=nowhere)
    assert failure.value.element == "which"


@pytest.mark.parametrize("text", ["missing + 1", "text < 3", "n // 0", "[1][5]"])
def test_an_expression_that_cannot_be_worked_out_names_the_element_in_both_languages(text: str) -> None:
    wrong = diagram(
        f"""<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="reckon"/>
        <scriptTask id="reckon"><script><![CDATA[x = {text}]]></script></scriptTask>
        <sequenceFlow id="f2" sourceRef="reckon" targetRef="end"/><endEvent id="end"/>"""
    )
    with pytest.raises(EvaluationFailed) as failure:
        Play("p", definitions=wrong)
    assert isinstance(failure.value, ExecutionFailed)
    assert (failure.value.element, failure.value.process) == ("reckon", "p")
    assert "reckon" in failure.value.message["zh-CN"]
    assert "reckon" in failure.value.message["en"]


@pytest.mark.parametrize("value", [{1: 2}, {"a": {3, 4}}, {"a": float("nan")}, {"a": 2**70}, {"a": object()}])
def test_only_json_gets_into_a_case(value: dict[object, object]) -> None:
    play = Play("approval")
    before = play.case.dump()
    with pytest.raises(BadValue) as failure:
        play.case.complete(play.case.waiting().tasks[0].token, {"x": value}, Answers(1))
    assert failure.value.element == "apply"
    assert play.case.dump() == before


def test_what_the_caller_does_to_its_values_afterwards_does_not_reach_the_case() -> None:
    play, fields = Play("approval"), {"comment": ["好"]}
    play.do("apply", **fields)
    fields["comment"].append("!")
    play.case.waiting().tasks[0].data["application"]["comment"]
    assert play.case.variables()["application"]["comment"] == ["好"]


def test_a_task_can_be_done_once() -> None:
    play = Play("approval")
    (task,) = play.case.waiting().tasks
    play.do("apply")
    for token in (task.token, "00000000-0000-0000-0000-000000000000", "nonsense", ""):
        with pytest.raises(NotOpen):
            play.case.complete(token, {}, Answers(5))


def test_a_token_of_another_kind_is_not_a_task() -> None:
    play = Play("parallel")
    (wait,) = play.case.waiting().operations
    with pytest.raises(NotOpen):
        play.case.complete(wait.token, {}, Answers(5))
    with pytest.raises(NotOpen):
        play.case.fire(wait.token, Answers(5))
    with pytest.raises(NotOpen):
        play.case.finish_operation(play.case.waiting().tasks[0].token, {}, Answers(5))


def test_a_case_that_is_over_takes_no_command() -> None:
    case = Play("decision").do("describe", audience=1).do("t1").case
    with pytest.raises(NotOpen):
        case.withdraw("end_t1", Answers(1))
    with pytest.raises(NotOpen):
        case.cancel(Answers(1))
    assert Case.load(case._definitions, case.dump()).status == "completed"


def test_a_case_can_only_be_withdrawn_to_an_end_of_its_own() -> None:
    play = Play("caller")
    for element in ("vote_end", "propose", "nowhere"):
        with pytest.raises(BadValue):
            play.case.withdraw(element, Answers(1))


def test_an_error_of_the_answering_side_comes_through_untouched() -> None:
    class Broken(Answers):
        def operation(self, call: object) -> None:
            raise ConnectionError("database gone")

    with pytest.raises(ConnectionError):
        Case.start(Play("parallel").definitions, "parallel", {}, Broken())


def test_running_out_of_python_stack_is_a_stall_naming_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def deep(self: object, token: object) -> bool:
        raise RecursionError

    play = Play("approval")
    monkeypatch.setattr(UserTask, "_run_hook", deep)
    with pytest.raises(Stalled) as failure:
        play.do("apply")
    assert (failure.value.element, failure.value.process) == ("apply", "approval")
