"""The shipped decision tables give what was judged by hand, and refuse nothing they should answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.spiff.decisions import Decision, parse_decision
from processes.demo.company import HERE
from processes.registers import account

TABLES = Path(__file__).resolve().parents[2] / "bpmn"
ACCOUNTS = account.read(HERE / "accounts.csv")


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
