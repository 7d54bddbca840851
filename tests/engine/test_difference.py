"""What two versions of the files say differently: nothing that the engine reads changes without showing."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from lxml import etree

from engine.difference import Change, difference

BPMN = Path("bpmn")
REGISTRATION = (BPMN / "account_registration.bpmn").read_bytes()
VOTES = (BPMN / "vote_rule.dmn").read_bytes()
BALLOT = Path("processes/group_vote/forms/ballot.json").read_bytes()


def changes(before: bytes, after: bytes, path: str = "a.bpmn") -> list[Change]:
    found = difference({path: before}, {path: after})
    return [change for file in found for change in file.changes]


def test_the_same_files_do_not_differ() -> None:
    files = {path.name: path.read_bytes() for path in sorted(BPMN.iterdir())}
    assert difference(files, dict(files)) == []


def test_files_that_came_and_went_are_named() -> None:
    found = difference({"old.bpmn": REGISTRATION}, {"new.bpmn": REGISTRATION})
    assert [(each.path, each.kind) for each in found] == [("new.bpmn", "added"), ("old.bpmn", "removed")]
    assert {change.kind for change in found[0].changes} == {"added"}
    assert {change.kind for change in found[1].changes} == {"removed"}


def test_a_changed_extension_property_shows_with_both_values() -> None:
    after = REGISTRATION.replace(b'name="due" value="8wh"', b'name="due" value="9wh"', 1)
    assert after != REGISTRATION
    (change,) = changes(REGISTRATION, after)
    assert (change.kind, change.type, change.what) == ("changed", "userTask", "property:due")
    assert (change.before, change.after) == ("8wh", "9wh")


def test_a_changed_condition_shows_on_its_flow() -> None:
    text = REGISTRATION.decode()
    found = re.search(r"<bpmn:conditionExpression[^>]*>([^<]+)<", text)
    assert found
    after = text[: found.start(1)] + "1 == 1" + text[found.end(1) :]
    (change,) = changes(REGISTRATION, after.encode())
    assert (change.type, change.what, change.after) == ("sequenceFlow", "conditionExpression", "1 == 1")


def test_a_step_moved_on_the_picture_alone_is_moved_not_changed() -> None:
    text = REGISTRATION.decode()
    found = re.search(r'(<bpmndi:BPMNShape id="[^"]*" bpmnElement="([^"]*)"[^>]*>\s*<dc:Bounds x=")(\d+)', text)
    assert found
    after = text[: found.start(3)] + "7" + text[found.end(3) :]
    (change,) = changes(REGISTRATION, after.encode())
    assert (change.kind, change.element) == ("moved", found.group(2))


def test_a_step_that_changes_its_lane_shows_where_it_went() -> None:
    text = REGISTRATION.decode()
    lanes = re.findall(r"<bpmn:lane .*?</bpmn:lane>", text, re.DOTALL)
    ref = re.search(r"\s*<bpmn:flowNodeRef>([^<]+)</bpmn:flowNodeRef>", lanes[0])
    assert ref
    after = text.replace(ref.group(0), "", 1).replace(lanes[1][-12:], ref.group(0) + lanes[1][-12:])
    found = changes(REGISTRATION, after.encode())
    assert [(each.element, each.what) for each in found if each.what == "lane"] == [(ref.group(1), "lane")]


def test_a_changed_cell_of_a_decision_table_shows_under_its_column() -> None:
    after = VOTES.replace(b"<text>10</text>", b"<text>11</text>", 1)
    (change,) = changes(VOTES, after, "vote_rule.dmn")
    assert (change.type, change.before, change.after) == ("rule", "10", "11")
    assert change.what == "output:时限（工作日）"


def test_rules_in_another_order_are_a_change_of_the_table() -> None:
    text = VOTES.decode()
    rules = re.findall(r"<rule .*?</rule>", text, re.DOTALL)
    after = text.replace(rules[0], "@").replace(rules[1], rules[0]).replace("@", rules[1])
    (change,) = changes(VOTES, after.encode(), "vote_rule.dmn")
    assert (change.type, change.what) == ("decisionTable", "order")


def test_a_rule_put_in_between_is_one_added_rule() -> None:
    text = VOTES.decode()
    rule = re.search(r"<rule .*?</rule>", text, re.DOTALL)
    assert rule
    more = rule.group(0).replace("vote_rule_rule_1", "another").replace('"dismissal"', '"merger"')
    found = changes(VOTES, text.replace(rule.group(0), more + rule.group(0)).encode(), "vote_rule.dmn")
    assert {(each.element, each.kind) for each in found} == {("another", "added")}


def test_a_field_of_a_form_shows_by_its_name() -> None:
    form = json.loads(BALLOT)
    form["properties"]["extra"] = {"type": "string", "title": {"zh-CN": "另注", "en": "Note"}}
    found = changes(BALLOT, json.dumps(form, ensure_ascii=False).encode(), "group_vote/forms/ballot.json")
    assert {(each.element, each.kind) for each in found} == {("extra", "added")}
    assert ("title.zh-CN", None, "另注") in {(each.what, each.before, each.after) for each in found}


def test_what_cannot_be_read_is_compared_line_by_line() -> None:
    found = changes(b"a\nb\nc\n", b"a\nB\nc\nd\n", "broken.bpmn")
    assert [(each.element, each.kind, each.before, each.after) for each in found] == [
        ("2", "changed", "b", "B"),
        ("4", "added", None, "d"),
    ]


@pytest.mark.parametrize("path", sorted(BPMN.glob("*.*mn")), ids=lambda path: path.name)
def test_no_value_anywhere_in_a_diagram_or_table_changes_unseen(path: Path) -> None:
    """Alter one text or attribute after another, drawing and derived references aside: each must show."""
    source, chance = path.read_bytes(), random.Random(7)
    places = list(_places(etree.fromstring(source)))
    unseen = []
    for number in chance.sample(range(len(places)), min(25, len(places))):
        root = etree.fromstring(source)
        node, key = list(_places(root))[number]
        if key is None:
            node.text = (node.text or "") + "1"
        else:
            node.set(key, (node.get(key) or "") + "1")
        if not changes(source, etree.tostring(root), path.name):
            unseen.append((etree.QName(node).localname, key, node.getroottree().getpath(node)))
    assert unseen == []


def _places(root: etree._Element) -> list[tuple[etree._Element, str | None]]:
    """Every text and attribute that means something: not the drawing, not ids of parts nobody refers to."""
    found: list[tuple[etree._Element, str | None]] = []
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        name, space = etree.QName(node).localname, etree.QName(node).namespace or ""
        if "/DI" in space or "DD/" in space or "DMNDI" in space or "/DC" in space or name in ("incoming", "outgoing"):
            continue
        if (node.text or "").strip() and not len(node):
            found.append((node, None))
        for key in node.attrib:
            owner = name in ("userTask", "serviceTask", "sequenceFlow", "process", "rule", "property", "parameter")
            if not isinstance(key, str) or key.startswith("{") or (key == "id" and not owner):
                continue
            if node is root:
                continue
            found.append((node, key))
    return found
