"""Decision tables: hit policies, cells, missing inputs, and what is refused."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest

from engine.spiff.decisions import (
    Decision,
    DecisionAmbiguous,
    DecisionInvalid,
    DecisionUnmatched,
    parse_decision,
)
from engine.spiff.expressions import EvaluationError

Rules = list[tuple[list[str], list[str]]]


def dmn(name: str, inputs: list[str], outputs: list[str], rules: Rules, *, policy: str = "FIRST") -> bytes:
    """A table as dmn-js writes it; an output is written `name:type`."""
    text = f'<decision id="{name}" name="{name}"><decisionTable id="{name}_table" hitPolicy="{policy}">'
    for source in inputs:
        text += f"<input><inputExpression><text>{escape(source)}</text></inputExpression></input>"
    for output in outputs:
        key, _, kind = output.partition(":")
        text += f'<output name="{key}" typeRef="{kind or "string"}"/>'
    for cells, results in rules:
        text += "<rule>" + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
        text += "".join(f"<outputEntry><text>{escape(cell)}</text></outputEntry>" for cell in results) + "</rule>"
    text += "</decisionTable></decision>"
    space = 'xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"'
    return f'<?xml version="1.0"?><definitions {space} id="d" name="d" namespace="x">{text}</definitions>'.encode()


def table(*args: Any, **named: Any) -> Decision:
    return parse_decision(dmn(*args, **named), "table.dmn")


VOTE_RULE = dmn(
    "vote_rule",
    ["matter"],
    ["quorum_ratio:number", "base", "deadline_workdays:number", "legal_block:boolean", "tie"],
    [
        (['"dismissal"'], ["0.667", '"eligible"', "5", "True", '"not_passed"']),
        (['"registration"'], ["0.5", '"votes"', "3", "True", '"chair_casting"']),
        ([""], ["0.5", '"votes"', "3", "True", '"chair_casting"']),
    ],
)
ACCOUNT_CONTROL = dmn(
    "account_control",
    ["followers", "has_payment", "third_party_operator", "incident_12m"],
    ["risk", "rotation_days:number", "review_months:number", "mfa_required:boolean"],
    [
        (["", "", "", "True"], ['"high"', "30", "3", "True"]),
        (["", "True", "", ""], ['"high"', "60", "6", "True"]),
        ([">= 100000", "", "", ""], ['"high"', "60", "6", "True"]),
        (["", "", "True", ""], ['"high"', "60", "6", "True"]),
        ([">= 10000", "", "", ""], ['"medium"', "90", "12", "True"]),
        (["", "", "", ""], ['"low"', "90", "12", "True"]),
    ],
)


def test_the_vote_rule_gives_each_matter_its_quorum() -> None:
    rule = parse_decision(VOTE_RULE, "vote_rule.dmn")
    result = rule.evaluate({"matter": "dismissal"})
    assert (result.outputs["quorum_ratio"], result.outputs["base"], result.rules) == (0.667, "eligible", [1])
    assert rule.evaluate({"matter": "registration"}).outputs["tie"] == "chair_casting"
    assert rule.evaluate({"matter": "anything"}).rules == [3]
    assert rule.evaluate({}).inputs == {"matter": None}
    assert rule.id == "vote_rule"
    assert rule.outputs[:2] == ("quorum_ratio", "base")
    assert rule.names == {"matter"}


@pytest.mark.parametrize(
    ("account", "rule", "days"),
    [
        ({"incident_12m": True, "has_payment": True}, 1, 30),
        ({"has_payment": True}, 2, 60),
        ({"followers": 100000}, 3, 60),
        ({"followers": 99999, "third_party_operator": True}, 4, 60),
        ({"followers": 10000, "third_party_operator": False}, 5, 90),
        ({"followers": 9999}, 6, 90),
        ({}, 6, 90),  # a missing number of followers matches no `>=`
        ({"followers": None, "has_payment": None}, 6, 90),
    ],
)
def test_account_control_reads_the_first_row_that_fits(account: dict[str, Any], rule: int, days: int) -> None:
    result = parse_decision(ACCOUNT_CONTROL, "account_control.dmn").evaluate(account)
    assert (result.rules, result.outputs["rotation_days"]) == ([rule], days)


@pytest.mark.parametrize(
    ("cell", "value", "matches"),
    [
        ("", None, True), ("-", 1, True), ('"a"', "a", True), ('"a"', "b", False), ("'a'", None, False), ("5", 5, True),
        ("5", 5.0, True), ("True", True, True), ("True", 1, False), ("True", None, False), ("False", None, False),
        ("None", None, True), ("None", 0, False), (">= 5", 5, True), ("< 5", 5, False), ("> 5", None, False),
        ('!= "a"', "b", True), ('!= "a"', None, True), ('in ["a", "b"]', "b", True), ('not in ["a"]', "a", False),
        ('not "a"', "b", True), ('not "a"', "a", False), ("not >= 5", 4, True), ("not >= 5", None, False),
        ('"a" or "b"', "b", True), ('"a" or "b"', "c", False), ('"a", "b"', "b", True), ('("a", "b")', "c", False),
        ("-5", -5, True), ('"map" in ?', ["map", "x"], True), ('"map" in ? or "ad" in ?', ["x"], False),
        ('"map" in ?', None, False), ("1 <= ? <= limit", 3, True), ("? < limit", 3, False), ("? < limit", None, False),
        ("limit", 3, True), ("limit", 4, False), ("record.top", 9, True), ("limit + 1", 4, True), ('"a?"', "a?", True),
        ('? == "?"', "?", True), ("len(?) > 1", [1, 2], True), (">= limit", 3, True), ('""', "", True),
        ("not None", None, False),
    ],
)  # fmt: skip
def test_a_cell_tests_its_input(cell: str, value: Any, matches: bool) -> None:
    decision = table("t", ["x"], ["hit:boolean"], [([cell], ["True"]), ([""], ["False"])])
    assert decision.evaluate({"x": value, "limit": 3, "record": {"top": 9}}).outputs == {"hit": matches}


def test_a_cell_that_cannot_compare_a_present_value_names_its_place() -> None:
    decision = table("t", ["x"], ["y"], [(["> 5"], ['"a"']), ([""], ["None"])])
    with pytest.raises(EvaluationError) as caught:
        decision.evaluate({"x": "many"})
    assert "第 1 行第 1 列" in caught.value.message["zh-CN"]


def test_a_missing_limit_is_an_error_and_not_a_silent_no() -> None:
    decision = table("t", ["x"], ["y"], [(["? < limit"], ['"a"']), ([""], ["None"])])
    with pytest.raises(EvaluationError):
        decision.evaluate({"x": 5})


def test_collect_gives_a_list_per_output_and_empty_lists_without_a_match() -> None:
    rules: Rules = [(['"map" in ?'], ['"MAP"', "True"]), (['"ad" in ?'], ['"AD"', "False"])]
    decision = table("t", ["flags"], ["demand", "legal:boolean"], rules, policy="COLLECT")
    found = decision.evaluate({"flags": ["map", "ad"]})
    assert (found.outputs, found.rules) == ({"demand": ["MAP", "AD"], "legal": [True, False]}, [1, 2])
    assert decision.evaluate({"flags": []}).outputs == {"demand": [], "legal": []}


def test_unique_refuses_a_second_match() -> None:
    decision = table("t", ["x"], ["y"], [(["> 1"], ['"a"']), (["> 5"], ['"b"'])], policy="UNIQUE")
    assert decision.evaluate({"x": 3}).outputs == {"y": "a"}
    with pytest.raises(DecisionAmbiguous) as caught:
        decision.evaluate({"x": 9})
    assert "1, 2" in caught.value.message["en"]


def test_no_match_is_an_error_that_names_the_table() -> None:
    with pytest.raises(DecisionUnmatched) as caught:
        table("levels", ["x"], ["y"], [(["1"], ['"a"'])]).evaluate({"x": 2})
    assert "levels" in caught.value.message["zh-CN"]


def test_outputs_may_be_worked_out_and_may_be_empty() -> None:
    decision = table("t", ["x * 2"], ["y:number", "z"], [(["4"], ["x + 1", ""])])
    assert decision.evaluate({"x": 2}).outputs == {"y": 3, "z": None}


@pytest.mark.parametrize(
    "attack",
    ["().__class__", "__import__('os').system('id')", "(lambda: 1)()", "open('/etc/passwd')", "2 ** 99999", "f'{x}'"],
)
def test_no_cell_input_or_output_carries_code(attack: str) -> None:
    for inputs, cell, result in (
        ([attack], "", "1"),
        (["x"], attack, "1"),
        (["x"], f"{attack} or ?", "1"),
        (["x"], "", attack),
    ):
        with pytest.raises(DecisionInvalid):
            table("t", inputs, ["y:any"], [([cell], [result])])


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b'hitPolicy="FIRST"', b'hitPolicy="ANY"', "dmn-policy"),
        (b'hitPolicy="FIRST"', b'hitPolicy="COLLECT" aggregation="SUM"', "dmn-attribute"),
        (b"20191111", b"20151101", "dmn-version"),
        (b"</decision>", b'</decision><decision id="u"/>', "dmn-one"),
        (b"<decisionTable", b'<knowledgeRequirement id="k"/><decisionTable', "dmn-element"),
        (b"<inputExpression>", b'<inputExpression expressionLanguage="feel">', "dmn-attribute"),
        (b"<inputEntry>", b"<inputEntry/><inputEntry>", "dmn-cells"),
        (b'typeRef="string"', b'typeRef="number"', "dmn-type"),
        (b'<output name="y"', b'<output name="y-z"', "dmn-output"),
        (b'<output name="y"', b"<output", "dmn-output"),
        (b'<decision id="t"', b'<decision id="t t"', "id-form"),
        (b'<text>"x"</text>', b"<text>[1, 2]</text>", "expression-cell"),
        (b'<text>"x"</text>', b"<text>1 and 2</text>", "expression-cell"),
        (b'<?xml version="1.0"?>', b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "x">]>', "xml-doctype"),
        (b'<?xml version="1.0"?>', b"<a>", "xml-syntax"),
    ],
)  # fmt: skip
def test_a_table_of_another_kind_is_refused_with_its_reason(before: bytes, after: bytes, code: str) -> None:
    good = dmn("t", ["x"], ["y"], [(['"x"'], ['"a"'])])
    parse_decision(good, "t.dmn")
    assert before in good
    with pytest.raises(DecisionInvalid) as caught:
        parse_decision(good.replace(before, after, 1), "t.dmn")
    assert code in [problem.code for problem in caught.value.problems]


def test_every_problem_of_a_table_is_named_at_once() -> None:
    with pytest.raises(DecisionInvalid) as caught:
        table("t", ["a b"], ["x-y"], [(["="], ["("]), (["lambda"], ["1"])], policy="RULE ORDER")
    assert len(caught.value.problems) >= 6
    assert all(problem.line >= 1 and problem.message["zh-CN"] for problem in caught.value.problems)
