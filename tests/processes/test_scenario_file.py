"""What a scenario file may say, and how what it expects is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from processes.scenario_expect import compare_expectation
from processes.scenario_file import StepFailed, moment, read


@dataclass
class Task:
    element: str


@dataclass
class Case:
    status: str = "active"
    end: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    open: Sequence[Task] = ()
    path: Sequence[str] = ()


def named(
    expectation: dict[str, Any], case: Case, registers: dict[str, Any] | None = None
) -> dict[str, tuple[Any, Any]]:
    return {m.name: (m.expected, m.actual) for m in compare_expectation(expectation, case, registers or {})}


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"process": "p", "stepz": []}',
        '{"process": "p", "steps": {}}',
        '{"process": "p", "steps": ["go"]}',
        '{"process": "p", "steps": [{"by": "a"}]}',
        '{"process": "p", "steps": [{"complete": "x", "claim": "x", "by": "a"}]}',
        '{"process": "p", "steps": [{"complete": "x"}]}',
        '{"process": "p", "steps": [{"complete": "x", "by": "a", "variable": {}}]}',
        '{"process": "p", "expect": {"not_visted": []}}',
        '{"process": "p", "steps": [{"expect": {"state": "x"}}]}',
    ],
)
def test_a_file_that_says_something_unknown_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StepFailed):
        read(path)


def test_remarks_for_people_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    scenario = {"process": "p", "note": "why", "steps": [{"after": "PT4H", "note": "lunch"}]}
    path.write_text(json.dumps(scenario), encoding="utf-8")
    assert read(path) == scenario


@pytest.mark.parametrize("text", ["2026-11-09T09:00:00", "tomorrow", None])
def test_a_moment_needs_its_time_zone(text: Any) -> None:
    with pytest.raises(StepFailed):
        moment(text)


def test_a_case_as_expected_has_no_mismatch() -> None:
    case = Case(
        status="completed",
        end="end_active",
        variables={"tier": "T2", "vote": {"result": "passed", "yes": 6}, "ballots": [{"by": "a"}]},
        open=[Task("ballot"), Task("ballot")],
        path=["start", "validate"],
    )
    expectation = {
        "status": "completed",
        "end": "end_active",
        "open": {"ballot": 2, "fix": 0},
        "variables": {
            "tier": "T2",
            "vote.result": "passed",
            "vote": {"yes": 6},
            "ballots.0.by": "a",
            "never_set": None,
        },
        "visited": ["validate"],
        "not_visited": ["legal_opinion"],
        "register": {"account": {"name": "样木", "status": "active"}},
    }
    rows = {"account": {"A001": {"name": "样木", "status": "active", "platform": "抖音"}}}
    assert named(expectation, case, rows) == {}


def test_every_difference_is_named_with_both_sides() -> None:
    case = Case(variables={"vote": {"result": "tie"}, "n": 1}, open=[Task("fix")], path=["start", "fix"])
    expectation = {
        "status": "completed",
        "end": "end_active",
        "open": {"ballot": 2},
        "variables": {"vote.result": "passed", "vote.yes": 6, "n": True},
        "visited": ["validate"],
        "not_visited": ["fix"],
        "register": {"account": {"name": "样木", "status": "active"}, "sanction": {"level": 1}},
    }
    rows = {"account": {"A001": {"name": "样木", "status": "frozen"}, "A002": {"name": "别", "status": "closed"}}}
    assert named(expectation, case, rows) == {
        "status": ("completed", "active"),
        "end": ("end_active", None),
        "open.ballot": (2, 0),
        "variables.vote.result": ("passed", "tie"),
        "variables.vote.yes": (6, "(missing)"),
        "variables.n": (True, 1),
        "visited": (["validate"], ["start", "fix"]),
        "not_visited": ([], ["fix"]),
        "register.account": ({"name": "样木", "status": "active"}, {"name": "样木", "status": "frozen"}),
        "register.sanction": ({"level": 1}, "(missing)"),
    }
