"""Attempts to publish what nobody else approved, by every way around the review that an author could think of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, queries
from engine.errors import Conflict, Denied, NotFound
from engine.models import delegations, memberships
from processes.content_review.former import fingerprint
from processes.scenario_runner import ScenarioClock
from tests.processes.content_driving import do, open_steps, prefilled, refused, settle, submit

MEMBERS = ["gusunmao", "qiaodongliang", "fangchaji", "liangyigui", "shenshafa", "songchuanglian", "ouyangmuwen"]


def delegate(engine: Engine, from_user: str, to_user: str) -> None:
    row = {
        "from_user": from_user,
        "to_user": to_user,
        "scope": "*",
        "valid_from": "2026-11-01",
        "valid_to": "2026-12-31",
    }
    engine.db.write(lambda connection: connection.execute(sa.insert(delegations).values(**row)))


def variables(engine: Engine, case: str) -> dict[str, Any]:
    return queries.inspect(engine, case).variables


# -- whoever wrote a version stays out of the review of every later one ------------------------------------------------
def test_an_author_who_is_taken_off_the_form_does_not_become_its_reviewer(engine: Engine) -> None:
    case = submit(engine, by="duwenli", author="shenshafa")
    do(engine, case, "t1_review", "baixiangmu", outcome="return", comment="改一处")
    do(engine, case, "revise", "duwenli", outcome="resubmit", author="duwenli")
    assert refused(engine, case, "t1_review", "shenshafa", outcome="approve")
    assert "shenshafa" in variables(engine, case)["authors"]


def test_a_co_author_who_is_taken_off_the_form_does_not_become_its_reviewer(engine: Engine) -> None:
    case = submit(engine, co_authors=["shenshafa"])
    do(engine, case, "t1_review", "baixiangmu", outcome="return", comment="改一处")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", co_authors=[])
    assert refused(engine, case, "t1_review", "shenshafa", outcome="approve")


def test_whoever_edited_a_middle_version_never_approves_the_last_one(engine: Engine) -> None:
    delegate(engine, "hanzhuomian", "baixiangmu")
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改一处")
    do(engine, case, "revise", "baixiangmu", outcome="resubmit", body="由代理人改写的正文。")
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="再改一处")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", title="再改的标题")
    assert {"hanzhuomian", "baixiangmu"} <= set(variables(engine, case)["authors"])
    assert refused(engine, case, "t1_review", "baixiangmu", outcome="approve")


def test_whoever_stands_in_for_an_author_does_not_review_for_them(engine: Engine) -> None:
    delegate(engine, "hanzhuomian", "shenshafa")
    case = submit(engine)
    assert refused(engine, case, "t1_review", "shenshafa", outcome="approve")


def test_an_author_does_not_review_as_somebody_elses_stand_in(engine: Engine) -> None:
    delegate(engine, "shenshafa", "hanzhuomian")
    case = submit(engine)
    assert refused(engine, case, "t1_review", "hanzhuomian", outcome="approve")


def test_a_review_cannot_be_handed_to_an_author(engine: Engine) -> None:
    case = submit(engine)
    (task,) = [each.task_id for each in queries.inspect(engine, case).open]
    engine.claim(task, by="shenshafa")
    with pytest.raises(Denied):
        engine.reassign(task, to="hanzhuomian", by="shenshafa", reason="请代办")
    with pytest.raises(Denied):
        engine.reassign(task, to="hanzhuomian", by="sushujia", reason="请代办")
    assert refused(engine, case, "t1_review", "hanzhuomian", outcome="approve")


def test_whoever_is_named_as_an_author_hears_of_it(engine: Engine) -> None:
    """Naming a reviewer as co-author takes them out of the review: so they are told, and may object."""
    submit(engine, co_authors=["shenshafa"])
    assert any("把你列为作者" in note["text"]["zh-CN"] for note in queries.told(engine, actor="shenshafa"))
    assert not any("把你列为作者" in note["text"]["zh-CN"] for note in queries.told(engine, actor="hanzhuomian"))


# -- a tier is raised, never lowered -----------------------------------------------------------------------------------
def test_flags_taken_back_after_a_return_do_not_lower_the_tier(engine: Engine) -> None:
    case = submit(engine, "C07")
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改一处")
    do(engine, case, "revise", "michuangdian", outcome="resubmit", declared_flags=[], body="全场八折起，欢迎到店。")
    assert variables(engine, case)["tier"] == "T2"
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "legal_review", "zhongxuanguan", outcome="ok")
    assert set(open_steps(engine, case)) == {"ballot"}


def test_flags_taken_back_when_time_ran_out_do_not_lower_the_tier(company: tuple[Engine, ScenarioClock]) -> None:
    engine, clock = company
    case = submit(engine, "C07")
    clock.set(datetime.fromisoformat("2026-11-09T18:00:01+08:00"))
    settle(engine)
    planned = "2026-11-12T18:00"
    do(engine, case, "revise", "michuangdian", outcome="resubmit", declared_flags=[], planned_publish_at=planned)
    assert variables(engine, case)["tier"] == "T2"


def test_what_the_scan_sent_back_unread_may_be_declared_anew(engine: Engine) -> None:
    case = submit(engine, "C25", declared_flags=["crisis"], account_ids=["A009"], body="顶级大床到店。")
    assert open_steps(engine, case) == ["revise"]
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", declared_flags=[], body="大床到店。")
    assert variables(engine, case)["tier"] == "T1"


def test_what_the_group_sent_back_does_not_take_the_urgent_way(engine: Engine) -> None:
    case = submit(engine, "C07", planned_publish_at="2026-11-20T18:00")
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "legal_review", "zhongxuanguan", outcome="ok")
    for member in MEMBERS:
        if "ballot" in open_steps(engine, case):
            do(engine, case, "ballot", member, outcome="return", comment="价格依据不足")
    do(engine, case, "revise", "michuangdian", outcome="resubmit", declared_flags=["crisis"])
    assert variables(engine, case)["tier"] == "T2"
    assert open_steps(engine, case) == ["t1_review"]


@pytest.mark.parametrize("how", ["withdrawn", "rejected", "still open"])
def test_the_same_text_submitted_anew_keeps_its_flags_and_tier(engine: Engine, how: str) -> None:
    first = submit(engine, "C07")
    number = variables(engine, first)["business_key"]
    if how == "withdrawn":
        engine.withdraw(first, by="michuangdian")
    elif how == "rejected":
        do(engine, first, "t1_review", "shenshafa", outcome="reject", comment="不发")
    disguised = "全场 直降！１.８米实木床，原价9999，现价4999、仅限今天"
    second = submit(engine, "C07", title="另起一案", declared_flags=[], body=disguised)
    held = variables(engine, second)
    assert fingerprint(disguised) == fingerprint(held["body"])
    assert held["tier"] == "T2" and "major_campaign" in held["flags"]
    assert number in prefilled(engine, second, "t1_review", "shenshafa")["found"]["zh-CN"]


def test_a_text_raised_by_a_reviewer_stays_raised_in_a_new_case(engine: Engine) -> None:
    first = submit(engine)
    do(engine, first, "t1_review", "shenshafa", outcome="escalate", comment="涉及未公开信息")
    do(engine, first, "legal_review", "zhongxuanguan", outcome="illegal", comment="不得发布")
    second = submit(engine)
    assert variables(engine, second)["tier"] == "T2"


def test_a_text_of_ones_own_case_is_no_former_submission(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改一处")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", title="新标题")
    assert variables(engine, case)["tier"] == "T1"
    assert "同一正文曾" not in str(prefilled(engine, case, "t1_review", "shenshafa"))


# -- the urgent way needs two people -----------------------------------------------------------------------------------
def test_one_person_in_two_offices_does_not_approve_twice(engine: Engine) -> None:
    seats = [{"username": "liangyigui", "group_id": "group_deputy_chair"}]
    engine.db.write(lambda connection: connection.execute(sa.insert(memberships), seats))
    case = submit(engine, "C11")
    do(engine, case, "urgent", "liangyigui", outcome="approve")
    do(engine, case, "urgent", "liangyigui", outcome="approve")
    assert open_steps(engine, case) == ["revise"]
    assert "approval" not in variables(engine, case)


def test_a_stand_in_beside_the_one_they_stand_for_is_one_approval(engine: Engine) -> None:
    seats = [{"username": "liangyigui", "group_id": "group_deputy_chair"}]
    engine.db.write(lambda connection: connection.execute(sa.insert(memberships), seats))
    delegate(engine, "liangyigui", "zhongxuanguan")
    case = submit(engine, "C11")
    do(engine, case, "urgent", "zhongxuanguan", outcome="approve")
    do(engine, case, "urgent", "liangyigui", outcome="approve")
    assert open_steps(engine, case) == ["revise"]


def test_an_author_in_the_chair_approves_nothing_urgent_of_their_own(engine: Engine) -> None:
    case = submit(engine, "C11", co_authors=["qiaodongliang", "liangyigui"])
    for author in ("michuangdian", "qiaodongliang", "liangyigui"):
        assert refused(engine, case, "urgent", author, outcome="approve")


# -- publishing --------------------------------------------------------------------------------------------------------
def test_the_only_approver_does_not_publish_as_a_stand_in(engine: Engine) -> None:
    delegate(engine, "hanzhuomian", "qiaodongliang")
    case = submit(engine, author="duwenli", co_authors=["shenshafa", "baixiangmu"])
    do(engine, case, "t1_review", "qiaodongliang", outcome="approve")
    assert refused(engine, case, "publish", "qiaodongliang", outcome="done")
    do(engine, case, "publish", "hanzhuomian", outcome="done")


def test_nobody_starts_publishing_by_hand(engine: Engine) -> None:
    with pytest.raises((Denied, NotFound)):
        engine.start("publish_followup", {"title": "绕过", "body": "绕过"}, by="hanzhuomian")


def test_an_approval_of_an_earlier_version_is_no_approval_of_the_next(engine: Engine) -> None:
    case = submit(engine)
    (task,) = [each.task_id for each in queries.inspect(engine, case).open]
    do(engine, case, "t1_review", "shenshafa", outcome="return", comment="改一处")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="换了正文。")
    with pytest.raises((Conflict, Denied)):
        engine.complete(task, {"outcome": "approve"}, by="shenshafa")
    assert open_steps(engine, case) == ["t1_review"]


def test_a_case_once_blocked_for_a_secret_is_always_seen_by_legal(engine: Engine) -> None:
    case = submit(engine, "C05")
    do(engine, case, "revise", "hanzhuomian", outcome="resubmit", body="今天的大会好热闹！")
    assert variables(engine, case)["tier"] == "T1"
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    assert open_steps(engine, case) == ["legal_review"]


def test_what_was_published_before_an_edit_elsewhere_is_assessed(engine: Engine) -> None:
    case = submit(engine, "two_accounts")
    open_accounts = [task for task in queries.inspect(engine, case).open if task.element == "t1_review"]
    assert open_accounts
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    targets = variables(engine, case)["approval"]["targets"]
    first, second = (targets[key]["publisher"] for key in sorted(targets))
    do(engine, case, "publish", first, outcome="done", url="https://example.com/1")
    do(engine, case, "publish", second, outcome="edit", comment="有错字")
    settle(engine)
    (row,) = queries.register_rows_of(engine, "takedown").values()
    assert (row["account_id"], row["url"]) == (sorted(targets)[0], "https://example.com/1")
    assert open_steps(engine, case) == ["revise"]
