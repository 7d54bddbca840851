"""Scenarios, played on a small procedure of their own in the demo company."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processes.scenario_runner import Outcome, Stage, run_file

HERE = Path(__file__).parent
REQUEST_FORM = {
    "type": "object",
    "title": {"zh-CN": "请假单", "en": "Leave"},
    "properties": {"days": {"type": "integer", "minimum": 1, "title": {"zh-CN": "天数", "en": "Days"}}},
    "required": ["days"],
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def play(tmp_path: Path, stage: Stage) -> Any:
    shutil.copyfile(HERE / "leave.bpmn", tmp_path / "leave.bpmn")
    (tmp_path / "request.json").write_text(json.dumps(REQUEST_FORM), encoding="utf-8")

    def played(*steps: dict[str, Any], days: Any = 3, by: str | None = "shenshafa", **more: Any) -> Outcome:
        scenario = {
            "name": "leave",
            "process": "leave",
            "diagrams": ["leave.bpmn"],
            "now": "2026-11-09T09:00:00+08:00",
            "start": {"by": by, "variables": {"days": days}},
            "steps": steps,
            **more,
        }
        path = tmp_path / "scenario.json"
        path.write_text(json.dumps(scenario), encoding="utf-8")
        return run_file(path, stage)

    return played


AGREE = {"complete": "review", "by": "fangchaji", "variables": {"outcome": "agree"}}


def test_a_case_that_goes_as_expected_passes(play: Any) -> None:
    outcome = play(
        {"expect": {"open": {"review": 1}, "status": "active", "variables": {"days": 3, "initiator": "shenshafa"}}},
        AGREE,
        expect={
            "status": "completed",
            "end": "end_granted",
            "open": {"review": 0},
            "variables": {"review.outcome": "agree", "review": {"by": "fangchaji"}},
            "visited": ["review", "which"],
            "not_visited": ["late"],
        },
    )
    assert outcome.failure is None
    assert outcome.passed


def test_a_case_that_goes_otherwise_fails_with_both_sides_and_the_path_so_far(play: Any) -> None:
    outcome = play(AGREE, {"expect": {"end": "end_refused", "variables": {"review.outcome": "reject"}}})
    assert not outcome.passed
    assert outcome.failure.step == 2
    assert outcome.failure.expected == {"variables.review.outcome": "reject", "end": "end_refused"}
    assert outcome.failure.actual == {"variables.review.outcome": "agree", "end": "end_granted"}
    assert outcome.path[-1] == "end_granted"
    assert "review" in outcome.path


def test_a_recused_person_is_denied_in_every_way(play: Any) -> None:
    assert play({"denied": "review", "by": "shenshafa"}, AGREE).failure is None


def test_an_outsider_to_the_group_is_denied(play: Any) -> None:
    assert play({"denied": "review", "by": "michuangdian"}).failure is None


def test_denied_fails_for_somebody_who_may(play: Any) -> None:
    outcome = play({"denied": "review", "by": "fangchaji"})
    assert outcome.failure.step == 1
    assert "open" in outcome.failure.actual["allowed"]


def test_denied_fails_where_nothing_is_open_to_be_denied(play: Any) -> None:
    assert play(AGREE, {"denied": "review", "by": "shenshafa"}).failure.step == 2


def test_completing_what_one_may_not_do_fails_the_step(play: Any) -> None:
    outcome = play({"complete": "review", "by": "shenshafa", "variables": {"outcome": "agree"}})
    assert outcome.failure.step == 1
    assert outcome.failure.actual == {"open": {"review": 1}}


def test_a_claim_keeps_the_task_from_others(play: Any) -> None:
    outcome = play({"claim": "review", "by": "liangyigui"}, AGREE)
    assert outcome.failure.step == 2
    kept = play({"claim": "review", "by": "fangchaji"}, AGREE, expect={"end": "end_granted"})
    assert kept.failure is None


def test_what_falls_due_happens_while_time_passes(play: Any) -> None:
    early = {"until": "2026-11-11T08:59:00+08:00"}
    still = {"expect": {"open": {"review": 1}, "status": "active"}}
    assert play(early, still, {"after": "PT1M"}, expect={"end": "end_expired", "visited": ["late"]}).failure is None
    assert play({"after": "2wd"}, expect={"end": "end_expired"}).failure is None


def test_the_initiator_withdraws(play: Any) -> None:
    assert play({"withdraw": True, "by": "shenshafa"}, expect={"end": "end_withdrawn"}).failure is None
    assert play({"withdraw": True, "by": "fangchaji"}).failure.step == 1


def test_a_missing_field_fails_the_start_and_is_named(play: Any) -> None:
    outcome = play(days=None)
    assert outcome.failure.step == 0
    assert "days" in outcome.failure.actual


def test_an_outsider_may_not_start_what_is_for_staff(play: Any) -> None:
    assert play(by=None).failure.step == 0


def test_a_diagram_the_gate_refuses_fails_with_its_problems(play: Any, tmp_path: Path) -> None:
    text = (tmp_path / "leave.bpmn").read_text(encoding="utf-8").replace("review.outcome ==", "revue.outcome ==")
    (tmp_path / "leave.bpmn").write_text(text, encoding="utf-8")
    outcome = play(AGREE)
    assert outcome.failure.step == 0
    assert outcome.failure.actual[0]["file"] == "leave.bpmn"
    assert outcome.failure.actual[0]["line"] > 1


def test_a_file_that_is_no_scenario_fails_without_an_exception(tmp_path: Path, stage: Stage) -> None:
    path = tmp_path / "x.json"
    path.write_text("{", encoding="utf-8")
    assert run_file(path, stage).failure is not None


def test_no_scenario_sees_what_another_left(play: Any, stage: Stage) -> None:
    assert play(AGREE).passed
    outcome = play(AGREE, expect={"register": {"account": {"name": "样木家居直播间"}}})
    assert outcome.failure.expected == {"register.account": {"name": "样木家居直播间"}}
