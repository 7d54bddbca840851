"""Turns a disciplinary case may take: the employee leaves, new evidence comes up, rules were signed more than once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Registers, queries, set_status
from engine.errors import Conflict, Denied
from processes.registers import sanction
from processes.scenario_runner import ScenarioClock, Stage

FOLDER = Path(__file__).resolve().parents[2] / "processes" / "discipline"
NOW = "2026-11-09T09:00:00+08:00"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as opened:
        yield opened


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]


def begin(engine: Engine, **changed: Any) -> str:
    scenario = json.loads((FOLDER / "scenarios" / "S04.json").read_text(encoding="utf-8"))
    return engine.start("discipline", {**scenario["start"]["variables"], **changed}, by="jinguimian").instance_id


def do(engine: Engine, case: str, element: str, by: str, **variables: Any) -> None:
    for task in [task.task_id for task in queries.inspect(engine, case).open if task.element == element]:
        try:
            engine.complete(task, variables, by=by)
        except (Denied, Conflict):
            continue
        return
    raise AssertionError(f"{by} has no {element}")


def until_proposal(engine: Engine, **changed: Any) -> str:
    case = begin(engine, **changed)
    do(engine, case, "rule_check", "zhongxuanguan", outcome="ok")
    do(engine, case, "statement", "jiangbaozhen", outcome="given", statement="已补回复")
    return case


def leave(engine: Engine) -> None:
    engine.db.write(lambda connection: set_status(connection, "jiangbaozhen", "left 2026-11-09"))


def test_nothing_is_proposed_against_somebody_who_left(engine: Engine) -> None:
    case = until_proposal(engine)
    leave(engine)
    do(engine, case, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="漏回复")
    seen = queries.inspect(engine, case)
    assert seen.variables["verdict"]["codes"] == ["left"]
    assert "不予处分" in seen.variables["verdict"]["text"]["zh-CN"]
    do(engine, case, "propose", "jinguimian", outcome="drop", comment="已离职")
    assert queries.inspect(engine, case).end == "end_closed"


def test_no_decision_is_drawn_up_for_somebody_who_left_while_it_was_approved(engine: Engine) -> None:
    case = until_proposal(engine)
    do(engine, case, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="漏回复")
    do(engine, case, "approve", "fangchaji", outcome="approved")
    leave(engine)
    do(engine, case, "approve", "songchuanglian", outcome="approved")
    seen = queries.inspect(engine, case)
    assert (seen.status, seen.end) == ("completed", "end_closed")
    assert "离职" in seen.variables["closed"]["reason"]["zh-CN"]
    assert queries.register_rows_of(engine, "sanction") == {}


@pytest.mark.parametrize(
    ("history", "before", "version"),
    [
        ([{"signed_on": "2025-11-01", "policy_version": "2025-02"}], True, "2025-02"),
        ([{"signed_on": "2024-11-01", "policy_version": "2024-01"}, {"signed_on": "2025-11-01"}], True, "2026-01"),
        ([], False, "2026-01"),
    ],
)
def test_who_signs_again_every_year_had_signed_before(
    engine: Engine, history: list[dict[str, str]], before: bool, version: str
) -> None:
    def sign(connection: Any) -> None:
        row = {"person": "jiangbaozhen", "signed_on": "2026-11-05", "policy_version": "2026-01", "history": history}
        Registers(connection, now=engine.now()).put("training", "jiangbaozhen", row)
        connection.exec_driver_sql("UPDATE people SET policy_signed_on = NULL WHERE username = 'jiangbaozhen'")

    engine.db.write(sign)
    opened = queries.inspect(engine, begin(engine)).variables["opened"]
    assert (opened["signed_before"], opened["policy_version"]) == (before, version)


def test_the_letter_names_the_version_and_the_evidence_found_later(engine: Engine) -> None:
    case = until_proposal(engine)
    do(engine, case, "propose", "jinguimian", outcome="rehear", new_evidence="后台导出的未回复记录")
    do(engine, case, "statement", "jiangbaozhen", outcome="waived", waiver_signed=True)
    do(engine, case, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="漏回复 9 条")
    do(engine, case, "approve", "fangchaji", outcome="approved")
    do(engine, case, "approve", "songchuanglian", outcome="approved")
    letter = queries.inspect(engine, case).variables["letter"]
    said = letter["text"]["zh-CN"]
    assert "2026-01 版" in said and "后台导出的未回复记录" in said and "截图与链接" in said
    file = queries.attachment(engine, letter["attachment"], actor="jinguimian")
    assert file.content.startswith(b"%PDF-") and file.type == "application/pdf"


def test_a_revoked_decision_keeps_its_row_and_says_nothing_more_of_the_person(engine: Engine) -> None:
    case = until_proposal(engine)
    do(engine, case, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="漏回复 9 条")
    do(engine, case, "approve", "fangchaji", outcome="approved")
    do(engine, case, "approve", "songchuanglian", outcome="approved")
    do(engine, case, "serve", "jinguimian", outcome="signed")
    do(engine, case, "appeal", "jiangbaozhen", outcome="filed", comment="当周休假")
    do(engine, case, "appeal_review", "qianyingui", outcome="revoke", comment="当周休假")
    do(engine, case, "appeal_review", "sushujia", outcome="revoke", comment="当周休假")
    [row] = queries.register_rows_of(engine, "sanction").values()
    assert row["status"] == "revoked" and row["revoked_on"] == "2026-11-09"
    assert [name for name in sanction.PURGED if row.get(name) not in (None, [])] == []
    assert sanction.unknown_fields(row) == []
    assert sanction.effective_warnings({"x": row}, "jiangbaozhen", datetime.fromisoformat(NOW).date()) == {}
