"""The shipped decision tables give what was judged by hand, and refuse nothing they should answer."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from engine.spiff.decisions import Decision, parse_decision
from processes.demo.company import HERE
from processes.registers import account

TABLES = Path(__file__).resolve().parents[2] / "bpmn"
ACCOUNTS = account.read(HERE / "accounts.csv")


CASES = Path(__file__).parent / "cases"


def cases(name: str) -> list[Any]:
    """The judged cases of one procedure, each a test of its own."""
    return [pytest.param(row, id=row["case"]) for row in json.loads((CASES / f"{name}.json").read_text("utf-8"))]


def table(name: str) -> Decision:
    return parse_decision((TABLES / f"{name}.dmn").read_bytes(), f"{name}.dmn")


@pytest.mark.parametrize("number", sorted(ACCOUNTS))
def test_the_risk_of_every_account_is_as_judged_by_hand(number: str) -> None:
    row = ACCOUNTS[number]
    inputs = {"third_party_operator": row["third_party"], **row}
    assert table("account_control").evaluate(inputs).outputs["risk"] == row["risk"]


def test_an_agency_given_by_name_counts_as_a_third_party() -> None:
    inputs = {"followers": 0, "has_payment": False, "third_party_operator": "云样传媒", "incident_12m": False}
    assert table("account_control").evaluate(inputs).outputs == {
        "risk": "high",
        "rotation_days": 60,
        "review_months": 6,
        "mfa_required": True,
    }


@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        ("registration", {"pass_ratio": 0.5, "base": "votes", "deadline_workdays": 3, "tie": "chair_casting"}),
        ("content", {"pass_ratio": 0.5, "deadline_workdays": 2, "tie": "chair_casting"}),
        ("dismissal", {"pass_ratio": 0.667, "base": "eligible", "deadline_workdays": 5, "tie": "not_passed"}),
        ("policy_revision", {"quorum_ratio": 0.667, "deadline_workdays": 10}),
        ("anything else", {"pass_ratio": 0.5, "deadline_workdays": 3, "legal_block": True}),
    ],
)
def test_each_matter_has_its_vote_rule(matter: str, expected: dict[str, Any]) -> None:
    outputs = table("vote_rule").evaluate({"matter": matter}).outputs
    assert {name: outputs[name] for name in expected} == expected


def outputs(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return table(name).evaluate(inputs).outputs


@pytest.mark.parametrize("case", cases("content"))
def test_content_gets_the_tier_that_was_judged(case: dict[str, Any]) -> None:
    assert outputs("content_tier", case["tier_inputs"])["tier"] == case["tier"]


@pytest.mark.parametrize("case", cases("content"))
def test_content_gets_its_requirements_and_legal_where_one_asks_for_it(case: dict[str, Any]) -> None:
    found = outputs("content_requirements", {"flags": case["flags"]})
    assert found["requirement"] == case["requirements"]
    assert (any(found["needs_legal"]) or case["tier"] in ("T2", "T2_URGENT")) is case["legal_review"]


@pytest.mark.parametrize("case", cases("complaints"))
def test_a_complaint_is_triaged_as_expected(case: dict[str, Any]) -> None:
    assert outputs("complaint_triage", case["triage_inputs"]) == case["triage"]


@pytest.mark.parametrize("case", cases("complaints"))
def test_a_complaint_goes_to_whoever_is_not_involved(case: dict[str, Any]) -> None:
    assert outputs("complaint_handler", {"respondent_role": case["respondent_role"]}) == case["handler"]


@pytest.mark.parametrize("case", cases("discipline"))
def test_a_breach_gets_the_range_that_was_judged(case: dict[str, Any]) -> None:
    assert outputs("discipline_range", case["range_inputs"]) == case["range"]


@pytest.mark.parametrize("case", cases("discipline"))
def test_the_first_sanction_proposed_meets_the_law_or_is_stopped(case: dict[str, Any]) -> None:
    assert outputs("sanction_legality", case["legality_inputs"]) == case["legality"]


@pytest.mark.parametrize("case", cases("interactions"))
def test_an_interaction_gets_its_owner_and_first_reply(case: dict[str, Any]) -> None:
    found = outputs("interaction_sla", {"kind": case["kind"], "viral": case["viral"]})
    assert (found["owner"], found["first_reply_minutes"]) == (case["owner"], case["first_reply_minutes"])


def test_an_unknown_role_falls_to_the_safest_handlers() -> None:
    found = outputs("complaint_handler", {"respondent_role": "somebody new"})
    assert (found["lead"], found["second"], found["decision_body"]) == ("legal", "internal_audit", "group")
    assert outputs("complaint_handler", {"respondent_role": None}) == found


def deduction(**more: Any) -> dict[str, Any]:
    inputs = {"sanction": "DEDUCT", "province": "广东", "written_notice": True, "contract_clause": True}
    return outputs(
        "sanction_legality", {**inputs, "deduction_ratio": 0.2, "wage_after": 2500, "min_wage": 2500, **more}
    )


@pytest.mark.parametrize(
    ("more", "action"),
    [
        ({}, "proceed"),
        ({"deduction_ratio": 0.21}, "reschedule_instalments"),
        ({"wage_after": 2499}, "reschedule_instalments"),
        ({"written_notice": False}, "serve_written_notice_first"),
        ({"contract_clause": False}, "no_basis"),
    ],
)
def test_a_deduction_needs_a_basis_a_notice_and_leaves_enough_to_live_on(more: dict[str, Any], action: str) -> None:
    found = deduction(**more)
    assert (found["action"], found["allowed"]) == (action, action == "proceed")


@pytest.mark.parametrize("province", ["广东", "浙江", "上海"])
def test_a_fine_is_possible_nowhere(province: str) -> None:
    assert outputs("sanction_legality", {"sanction": "FINE", "province": province})["allowed"] is False


def test_a_dismissal_waits_for_the_union_and_ends_with_time() -> None:
    told = {"sanction": "DISMISSAL", "union_notified": True}
    assert outputs("sanction_legality", {**told, "province": "浙江", "months_since_known": 5})["allowed"] is True
    assert outputs("sanction_legality", {**told, "province": "浙江", "months_since_known": 6})["allowed"] is False
    assert outputs("sanction_legality", {**told, "province": "广东", "months_since_known": 6})["allowed"] is True
    assert outputs("sanction_legality", {**told, "province": "广东", "months_since_known": 13})["allowed"] is False
    assert outputs("sanction_legality", {**told, "union_notified": False})["action"] == "notify_union_first"


YES_NO = ("content_tier", "complaint_triage")


@pytest.mark.parametrize("name", YES_NO)
def test_no_combination_of_answers_is_left_without_a_rule(name: str) -> None:
    decision = table(name)
    names = sorted(decision.names)
    for answers in itertools.product((True, False, None), repeat=len(names)):
        assert len(decision.evaluate(dict(zip(names, answers, strict=True))).rules) == 1


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.dmn")), ids=lambda path: path.stem)
def test_every_table_is_called_by_the_name_of_its_file_and_can_be_drawn(path: Path) -> None:
    assert table(path.stem).id == path.stem
    assert f'dmnElementRef="{path.stem}"' in path.read_text(encoding="utf-8")
