"""Closing and handing over accounts where it takes two cases, a refusal by the form, or a look at who may see what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, queries
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.models import instances
from processes import care
from processes.account_handover import checklist
from processes.registers.account import TITLES
from processes.registers.credential import TITLES as CREDENTIAL_TITLES
from processes.registers.training import TITLES as TRAINING_TITLES
from processes.scenario_runner import ScenarioClock, Stage

PROCESSES = Path(__file__).resolve().parents[2] / "processes"
NOW = "2026-11-09T09:00:00+08:00"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as (engine, clock):
        engine.schedules = None
        yield engine, clock


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]


def form(process: str, scenario: str, **changed: Any) -> dict[str, Any]:
    path = PROCESSES / process / "scenarios" / f"{scenario}.json"
    return {**json.loads(path.read_text(encoding="utf-8"))["start"]["variables"], **changed}


def do(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> None:
    for task in [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]:
        try:
            engine.complete(task, variables, by=by)
        except (Denied, Conflict):
            continue
        return
    raise AssertionError(f"{by} has no {element}")


def settle(engine: Engine) -> None:
    while engine.tick():
        pass


def started(engine: Engine, process: str) -> list[str]:
    with engine.db.read() as connection:
        return list(connection.scalars(sa.select(instances.c.instance_id).where(instances.c.process == process)))


def test_a_complaint_about_the_account_blocks_without_being_named(engine: Engine) -> None:
    lead = {
        "channel": "当面",
        "reporter_mode": "公开实名",
        "respondent_scope": "官方账号",
        "category": "程序违规",
        "target": "账号 A010 的置顶内容",
        "description": "置顶内容未经审核",
        "pi_exposed": False,
        "safe_followup": False,
    }
    number = engine.start("complaint", lead, by="yepingfeng").business_key
    case = engine.start("account_deregistration", form("account_deregistration", "D01"), by="jinguimian").instance_id
    variables = queries.inspect(engine, case).variables
    assert variables["precheck"]["result"] == "blocked"
    assert number and number not in json.dumps(variables, ensure_ascii=False)


def test_a_handover_under_way_blocks_closing(engine: Engine) -> None:
    other = form("account_handover", "H01", account_id="A010", outgoing="jinguimian")
    number = engine.start("account_handover", other, by="songchuanglian").business_key
    case = engine.start("account_deregistration", form("account_deregistration", "D01"), by="jinguimian").instance_id
    assert queries.inspect(engine, case).variables["precheck"]["cases"] == [number]


def test_an_account_is_not_closed_or_handed_over_twice_at_once(engine: Engine) -> None:
    engine.start("account_deregistration", form("account_deregistration", "D01"), by="jinguimian")
    again = engine.start("account_deregistration", form("account_deregistration", "D01"), by="jinguimian")
    assert again.end == "end_rejected"
    engine.start("account_handover", form("account_handover", "H01"), by="shenshafa")
    again = engine.start("account_handover", form("account_handover", "H01"), by="shenshafa")
    assert again.end == "end_rejected"


def test_many_followers_need_a_long_notice(engine: Engine) -> None:
    with pytest.raises(Invalid) as refused:
        engine.start("account_deregistration", form("account_deregistration", "D04", notice_days=7), by="luyaoyi")
    assert set(refused.value.fields) == {"notice_days"}


def test_converting_starts_the_handover(engine: Engine) -> None:
    case = engine.start("account_deregistration", form("account_deregistration", "D03"), by="ouyangmuwen").instance_id
    do(engine, case, "dept_confirm", "qiaodongliang", outcome="agree")
    for element, by in (("clear_marketing", "baixiangmu"), ("clear_legal", "zhongxuanguan")):
        do(engine, case, element, by, outcome="ok")
    do(engine, case, "clear_finance", "qianyingui", outcome="ok")
    for member in ("gusunmao", "qiaodongliang", "shenshafa", "fangchaji", "liangyigui", "songchuanglian"):
        do(engine, case, "ballot", member, outcome="convert", comment="移交市场部")
    settle(engine)
    [handover] = started(engine, "account_handover")
    seen = queries.inspect(engine, handover)
    assert (seen.variables["outgoing"], seen.variables["trigger"]) == ("ouyangmuwen", "部门调整")
    assert seen.variables["origin"]["business_key"] == "ZX-2026-0001"


def test_an_investigation_is_kept_from_the_outgoing_person_until_the_password_is_changed(engine: Engine) -> None:
    case = engine.start("account_handover", form("account_handover", "H04"), by="guanzhanting").instance_id
    with pytest.raises((Denied, NotFound)):
        queries.case(engine, case, actor="hanzhuomian")
    with engine.db.read() as connection:
        told = connection.exec_driver_sql("SELECT username FROM notifications").scalars().all()
    assert "hanzhuomian" not in told
    do(engine, case, "emergency_rotate", "sushujia", outcome="done")
    assert queries.case(engine, case, actor="hanzhuomian").title


def test_a_leavers_tasks_go_to_the_successor(company: tuple[Engine, ScenarioClock]) -> None:
    engine, _ = company
    training = engine.start("training_signoff", {"person": "luyaoyi", "reason": "annual"}, by="tangxiaogui")
    case = engine.start(
        "account_handover",
        form("account_handover", "H01", account_id="A004", trigger="离职", outgoing="luyaoyi", incoming="michuangdian"),
        by="songchuanglian",
    ).instance_id
    do(engine, case, "confirm_successor", "shenshafa", outcome="ok")
    do(engine, case, "prepare", "luyaoyi", outcome="done")
    do(engine, case, "check", "michuangdian", outcome="all_ok")
    do(engine, case, "witness", "taochouti", outcome="ok")
    do(engine, case, "rotate", "sushujia", outcome="done")
    do(engine, case, "sign", "luyaoyi", outcome="signed")
    do(engine, case, "sign", "michuangdian", outcome="signed")
    settle(engine)
    variables = queries.inspect(engine, case).variables
    assert variables["reassigned"]["tasks"] == 1
    assert training.instance_id in [row.instance_id for row in queries.inbox(engine, actor="michuangdian").items]


def test_other_accounts_tasks_stay_where_they_are(engine: Engine) -> None:
    rotation = engine.start("credential_rotation", {"account_id": "A002", "reason": "其他"}, by="taochouti")
    case = engine.start("account_handover", form("account_handover", "H01"), by="shenshafa").instance_id
    do(engine, case, "confirm_successor", "shenshafa", outcome="ok")
    do(engine, case, "prepare", "taotaideng", outcome="done")
    do(engine, case, "check", "duwenli", outcome="all_ok")
    do(engine, case, "witness", "taochouti", outcome="ok")
    do(engine, case, "rotate", "sushujia", outcome="done")
    do(engine, case, "sign", "duwenli", outcome="signed")
    do(engine, case, "sign", "taotaideng", outcome="signed")
    settle(engine)
    page = queries.inbox(engine, actor="taotaideng", tab="claimable")
    assert rotation.instance_id in [row.instance_id for row in page.items]


def test_no_form_of_an_account_takes_a_password(engine: Engine) -> None:
    case = engine.start("credential_rotation", {"account_id": "A009", "reason": "其他"}, by="taochouti").instance_id
    with pytest.raises(Invalid):
        do(engine, case, "rotate", "ouyangmuwen", outcome="done", vault_ref="Yangmu@2026")


@pytest.mark.parametrize(("line", "taken"), [("a.zip " + "0" * 64, True), ("a.zip", False), ("a.zip 12ab", False)])
def test_an_archived_file_is_named_with_its_hash(line: str, taken: bool) -> None:
    schema = json.loads((PROCESSES / "account_deregistration" / "forms" / "archive.json").read_text(encoding="utf-8"))
    assert bool(re.search(schema["properties"]["hashes"]["items"]["pattern"], line)) is taken


def test_every_field_the_registers_get_has_a_title(company: tuple[Engine, ScenarioClock]) -> None:
    engine, _ = company
    case = engine.start("account_handover", form("account_handover", "H03"), by="shenshafa").instance_id
    do(engine, case, "confirm_successor", "shenshafa", outcome="not_trained")
    do(engine, case, "course", "michuangdian", outcome="done", score=90)
    do(engine, case, "sign_off", "michuangdian", outcome="signed")
    do(engine, case, "prepare", "luyaoyi", outcome="done", i04="missing")
    do(engine, case, "check", "michuangdian", outcome="all_ok")
    do(engine, case, "witness", "taochouti", outcome="ok")
    do(engine, case, "rotate", "sushujia", outcome="done")
    do(engine, case, "sign", "luyaoyi", outcome="signed")
    do(engine, case, "sign", "michuangdian", outcome="signed")
    rows = queries.register_rows_of(engine, "account")["A004"]
    assert set(rows) - set(TITLES) == set()
    assert set(queries.register_rows_of(engine, "credential")["A004"]) <= set(CREDENTIAL_TITLES)
    assert set(queries.register_rows_of(engine, "training")["michuangdian"]) <= set(TRAINING_TITLES)


def test_what_was_made_good_is_handed_over_unless_missed_again() -> None:
    prepare, fixed = {"i05": "missing", "i06": "handed"}, {"outcome": "fixed"}
    assert checklist.state(prepare, {}, {})["missing"] == ["i05"]
    assert checklist.state(prepare, {"outcome": "all_ok"}, fixed)["missing"] == []
    assert checklist.state(prepare, {"i05": "missing"}, fixed)["missing"] == ["i05"]
    assert len(checklist.state({}, {}, {})["open"]) == 18


@pytest.mark.parametrize(
    ("row", "days"),
    [({"risk": "high"}, 60), ({"risk": "high", "incident_12m": True}, 30), ({"risk": "low"}, 90)],
)
def test_imported_accounts_rotate_as_the_table_would_say(row: dict[str, Any], days: int) -> None:
    assert care.rotation_days(row) == days
