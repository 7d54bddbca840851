"""Complaints through their own doors: receipts, mailboxes, sealed identities, and what those concerned cannot see."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from engine import Engine, queries, replay, verify
from engine.errors import Denied, NotFound, Unavailable
from processes.complaint import correspondence, mailbox
from processes.complaint.seal import Seal
from processes.registers.complaint import FINDINGS, STATUSES, TITLES
from processes.scenario_runner import ScenarioClock, Stage
from tests.processes.complaining import ADMIN, NOW, about_admin, close_with, do, move, report, stored


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


@pytest.fixture
def clock(company: tuple[Engine, ScenarioClock]) -> ScenarioClock:
    return company[1]


def test_a_receipt_is_shown_once_and_kept_as_a_slow_hash_only(engine: Engine) -> None:
    result, code = correspondence.file(engine, report(), by=None, key="k1")
    assert len(code) == 16 and code.isdigit()
    assert code.encode() not in stored(engine)
    with engine.db.read() as connection:
        row = connection.execute(sa.text("SELECT lookup, receipt_hash FROM complaint_threads")).one()
    assert row.receipt_hash.startswith("$argon2id$") and len(row.lookup) == 4
    assert correspondence.thread_by(engine, code) == result.instance_id
    assert correspondence.thread_by(engine, "0" * 16) is None and correspondence.thread_by(engine, "") is None


def test_the_mark_that_finds_a_receipt_says_nothing_without_the_key() -> None:
    code = mailbox.draw()
    assert len({Seal(Seal.new_key()).tag(code) for _ in range(20)}) > 15
    seal = Seal(Seal.new_key())
    assert len({seal.tag(f"{number:016d}") for number in range(3000)}) > 2000, "and does not follow the digits"


def test_two_receipts_with_one_mark_open_each_their_own_mailbox(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Seal, "tag", lambda _self, _code: "abcd")
    first, one = correspondence.file(engine, report(), by=None, key="k1")
    second, two = correspondence.file(engine, report(), by=None, key="k2")
    assert correspondence.thread_by(engine, one) == first.instance_id
    assert correspondence.thread_by(engine, two) == second.instance_id


def test_receipts_may_be_typed_with_blanks_and_dashes() -> None:
    assert mailbox.digits(" 1234 5678-9012 3456 ") == "1234567890123456"
    assert mailbox.digits("123") == mailbox.digits("x" * 16) == mailbox.digits("１２３４５６７８９０１２３４５６") == ""


def test_sending_a_report_twice_files_it_once_and_the_last_receipt_opens_it(engine: Engine) -> None:
    first, old = correspondence.file(engine, report(), by=None, key="same")
    second, new = correspondence.file(engine, report(), by=None, key="same")
    assert first.instance_id == second.instance_id
    assert correspondence.thread_by(engine, old) is None
    assert correspondence.thread_by(engine, new) == first.instance_id


def test_nothing_is_filed_without_a_sealing_key(engine: Engine) -> None:
    engine.sealer = Seal(None)
    with pytest.raises(Unavailable):
        correspondence.file(engine, report(), by=None, key="k")
    assert queries.register_rows_of(engine, "complaint") == {}


def test_contact_details_are_nowhere_to_be_read(engine: Engine) -> None:
    contact = "客户王女士 13800000000"
    filed = report(reporter_mode="保密实名", reporter_contact=contact, channel="电话")
    result, _code = correspondence.file(engine, filed, by="yepingfeng", key="k")
    for words in (contact, "13800000000", "王女士"):
        assert words.encode() not in stored(engine)
    assert queries.inspect(engine, result.instance_id).variables["reporter_contact"] == "sealed:reporter_contact"
    assert replay(engine, result.instance_id).same


def test_whoever_took_the_call_does_not_see_a_report_about_their_own_department(engine: Engine) -> None:
    result, _code = correspondence.file(engine, about_admin(channel="电话"), by="yepingfeng", key="k")
    assert queries.started(engine, actor="yepingfeng").items == []
    for who in ADMIN:
        with pytest.raises(Denied):
            queries.case(engine, result.instance_id, actor=who)
        with pytest.raises(Denied):
            correspondence.letters(engine, result.instance_id, actor=who)
        assert queries.told(engine, actor=who) == []
        for tab in ("mine", "claimable"):
            assert queries.inbox(engine, actor=who, tab=tab).items == []


def test_the_register_shows_no_row_of_a_case_to_whom_it_is_kept_from(engine: Engine) -> None:
    correspondence.file(engine, about_admin(), by=None, key="k")
    for who in ADMIN:
        with contextlib.suppress(Denied):
            assert queries.register(engine, "complaint", actor=who).items == []
        with pytest.raises((Denied, NotFound)):
            queries.register_row(engine, "complaint", "TS-2026-0001", actor=who)


def test_the_respondent_sees_their_statement_and_nothing_else(engine: Engine) -> None:
    result, _code = correspondence.file(engine, about_admin(description="机密情节"), by=None, key="k")
    case = result.instance_id
    do(engine, case, "triage", "liangyigui", outcome="investigate")
    do(engine, case, "assign", "gusunmao", outcome="done")
    do(engine, case, "contain", "zhongxuanguan", outcome="done")
    do(engine, case, "plan", "zhongxuanguan", outcome="done")
    do(engine, case, "investigate", "zhongxuanguan", outcome="done", allegations="要求查看手机")
    assert queries.told(engine, actor="fangchaji") == [], "not before the evidence is secured"
    do(engine, case, "investigate", "jianchigui", outcome="done")
    [row] = queries.inbox(engine, actor="fangchaji").items
    assert (row.element, row.title, row.initiator) == ("statement", "", None)
    page = queries.task(engine, row.task_id, actor="fangchaji")
    assert (page.start, page.decided, page.processes) == (None, [], [])
    assert page.prefill == {"told": {"zh-CN": "要求查看手机", "en": "要求查看手机"}}
    [note] = queries.told(engine, actor="fangchaji")
    assert note["instance_id"] is None and "TS-" not in note["text"]["en"]
    with pytest.raises(Denied):
        queries.case(engine, case, actor="fangchaji")
    with pytest.raises(Denied):
        queries.diagram(engine, case, "complaint", actor="fangchaji")


def test_reporter_and_handlers_write_to_and_fro(engine: Engine, clock: ScenarioClock) -> None:
    result, code = correspondence.file(engine, report(), by=None, key="k")
    thread = correspondence.thread_by(engine, code)
    assert thread is not None
    assert correspondence.write_in(engine, thread, "补充：在十一号店", kind="received", key="m1")
    assert not correspondence.write_in(engine, thread, "补充：在十一号店", kind="received", key="m1"), "once"
    assert "十一号店".encode() not in stored(engine), "what reporters write is sealed"
    assert queries.told(engine, actor="yepingfeng")[0]["text"]["en"].startswith("The reporter has written")
    messages, may_write = correspondence.letters(engine, result.instance_id, actor="yepingfeng")
    assert [one.text for one in messages] == ["补充：在十一号店"] and may_write
    move(engine, clock, "2026-11-09T09:05:00+08:00")
    correspondence.write_out(engine, result.instance_id, "请问是哪一天？", by="yepingfeng")
    _status, _reviewable, seen = correspondence.state_of(engine, thread)
    assert [one.kind for one in seen] == ["received", "sent"]
    assert correspondence.letters(engine, result.instance_id, actor="jianchigui")[1] is False, "auditors only read"
    with pytest.raises(Denied):
        correspondence.write_out(engine, result.instance_id, "我是谁", by="jianchigui")
    assert verify(engine.db).broken == ()


def test_a_complaint_closed_for_want_of_an_answer_is_taken_up_again_by_its_receipt(
    engine: Engine, clock: ScenarioClock
) -> None:
    result, code = correspondence.file(engine, report(), by=None, key="k")
    do(engine, result.instance_id, "triage", "yepingfeng", outcome="ask_more", questions=["哪一天？"])
    move(engine, clock, "2026-12-01T10:00:00+08:00")
    assert queries.inspect(engine, result.instance_id).end == "end_closed_insufficient"
    thread = correspondence.thread_by(engine, code)
    assert thread is not None
    correspondence.write_in(engine, thread, "是十一月三日", kind="received", key="m1")
    again = queries.register_rows_of(engine, "complaint")["TS-2026-0002"]
    assert (again["status"], again["related_case"]) == ("received", "TS-2026-0001")
    new = queries.instance_of(engine, "TS-2026-0002")
    messages, _may = correspondence.letters(engine, new, actor="yepingfeng")
    assert messages[-1].text == "是十一月三日" and correspondence.thread_by(engine, code) == thread


def test_an_answer_that_nobody_took_up_keeps_a_complaint_open(engine: Engine, clock: ScenarioClock) -> None:
    result, code = correspondence.file(engine, report(), by=None, key="k")
    do(engine, result.instance_id, "triage", "yepingfeng", outcome="ask_more")
    move(engine, clock, "2026-11-20T10:00:00+08:00")
    thread = correspondence.thread_by(engine, code)
    assert thread is not None
    correspondence.write_in(engine, thread, "有转账记录", kind="received", key="m1")
    move(engine, clock, "2026-12-01T10:00:00+08:00")
    assert [task.element for task in queries.inspect(engine, result.instance_id).open] == ["triage"]


def test_both_reporters_of_a_merged_complaint_are_told(engine: Engine, clock: ScenarioClock) -> None:
    first, one = correspondence.file(engine, report(), by=None, key="k1")
    second, two = correspondence.file(engine, report(), by=None, key="k2")
    do(engine, second.instance_id, "triage", "yepingfeng", outcome="merge", merge_into=first.business_key)
    move(engine, clock, "2026-11-09T10:00:00+08:00")
    close_with(engine, first.instance_id, "not")
    for code in (one, two):
        thread = correspondence.thread_by(engine, code)
        assert thread is not None
        last = correspondence.state_of(engine, thread)[2][-1]
        assert isinstance(last.text, dict) and "不成立" in last.text["zh-CN"]


def test_a_review_is_asked_for_with_the_receipt_and_done_by_others(engine: Engine, clock: ScenarioClock) -> None:
    result, code = correspondence.file(engine, report(), by=None, key="k")
    case, thread = result.instance_id, correspondence.thread_by(engine, code)
    assert thread is not None
    close_with(engine, case, "not")
    assert correspondence.state_of(engine, thread)[1], "may be asked for now"
    correspondence.write_in(engine, thread, "没有问过证人", kind="review", key="m")
    move(engine, clock, "2026-11-11T10:00:00+08:00")
    [task] = queries.inspect(engine, case).open
    assert task.element == "review"
    with pytest.raises(Denied):
        queries.task(engine, task.task_id, actor="baishuzhuo")
    do(engine, case, "review", "jianchigui", outcome="reopen", comment="应询问证人")
    do(engine, case, "assign", "fangchaji", outcome="done")
    appointed = queries.inspect(engine, case).variables["appointed"]
    assert {appointed["lead"], appointed["second"]} & {"baishuzhuo", "tangxiaogui"} == set()


def test_nothing_is_recorded_against_whoever_was_named_in_a_complaint_closed_unanswered(
    engine: Engine, clock: ScenarioClock
) -> None:
    result, _code = correspondence.file(engine, report(target="江抱枕"), by=None, key="k")
    do(engine, result.instance_id, "triage", "yepingfeng", outcome="ask_more", has_lead=False)
    move(engine, clock, "2026-12-01T10:00:00+08:00")
    row = queries.register_rows_of(engine, "complaint")[result.business_key or ""]
    assert row["status"] == "closed_insufficient" and row.get("respondent") is None
    with engine.db.read() as connection:
        for table in ("register_rows", "register_changes", "notifications"):
            kept = repr(connection.execute(sa.text(f"SELECT * FROM {table} WHERE 1 = 1")).all())
            assert result.business_key is not None
            mine = [each for each in kept.split("), (") if result.business_key in each]
            assert not any("jiangbaozhen" in each or "江抱枕" in each for each in mine), table


def test_a_wrong_receipt_costs_one_hash_like_a_right_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _result, code = correspondence.file(engine, report(), by=None, key="k")
    verified: list[str] = []
    hasher = mailbox._hasher

    class Counting:
        def verify(self, hashed: str, code: str) -> bool:
            verified.append(code)
            return bool(hasher.verify(hashed, code))

    monkeypatch.setattr(mailbox, "_hasher", Counting())
    assert correspondence.thread_by(engine, code) is not None and len(verified) == 1
    assert correspondence.thread_by(engine, "1234567890123456") is None and len(verified) == 2


def test_every_field_and_word_of_the_register_is_named(engine: Engine) -> None:
    result, _code = correspondence.file(engine, report(), by=None, key="k")
    close_with(engine, result.instance_id, "substantiated")
    row = queries.register_rows_of(engine, "complaint")[result.business_key or ""]
    assert set(row) <= set(TITLES) and row["status"] in STATUSES and row["finding"] in FINDINGS
