"""Content review through the engine's commands: what scenarios cannot say, because it takes two cases or a refusal."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from engine import Engine, queries
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.forms import coerce_submission, validate
from engine.models import instances, settings
from processes.registers.content import STATUSES, TITLES
from processes.scenario_runner import ScenarioClock
from tests.processes.content_driving import ALL_PASS, SCENARIOS, do, open_cases, prefilled, settle, submission, submit


def test_a_secret_opens_a_leak_lead_that_its_author_knows_nothing_of(engine: Engine) -> None:
    case = submit(engine, "C05")
    settle(engine)
    number = queries.inspect(engine, case).variables["business_key"]
    (lead,) = queries.register_rows_of(engine, "complaint").values()
    assert lead["category"] == "泄露公司信息"
    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.process == "complaint")).one()
    assert row.initiator != "hanzhuomian"
    with pytest.raises((Denied, NotFound)):
        queries.case(engine, row.instance_id, actor="hanzhuomian")
    told = [note["text"]["zh-CN"] for note in queries.told(engine, actor="zhongxuanguan")]
    assert any(number in text for text in told)
    assert "经销商底价" not in str(queries.inspect(engine, row.instance_id).variables)


def test_what_was_published_differently_is_assessed_for_takedown(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "publish", "hanzhuomian", outcome="done", published_text="全网最低价", url="https://example.com/1")
    settle(engine)
    (row,) = queries.register_rows_of(engine, "takedown").values()
    number = queries.inspect(engine, case).variables["business_key"]
    assert (row["account_id"], row["reason"], row["content_no"]) == ("A005", "mismatch", number)
    (takedown,) = open_cases(engine, "takedown", "baixiangmu")
    assert queries.inspect(engine, takedown).variables["origin"]["business_key"] == number
    do(engine, takedown, "preserve", "baixiangmu", outcome="done")
    for concerned in ("hanzhuomian", "shenshafa"):
        assert takedown not in open_cases(engine, "takedown", concerned)
    do(engine, takedown, "assess", "liangyigui", outcome="takedown")
    do(engine, takedown, "remove", "hanzhuomian", outcome="done")
    do(engine, takedown, "verify_removal", "baixiangmu", outcome="confirmed")
    assert queries.register_rows_of(engine, "content")[number]["status"] == "taken_down"


def test_an_urgent_statement_that_is_not_ratified_goes_to_takedown(company: tuple[Engine, ScenarioClock]) -> None:
    engine, clock = company
    case = submit(engine, "C11")
    do(engine, case, "urgent", "gusunmao", outcome="approve")
    do(engine, case, "urgent", "liangyigui", outcome="approve")
    do(engine, case, "publish", "michuangdian", outcome="done", url="https://example.com/2")
    clock.set(datetime.fromisoformat("2026-11-10T09:02:00+08:00"))
    settle(engine)
    settle(engine)
    assert queries.inspect(engine, case).end == "end_not_ratified"
    (row,) = queries.register_rows_of(engine, "takedown").values()
    assert (row["reason"], row["url"]) == ("not_ratified", "https://example.com/2")


def test_a_complaint_under_a_post_becomes_a_case_with_an_owner(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "publish", "hanzhuomian", outcome="done")
    do(engine, case, "interact", "jiangbaozhen", outcome="replied", kind="complaint", text="床板开裂")
    settle(engine)
    (passed_on,) = open_cases(engine, "interaction", "yanshouhou")
    assert queries.inspect(engine, passed_on).variables["owner"] == "customer_service"


def test_an_item_that_failed_cannot_be_approved(engine: Engine) -> None:
    case = submit(engine)
    with pytest.raises(Invalid) as refused:
        do(engine, case, "t1_review", "shenshafa", outcome="approve", review_check={**ALL_PASS, "准确": "fail"})
    assert set(refused.value.fields) == {"review_check"}
    for failing in ({**ALL_PASS, "准确": "fail"}, {"合法": "pass"}, {}):
        with pytest.raises(Invalid):
            do(engine, case, "t1_review", "shenshafa", outcome="return", comment="见各项", review_check=failing)
    do(engine, case, "t1_review", "shenshafa", outcome="approve", review_check={**ALL_PASS, "品牌": "na"})
    assert queries.inspect(engine, case).variables["approval"]["result"] == "frozen"


def test_a_return_tells_the_author_which_items_failed(engine: Engine) -> None:
    case = submit(engine)
    check = {**ALL_PASS, "准确": "fail", "准确说明": "尺寸与图纸不符"}
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="请核对", review_check=check)
    why = prefilled(engine, case, "revise", "hanzhuomian")["why"]
    assert "请核对" in why and "准确：尺寸与图纸不符" in why
    assert any("尺寸与图纸不符" in note["text"]["zh-CN"] for note in queries.told(engine, actor="hanzhuomian"))


def test_reviewers_see_hits_in_the_text_and_what_changed(engine: Engine) -> None:
    case = submit(engine, "C10")
    shown = prefilled(engine, case, "t1_review", "shenshafa")
    text = shown["text"]["segments"]
    assert "".join(piece["text"] for piece in text) == "台风天温馨促销" + submission("C10")["body"]
    assert [piece["note"]["zh-CN"] for piece in text if piece["kind"] == "heading"] == ["标题", "正文"]
    assert [piece["text"] for piece in text if piece["kind"] == "warn"] == ["台风", "台风", "台风", "3折"]
    assert "changed" not in shown
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="删去台风")
    do(engine, case, "revise", "michuangdian", outcome="resubmit", title="新沙发促销", body="宅家换新沙发，3折起！")
    changed = prefilled(engine, case, "t1_review", "shenshafa")["changed"]["segments"]
    assert any(piece["kind"] == "removed" and "台风" in piece["text"] for piece in changed)


def test_an_edit_after_approval_leaves_the_first_hash_on_record_as_void(engine: Engine) -> None:
    case = submit(engine)
    number = queries.inspect(engine, case).variables["business_key"]
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    first = queries.register_rows_of(engine, "content")[number]["sha256"]
    do(engine, case, "publish", "hanzhuomian", outcome="edit", comment="尺寸写错")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="2.2米大床到店，欢迎量房后再决定。")
    assert not [task for task in queries.inspect(engine, case).open if task.element == "publish"]
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    row = queries.register_rows_of(engine, "content")[number]
    kept = [(each["version"], each["status"], each["sha256"] == first) for each in row["versions"]]
    assert kept == [(1, "voided", True), (2, "approved", False)]
    assert row["sha256"] == row["versions"][1]["sha256"] and row["status"] == "approved"


def test_nothing_can_be_withdrawn_once_it_is_published(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    with pytest.raises(Denied):
        engine.withdraw(case, by="shenshafa")
    do(engine, case, "publish", "hanzhuomian", outcome="done")
    with pytest.raises((Conflict, Denied)):
        engine.withdraw(case, by="hanzhuomian")
    assert queries.inspect(engine, case).status == "active"


def test_legal_reviews_everything_when_the_company_wants_it(engine: Engine) -> None:
    engine.db.write(lambda c: c.execute(sa.insert(settings).values(name="legal_review_mode", value="all")))
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    assert [task.element for task in queries.inspect(engine, case).open] == ["legal_review"]


def test_the_register_and_its_words_cover_everything_that_is_written(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "publish", "hanzhuomian", outcome="done", published_text="全网最低价")
    do(engine, case, "interact", "jiangbaozhen", outcome="replied", kind="enquiry", text="能送货吗", reply="可以")
    settle(engine)
    for register in ("content", "takedown", "interaction"):
        rows = queries.register_rows_of(engine, register)
        assert rows
        for row in rows.values():
            assert set(row) <= {*TITLES, "template_allowed"}, register
            assert row["status"] in STATUSES


def test_a_planned_time_without_a_zone_is_the_companys(engine: Engine) -> None:
    case = submit(engine, planned_publish_at="2026-11-20T18:00")
    assert queries.inspect(engine, case).variables["planned_at"] == "2026-11-20T18:00:00+08:00"
    with pytest.raises(Invalid) as refused:
        submit(engine, planned_publish_at="下周五")
    assert set(refused.value.fields) == {"planned_publish_at"}


def test_bad_input_is_refused_field_by_field(engine: Engine) -> None:
    with pytest.raises(Invalid) as refused:
        submit(engine, title="题" * 10_000, body="文\x00", account_ids=["A999"], content_type="poem")
    assert set(refused.value.fields) == {"title", "body", "account_ids", "content_type"}
    with pytest.raises(Invalid):
        submit(engine, body="\u202e" + "正文")


def test_terms_that_only_warn_need_a_reason_to_be_approved_and_none_to_be_returned(engine: Engine) -> None:
    case = submit(engine, "C04")
    rows = prefilled(engine, case, "t1_review", "shenshafa")["hit_reasons"]
    assert [row["text"] for row in rows] == ["戳链接", "到手价"]
    with pytest.raises(Invalid) as refused:
        do(engine, case, "t1_review", "shenshafa", outcome="approve", hit_reasons=rows)
    assert set(refused.value.fields) == {"hit_reasons"}
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="未标广告", hit_reasons=rows)
    assert [task.element for task in queries.inspect(engine, case).open] == ["revise"]


def test_on_the_page_the_five_points_cannot_be_left_out() -> None:
    """A browser sends the check even when nothing is chosen, so an approval without it never passes the form."""
    schema = json.loads((SCENARIOS.parent / "forms" / "t1_review.json").read_text(encoding="utf-8"))
    posted = coerce_submission(schema, MultiDict({"outcome": "approve"}))
    with pytest.raises(Invalid) as refused:
        validate(schema, posted, lookup=lambda *_: True, today=date(2026, 11, 9), working_days=lambda *_: 0)
    assert set(refused.value.fields) == {"review_check"}
    start = json.loads((SCENARIOS.parent / "forms" / "content_submission.json").read_text(encoding="utf-8"))
    assert coerce_submission(start, MultiDict())["self_check"] == []


def test_whoever_decides_on_a_later_version_reads_that_version(engine: Engine) -> None:
    case = submit(engine, "C07", planned_publish_at="2026-11-20T18:00")
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改标题")
    do(engine, case, "revise", "michuangdian", outcome="resubmit", title="新标题", body="全场八折。", comment="已改")
    assert prefilled(engine, case, "t1_review", "shenshafa")["author_says"] == "已改"
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "legal_review", "zhongxuanguan", outcome="ok")
    ballots = [task.task_id for task in queries.inspect(engine, case).open if task.element == "ballot"]
    shown = [queries.task(engine, task, actor="gusunmao").start for task in ballots if mine(engine, task, "gusunmao")]
    assert [(each.values["title"], each.values["body"], each.changed) for each in shown if each] == [
        ("新标题", "全场八折。", True)
    ]
    page = queries.case(engine, case, actor="michuangdian").start
    assert page is not None and page.values["title"] == "新标题"


def mine(engine: Engine, task: str, actor: str) -> bool:
    return any(row.task_id == task for row in queries.inbox(engine, actor=actor, tab="mine").items)


def test_a_request_nobody_changed_is_shown_as_it_came(engine: Engine) -> None:
    case = submit(engine)
    (task,) = [each.task_id for each in queries.inspect(engine, case).open]
    shown = queries.task(engine, task, actor="shenshafa").start
    assert shown is not None and not shown.changed
    assert shown.values["body"] == submission()["body"]


def test_a_secret_that_was_taken_out_is_shown_to_no_reviewer_of_the_next_version(engine: Engine) -> None:
    case = submit(engine, "C05")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="大会现场供货底价表一览", comment="改了")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="今天的大会好热闹！", comment="已删去")
    (task,) = [each.task_id for each in queries.inspect(engine, case).open]
    page = str(queries.task(engine, task, actor="shenshafa")) + str(queries.case(engine, case, actor="shenshafa"))
    assert "今天的大会好热闹" in page
    assert "底价" not in page
    assert "底价" in str(queries.case(engine, case, actor="hanzhuomian"))


def test_a_picture_taken_out_after_a_leak_is_kept_from_the_reviewers_of_the_next_version(engine: Engine) -> None:
    leaked = engine.attach(None, "大屏.txt", "2027春季经销商底价表".encode(), by="hanzhuomian")
    case = submit(engine, "C05", media=[leaked])
    clean = engine.attach(None, "花絮.txt", "会场全景".encode(), by="hanzhuomian")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="今天的大会好热闹！", media=[clean])
    (task,) = [each.task_id for each in queries.inspect(engine, case).open]
    shown = queries.task(engine, task, actor="shenshafa").start
    assert shown is not None and shown.values["media"] == [clean]
    assert set(queries.attachments_of(engine, case, actor="shenshafa")) == {clean}
    assert queries.attachment(engine, clean, actor="shenshafa").content == "会场全景".encode()
    assert set(queries.attachment_rows(engine, [leaked, clean], actor="shenshafa")) == {clean}
    with pytest.raises(Denied):
        queries.attachment(engine, leaked, actor="shenshafa")
    assert queries.attachment(engine, leaked, actor="hanzhuomian").content


def test_a_picture_nobody_exchanged_is_there_for_everybody_who_reads_the_case(engine: Engine) -> None:
    picture = engine.attach(None, "花絮.txt", "会场全景".encode(), by="hanzhuomian")
    case = submit(engine, media=[picture])
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改标题")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", title="新标题")
    assert set(queries.attachments_of(engine, case, actor="shenshafa")) == {picture}
