"""The table of elements: what runs passes, what is refused is refused by its id, and the page says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from engine.spiff.elements import BPMN, ELEMENTS, EXTENSIONS, PROPERTIES
from engine.spiff.elements_page import page
from engine.spiff.elements_refused import REFUSED, Refusal
from engine.spiff.gate_xml import read_xml
from tests.engine.spiff.gate.building import EVERYTHING, PLAIN, bundle, everything, found, replaced, said

ROOT = Path(__file__).parents[4]


def names_in(*diagrams: bytes) -> set[str]:
    return {etree.QName(node).localname for diagram in diagrams for node in read_xml(diagram).iter(f"{{{BPMN}}}*")}


def test_the_plain_diagram_and_the_one_with_everything_pass() -> None:
    assert said(bundle()) == []
    assert said(everything()) == []


def test_every_allowed_element_and_extension_is_in_a_diagram_that_passes() -> None:
    assert names_in(PLAIN, EVERYTHING) >= set(ELEMENTS) - {"BPMNDiagram"}
    text = (PLAIN + EVERYTHING).decode()
    assert [name for name in EXTENSIONS if f"spiffworkflow:{name}" not in text] == []
    assert [name for name in PROPERTIES if f'name="{name}"' not in text] == []


def broken(row: Refusal) -> tuple[bytes, str]:
    """The diagram with everything and one refused thing in it, and the id the refusal should name."""
    root = read_xml(EVERYTHING)
    host = next(root.iter(f"{{{BPMN}}}{row.element if row.attribute else row.parent}"))
    if row.attribute:
        name, _, value = row.attribute.partition("=")
        host.set(name, value or "x")
        while host.get("id") is None:
            host = host.getparent()
        return etree.tostring(root), str(host.get("id"))
    etree.SubElement(host, f"{{{BPMN}}}{row.element}", id="the_refused")
    return etree.tostring(root), "the_refused"


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row.parent or row.element}-{row.attribute or row.element}")
def test_what_the_table_refuses_is_refused_by_its_id(row: Refusal) -> None:
    diagram, element = broken(row)
    problems = [each for each in found(everything(diagram)) if each.element == element and each.code == "not-supported"]
    assert problems
    assert row.zh in problems[0].message["zh-CN"]
    assert row.en in problems[0].message["en"]


def test_no_row_refuses_what_another_allows() -> None:
    for row in REFUSED:
        if row.attribute:
            name, _, value = row.attribute.partition("=")
            allowed = ELEMENTS[row.element].attributes
            assert name not in allowed or (value and value not in allowed[name]), row
        else:
            assert row.element not in ELEMENTS[row.parent].children, row


def test_the_conformance_page_is_what_the_table_says() -> None:
    assert (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("before", "after", "element", "code"),
    [
        ("<bpmn:endEvent id=", '<bpmn:telepathy id="t"/><bpmn:endEvent id=', "t", "unknown-element"),
        ("<bpmn:endEvent id=", '<x:y xmlns:x="urn:x" id="t"/><bpmn:endEvent id=', "t", "unknown-element"),
        ("<bpmn:endEvent id=", '<bpmn:condition id="t"/><bpmn:endEvent id=', "t", "unknown-element"),
        ("<bpmn:endEvent id=", '<bpmn:lane id="t"/><bpmn:endEvent id=', "t", "misplaced"),
        ("<bpmn:endEvent id=", '<bpmn:endEvent mood="good" id=', "end_yes", "unknown-attribute"),
        ("<bpmn:userTask id=", '<bpmn:userTask xmlns:c="http://camunda.org/schema/1.0/bpmn" c:assignee="x" id=',
         "decide", "unknown-attribute"),
        ("<bpmn:userTask id=", '<bpmn:userTask bpmn:name="x" id=', "decide", "unknown-attribute"),
        ('<spiffworkflow:property name="due"', '<camunda:x xmlns:camunda="urn:c"/><spiffworkflow:property name="due"',
         "decide", "unknown-element"),
        ('name="due"', 'name="deu"', "decide", "unknown-property"),
        ('name="title"', 'name="due"', "demo", "unknown-property"),
        ('name="due" value="2wd"/>', 'name="due" value="2wd"/><spiffworkflow:property name="due" value="3wd"/>',
         "decide", "duplicate-property"),
        ("<spiffworkflow:serviceTaskOperator", "<spiffworkflow:unitTests/><spiffworkflow:serviceTaskOperator", "record",
         "unknown-extension"),
        ("<spiffworkflow:serviceTaskOperator", "<spiffworkflow:preScript>x = 1</spiffworkflow:preScript>"
         "<spiffworkflow:serviceTaskOperator", "record", "unknown-extension"),
        ("</spiffworkflow:parameters>", '</spiffworkflow:parameters><spiffworkflow:retry retries="3"/>', "record",
         "unknown-extension"),
        ('resultVariable="recorded"', 'resultVariable="recorded" retries="3"', "record", "unknown-attribute"),
        ('== "agree"<', '== "agree"<!-- or True --><', "to_yes", "misplaced"),
        ('== "agree"<', '== "agree"<bpmn:script/><', "to_yes", "misplaced"),
        ('tFormalExpression">decide', 'tExpression">decide', "to_yes", "unknown-attribute"),
        ('id="second"', 'id="decide"', "decide", "id-duplicate"),
        ('id="second"', 'id="Start"', "Start", "id-reserved"),
        ('id="second"', 'id="End"', "End", "id-reserved"),
        ('id="second"', 'id="demo.EndJoin"', "demo.EndJoin", "id-reserved"),
        ('id="second"', 'id="decide.BoundaryEventSplit"', "decide.BoundaryEventSplit", "id-reserved"),
        ('id="second"', 'id="decide [child]"', "decide [child]", "id-reserved"),
        ('id="second"', 'id="第 二"', "第 二", "id-form"),
        ('id="second"', 'id="2nd"', "2nd", "id-form"),
        ('id="second"', "", "demo", "id-missing"),
    ],
)  # fmt: skip
def test_what_no_table_knows_is_refused_by_name(before: str, after: str, element: str, code: str) -> None:
    assert (element, code) in said(bundle(replaced(before, after)))


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("<?xml version", "<!DOCTYPE x><?xml version", "xml-doctype"),
        ('<bpmn:definitions', '<!DOCTYPE d [<!ENTITY a "b">]><bpmn:definitions', "xml-doctype"),
        ('<bpmn:definitions', '<!DOCTYPE d SYSTEM "http://example.invalid/x.dtd"><bpmn:definitions', "xml-doctype"),
        ('<bpmn:definitions', '<?php x ?><bpmn:definitions', "xml-doctype"),
        ('<bpmn:process', '<?target x?><bpmn:process', "xml-doctype"),
        ("审批", "&lol;", "xml-syntax"),
        ("</bpmn:definitions>", "", "xml-syntax"),
        ('encoding="UTF-8"', 'encoding="UTF-16"', "xml-encoding"),
        ('encoding="UTF-8"', 'encoding="utf-7"', "xml-encoding"),
        ("审批", "x" * (2 * 1024 * 1024), "xml-size"),
        ('<bpmn:endEvent id="end_yes"', "<bpmn:endEvent/>" * 21_000 + '<bpmn:endEvent id="end_yes"', "xml-size"),
        ('<bpmn:endEvent id="end_yes"', "<bpmn:x>" * 300 + "</bpmn:x>" * 300 + '<bpmn:endEvent id="end_yes"',
         "xml-syntax"),
    ],
    ids=range(12),
)  # fmt: skip
def test_xml_that_is_not_safe_is_not_read(before: str, after: str, code: str) -> None:
    assert [code for _, code in said(bundle(replaced(before, after)))][:1] == [code]


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe<\x00a\x00/\x00>\x00", "<a>审</a>".encode("gb18030"), b"<a/>", b'{"a": 1}']
)
def test_a_file_that_is_no_diagram_is_refused(data: bytes) -> None:
    assert found(bundle(data))


def test_a_drawing_is_optional_but_its_numbers_are_numbers() -> None:
    assert ("ask_shape", "drawing-number") in said(everything(replaced('y="20.5"', 'y="nan"', EVERYTHING)))
