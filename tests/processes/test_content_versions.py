"""What an approved version is: its hash, its approvers and conditions, who may publish it; and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import pytest

from processes.content_review import marking, screening, versions
from processes.content_review.requirements import REQUIREMENTS
from processes.publish_followup.operations import CHECKS

ACCOUNTS: dict[str, Any] = {"A1": {"name": "官方号", "responsible": "chen", "backup": "lin"}}


def at_work(_: str) -> bool:
    return True


def test_every_change_readers_would_see_changes_the_hash() -> None:
    base = {"title": "标题", "body": "正文", "media": ["f1"]}
    first = versions.hashes(**base)
    assert first == versions.hashes(**base)
    for changed in ({"title": "标题。"}, {"body": "正文 "}, {"media": ["f2"]}, {"ad_mark": "开头"}):
        assert versions.hashes(**{**base, **changed})["sha256"] != first["sha256"]


def test_whoever_alone_approved_it_does_not_publish_it() -> None:
    assert versions.publishers(ACCOUNTS, ["chen"], at_work)["A1"]["publisher"] == "lin"
    assert versions.publishers(ACCOUNTS, ["chen", "zhou"], at_work)["A1"]["publisher"] == "chen"
    assert versions.publishers(ACCOUNTS, ["zhou"], at_work)["A1"]["publisher"] == "chen"


def test_the_backup_publishes_for_somebody_who_has_left() -> None:
    assert versions.publishers(ACCOUNTS, ["zhou"], lambda name: name != "chen")["A1"]["publisher"] == "lin"
    nobody = versions.publishers(ACCOUNTS, ["zhou"], lambda _: False)
    assert nobody == {} and len(versions.unstaffed(["A1"], nobody)) == 1


def test_an_escalation_or_a_change_asked_for_is_no_approval() -> None:
    found = versions.approvers(
        first={"outcome": "escalate", "by": "a"},
        legal={"outcome": "change", "by": "b"},
        vote={"outcome": "passed"},
        urgent=None,
    )
    assert found == ["mgmt_group"]


def test_conditions_of_everybody_who_approved_are_kept_once() -> None:
    found = versions.conditions(
        first={"outcome": "conditional", "comment": "删表情"},
        legal={"outcome": "ok", "comment": "标注原价依据"},
        vote={"conditions": ["标注原价依据", "仅发公众号"]},
    )
    assert found == ["删表情", "标注原价依据", "仅发公众号"]
    assert versions.conditions(first={"outcome": "approve", "comment": "好"}, legal=None, vote=None) == []


@pytest.mark.parametrize(
    ("published", "same"),
    [("正文\n一行", True), ("正文 一行", True), ("标题\n\n正文一行", True), ("正文一行。", False), ("", False)],
)
def test_blanks_do_not_count_and_everything_else_does(published: str, same: bool) -> None:
    assert versions.same_text(published, "标题", "正文一行") is same


def test_overlapping_hits_show_the_blocking_one() -> None:
    hits = screening.hits_in([("title", ""), ("body", "全线零甲醛")], [])
    shown = marking.marked_text("", "全线零甲醛", hits)
    assert shown is not None and shown["segments"][0]["note"] == {"zh-CN": "正文", "en": "Body"}
    assert [(piece["text"], piece["kind"]) for piece in shown["segments"][1:]] == [("全线", ""), ("零甲醛", "block")]


def test_only_terms_the_law_knows_exceptions_for_can_be_explained() -> None:
    excuses = [{"text": "最佳", "reason": "自我比较"}, {"text": "国旗", "reason": "爱国"}]
    found = {hit["text"]: hit["severity"] for hit in screening.hits_in([("body", "最佳款式，国旗")], excuses)}
    assert found == {"最佳": "warn", "国旗": "block"}


TEXTS = [
    ("本店最大尺寸2.4米", "本店尺寸2.2米，欢迎"),
    ("一行文字\n" * 1000, "一行文字\n" * 1000 + "新的一行\n"),
    ("甲。" * 2500, "乙。" + "甲。" * 2499),
    ("。" * 5000, "！" * 5000),
    ("的" * 5000 + "x", "y" + "的" * 4990 + "z"),
    ("ab。" * 2500, "ba。" * 2500),
    ("", "正文"),
]


@pytest.mark.parametrize(("before", "after"), TEXTS)
def test_a_difference_gives_back_both_texts(before: str, after: str) -> None:
    pieces = marking.difference(before, after)
    assert "".join(piece["text"] for piece in pieces if piece["kind"] != "added") == before
    assert "".join(piece["text"] for piece in pieces if piece["kind"] != "removed") == after


def test_no_more_than_so_many_pairs_are_ever_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = marking.SequenceMatcher

    def counting(junk: None, a: Sequence[str], b: Sequence[str], autojunk: bool) -> SequenceMatcher[str]:
        compared.append(len(a) * len(b))
        return real(junk, a, b, autojunk=autojunk)

    monkeypatch.setattr(marking, "SequenceMatcher", counting)
    for before, after in TEXTS:
        marking.difference(before, after)
    assert compared and max(compared) <= marking.MOST_COMPARED


def test_a_changed_sentence_is_shown_where_it_stands() -> None:
    pieces = marking.difference("第一句。床宽1.8米。第三句。", "第一句。床宽2.0米。第三句。")
    assert [(piece["text"], piece["kind"]) for piece in pieces] == [
        ("第一句。床宽", ""),
        ("1.8", "removed"),
        ("2.0", "added"),
        ("米。第三句。", ""),
    ]


def test_everything_a_version_holds_is_compared_in_words() -> None:
    before = {
        "title": "甲",
        "body": "同",
        "media": ["1"],
        "declared_flags": ["major_campaign"],
    }
    after = {"title": "乙", "body": "同", "media": ["2", "3"], "declared_flags": []}
    shown = marking.version_difference(before, after)
    assert shown is not None
    headings = [piece["note"]["zh-CN"] for piece in shown["segments"] if piece["kind"] == "heading"]
    assert headings == ["标题", "风险自报", "图片、视频、音频：删去 1 个，新增 2 个"]
    assert ("重大活动（预算 20 万以上、明星、全平台）", "removed") in [
        (piece["text"], piece["kind"]) for piece in shown["segments"]
    ]
    assert marking.version_difference(before, before) is None and marking.version_difference(None, after) is None


def test_each_requirement_says_its_law_and_how_sure_it_is() -> None:
    told = marking.requirements_told(list(REQUIREMENTS))
    assert told is not None
    assert told["zh-CN"].count("\n") == told["en"].count("\n") == len(REQUIREMENTS) - 1
    assert "条文已核对" in told["zh-CN"] and "条号不确定" in told["zh-CN"]


def test_effects_are_looked_at_after_a_day_three_days_and_a_week() -> None:
    assert [after.total_seconds() / 3600 for after, _, _ in CHECKS] == [24, 72, 168]


def test_accounts_that_are_closed_to_posting_are_named() -> None:
    rows = {
        "A1": {"name": "在用", "status": "active"},
        "A2": {"name": "停更", "status": "dormant"},
        "A3": {"status": "active", "posting_locked": True, "posting_lock_reason": {"zh-CN": "逾期", "en": "late"}},
        "A4": None,
    }
    found = screening.account_problems(rows, rows)
    assert [text["zh-CN"] for text in found] == [
        "账号「停更」（A2）不是在用状态",
        "账号「A3」（A3）已锁定发布：逾期",
        "账号「A4」（A4）不是在用状态",
    ]
