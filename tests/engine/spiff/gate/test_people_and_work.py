"""Tasks of people and of the system: forms, groups, results, operations, decisions, calls, repetitions and times."""

# ruff: noqa: E501 - tables of cases

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.spiff.gate import check
from tests.engine.spiff.gate.building import EVERYTHING, HOUSE, PLAIN, bundle, everything, replaced, said

SECOND = '<bpmn:extensionElements><spiffworkflow:properties><spiffworkflow:property name="candidates" value=\'"legal"\'/></spiffworkflow:properties></bpmn:extensionElements>'


def second(*properties: tuple[str, str], variable: str = "") -> tuple[str, str]:
    """The second task with these properties instead of its candidates."""
    given = "".join(f"<spiffworkflow:property name='{name}' value='{value}'/>" for name, value in properties)
    named = f"<spiffworkflow:variableName>{variable}</spiffworkflow:variableName>" if variable else ""
    return (
        SECOND,
        f"<bpmn:extensionElements><spiffworkflow:properties>{given}</spiffworkflow:properties>{named}</bpmn:extensionElements>",
    )


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        ('name="form" value="decide"', 'name="form" value="decied"', "decide", "form-missing"),
        ('name="form" value="apply"', 'name="form" value="nothing"', "start", "form-missing"),
        ('name="员工"', 'name="路人"', "decide", "group-unknown"),
        ("<bpmn:flowNodeRef>decide</bpmn:flowNodeRef>", "", "decide", "who"),
        (*second(("candidates", "")), "second", "who"),
        (*second(("candidates", '"lgeal"')), "second", "group-unknown"),
        (*second(("candidates", '["legal", "staf"]')), "second", "group-unknown"),
        (*second(("candidates", '"legal" if urgent else "registar"')), "second", "group-unknown"),
        (*second(("candidates", "legal")), "second", "name-unknown"),
        (*second(("candidates", "dept_haed(dept)")), "second", "name-function"),
        (*second(("assignee", "applicant")), "second", "name-unknown"),
        (*second(("assignee", "subject +")), "second", "expression-syntax"),
        (*second(("recuse", "[respondent]")), "second", "name-unknown"),
        (*second(("visible_to", "().__class__")), "second", "expression-attribute"),
        (*second(("due", "3 days")), "second", "expression-syntax"),
        (*second(("due", "3xx")), "second", "expression-syntax"),
        (*second(("due", "window")), "second", "name-unknown"),
        (*second(("remind", "4wh,soon")), "second", "time"),
        (*second(variable="decide"), "second", "result-taken"),
        (*second(variable="subject"), "second", "result-taken"),
        (*second(variable="recorded"), "second", "result-taken"),
        (*second(variable="initiator"), "second", "result-taken"),
        (*second(variable="business_key"), "second", "result-taken"),
        (*second(variable="se cond"), "second", "result-name"),
        (*second(variable="len"), "second", "result-name"),
        (*second(variable="__class__"), "second", "result-name"),
        ('id="second" name', 'id="sec-ond" name', "sec-ond", "result-name"),
        ('name="title" value="subject"', 'name="title" value="subjekt"', "demo", "name-unknown"),
        ('name="title" value="subject"', 'name="viewers" value="[subject,"', "demo", "expression-syntax"),
        ('name="title" value="subject"', 'name="starters" value="[subject]"', "demo", "starters"),
        ('value="SL-{yyyy}-{nnnn}"', 'value="SL-{year}"', "demo", "business-key"),
        ('value="SL-{yyyy}-{nnnn}"', 'value="SL"', "demo", "business-key"),
        ('name="withdraw_to" value="end_no"', 'name="withdraw_to" value="decide"', "demo", "withdraw"),
        ('name="withdraw_to" value="end_no"', 'name="withdraw_to" value="end_nope"', "demo", "withdraw"),
        ('name="withdraw_until" value="decide"', 'name="withdraw_until" value="record"', "demo", "withdraw"),
    ],
)  # fmt: skip
def test_a_task_of_people_says_what_it_needs(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(bundle(replaced(before, after)))


@pytest.mark.parametrize(
    "properties",
    [
        [("candidates", '"法务"')],
        [("candidates", '["legal"] + [dept_head(dept)]')],
        [("assignee", "decide.by")],
        [("assignee", "initiator"), ("due", "str(len(subject)) + \"wd\"")],
        [("candidates", "dept_head(dept) or \"legal\""), ("recuse", "[initiator, decide.by]"), ("remind", "1wd,PT4H")],
    ],
)  # fmt: skip
def test_a_task_may_be_given_to_groups_and_people_worked_out(properties: list[tuple[str, str]]) -> None:
    assert said(bundle(replaced(*second(*properties)))) == []


def test_a_lane_that_is_no_group_is_fine_when_its_tasks_say_who() -> None:
    files = bundle(replaced("<bpmn:flowNodeRef>decide</bpmn:flowNodeRef>", ""))
    named = replaced("<bpmn:flowNodeRef>decide</bpmn:flowNodeRef>", "").replace(
        b'<spiffworkflow:property name="due"',
        b'<spiffworkflow:property name="assignee" value="dept_head(dept)"/><spiffworkflow:property name="due"',
    )
    assert said(files) == [("decide", "who")]
    assert said(bundle(named)) == []
    assert said(bundle(replaced('name="员工"', 'name="legal"'))) == []  # a group's id is as good as its name


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        ('serviceTaskOperator id="note"', 'serviceTaskOperator id="noet"', "record", "operation-unknown"),
        ('serviceTaskOperator id="note"', "serviceTaskOperator", "record", "operation-unknown"),
        ('resultVariable="recorded"', "", "record", "result-name"),
        ('resultVariable="recorded"', 'resultVariable="subject"', "record", "result-taken"),
        ('resultVariable="recorded"', 'resultVariable="decide"', "decide", "result-taken"),
        ('parameter id="text"', 'parameter id="txet"', "record", "parameter"),
        ('<spiffworkflow:parameter id="text" type="str" value="decide.comment"/>', "", "record", "parameter"),
        ('value="decide.comment"/>', 'value="decide.comment"/><spiffworkflow:parameter id="text" value="1"/>', "record", "parameter"),
        ('value="decide.comment"', 'value="decide.coment"', "record", "field-unknown"),
        ('value="decide.comment"', 'value="dept_head(dept)"', "record", "name-function"),
        ('value="decide.comment"', 'value="open(subject)"', "record", "name-function"),
        ('value="decide.comment"', 'value="__import__(subject)"', "record", "expression-name"),
    ],
)  # fmt: skip
def test_an_operation_is_known_with_its_parameters_and_result(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(bundle(replaced(before, after)))


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        (">level</spiffworkflow:calledDecisionId>", ">levle</spiffworkflow:calledDecisionId>", "grade_it", "decision-unknown"),
        (">level</spiffworkflow:calledDecisionId>", "></spiffworkflow:calledDecisionId>", "grade_it", "decision-unknown"),
        ('<bpmn:dataInput id="kind" name="kind"/>', "", "grade_it", "name-unknown"),
        ('id="count_parts"/>', 'id="grade"/>', "grade_it", "result-taken"),
        ('calledElement="demo"', 'calledElement="deno"', "call", "call-unknown"),
        ('calledElement="demo"', "", "call", "call-unknown"),
        ('calledElement="demo"', 'calledElement="everything"', "call", "call-circle"),
        (">called = recorded.ok<", ">called = recoded.ok<", "call", "name-unknown"),
        ('>subject = "甲"<', ">import os<", "call", "expression-not_allowed"),
        ("total = len(people)", "total = len(peolpe)", "reckon", "name-unknown"),
        ("total = len(people)", 'business_key = "x"', "reckon", "name-reserved"),
        ("total = len(people)", "for x in people: pass", "reckon", "expression-not_allowed"),
        ("total = len(people)", "total = dept_head(people)", "reckon", "name-function"),
        ("<bpmn:loopDataInputRef>people</bpmn:loopDataInputRef>", "", "ask", "multi-input"),
        ("<bpmn:loopDataInputRef>people", "<bpmn:loopDataInputRef>poeple", "ask", "name-unknown"),
        ("<bpmn:loopDataInputRef>people</bpmn:loopDataInputRef>", "<bpmn:loopDataInputRef>people</bpmn:loopDataInputRef><bpmn:loopCardinality>3</bpmn:loopCardinality>", "ask", "multi-input"),
        ('<bpmn:inputDataItem id="person"/>', "", "ask", "multi-input"),
        ('<bpmn:inputDataItem id="person"/>', '<bpmn:inputDataItem id="kind"/>', "ask", "multi-name"),
        ('<bpmn:inputDataItem id="person"/>', '<bpmn:inputDataItem id="answer"/>', "ask", "multi-name"),
        ('<bpmn:inputDataItem id="person"/>', '<bpmn:inputDataItem id="per-son"/>', "ask", "multi-name"),
        ("<bpmn:loopDataOutputRef>answers</bpmn:loopDataOutputRef>", "", "ask", "multi-output"),
        ('<bpmn:outputDataItem id="one"/>', '<bpmn:outputDataItem id="two"/>', "each_one", "multi-output"),
        ("len([a for a in answers if a.outcome", "len([a for a in answers if a.outcom", "ask", "field-unknown"),
        ('a.outcome == "reject"]', 'a.outcome == "rejcet"]', "ask", "value-unknown"),
        ("len([a for a in answers if", "len([a for a in asnwers if", "ask", "name-unknown"),
        ('value="person"', 'value="persom"', "ask", "name-unknown"),
        (">R3/PT24H<", ">R/PT24H<", "nag", "time"), (">R3/PT24H<", ">R0/PT24H<", "nag", "time"),
        (">R3/PT24H<", ">R3<", "nag", "time"), (">R3/PT24H<", ">R101/PT1H<", "nag", "time"), (">R3/PT24H<", ">R3/P1X<", "nag", "time"),
        ('id="nag" attachedToRef="ask" cancelActivity="false"', 'id="nag" attachedToRef="ask"', "nag", "time"),
        ('>str(total) + "wd"<', ">2 weeks<", "soon", "time"), ('>str(total) + "wd"<', ">tomorrow<", "soon", "name-unknown"),
        ('>str(total) + "wd"<', '>"2 wd"<', "soon", "time"), ('>str(total) + "wd"<', "><", "soon", "time"),
        (">2027-01-01T09:00:00+08:00<", ">2027-01-01T09:00:00<", "then", "time"),
        (">2027-01-01T09:00:00+08:00<", ">2027-13-01T09:00:00Z<", "then", "time"),
        ('>count_parts.outcome == "again"<', '>count_parts.outcom == "again"<', "parts", "field-unknown"),
    ],
)  # fmt: skip
def test_what_the_system_does_by_itself_is_fully_said(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(everything(replaced(before, after, EVERYTHING)))


@pytest.mark.parametrize("time", ["2wd", "4wh", "0.5wh", "PT8H", "P3D", '"2wd"', "'PT1H'", 'str(2) + "wd"'])
def test_times_may_be_written_out_quoted_or_worked_out(time: str) -> None:
    assert said(bundle(replaced(">2wd<", f">{time}<"))) == []


def test_processes_may_not_call_each_other_in_a_circle() -> None:
    ring = PLAIN.replace(b'<bpmn:serviceTask id="record"', b'<bpmn:callActivity id="record" calledElement="everything"')
    start, end = (
        ring.index(b"<bpmn:extensionElements><spiffworkflow:serviceTaskOperator"),
        ring.index(b"</bpmn:serviceTask>"),
    )
    ring = (ring[:start] + ring[end:]).replace(b"</bpmn:serviceTask>", b"</bpmn:callActivity>")
    assert {("record", "call-circle"), ("call", "call-circle")} <= set(said({**everything(), "demo.bpmn": ring}))


def test_a_process_nobody_here_starts_may_be_given_unknown_variables_but_says_so() -> None:
    files = bundle(replaced('<spiffworkflow:property name="form" value="apply"/>', ""))
    codes = {(problem.severity, problem.code) for problem in check(files, HOUSE)}
    assert codes == {("note", "name-unknown"), ("note", "no-drawing")}


def test_a_name_written_out_is_a_group_or_a_person_where_people_are_known() -> None:
    files = bundle(replaced(*second(("candidates", '["legal", "wangwu"]'))))
    assert said(files) == []  # it may be somebody
    assert said(files, replace(HOUSE, people=frozenset({"wangwu"}))) == []
    assert said(files, replace(HOUSE, people=frozenset({"lisi"}))) == [("second", "group-unknown")]
    named = bundle(replaced(*second(("assignee", '"zhaoliu"'))))
    assert said(named, replace(HOUSE, people=frozenset({"lisi"}))) == [("second", "group-unknown")]
