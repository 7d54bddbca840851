"""Error end events: caught by the nearest activity around them that names their code, and by no other."""

from __future__ import annotations

import pytest

from engine.errors import ExecutionFailed
from engine.spiff.failures import ErrorUncaught
from tests.engine.spiff.kernel.driving import Play, diagram


def test_an_error_is_caught_on_its_own_subprocess_only() -> None:
    play = Play("errors", reload="command").do("o_do", "fail")
    assert sorted(play.open()) == ["fix_one", "t_do", "th_do"]


def test_an_error_leaves_a_called_process_by_its_code() -> None:
    play = Play("errors", reload="command").do("th_do", "fail")
    assert "fix_three" in play.open()
    assert "odd" not in play.visited()


def test_an_error_with_another_code_is_caught_by_the_event_without_one() -> None:
    play = Play("errors", reload="command").do("th_do", "reject")
    assert "odd" in play.open()
    assert "fix_three" not in play.visited()


def test_an_error_stops_everything_inside_the_activity() -> None:
    play = Play("subprocess", reload="command").do("before").do("draft", "go").do("proof", "bad")
    assert sorted(play.open()) == ["mend", "side"]
    (error,) = play.told("error")
    assert (error.element, error.data) == ("c_bad", {"code": "BAD"})
    play.do("mend").do("wrap").do("side").do("after")
    assert play.case.end == "end"


def test_an_error_nobody_catches_fails_and_names_the_element() -> None:
    play = Play("thrower")
    with pytest.raises(ErrorUncaught) as failure:
        play.do("th_do", "fail")
    assert isinstance(failure.value, ExecutionFailed)
    assert (failure.value.element, failure.value.process) == ("in_oops", "thrower")
    assert "OOPS" in failure.value.message["zh-CN"] and "OOPS" in failure.value.message["en"]


@pytest.mark.parametrize("sequential", ["true", "false"])
def test_an_error_in_one_instance_is_caught_on_the_activity_and_stops_the_others(sequential: str) -> None:
    marker = f'multiInstanceLoopCharacteristics isSequential="{sequential}"'
    each = diagram(
        f"""<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="each"/><subProcess id="each">
        <{marker}><loopDataInputRef>roll</loopDataInputRef><inputDataItem id="who"/></multiInstanceLoopCharacteristics>
        <startEvent id="is"/><sequenceFlow id="i1" sourceRef="is" targetRef="ask"/><userTask id="ask"/>
        <sequenceFlow id="i2" sourceRef="ask" targetRef="no"/><endEvent id="no">
        <errorEventDefinition errorRef="bad"/></endEvent>
        </subProcess><boundaryEvent id="caught" attachedToRef="each"><errorEventDefinition errorRef="bad"/>
        </boundaryEvent>
        <sequenceFlow id="f2" sourceRef="each" targetRef="e"/>
        <sequenceFlow id="f3" sourceRef="caught" targetRef="mend"/>
        <userTask id="mend"/><sequenceFlow id="f4" sourceRef="mend" targetRef="e"/><endEvent id="e"/>""",
        after='<error id="bad" errorCode="BAD"/>',
    )
    play = Play("p", definitions=each, reload="command").do("ask")
    assert play.open() == ["mend"]
    play.do("mend")
    assert play.case.status == "completed"
