"""Discipline through the engine's commands: what takes two cases, a refusal on a form, or somebody looking in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import Directory, Engine, Registers, queries, replay, save_directory
from engine.errors import Conflict, Denied, Invalid, NotFound
from processes import law
from processes.discipline import legality
from processes.registers import sanction
from processes.scenario_runner import ScenarioClock, Stage

FOLDER = Path(__file__).resolve().parents[2] / "processes" / "discipline"
FORMS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "forms").glob("*.json"))}
NOW = "2026-11-09T09:00:00+08:00"
FIELDS = [
    "case_source",
    "respondent",
    "employment_type",
    "province",
    "clauses",
    "policy_signed_on",
    "facts",
    "evidence",
    "protected_speech",
    "severity",
    "intentional",
    "priors_12m",
    "loss_cny",
    "statement",
    "proposed",
    "union_opinion",
    "compensation",
    "decision_no",
    "reasons",
    "appeal_until",
    "served",
    "warning_expires",
]


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


def opened(engine: Engine, **changed: Any) -> str:
    scenario = json.loads((FOLDER / "scenarios" / "S04.json").read_text(encoding="utf-8"))
    variables = {**scenario["start"]["variables"], **changed}
    return engine.start("discipline", variables, by="jinguimian").instance_id


def do(engine: Engine, instance: str, element: str, by: str, **variables: Any) -> None:
    for task in [task.task_id for task in queries.inspect(engine, instance).open if task.element == element]:
        try:
            engine.complete(task, variables, by=by)
        except (Denied, Conflict):
            continue
        return
    raise AssertionError(f"{by} has no {element}")


def to_proposal(engine: Engine, instance: str, respondent: str = "jiangbaozhen") -> None:
    do(engine, instance, "rule_check", "zhongxuanguan", outcome="ok")
    do(engine, instance, "statement", respondent, outcome="given", statement="已补回复")


def warned(engine: Engine, instance: str) -> None:
    """A written warning, up to its service."""
    do(engine, instance, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="未尽职责")
    for head in ("fangchaji", "songchuanglian"):
        do(engine, instance, "approve", head, outcome="approved")
    do(engine, instance, "serve", "jinguimian", outcome="signed")


def carried_out(engine: Engine, instance: str) -> None:
    to_proposal(engine, instance)
    warned(engine, instance)
    do(engine, instance, "appeal", "jiangbaozhen", outcome="none")
    do(engine, instance, "execute", "songchuanglian", outcome="done")


def test_two_warnings_within_a_year_raise_the_range_and_an_expired_one_does_not(
    company: tuple[Engine, ScenarioClock],
) -> None:
    engine, clock = company
    for _ in range(2):
        carried_out(engine, opened(engine))
    third = opened(engine)
    to_proposal(engine, third)
    seen = queries.inspect(engine, third).variables
    assert (seen["priors_12m"], seen["max_sanction"], seen["approval"]) == (2, "DEMOTION", "group_majority")

    clock.set(datetime.fromisoformat(NOW) + timedelta(days=365))
    later = opened(engine, conduct_on="2027-11-08", known_on="2027-11-08")
    to_proposal(engine, later)
    assert queries.inspect(engine, later).variables["priors_12m"] == 0


def test_a_revoked_warning_is_no_prior(engine: Engine) -> None:
    instance = opened(engine)
    to_proposal(engine, instance)
    warned(engine, instance)
    do(engine, instance, "appeal", "jiangbaozhen", outcome="filed")
    for head in ("qianyingui", "sushujia"):
        do(engine, instance, "appeal_review", head, outcome="revoke", comment="当周休假")
    rows = {row.key: row.data for row in queries.register(engine, "sanction", actor="songchuanglian").items}
    assert [row["status"] for row in rows.values()] == ["revoked"]
    assert sanction.effective(rows) == {}
    again = opened(engine)
    assert queries.inspect(engine, again).variables["opened"]["priors"] == 0


def test_older_paper_warnings_count_when_stated(engine: Engine) -> None:
    seen = queries.inspect(engine, opened(engine, priors_12m=2)).variables["opened"]
    assert seen["priors"] == 2
    assert "2" in seen["summary"]["zh-CN"] and "台账 0" in seen["summary"]["zh-CN"]


def test_a_waiver_must_be_declared(engine: Engine) -> None:
    instance = opened(engine)
    do(engine, instance, "rule_check", "zhongxuanguan", outcome="ok")
    task = queries.inspect(engine, instance).open[0].task_id
    with pytest.raises(Invalid) as refused:
        engine.complete(task, {"outcome": "waived"}, by="jiangbaozhen")
    assert "waiver_signed" in refused.value.fields


def test_the_respondent_sees_their_own_tasks_and_nothing_else(engine: Engine) -> None:
    instance = opened(engine)
    with pytest.raises((Denied, NotFound)):
        queries.case(engine, instance, actor="jiangbaozhen")
    do(engine, instance, "rule_check", "zhongxuanguan", outcome="ok", comment="事实清楚")
    task = queries.inspect(engine, instance).open[0].task_id
    shown = queries.task(engine, task, actor="jiangbaozhen")
    assert shown.prefill["facts_shown"] == "漏回复客户私信9条,部门拟「罚款500元」"
    assert shown.prefill["evidence_shown"]
    with pytest.raises((Denied, NotFound)):
        queries.case(engine, instance, actor="jiangbaozhen")


def test_the_page_says_why_a_fine_is_impossible_how_sure_we_are_and_what_may_be_done(engine: Engine) -> None:
    instance = opened(engine)
    to_proposal(engine, instance)
    do(engine, instance, "propose", "jinguimian", outcome="submit", proposed="FINE", fine_cny=500)
    task = queries.inspect(engine, instance).open[0].task_id
    said = queries.task(engine, task, actor="jinguimian").prefill["verdict_shown"]
    for needle in ("广东", "劳动保障监察条例 第 51 条", "条号待核", "书面警告", "改进计划", "赔偿"):
        assert needle in said["zh-CN"], needle
    for needle in ("Guangdong", "art. 51", "article number not", "written warning", "improvement plan", "compensation"):
        assert needle in said["en"], needle


def test_the_letter_is_kept_as_a_pdf_for_the_officer_and_not_for_the_superior(engine: Engine) -> None:
    instance = opened(engine)
    to_proposal(engine, instance)
    do(engine, instance, "propose", "jinguimian", outcome="submit", proposed="WARNING", reasons="未尽职责")
    for head in ("fangchaji", "songchuanglian"):
        do(engine, instance, "approve", head, outcome="approved")
    letter = queries.inspect(engine, instance).variables["letter"]
    file = queries.attachment(engine, letter["attachment"], actor="jinguimian")
    assert (file.name, file.type) == ("CF-2026-0001.pdf", "application/pdf")
    assert file.content.startswith(b"%PDF-")
    for outsider in ("shenshafa", "jiangbaozhen", "michuangdian"):
        with pytest.raises((Denied, NotFound)):
            queries.attachment(engine, letter["attachment"], actor=outsider)


def test_dispatched_staff_are_referred_back_to_their_employer(engine: Engine) -> None:
    def dispatch(connection: Any) -> None:
        person = Directory(connection).person("jiangbaozhen")
        assert person is not None
        save_directory(connection, persons=[asdict(person) | {"employment_type": "dispatched"}])

    engine.db.write(dispatch)
    seen = queries.inspect(engine, opened(engine))
    assert (seen.status, seen.end) == ("completed", "end_closed")
    assert "派遣" in seen.variables["opened"]["reason"]["zh-CN"]


def test_a_complaint_must_have_been_substantiated(engine: Engine) -> None:
    def complain(finding: str) -> None:
        engine.db.write(lambda c: Registers(c, now=engine.now()).put("complaint", "TS-2026-0007", {"finding": finding}))

    complain("not")
    assert queries.inspect(engine, opened(engine, case_source="TS-2026-0007")).variables["opened"]["admitted"] is False
    complain("substantiated")
    assert queries.inspect(engine, opened(engine, case_source="TS-2026-0007")).variables["opened"]["admitted"] is True


def test_author_reviewer_and_publisher_of_a_content_case_are_named_from_its_history(
    company: tuple[Engine, ScenarioClock],
) -> None:
    engine, clock = company
    path = FOLDER.parent / "content_review" / "scenarios" / "C01.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    done = {step["complete"]: step for step in content["steps"] if "complete" in step}
    started = engine.start("content_review", content["start"]["variables"], by=content["start"]["by"])
    do(engine, started.instance_id, "t1_review", done["t1_review"]["by"], **done["t1_review"]["variables"])
    clock.set(datetime.fromisoformat("2026-11-09T18:00:00+08:00"))
    while engine.tick():
        pass
    do(engine, started.instance_id, "publish", done["publish"]["by"], **done["publish"]["variables"])

    seen = queries.inspect(engine, opened(engine, content_case=started.business_key, official_account="A006")).variables
    named = {(each["role"], each["username"]) for each in seen["opened"]["responsible"]}
    assert {("author", "taotaideng"), ("reviewer", "shenshafa"), ("publisher", "taotaideng")} <= named
    assert any(role == "account_responsible" for role, _ in named)


def test_a_coaching_for_want_of_a_signature_starts_training(company: tuple[Engine, ScenarioClock]) -> None:
    engine, _ = company
    instance = opened(engine, respondent="linxiaodeng")
    do(engine, instance, "rule_check", "zhongxuanguan", outcome="fail", comment="未签收", failed=["not_signed"])
    engine.tick()
    waiting = queries.inbox(engine, actor="linxiaodeng", tab="mine").items
    assert any(row.process == "training_signoff" for row in waiting)


def test_a_whole_case_replays_to_the_same_state(engine: Engine) -> None:
    instance = opened(engine)
    carried_out(engine, instance)
    assert replay(engine, instance).same


def test_every_field_of_the_register_has_a_title(engine: Engine) -> None:
    carried_out(engine, opened(engine))
    rows = queries.register_rows_of(engine, "sanction")
    assert rows
    assert {name for row in rows.values() for name in sanction.unknown_fields(row)} == set()
    assert all(sanction.status_title(row["status"], "en") != row["status"] for row in rows.values())


def test_the_forms_carry_every_field_of_the_paper_form_in_both_languages() -> None:
    carried = {name: field for form in FORMS.values() for name, field in form["properties"].items()}
    assert set(FIELDS) <= set(carried)
    for form in FORMS.values():
        for name, field in form["properties"].items():
            assert set(field["title"]) == {"zh-CN", "en"}, name
            assert all(text.isascii() for text in [field["title"]["en"].replace("’", "'")]), name


def test_every_refusal_names_its_law_and_how_sure_we_are() -> None:
    for code, (zh, en, articles) in (legality._ACTIONS | legality._OWN).items():
        assert zh and en, code
        for language in ("zh-CN", "en"):
            cited = law.cite(articles, language)
            assert cited.count("\n") == max(0, len(articles) - 1)
            assert all(each in cited for each in articles)
    assert {each.sure for each in law.LAWS.values()} <= set(law.SURE)


def test_a_proposal_nobody_may_decide_on_is_named() -> None:
    found = legality.findings(
        sanction="WARNING",
        floor="WARNING",
        ceiling="WARNING",
        approval="admin_head_and_hr",
        allowed=True,
        action="proceed",
        deduct_allowed=True,
        deduct_action="proceed",
        deduct_problem=None,
        opinion=False,
        anybody=False,
    )
    assert found == ["nobody_decides"]


def test_every_public_case_has_its_scenario_and_reaches_its_end() -> None:
    names = {path.stem for path in (FOLDER / "scenarios").glob("*.json")}
    assert {"S01", "S03", "S04", "S06", "S07", "S09"} <= names


def test_the_start_form_opens_with_what_it_can_know(engine: Engine) -> None:
    view = queries.start_form(engine, "discipline", actor="jinguimian")
    assert view.prefill["province"] == "广东"
    for later in ("employment_type", "decision_no", "appeal_until", "warning_expires"):
        assert view.prefill.get(later) is None
