"""Forms through their public face: what a person typed becomes typed variables, or sentences beside the fields."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from engine import forms
from engine.errors import Invalid

TODAY = date(2026, 11, 9)


def title(zh: str, en: str) -> dict[str, str]:
    return {"zh-CN": zh, "en": en}


APPLICATION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "request_no": {"type": "string", "title": title("申请编号", "Request no."), "x-auto": "business_key"},
        "platform": {"type": "string", "title": title("平台", "Platform"), "enum": ["抖音", "微博"]},
        "proposed_name": {"type": "string", "title": title("拟用名称", "Proposed name"), "maxLength": 20},
        "alt_names": {
            "type": "array",
            "title": title("备选名称", "Alternatives"),
            "items": {"type": "string", "maxLength": 20},
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
            "x-widget": "list",
        },
        "responsible": {"type": "string", "title": title("账号负责人", "Responsible person"), "x-source": "people"},
        "binding_email": {"type": "string", "title": title("绑定邮箱", "Recovery mailbox"), "format": "email"},
        "fee": {"type": "number", "title": title("认证费用", "Fee"), "minimum": 0},
        "followers": {"type": "integer", "title": title("粉丝量", "Followers")},
        "launch_date": {
            "type": "string",
            "title": title("计划启用日期", "Launch date"),
            "format": "date",
            "x-min-working-days": 5,
        },
        "undertaking": {"type": "boolean", "title": title("承诺", "Undertaking"), "const": True},
        "outcome": {"type": "string", "title": title("结果", "Outcome"), "enum": ["agree", "reject"]},
        "comment": {"type": "string", "title": title("意见", "Comment"), "x-widget": "textarea"},
        "checks": {
            "type": "array",
            "title": title("清单", "Checklist"),
            "items": {
                "type": "object",
                "properties": {
                    "item": {"type": "string", "title": title("事项", "Item")},
                    "state": {"type": "string", "title": title("状态", "State"), "enum": ["pass", "fail"]},
                    "count": {"type": "integer", "title": title("数量", "Count")},
                },
                "required": ["item", "state"],
            },
        },
    },
    "required": ["request_no", "outcome"],
    "allOf": [
        {
            "if": {"properties": {"outcome": {"const": "reject"}}, "required": ["outcome"]},
            "then": {"required": ["comment"]},
        }
    ],
}


def check(schema: dict[str, Any] = APPLICATION, /, **variables: Any) -> dict[str, Any]:
    return forms.validate(
        schema,
        variables,
        lookup=lambda source, value: (source, value) == ("people", "michuangdian"),
        today=TODAY,
        working_days=lambda first, last: sum(
            (first + timedelta(n)).weekday() < 5 for n in range(1, (last - first).days + 1)
        ),
    )


def refused(schema: dict[str, Any] = APPLICATION, /, **variables: Any) -> dict[str, dict[str, str]]:
    with pytest.raises(Invalid) as caught:
        check(schema, **variables)
    return caught.value.fields


def test_a_complete_form_comes_back_typed_and_trimmed() -> None:
    given = check(
        outcome="agree", platform="抖音", proposed_name=" 样木 ", alt_names=["一", "二"], followers=3.0, fee=2.5
    )
    assert given == {
        "outcome": "agree",
        "platform": "抖音",
        "proposed_name": "样木",
        "alt_names": ["一", "二"],
        "followers": 3,
        "fee": 2.5,
    }
    assert isinstance(given["followers"], int)


def test_every_complaint_names_its_field_in_both_languages() -> None:
    wrong = refused(
        platform="脸书",
        proposed_name="很" * 23,
        alt_names=["一", "一"],
        responsible="nobody",
        binding_email="not an address",
        fee=-1,
        followers="many",
        launch_date="2026-11-10",
        undertaking=False,
    )
    assert wrong == {
        "platform": title("「平台」不在可选范围内", "“Platform” is not one of the choices"),
        "proposed_name": title(
            "「拟用名称」不得超过 20 个字，已超出 3 个字",
            "“Proposed name” must have at most 20 characters (3 too many)",
        ),
        "alt_names": title("「备选名称」有重复的项", "“Alternatives” has the same entry twice"),
        "responsible": title(
            "「账号负责人」没有找到人员「nobody」", "“Responsible person” names an unknown person, “nobody”"
        ),
        "binding_email": title("「绑定邮箱」须是邮箱地址", "“Recovery mailbox” must be an e-mail address"),
        "fee": title("「认证费用」不得小于 0", "“Fee” must be at least 0"),
        "followers": title("「粉丝量」须填整数", "“Followers” must be a whole number"),
        "launch_date": title(
            "「计划启用日期」须在今天起 5 个工作日之后", "“Launch date” must be at least 5 working days from today"
        ),
        "undertaking": title("「承诺」须勾选确认", "“Undertaking” must be confirmed"),
        "outcome": title("「结果」尚未选择", "“Outcome” needs a choice"),
    }


def test_errors_come_in_the_order_of_the_form() -> None:
    assert list(refused(fee=-1, platform="?", stranger=1)) == ["platform", "fee", "outcome", "stranger"]


def test_a_demand_that_depends_on_the_outcome_counts_blank_text_as_missing() -> None:
    assert check(outcome="agree", comment="") == {"outcome": "agree"}
    wrong = refused(outcome="reject", comment=" \n ")
    assert wrong == {"comment": title("「意见」尚未填写", "“Comment” is required")}


def test_text_may_be_empty_where_the_form_says_so() -> None:
    schema = {
        "type": "object",
        "properties": {"note": {"type": "string", "x-may-be-empty": True}},
        "required": ["note"],
    }
    assert check(schema, note="") == {"note": ""}


def test_fields_the_engine_fills_are_neither_demanded_nor_accepted() -> None:
    assert check(outcome="agree", request_no="ZC-0000") == {"outcome": "agree"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**17, 1e300])
def test_numbers_no_form_can_mean_are_refused(number: float) -> None:
    assert "数字" in refused(outcome="agree", fee=number)["fee"]["zh-CN"]


@pytest.mark.parametrize("character", ["\x00", "\u202e", "\u2066", "\x1b", "\x85", "\ud800", "\ufeff"])
def test_invisible_characters_are_refused_wherever_they_hide(character: str) -> None:
    bad = f"样{character}木"
    assert "控制字符" in refused(outcome="agree", proposed_name=bad)["proposed_name"]["zh-CN"]
    assert "控制字符" in refused(outcome="agree", alt_names=["好", bad])["alt_names"]["zh-CN"]
    assert "控制字符" in refused(outcome="agree", checks=[{"item": "a", "state": "pass", bad: 1}])["checks"]["zh-CN"]


def test_sizes_are_capped_even_where_the_form_is_silent() -> None:
    assert "10000" in refused(outcome="agree", comment="长" * 10_001)["comment"]["zh-CN"]
    assert "200" in refused(outcome="agree", alt_names=["x"] * 201)["alt_names"]["zh-CN"]
    deep: Any = "x"
    for _ in range(9):
        deep = [deep]
    assert "嵌套" in refused(outcome="agree", alt_names=deep)["alt_names"]["zh-CN"]
    assert "内容过多" in refused(outcome="agree", alt_names=["x" * 9_000] * 30)["alt_names"]["zh-CN"]


def test_a_row_of_a_list_is_named_by_its_place() -> None:
    assert refused(outcome="agree", checks=[{"item": "a", "state": "pass"}, {"item": "b"}]) == {
        "checks": title("「清单」第 2 项：「状态」尚未选择", "“Checklist” item 2: “State” needs a choice")
    }


def test_a_field_may_bring_its_own_sentence() -> None:
    said = title("须以 A 开头", "must start with A")
    schema = {"type": "object", "properties": {"code": {"type": "string", "pattern": "^A", "x-message": said}}}
    assert refused(schema, code="B") == {"code": title("「code」须以 A 开头", "“code” must start with A")}


def test_a_reference_in_a_form_is_never_fetched() -> None:
    schema = {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/x.json"}}}
    assert forms.form_problems(schema) != []
    with pytest.raises(Exception, match=r"Unresolvable|127") as caught:
        check(schema, x="1")
    assert "Unresolvable" in repr(caught.value)


def test_a_browsers_post_becomes_json_values() -> None:
    sent = MultiDict(
        [
            ("csrf_token", "zzz"),
            ("platform", "抖音"),
            ("alt_names", "一\r\n二\r\n\r\n"),
            ("alt_names", ""),
            ("fee", "1,200.50"),
            ("followers", "12"),
            ("undertaking", "true"),
            ("outcome", "agree"),
            ("checks.0.item", "甲"),
            ("checks.0.state", "pass"),
            ("checks.0.count", "2"),
            ("checks.3.item", "乙"),
            ("checks.3.state", ""),
            ("request_no", "forged"),
        ]
    )
    assert forms.coerce_submission(APPLICATION, sent) == {
        "platform": "抖音",
        "alt_names": ["一", "二"],
        "fee": 1200.5,
        "followers": 12,
        "undertaking": True,
        "outcome": "agree",
        "checks": [{"item": "甲", "state": "pass", "count": 2}, {"item": "乙"}],
    }


def test_an_unticked_box_is_no_and_words_for_numbers_stay_words() -> None:
    given = forms.coerce_submission(APPLICATION, MultiDict([("followers", "许多"), ("fee", "")]))
    assert given == {"followers": "许多", "undertaking": False, "alt_names": [], "checks": []}


def test_a_draft_keeps_what_is_unfinished_but_nothing_unsafe() -> None:
    assert forms.draft(APPLICATION, {"platform": "", "fee": "x", "stranger": 1, "request_no": "y"}) == {
        "platform": "",
        "fee": "x",
    }
    with pytest.raises(Invalid):
        forms.draft(APPLICATION, {"comment": "\x00"})


def test_the_default_form_takes_any_outcome_and_a_comment() -> None:
    assert forms.form_problems(forms.default_form()) == []
    assert check(forms.default_form(), outcome="done", comment="好") == {"outcome": "done", "comment": "好"}
    assert refused(forms.default_form()) == {"outcome": title("「结果」尚未填写", "“Outcome” is required")}


@pytest.mark.parametrize(
    "field",
    [
        {"type": "strin", "title": title("甲", "A")},
        {"type": "string", "title": title("甲", "A"), "pattern": "(a+)+$"},
        {"type": "string", "title": title("甲", "A"), "x-source": "planets"},
        {"type": "string", "title": title("甲", "A"), "x-auto": "weather"},
        {"type": "string", "title": "甲"} | {"title": {"zh-CN": "甲"}},
    ],
)
def test_a_form_that_would_puzzle_or_hang_is_found_before_it_is_deployed(field: dict[str, Any]) -> None:
    assert len(forms.form_problems({"type": "object", "properties": {"a": field}})) == 1
