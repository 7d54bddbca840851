"""What a case is stored as: small, canonical, and nothing a user enters can break it."""

from __future__ import annotations

import msgpack
import pytest

from engine.spiff.case import Case
from engine.spiff.parse import parse
from tests.engine.spiff.kernel.driving import ROLL, Answers, Play, corpus, wrapped

FORM = {
    "platform": "抖音",
    "proposed_name": "样木家居直播间",
    "alternatives": ["样木家居", "样木生活馆", "样木好物"],
    "purpose": "面向华东经销商与终端客户的新品发布、直播带货与售后答疑，每周不少于三场直播，配合门店活动引流。" * 3,
    "using_dept": "market",
    "responsible": "michuangdian",
    "backup": "shenshafa",
    "phone": "13800000000",
    "audience": "终端客户、经销商",
    "start_date": "2026-12-01",
    "has_payment": True,
    "monthly_budget": 20000,
    "content_types": ["直播", "短视频", "图文"],
    "risk_notes": "涉及支付与抽奖，需要法务意见；评论区由两人轮值，夜间由客服外包接手。" * 2,
    "initiator": "michuangdian",
    "business_key": "ZC-2026-0001",
}
OPINION = "同意开设，责任人具备资质，名称不与现有账号冲突，建议首月每周复盘一次。"


def test_an_open_registration_with_seven_ballots_out_takes_less_than_four_kilobytes() -> None:
    play = Play("caller", reload="command", members=ROLL, reviewers=[], **FORM)
    for number in range(6):  # what a registration has gathered before its vote
        play.case._root.write(
            {
                f"step_{number}": {
                    "outcome": "agree",
                    "comment": OPINION,
                    "by": "taochouti",
                    "at": "2026-11-09T01:00:00Z",
                }
            }
        )
    play.do("propose", title="开设抖音账号")
    assert play.open().count("ballot") == 7
    for outcome in ("approve", "reject", "conditional"):
        play.do("ballot", outcome, comment=OPINION)
    assert play.open().count("ballot") == 4
    assert max(len(state) for state in play.states) < 4_000


def test_values_a_called_process_only_passes_on_are_stored_once() -> None:
    long = "很长的说明" * 400
    alone = len(Play("whole", text=long).states[-1])
    called = len(Play("whole", text=long).do("first").states[-1])
    assert called < alone + 400


def test_equal_values_of_different_kinds_stay_apart() -> None:
    play = Play("whole", one=1, yes=True, real=1.0, nothing=None, empty="").do("first")
    again = Case.load(corpus(), play.case.dump())
    for case in (play.case, again):
        variables = case.variables()
        kinds = [type(variables[name]) for name in ("one", "yes", "real", "nothing", "empty")]
        assert kinds == [int, bool, float, type(None), str]


@pytest.mark.parametrize("name", ["typename", "__class__", "data_objects", "$ref", "", "items", "变量"])
def test_no_name_or_value_a_user_enters_makes_a_case_unreadable(name: str) -> None:
    play = Play("caller", **{name: {"typename": "x", name: [{"typename": "uuid", "value": "zz"}]}})
    play.do("propose", **{name or "_": {"typename": "x"}})
    again = Case.load(corpus(), play.case.dump())
    assert again.variables() == play.case.variables()


def test_the_order_in_which_variables_were_set_is_not_part_of_the_case() -> None:
    one = Case.start(corpus(), "approval", {"a": 1, "b": 2}, Answers())
    other = Case.start(corpus(), "approval", {"b": 2, "a": 1}, Answers())
    assert one.dump() == other.dump()


def test_no_spec_and_no_finished_token_is_stored() -> None:
    play = Play("approval").do("apply").do("head").do("finance", amount=1)
    format_, status, end, processes = msgpack.unpackb(play.case.dump())
    assert (format_, status, end) == (1, "active", None)
    ((name, host, variables, same, written, tokens),) = processes
    assert (name, host, same, written) == ("approval", None, [], [])
    assert [token[1] for token in tokens] == ["sign"]
    assert variables["level"] == "low"


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format"):
        Case.load(corpus(), msgpack.packb([99, "active", None, []]))


def test_what_a_called_process_made_of_a_variable_is_not_taken_for_the_callers() -> None:
    inner = """<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="set"/>
    <scriptTask id="set"><script>flag = 1</script></scriptTask><sequenceFlow id="f2" sourceRef="set" targetRef="look"/>
    <userTask id="look"/><sequenceFlow id="f3" sourceRef="look" targetRef="e"/><endEvent id="e"/>"""
    outer = """<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="c"/>
    <callActivity id="c" calledElement="inner"/><sequenceFlow id="f2" sourceRef="c" targetRef="e"/><endEvent id="e"/>"""
    definitions = parse({"outer.bpmn": wrapped(outer, "outer"), "inner.bpmn": wrapped(inner, "inner")})
    play = Play("outer", definitions=definitions, reload="command", flag=True)
    assert play.case.waiting().tasks[0].data["flag"] is not True
    assert play.case.variables()["flag"] is True
    play.do("look")
    assert play.case.variables()["flag"] is not True
