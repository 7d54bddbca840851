"""Registration through the engine's commands: what scenarios cannot say, because it takes two cases or a refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, queries
from engine.errors import Conflict, Denied, Invalid
from processes.registers.account import TITLES
from processes.scenario_runner import ScenarioClock, Stage

SCENARIOS = Path(__file__).resolve().parents[2] / "processes" / "account_registration" / "scenarios"
MEMBERS = ["gusunmao", "qiaodongliang", "shenshafa", "fangchaji", "liangyigui", "songchuanglian", "ouyangmuwen"]
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


def form(**changed: Any) -> dict[str, Any]:
    """The form of a plain application, without live streaming, payment or third party."""
    variables = json.loads((SCENARIOS / "supplements_three.json").read_text(encoding="utf-8"))["start"]["variables"]
    return {**variables, **changed}


def do(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> None:
    tasks = [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]
    for task in tasks:
        try:
            engine.complete(task, variables, by=by)
        except (Denied, Conflict):
            continue
        return
    raise AssertionError(f"{by} has no {element}")


def register_on_platform(engine: Engine, instance: str) -> None:
    do(engine, instance, "dept_confirm", "shenshafa", outcome="agree")
    do(engine, instance, "admin_precheck", "taochouti", outcome="ok")
    for member in MEMBERS:
        do(engine, instance, "ballot", member, outcome="approve")
    do(engine, instance, "platform_register", "taochouti", outcome="done")


def test_an_application_cannot_be_withdrawn_once_the_account_is_registered(engine: Engine) -> None:
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    register_on_platform(engine, case)
    with pytest.raises((Conflict, Denied)):
        engine.withdraw(case, by="michuangdian", reason="改主意")
    assert queries.inspect(engine, case).status == "active"


def test_only_the_applicant_may_withdraw(engine: Engine) -> None:
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    with pytest.raises(Denied):
        engine.withdraw(case, by="luyaoyi")
    engine.withdraw(case, by="michuangdian")
    assert queries.inspect(engine, case).end == "end_withdrawn"


def test_two_open_applications_may_not_ask_for_one_name(engine: Engine) -> None:
    first = engine.start("account_registration", form(), by="michuangdian").instance_id
    second = engine.start("account_registration", form(), by="taotaideng").instance_id
    findings = queries.inspect(engine, second).variables["validate"]["findings"]
    assert [each["field"] for each in findings if each["severity"] == "fail"] == ["proposed_name", "alt_names"]
    engine.withdraw(first, by="michuangdian")
    do(engine, second, "fix", "taotaideng", outcome="resubmit")
    assert queries.inspect(engine, second).variables["validate"]["result"] == "ok"


def test_cases_are_numbered_and_titled(engine: Engine) -> None:
    result = engine.start("account_registration", form(), by="michuangdian")
    assert result.business_key == "ZC-2026-0001"
    variables = queries.inspect(engine, result.instance_id).variables
    assert (variables["request_no"], variables["applicant"]) == ("ZC-2026-0001", "michuangdian")
    assert queries.case(engine, result.instance_id, actor="michuangdian").title == "抖音 · 样木家居样板间"


def test_what_the_policy_wants_in_the_form_is_missed_field_by_field(engine: Engine) -> None:
    with pytest.raises(Invalid) as refused:
        engine.start("account_registration", {"platform": "论坛", "launch_date": "2026-11-10"}, by="michuangdian")
    assert {"using_dept", "platform", "purpose", "responsible", "launch_date"} <= set(refused.value.fields)
    assert "alt_names" not in refused.value.fields and "backup" not in refused.value.fields


def test_whoever_decides_reads_what_the_check_found(engine: Engine) -> None:
    case = engine.start("account_registration", form(proposed_name="样木家居官方号"), by="michuangdian").instance_id
    (task,) = queries.inbox(engine, actor="shenshafa").items
    told = queries.task(engine, task.task_id, actor="shenshafa").prefill["check"]
    assert told["zh-CN"] == "提示：「样木家居官方号」与账号 A004「样木家居官方」近似" and "A004" in told["en"]
    do(engine, case, "dept_confirm", "shenshafa", outcome="agree", check="改写")
    assert "check" not in queries.inspect(engine, case).variables["dept_confirm"]


def test_a_return_needs_a_reason(engine: Engine) -> None:
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    with pytest.raises(Invalid) as refused:
        do(engine, case, "dept_confirm", "shenshafa", outcome="return")
    assert set(refused.value.fields) == {"comment"}


def test_a_password_is_never_taken_for_a_vault_reference(engine: Engine) -> None:
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    register_on_platform(engine, case)
    with pytest.raises(Invalid):
        do(engine, case, "credential_custody", "sushujia", outcome="done", vault_ref="Yangmu@2026")
    do(engine, case, "credential_custody", "sushujia", outcome="done")
    rows = queries.register_rows_of(engine, "account")
    assert rows["A013"]["vault_ref"] == "vault://accounts/ZC-2026-0001"


def test_the_register_tells_who_was_responsible_since_when(engine: Engine) -> None:
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    register_on_platform(engine, case)
    do(engine, case, "credential_custody", "sushujia", outcome="done")
    do(engine, case, "undertaking", "luyaoyi", outcome="signed")
    row = queries.register_rows_of(engine, "account")["A013"]
    tenure = {"responsible": "luyaoyi", "from": "2026-11-09", "to": None, "case_no": "ZC-2026-0001"}
    assert row["responsible_history"] == [tenure]
    assert (row["rotation_due"], row["review_due"]) == ("2027-02-07", "2027-11-09")
    assert set(row) <= set(TITLES)


def test_recused_members_are_told_so_and_nothing_more(engine: Engine) -> None:
    case = engine.start("account_registration", form(responsible="ouyangmuwen"), by="michuangdian").instance_id
    do(engine, case, "dept_confirm", "shenshafa", outcome="agree")
    do(engine, case, "admin_precheck", "taochouti", outcome="ok")
    told = [note["text"]["zh-CN"] for note in queries.told(engine, actor="ouyangmuwen")]
    assert told == ["管理小组有一项表决，你已回避"]


def test_an_extension_gives_two_more_working_days(company: tuple[Engine, ScenarioClock]) -> None:
    engine, clock = company
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    do(engine, case, "dept_confirm", "shenshafa", outcome="agree")
    do(engine, case, "admin_precheck", "taochouti", outcome="ok")
    clock.set(datetime.fromisoformat("2026-11-12T09:00:00+08:00"))
    engine.tick()
    do(engine, case, "extension", "gusunmao", outcome="extend")
    due = [row.due_at for row in queries.inbox(engine, actor="shenshafa").items if row.element == "ballot"]
    assert due == [datetime.fromisoformat("2026-11-16T09:00:00+08:00")]


def test_an_endorsing_head_is_recused_when_the_company_wants_it(engine: Engine) -> None:
    engine.db.write(lambda connection: engine_setting(connection, "endorser_may_vote", False))
    case = engine.start("account_registration", form(), by="michuangdian").instance_id
    do(engine, case, "dept_confirm", "shenshafa", outcome="agree")
    do(engine, case, "admin_precheck", "taochouti", outcome="ok")
    assert sum(task.element == "ballot" for task in queries.inspect(engine, case).open) == 6


def engine_setting(connection: Any, name: str, value: Any) -> None:
    import sqlalchemy as sa

    from engine.models import settings

    connection.execute(sa.insert(settings).values(name=name, value=value))


def test_members_read_open_ballots_and_neither_applicant_nor_recused_members_do(engine: Engine) -> None:
    case = engine.start("account_registration", form(responsible="ouyangmuwen"), by="michuangdian").instance_id
    do(engine, case, "dept_confirm", "shenshafa", outcome="agree")
    do(engine, case, "admin_precheck", "taochouti", outcome="ok")
    do(engine, case, "ballot", "fangchaji", outcome="reject", comment="与主号重复")
    for outsider in ("michuangdian", "ouyangmuwen", "taotaideng"):
        assert "与主号重复" not in str(queries.case(engine, case, actor=outsider)), outsider
    assert "与主号重复" in str(queries.case(engine, case, actor="gusunmao"))
