"""The graph: what cannot be reached, what cannot end, gateways and events that would be ignored."""

# ruff: noqa: E501 - tables of cases

from __future__ import annotations

import pytest

from engine.spiff.gate import check
from tests.engine.spiff.gate.building import EVERYTHING, HOUSE, bundle, everything, found, replaced, said

FLOW = '<bpmn:sequenceFlow id="{}" sourceRef="{}" targetRef="{}"/>'
END = '<bpmn:endEvent id="end_yes" name="通过"/>'


def with_flow(name: str, source: str, target: str) -> tuple[str, str]:
    first = '<bpmn:sequenceFlow id="f1"'
    return first, FLOW.format(name, source, target) + first


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        (*with_flow("fx", "second", "end_no"), "second", "implicit-split"),
        (*with_flow("fx", "end_no", "second"), "end_no", "end-leaves"),
        (*with_flow("fx", "which", "start"), "start", "start-entered"),
        (*with_flow("fx", "which", "late"), "late", "start-entered"),
        (*with_flow("fx", "which", "nowhere"), "fx", "flow-end"),
        (*with_flow("fx", "nowhere", "second"), "fx", "flow-end"),
        (*with_flow("fx", "which", "second"), "fx", "condition-missing"),
        ('targetRef="end_yes"', 'targetRef="nowhere"', "f4", "flow-end"),
        ('sourceRef="late"', 'sourceRef="which"', "late", "dead-end"),
        ('<bpmn:sequenceFlow id="f4" sourceRef="record" targetRef="end_yes"/>', "", "record", "dead-end"),
        ('<bpmn:sequenceFlow id="f4" sourceRef="record" targetRef="end_yes"/>', "", "end_yes", "unreachable"),
        ('id="f4" sourceRef="record" targetRef="end_yes"', 'id="f4" sourceRef="record" targetRef="second"', "second",
         "no-way-to-end"),
        (END, END + '<bpmn:userTask id="lost"/>', "lost", "unreachable"),
        (END, END + '<bpmn:startEvent id="start2"/>', "demo", "one-start"),
        ('<bpmn:startEvent id="start" name="申请">', '<bpmn:userTask id="start">', "", "xml-syntax"),
        ('default="to_no"', 'default="f4"', "which", "default-flow"),
        ('default="to_no"', 'default="to_yes"', "to_yes", "default-condition"),
        ('default="to_no"', "", "to_no", "condition-missing"),
        ('<bpmn:sequenceFlow id="f4" sourceRef="record" targetRef="end_yes"/>',
         '<bpmn:sequenceFlow id="f4" sourceRef="record" targetRef="end_yes"><bpmn:conditionExpression '
         'xsi:type="bpmn:tFormalExpression">True</bpmn:conditionExpression></bpmn:sequenceFlow>', "f4", "flow-condition"),
        ("bpmn:exclusiveGateway", "bpmn:parallelGateway", "to_yes", "flow-condition"),
        ('attachedToRef="decide"', 'attachedToRef="nobody"', "late", "boundary-host"),
        ('attachedToRef="decide"', 'attachedToRef="which"', "late", "boundary-host"),
        ('name="员工"', "", "lane_staff", "lane-name"),
    ],
)  # fmt: skip
def test_a_broken_graph_is_refused_where_it_is_broken(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(bundle(replaced(before, after)))


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        ('<bpmn:timerEventDefinition id="soon_timer"><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">str(total) + "wd"'
         "</bpmn:timeDuration></bpmn:timerEventDefinition>", "", "soon", "event-empty"),
        ('<bpmn:errorEventDefinition id="caught_def" errorRef="too_much"/>', "", "caught", "event-empty"),
        ('<bpmn:errorEventDefinition id="caught_def" errorRef="too_much"/>', "", "parts_error", "error-uncaught"),
        ('<bpmn:errorEventDefinition id="caught_def" errorRef="too_much"/>', '<bpmn:errorEventDefinition id="caught_def" '
         'errorRef="other"/>', "caught", "error-unknown"),
        ('id="caught" attachedToRef="parts"', 'id="caught" attachedToRef="parts" cancelActivity="false"', "caught", "error-host"),
        ('id="caught" attachedToRef="parts"', 'id="caught" attachedToRef="sign"', "caught", "error-host"),
        ('id="parts_error_def" errorRef="too_much"', 'id="parts_error_def"', "parts_error", "error-unknown"),
        ('<bpmn:terminateEventDefinition id="end_all_def"/>', '<bpmn:errorEventDefinition id="end_all_def" '
         'errorRef="too_much"/>', "end_all", "error-uncaught"),
        ('<bpmn:terminateEventDefinition id="end_all_def"/>', '<bpmn:terminateEventDefinition id="end_all_def"/>'
         '<bpmn:errorEventDefinition id="e2" errorRef="too_much"/>', "end_all", "event-multiple"),
        ('id="c1" sourceRef="first" targetRef="soon"', 'id="c1" sourceRef="first" targetRef="each_one"', "first", "event-gateway"),
        ('id="b8" sourceRef="caught" targetRef="end_error"', 'id="b8" sourceRef="caught" targetRef="soon"', "soon",
         "event-gateway"),
        ('id="b4" sourceRef="sign" targetRef="join"', 'id="b4" sourceRef="sign" targetRef="count_parts"', "b4", "flow-end"),
        ('id="parts_end"', 'id="begin"', "begin", "id-duplicate"),
        ("<bpmn:flowNodeRef>sign</bpmn:flowNodeRef>", "<bpmn:flowNodeRef>ask</bpmn:flowNodeRef>", "ask", "lane-element"),
        ('loopMaximum="3"', 'loopMaximum="0"', "parts", "loop-maximum"),
        ('loopMaximum="3"', 'loopMaximum="many"', "parts", "loop-maximum"),
        ('<bpmn:standardLoopCharacteristics id="again" testBefore="false" loopMaximum="3"><bpmn:loopCondition '
         'xsi:type="bpmn:tFormalExpression">count_parts.outcome == "again"</bpmn:loopCondition>'
         "</bpmn:standardLoopCharacteristics>", '<bpmn:standardLoopCharacteristics id="again"/>', "parts", "loop-condition"),
    ],
)  # fmt: skip
def test_events_loops_and_subprocesses_say_what_they_need(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(everything(replaced(before, after, EVERYTHING)))


def test_an_error_may_leave_a_process_only_when_its_caller_catches_it() -> None:
    throwing = replaced('<bpmn:endEvent id="end_no" name="未通过"/>', '<bpmn:endEvent id="end_no"/><bpmn:endEvent id="oops">'
                        '<bpmn:errorEventDefinition id="oops_def" errorRef="bad"/></bpmn:endEvent>')  # fmt: skip
    throwing = replaced(
        '<bpmn:process id="demo"', '<bpmn:error id="bad" errorCode="BAD"/><bpmn:process id="demo"', throwing
    )
    throwing = replaced(
        'id="f5" sourceRef="late" targetRef="end_no"', 'id="f5" sourceRef="late" targetRef="oops"', throwing
    )
    catching = replaced('<bpmn:parallelGateway id="join"/>', '<bpmn:parallelGateway id="join"/><bpmn:boundaryEvent id="net" '
                        'attachedToRef="call"><bpmn:errorEventDefinition id="net_def"/></bpmn:boundaryEvent>'
                        '<bpmn:sequenceFlow id="n1" sourceRef="net" targetRef="end_error"/>', EVERYTHING)  # fmt: skip
    files = everything(catching)
    assert said({**files, "demo.bpmn": throwing}) == []
    assert said({**everything(), "demo.bpmn": throwing}) == [("oops", "error-uncaught")]
    assert said(bundle(throwing)) == [("oops", "error-uncaught")]


def test_ids_of_processes_subprocesses_and_tables_are_unique_over_all_files() -> None:
    assert ("demo", "id-duplicate") in said(bundle(other_bpmn=bundle()["demo.bpmn"]))
    assert ("level", "id-duplicate") in said(bundle(other_dmn=bundle()["level.dmn"]))
    twice = replaced('id="parts" triggered', 'id="demo" triggered', EVERYTHING).replace(b'"parts"', b'"demo"')
    assert ("demo", "id-duplicate") in said(everything(twice))


def test_every_problem_of_every_file_comes_at_once_with_its_line() -> None:
    files = bundle(replaced('id="second"', 'id="第 二"'), other_bpmn=b"<a", level_dmn=b"<b/>", x_json=b"{", y_txt=b"")
    problems = found(files)
    assert {problem.file for problem in problems} == {"demo.bpmn", "other.bpmn", "level.dmn", "x.json", "y.txt"}
    assert [(problem.file, problem.line) for problem in problems] == sorted((each.file, each.line) for each in problems)
    line = next(problem.line for problem in problems if problem.code == "id-form")
    assert "第 二".encode() in files["demo.bpmn"].splitlines()[line - 1]
    for problem in problems:
        assert problem.message["zh-CN"] and problem.message["en"] and problem.message["zh-CN"] != problem.message["en"]


def test_a_parallel_join_that_nothing_forks_before_would_wait_for_ever() -> None:
    starving = replaced(
        '<bpmn:parallelGateway id="fork"/>', '<bpmn:exclusiveGateway id="fork" default="b3"/>', EVERYTHING
    )
    starving = replaced('<bpmn:sequenceFlow id="b2" sourceRef="fork" targetRef="sign"/>', '<bpmn:sequenceFlow id="b2" '
                        'sourceRef="fork" targetRef="sign"><bpmn:conditionExpression>big</bpmn:conditionExpression></bpmn:sequenceFlow>', starving)  # fmt: skip
    starving = starving.replace(b"bpmn:inclusiveGateway", b"bpmn:exclusiveGateway").replace(
        b' cancelActivity="false"', b""
    )
    assert ("join", "join-starves") in said(everything(starving))


def test_what_an_instance_sets_vanishes_with_it() -> None:
    many = replaced('<bpmn:standardLoopCharacteristics id="again" testBefore="false" loopMaximum="3"><bpmn:loopCondition xsi:type="bpmn:tFormalExpression">count_parts.outcome == "again"</bpmn:loopCondition></bpmn:standardLoopCharacteristics>',
                    '<bpmn:multiInstanceLoopCharacteristics id="again"><bpmn:loopDataInputRef>people</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>counted</bpmn:loopDataOutputRef><bpmn:inputDataItem id="part"/><bpmn:outputDataItem id="count_parts"/></bpmn:multiInstanceLoopCharacteristics>', EVERYTHING)  # fmt: skip
    assert said(everything(many)) == []
    outside = replaced('value="grade"', 'value="count_parts.comment"', many)
    assert said(everything(outside)) == [("each_one", "name-unknown")]
    assert said(everything(replaced('value="grade"', 'value="len(counted)"', many))) == []


def test_what_changes_nothing_is_only_noted() -> None:
    files = bundle(
        replaced(
            '<bpmn:userTask id="second" name="复核">', '<bpmn:userTask id="second"><bpmn:incoming>f1</bpmn:incoming>'
        )
    )
    files["demo.bpmn"] = replaced(
        "</bpmn:lane>", "<bpmn:flowNodeRef>nobody</bpmn:flowNodeRef></bpmn:lane>", files["demo.bpmn"]
    )
    notes = {(each.element, each.code) for each in check(files, HOUSE) if each.severity == "note"}
    assert said(files) == []
    assert {("second", "flow-mention"), ("lane_staff", "lane-element")} <= notes
