"""Bundles parsed: what a diagram says of its elements, and what cannot be executed."""

from __future__ import annotations

import pytest

from engine.spiff.failures import ParseFailed
from engine.spiff.gate import House, OperationInfo, check
from engine.spiff.parse import parse
from tests.engine.spiff.kernel.driving import Play, corpus, corpus_files, diagram, wrapped


def test_what_a_diagram_says_of_a_user_task() -> None:
    process = corpus().processes["lanes"]
    task = process.elements["write"]
    assert task.name == {"zh-CN": "撰写", "en": "Write"}
    assert (task.kind, task.process, task.lane, task.result_variable) == ("userTask", "lanes", "市场部", "write")
    assert (task.form, task.due, task.remind) == ("lanes/forms/write.json", "2wd", ("4wh", "1wd"))
    assert task.candidates is not None and task.candidates.source == "dept_head(platform)"
    assert (task.recuse and task.recuse.source, task.assignee and task.assignee.source) == ("initiator", "initiator")
    assert task.visible_to is not None and not task.multi


def test_what_a_diagram_says_of_its_process() -> None:
    process = corpus().processes["lanes"]
    assert process.name == {"zh-CN": "lanes", "en": "Lanes"}
    assert process.properties["business_key"] == "ZC-{yyyy}-{nnnn}"
    assert (process.start.id, process.start.form, process.file) == (
        "start",
        "lanes/forms/application.json",
        "lanes.bpmn",
    )


def test_lanes_are_the_innermost_ones_and_reach_into_subprocesses() -> None:
    elements = corpus().processes["lanes"].elements
    assert elements["sign"].lane == "legal_head"
    assert elements["stamp"].lane == "legal"


def test_the_result_variable_is_the_one_named_else_the_element() -> None:
    elements = corpus().processes["approval"].elements
    assert (elements["apply"].result_variable, elements["head"].result_variable) == ("application", "head")
    assert elements["number"].result_variable == "number"
    assert elements["late"].attached_to == "head"
    assert corpus().processes["caller"].elements["decide"].called == "vote"
    assert corpus().processes["vote"].elements["ballot"].multi


def test_two_files_may_use_the_same_ids_inside() -> None:
    inner = """<startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="box"/>
    <subProcess id="box"><startEvent id="s"/><sequenceFlow id="f3" sourceRef="s" targetRef="{task}"/>
    <userTask id="{task}"/>
    <sequenceFlow id="f4" sourceRef="{task}" targetRef="e"/><endEvent id="e"/></subProcess>
    <sequenceFlow id="f2" sourceRef="box" targetRef="end"/><endEvent id="end"/>"""
    one, two = wrapped(inner.format(task="a"), "one"), wrapped(inner.format(task="b"), "two")
    definitions = parse({"one.bpmn": one, "two.bpmn": two})
    assert Play("one", definitions=definitions).open() == ["a"]
    assert Play("two", definitions=definitions, reload="command").open() == ["b"]


@pytest.mark.parametrize("id", ["Start", "End", "p.EndJoin", "Root"])
def test_no_element_id_collides_with_the_librarys_own_names(id: str) -> None:
    play = Play(
        "p",
        definitions=diagram(
            f"""<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="work"/><userTask id="work"/>
            <boundaryEvent id="late" attachedToRef="work"><timerEventDefinition><timeDuration>P1D</timeDuration>
            </timerEventDefinition>
            </boundaryEvent><sequenceFlow id="f4" sourceRef="late" targetRef="e"/>
            <sequenceFlow id="f2" sourceRef="work" targetRef="{id}"/><userTask id="{id}"/>
            <sequenceFlow id="f3" sourceRef="{id}" targetRef="e"/><endEvent id="e"/>"""
        ),
    )
    play.do("work").do(id)
    assert play.visited() == ["s", "work", id, "e"]


def test_an_extension_may_use_the_id_of_an_element() -> None:
    play = Play(
        "p",
        definitions=diagram(
            """<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="tell"/>
            <serviceTask id="tell"><extensionElements><spiffworkflow:serviceTaskOperator id="mail.send">
            <spiffworkflow:parameters>
            <spiffworkflow:parameter id="work" value="1"/></spiffworkflow:parameters>
            </spiffworkflow:serviceTaskOperator>
            </extensionElements></serviceTask><sequenceFlow id="f2" sourceRef="tell" targetRef="work"/>
            <userTask id="work"/><sequenceFlow id="f3" sourceRef="work" targetRef="e"/><endEvent id="e"/>"""
        ),
    )
    assert play.open() == ["work"]


def test_flows_are_tried_in_the_order_of_the_file_not_of_the_picture() -> None:
    gateway = """<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/><exclusiveGateway id="x"/>
    <sequenceFlow id="f2" sourceRef="x" targetRef="low"><conditionExpression>n >= 0</conditionExpression>
    </sequenceFlow>
    <sequenceFlow id="f3" sourceRef="x" targetRef="high"><conditionExpression>n == 0</conditionExpression>
    </sequenceFlow>
    <endEvent id="low"/><endEvent id="high"/>"""
    picture = """<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC">
    <bpmndi:BPMNPlane><bpmndi:BPMNShape bpmnElement="low"><dc:Bounds x="0" y="900" width="1" height="1"/>
    </bpmndi:BPMNShape>
    <bpmndi:BPMNShape bpmnElement="high"><dc:Bounds x="0" y="10" width="1" height="1"/></bpmndi:BPMNShape>
    </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"""
    assert Play("p", definitions=diagram(gateway, after=picture)).case.end == "low"


@pytest.mark.parametrize(
    "body",
    [
        '<sendTask id="x"/>',
        '<receiveTask id="x"/>',
        '<complexGateway id="x"/>',
        '<transaction id="x"/>',
        '<intermediateThrowEvent id="x"><linkEventDefinition name="a"/><signalEventDefinition/>'
        "</intermediateThrowEvent>",
        '<intermediateCatchEvent id="x"><messageEventDefinition/></intermediateCatchEvent>',
        '<endEvent id="x"><messageEventDefinition/></endEvent>',
        '<endEvent id="x"><cancelEventDefinition/></endEvent>',
        '<intermediateCatchEvent id="x"/>',
        '<scriptTask id="x"><script>import os</script></scriptTask>',
        '<scriptTask id="x"><script>x = ().__class__</script></scriptTask>',
        '<businessRuleTask id="x"/>',
        '<serviceTask id="x"/>',
        '<intermediateCatchEvent id="x"><timerEventDefinition><timeDuration>__import__("os")</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>",
    ],
)
def test_what_cannot_be_executed_is_refused_by_name(body: str) -> None:
    flows = '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/>'
    on = "" if "<endEvent" in body else '<sequenceFlow id="f2" sourceRef="x" targetRef="e"/><endEvent id="e"/>'
    with pytest.raises(ParseFailed) as failure:
        diagram(flows, body, on)
    assert failure.value.args_["element"] == "x"


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><definitions xmlns="urn:x">&e;</definitions>',
        b'<!DOCTYPE x><definitions xmlns="urn:x"/>',
        b"<definitions",
        b"",
        b"<a>" + b" " * 5_000_001 + b"</a>",
    ],
)
def test_unsafe_or_broken_xml_is_refused(content: bytes) -> None:
    with pytest.raises(ParseFailed):
        parse({"x.bpmn": content})


def test_a_form_that_is_not_json_is_refused() -> None:
    with pytest.raises(ParseFailed):
        parse({"p/forms/x.json": b"{"})


def test_the_gate_lets_the_whole_corpus_through() -> None:
    operations = {
        name: OperationInfo(name=name, parameters=("to", "kind", "year", "text"), external="external" in name)
        for name in ("mail.send", "scan.external", "numbers.next")
    }
    house = House(
        groups={"legal": "法务部", "market": "市场部", "legal_head": "法务负责人"},
        operations=operations,
        functions=frozenset(),
        directory_functions=frozenset({"dept_head"}),
    )
    assert [problem for problem in check(corpus_files(), house) if problem.severity == "problem"] == []
