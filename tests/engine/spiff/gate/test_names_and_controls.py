"""Conditions that name what exists and leave no case out; and the rules no diagram can break."""

# ruff: noqa: E501 - tables of cases

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.spiff.control import Control, Station
from tests.engine.spiff.gate.building import DECIDE_FORM, HOUSE, PLAIN, bundle, found, replaced, said

CONDITION = 'decide.outcome == "agree"'


@pytest.mark.parametrize(
    ("condition", "code", "hint"),
    [
        ('decide.outcom == "agree"', "field-unknown", "outcome"),
        ('decied.outcome == "agree"', "name-unknown", "decide"),
        ('decide.outcome == "agre"', "value-unknown", "agree"),
        ('"agre" == decide.outcome', "value-unknown", "agree"),
        ('decide.outcome in ["agree", "retrun"]', "value-unknown", "return"),
        ('decide.outcome != "no"', "value-unknown", ""),
        ('decide["outcom"] == "agree"', "field-unknown", "outcome"),
        ("decide.outcome == 3", "value-unknown", ""),
        ('decide.amount == "3"', "value-unknown", ""),
        ('urgent == "yes"', "value-unknown", ""),
        ('kind == "c"', "value-unknown", ""),
        ("subject.length > 3", "field-unknown", ""),
        ("decide.outcome.value == 1", "field-unknown", ""),
        ("subjcet", "name-unknown", "subject"),
        ("dept_head(dept) == initiator", "name-function", ""),
        ("decidd(decide)", "name-function", "decided"),
        ("decide.outcome = 'agree'", "expression-syntax", ""),
        ("${decide.outcome == 'agree'}", "expression-syntax", ""),
        ("decide.outcome == “agree”", "expression-unicode", ""),
        ("().__class__.__bases__[0].__subclasses__()", "expression-attribute", ""),
        ("__import__('os').system('id')", "expression-call", ""),
        ("open('/etc/passwd')", "name-function", ""),
        ("", "condition-missing", ""),
    ],
)  # fmt: skip
def test_a_condition_names_only_what_exists(condition: str, code: str, hint: str) -> None:
    problems = [
        each for each in found(bundle(replaced(CONDITION, condition.replace("<", "&lt;")))) if each.element == "to_yes"
    ]
    assert [problem.code for problem in problems] == [code]
    assert not hint or f"“{hint}”" in problems[0].message["en"]


@pytest.mark.parametrize(
    "condition",
    [
        'decide.outcome == "agree" and urgent and kind in ["a", "b"]', "decide.by == initiator or business_key == subject",
        "decide.amount > 3 and decide.at > decide.comment", "decided(decide)", "second.outcome == 'anything'", "recorded.whatever.there == 1",
        "decide is not None and not decide.comment", "[x for x in subject.split(',') if x][0] == 'a'", "decide.get('anything') == 1",
        "{'a': kind}['a'] == 'a'",
    ],
)  # fmt: skip
def test_a_condition_reads_everything_that_is_set(condition: str) -> None:
    assert said(bundle(replaced(CONDITION, condition.replace(">", "&gt;")))) == []


def routed(*conditions: str) -> dict[str, bytes]:
    """The plain bundle whose gateway has these conditions, in turn to `second` and to the end, and no default."""
    flows = "".join(
        f'<bpmn:sequenceFlow id="way{place}" sourceRef="which" targetRef="{"end_no" if place % 2 else "second"}">'
        f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition.replace("<", "&lt;")}</bpmn:conditionExpression></bpmn:sequenceFlow>'
        for place, condition in enumerate(conditions)
    )
    start, end = PLAIN.index(b'<bpmn:sequenceFlow id="to_yes"'), PLAIN.index(b'<bpmn:sequenceFlow id="f3"')
    diagram = PLAIN[:start] + flows.encode() + PLAIN[end:]
    return bundle(diagram.replace(b'default="to_no"', b""))


@pytest.mark.parametrize(
    "conditions",
    [
        ['decide.outcome == "agree"', 'decide.outcome != "agree"'],
        ['decide.outcome == "agree"', 'decide.outcome == "return"', 'decide.outcome == "reject"'],
        ['decide.outcome in ["agree", "return"]', 'decide.outcome == "reject"'],
        ['decide.outcome == "agree" and urgent', 'decide.outcome in ("return", "reject")', 'decide.outcome == "agree" and not urgent'],
        ["urgent", "not urgent"],
        ['kind == "a"', 'kind == "b"'],
        ["decide.amount >= 3", "decide.amount < 3"],
        ["decide.amount > 3 or urgent", "not (decide.amount > 3) and not urgent"],
        ["decide is None", "decide is not None"],
        ["decided(decide)", "not decided(decide)"],
        ["urgent", "True"],
        ['"a" in subject', '"a" not in subject'],
    ],
)  # fmt: skip
def test_conditions_that_cover_every_case_need_no_default(conditions: list[str]) -> None:
    assert said(routed(*conditions)) == []


@pytest.mark.parametrize(
    ("conditions", "code", "words"),
    [
        (['decide.outcome == "agree"', 'decide.outcome == "reject"'], "outcome-unrouted", "return"),
        (['decide.outcome == "agree" and urgent', 'decide.outcome != "agree"'], "outcome-unrouted", "agree"),
        (["urgent == True", "urgent == False"], "not-total", "None"),  # it may be missing
        (['kind == "a"', 'kind == "a" and urgent'], "not-total", "b"),
        (["decide.amount > 3", "decide.amount < 3"], "not-total", "amount"),
        (["decide.amount == 1", "decide.amount == 2"], "not-total", "amount"),
        (['second.outcome == "x"', 'second.outcome != "y" and second.outcome != "x"'], "not-total", "y"),
        (["decided(decide)", "decided(subject)"], "not-total", "decided"),
    ],
)  # fmt: skip
def test_a_case_that_no_condition_covers_is_named(conditions: list[str], code: str, words: str) -> None:
    problems = [problem for problem in found(routed(*conditions)) if problem.element == "which"]
    assert [problem.code for problem in problems] == [code]
    assert words in problems[0].message["en"] and words in problems[0].message["zh-CN"]


def test_an_outcome_is_not_sure_where_the_task_can_be_passed_by() -> None:
    """The timer leads to the gateway too: then nobody has decided, and no condition holds."""
    conditions = ['decide.outcome == "agree"', 'decide.outcome in ["return", "reject"]']
    files = routed(*conditions)
    assert said(files) == []
    around = files["demo.bpmn"].replace(
        b'id="f5" sourceRef="late" targetRef="end_no"', b'id="f5" sourceRef="late" targetRef="which"'
    )
    assert said({**files, "demo.bpmn": around}) == [("which", "not-total")]


# -- K-10 ------------------------------------------------------------------------------------------------------------
LATE = 'id="f5" sourceRef="late" targetRef="end_no"'


@pytest.mark.parametrize("target", ["second", "record", "end_yes"])
def test_k10_no_timer_leads_where_only_an_approval_leads(target: str) -> None:
    problems = found(bundle(replaced(LATE, LATE.replace("end_no", target))))
    expected = [("late", "K-10")]
    assert (
        [(each.element, each.code) for each in problems] == expected
        if target == "second"
        else ("late", "K-10") not in problems
    )
    if target != "second":  # behind `second`, whom the timer would pass by, only its own approval leads
        assert problems == []


def test_k10_holds_through_gateways_services_and_scripts() -> None:
    relay = ('<bpmn:endEvent id="end_yes" name="通过"/>', '<bpmn:endEvent id="end_yes"/><bpmn:scriptTask id="relay"><bpmn:script>x = 1</bpmn:script></bpmn:scriptTask><bpmn:exclusiveGateway id="merge"/>'
             '<bpmn:sequenceFlow id="r1" sourceRef="relay" targetRef="merge"/><bpmn:sequenceFlow id="r2" sourceRef="merge" targetRef="second"/>')  # fmt: skip
    diagram = replaced(LATE, LATE.replace("end_no", "relay"), replaced(*relay))
    assert said(bundle(diagram)) == [("late", "K-10")]


@pytest.mark.parametrize(
    ("condition", "consents"),
    [
        ('decide.outcome == "agree"', False),  # nobody decided: not agreed
        ('decide.outcome != "reject"', True),  # nobody decided: not rejected either, and so on it goes
        ('not decide.outcome == "reject"', True),
        ('decide.outcome in ["agree", "return"]', False),
    ],
)
def test_k10_looks_at_what_a_gateway_does_when_nobody_decided(condition: str, consents: bool) -> None:
    form = json.loads(json.dumps(DECIDE_FORM))
    form["properties"]["outcome"]["enum"] = ["agree", "reject"]
    del form["properties"]["outcome"]["x-outcomes"]["return"]
    diagram = replaced(
        LATE, LATE.replace("end_no", "which"), replaced(CONDITION, condition.replace('"agree", "return"', '"agree"'))
    )
    files = {**bundle(diagram), "demo/forms/decide.json": json.dumps(form).encode()}
    assert said(files) == ([("late", "K-10")] if consents else [])


def test_k10_a_timer_may_ask_somebody_else_first() -> None:
    other = ('<bpmn:endEvent id="end_yes" name="通过"/>', '<bpmn:endEvent id="end_yes"/><bpmn:userTask id="deputy"><bpmn:extensionElements><spiffworkflow:properties><spiffworkflow:property name="candidates" value=\'"legal"\'/>'
             '</spiffworkflow:properties></bpmn:extensionElements></bpmn:userTask><bpmn:sequenceFlow id="r1" sourceRef="deputy" targetRef="second"/>')  # fmt: skip
    assert said(bundle(replaced(LATE, LATE.replace("end_no", "deputy"), replaced(*other)))) == []


def test_k10_a_task_that_comes_round_again_still_has_its_last_approval() -> None:
    """`decide` can be done twice; at the second time its old result is there when the timer leads to the gateway."""
    loop = replaced('id="f4" sourceRef="record" targetRef="end_yes"', 'id="f4" sourceRef="record" targetRef="again"')
    loop = replaced('<bpmn:endEvent id="end_yes" name="通过"/>', '<bpmn:endEvent id="end_yes"/><bpmn:exclusiveGateway id="again" default="g1"/><bpmn:sequenceFlow id="g1" sourceRef="again" targetRef="end_yes"/>'
                    '<bpmn:sequenceFlow id="g2" sourceRef="again" targetRef="decide"><bpmn:conditionExpression>urgent</bpmn:conditionExpression></bpmn:sequenceFlow>', loop)  # fmt: skip
    assert said(bundle(loop)) == []
    assert said(bundle(replaced(LATE, LATE.replace("end_no", "which"), loop))) == [("late", "K-10")]


def called(target: str) -> dict[str, bytes]:
    """A process that goes on only when a called vote passed, with a timer on the call."""
    text = (
        PLAIN.decode()
        .replace('id="second"', 'id="after_vote"')
        .replace('sourceRef="second"', 'sourceRef="after_vote"')
        .replace(">second<", ">after_vote<")
    )
    text = text.replace('targetRef="second">', 'targetRef="ask_group">')
    more = (
        '<bpmn:callActivity id="ask_group" calledElement="vote"/><bpmn:exclusiveGateway id="voted" default="v3"/>'
        '<bpmn:boundaryEvent id="tired" attachedToRef="ask_group"><bpmn:timerEventDefinition id="t"><bpmn:timeDuration>1wd</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>'
        '<bpmn:sequenceFlow id="v1" sourceRef="ask_group" targetRef="voted"/><bpmn:sequenceFlow id="v2" sourceRef="voted" targetRef="after_vote">'
        '<bpmn:conditionExpression>ballots.outcome == "passed"</bpmn:conditionExpression></bpmn:sequenceFlow>'
        f'<bpmn:sequenceFlow id="v3" sourceRef="voted" targetRef="end_no"/><bpmn:sequenceFlow id="v4" sourceRef="tired" targetRef="{target}"/>'
    )
    text = text.replace('<bpmn:endEvent id="end_yes"', more + '<bpmn:endEvent id="end_yes"').replace(
        "2wd</bpmn:timeDuration", "3wd</bpmn:timeDuration"
    )
    vote = (
        PLAIN.decode()
        .replace('id="demo"', 'id="vote"')
        .replace('resultVariable="recorded"', 'resultVariable="ballots"')
    )
    return bundle(text.encode(), vote_bpmn=vote.encode())


def test_k10_holds_for_a_called_vote_as_well() -> None:
    assert said(called("end_no")) == []
    assert said(called("after_vote")) == [("tired", "K-10")]
    assert said(called("voted")) == []  # nobody voted: not passed


# -- K-04, K-09 ------------------------------------------------------------------------------------------------------
def registration(*, bypass: bool = False, event: bool = False) -> dict[str, bytes]:
    """An account registration that votes before it registers; with a way around the vote if wanted."""
    text = (
        PLAIN.decode()
        .replace('id="demo"', 'id="account_registration"')
        .replace('id="second"', 'id="platform_register"')
    )
    text = text.replace("second", "platform_register").replace(
        'targetRef="platform_register">', 'targetRef="group_vote">'
    )
    more = '<bpmn:callActivity id="group_vote" calledElement="group_vote"/><bpmn:sequenceFlow id="v1" sourceRef="group_vote" targetRef="platform_register"/>'
    if event:
        more += '<bpmn:boundaryEvent id="tired" attachedToRef="group_vote"><bpmn:timerEventDefinition id="t"><bpmn:timeDuration>1wd</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent><bpmn:sequenceFlow id="v2" sourceRef="tired" targetRef="platform_register"/>'
    if bypass:
        text = text.replace(
            '<bpmn:sequenceFlow id="to_no"',
            '<bpmn:sequenceFlow id="quick" sourceRef="which" targetRef="platform_register"><bpmn:conditionExpression>urgent</bpmn:conditionExpression></bpmn:sequenceFlow><bpmn:sequenceFlow id="to_no"',
        )
    text = text.replace('<bpmn:endEvent id="end_yes"', more + '<bpmn:endEvent id="end_yes"')
    vote = PLAIN.decode().replace('id="demo"', 'id="group_vote"')
    files = bundle(text.encode(), vote_bpmn=vote.encode())
    return {**files, "account_registration/forms/decide.json": files["demo/forms/decide.json"]}


def test_k04_an_account_is_registered_only_after_a_vote() -> None:
    vote = Control(
        code="K-04",
        process="account_registration",
        before=("platform_*",),
        through=(Station(names=("call:group_vote",)),),
        text={"zh-CN": "未经表决", "en": "no vote"},
    )
    house = replace(HOUSE, controls=(vote,))
    assert said(registration(), house) == []
    assert said(registration(bypass=True), house) == [("platform_register", "K-04")]
    assert said(registration(event=True), house) == [("platform_register", "K-04")]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "pwd",
        "密码",
        "id_card",
        "idcard_no",
        "identity_number",
        "reporter_name",
        "passphrase",
    ],
)
def test_k09_secrets_never_become_fields(name: str) -> None:
    form: dict[str, Any] = json.loads(json.dumps(DECIDE_FORM))
    form["properties"][name] = {"type": "string", "title": {"zh-CN": "某项", "en": "Something"}}
    codes = [code for _, code in said({**bundle(), "demo/forms/decide.json": json.dumps(form).encode()})]
    assert "K-09" in codes


@pytest.mark.parametrize(
    "name", ["vault_ref", "password_changed", "password_ref", "sealed_id", "secretary", "card_id", "idea"]
)
def test_k09_speaking_of_a_secret_is_not_holding_it(name: str) -> None:
    form: dict[str, Any] = json.loads(json.dumps(DECIDE_FORM))
    form["properties"][name] = {"type": "string", "title": {"zh-CN": "某项", "en": "Something"}}
    assert said({**bundle(), "demo/forms/decide.json": json.dumps(form).encode()}) == []


def test_k09_secrets_never_become_variables() -> None:
    assert ("demo", "K-09") in said(bundle(replaced('resultVariable="recorded"', 'resultVariable="account_password"')))
