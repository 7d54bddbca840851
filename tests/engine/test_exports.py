"""Event logs by the letter of their standards, whatever people wrote in their cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator, FormatChecker
from lxml import etree

from engine import Engine, indexing
from engine.errors import Denied, NotFound
from engine.exports import chosen, table
from engine.exports.ocel import EVENT_ATTRIBUTES, OBJECT_TYPES, ocel
from engine.exports.xes import EXTENSIONS, xes
from engine.models import memberships
from engine.queries.asked import Question

HERE = Path(__file__).parent / "exports"
XES = "{http://www.xes-standard.org/}"
LIFECYCLE = {
    "schedule", "assign", "reassign", "start", "complete", "withdraw", "suspend", "resume", "autoskip", "manualskip",
    "ate_abort", "pi_abort", "unknown",
}  # fmt: skip


@pytest.fixture
def played(engine: Engine, clock: Any) -> Engine:
    """Three cases: one paid, one refused with an unfriendly comment, one open and overdue; chief audits."""
    engine.db.write(lambda c: c.execute(sa.insert(memberships).values(username="chief", group_id="auditor")))
    for outcome, comment in (("agree", "fine"), ("reject", "\"<&>' \U0001f600 ]]>\n\t第二行")):
        case = engine.start("approval", {"amount": 5, "about": "=1+1"}, by="anna")
        engine.claim(case.tasks[0], by="boris")
        case = engine.complete(case.tasks[0], {"outcome": outcome, "comment": comment}, by="boris")
        for task in case.tasks:
            engine.complete(task, {"outcome": "paid", "comment": "only for bosses"}, by="kassa")
    engine.start("approval", {"amount": 7}, by="anna")
    clock.advance(days=3)
    engine.tick()
    while indexing.catch_up(engine):
        pass
    return engine


def xes_of(engine: Engine, language: str = "zh-CN") -> Any:
    text = "".join(xes(chosen.many(engine, Question(), actor="chief"), language=language, name="审计"))
    return etree.fromstring(text.encode())


def ocel_of(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(ocel(chosen.many(engine, Question(), actor="chief"), language="en")))
    return found


def values(node: Any) -> dict[str, str]:
    return {each.get("key"): each.get("value") for each in node if each.get("key")}


def test_the_xes_log_has_the_shape_of_ieee_1849(played: Engine) -> None:
    schema = etree.XMLSchema(etree.parse(HERE / "xes.xsd"))
    log = xes_of(played)
    schema.assertValid(log)
    broken = etree.fromstring(
        etree.tostring(log).replace(b'<int key="guiju:seq" value="', b'<int key="guiju:seq" value="x', 1)
    )
    assert not schema.validate(broken)


def test_every_key_has_a_declared_prefix_stands_once_and_globals_stand_everywhere(played: Engine) -> None:
    log = xes_of(played)
    prefixes = {each.get("prefix") for each in log.findall(f"{XES}extension")}
    assert prefixes == {prefix for _, prefix, _ in EXTENSIONS}
    must = {each.get("scope"): set(values(each)) for each in log.findall(f"{XES}global")}
    for trace in log.findall(f"{XES}trace"):
        for node, scope in [(trace, "trace"), *[(event, "event") for event in trace.findall(f"{XES}event")]]:
            keys = [each.get("key") for each in node if each.get("key")]
            assert len(keys) == len(set(keys)) and must[scope] <= set(keys)
            assert {key.split(":")[0] for key in keys} <= prefixes
    for classifier in log.findall(f"{XES}classifier"):
        assert set(classifier.get("keys").split()) <= must["event"]


def test_transitions_are_the_standards_and_events_stand_in_order(played: Engine) -> None:
    for trace in xes_of(played).findall(f"{XES}trace"):
        events = [values(event) for event in trace.findall(f"{XES}event")]
        assert {event["lifecycle:transition"] for event in events} <= LIFECYCLE
        assert [int(event["guiju:seq"]) for event in events] == sorted(int(event["guiju:seq"]) for event in events)
        assert [event["time:timestamp"] for event in events] == sorted(event["time:timestamp"] for event in events)


def test_what_people_wrote_arrives_but_for_what_xml_cannot_hold(played: Engine) -> None:
    comments = [values(event).get("guiju:comment") for event in xes_of(played).iter(f"{XES}event")]
    assert "\"<&>' \U0001f600 ]]>\n\t第二行" in comments and "only for bosses" not in comments
    (first, *_rest) = chosen.many(played, Question(), actor="chief")
    odd = "".join(xes([replace(first, title="a\x01\ufffeb")], language="en", name="x"))
    assert values(etree.fromstring(odd.encode())[-1])["guiju:title"] == "a\ufffd\ufffdb"


def test_the_ocel_log_is_valid_and_refers_to_nothing_that_is_not_there(played: Engine) -> None:
    found = ocel_of(played)
    schema = json.loads((HERE / "ocel.schema.json").read_text())
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    assert list(validator.iter_errors(found)) == []
    ids = {each["id"] for each in found["objects"]}
    assert len(ids) == len(found["objects"]) and len({each["id"] for each in found["events"]}) == len(found["events"])
    for each in [*found["objects"], *found["events"]]:
        assert {relation["objectId"] for relation in each["relationships"]} <= ids
    assert {each["type"] for each in found["events"]} == {each["name"] for each in found["eventTypes"]}
    assert {each["type"] for each in found["objects"]} <= set(OBJECT_TYPES)
    types = {"string": str, "integer": int}
    for event in found["events"]:
        assert all(isinstance(each["value"], types[EVENT_ATTRIBUTES[each["name"]]]) for each in event["attributes"])
        assert any(relation["qualifier"] == "in" for relation in event["relationships"])
    assert list(validator.iter_errors({**found, "events": [{"id": "x"}]})) != []


def test_the_table_has_a_row_for_each_event_and_no_sealed_entry(played: Engine) -> None:
    rows = list(table.rows(chosen.many(played, Question(), actor="chief"), language="zh-CN"))
    assert len(rows) == len(ocel_of(played)["events"]) and all(len(row) == len(table.COLUMNS) for row in rows)
    assert not any("only for bosses" in str(cell) for row in rows for cell in row)


def test_exports_are_for_auditors_and_the_operator(played: Engine) -> None:
    (first, *_rest) = chosen.many(played, Question(), actor="chief")
    with pytest.raises(Denied):
        chosen.one(played, first.instance_id, actor="anna")
    with pytest.raises(Denied):
        chosen.many(played, Question(), actor="anna")
    with pytest.raises(NotFound):
        chosen.one(played, "no such case", actor="chief")
    with pytest.raises(NotFound):
        chosen.one(played, "no such case", actor=None)
    assert chosen.one(played, first.instance_id, actor=None).happenings[: len(first.happenings)] == first.happenings


def test_nothing_to_export_is_still_a_valid_log(played: Engine) -> None:
    nothing = Question(text="no such title")
    log = "".join(xes(chosen.many(played, nothing, actor="chief"), language="en", name="x"))
    etree.XMLSchema(etree.parse(HERE / "xes.xsd")).assertValid(etree.fromstring(log.encode()))
    assert json.loads("".join(ocel(chosen.many(played, nothing, actor="chief"), language="en")))["events"] == []
