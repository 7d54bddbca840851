"""The six forms of the policy, field by field: `policy_forms.json` is what they must carry, and each with its rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import forms
from engine.errors import Invalid

HERE = Path(__file__).parent
PROCESSES = HERE.parents[1] / "processes"
POLICY: dict[str, Any] = json.loads((HERE / "policy_forms.json").read_text("utf-8"))
PROCEDURE = {"content_submission": "content_review"}  # elsewhere the form is called like its procedure
OUTCOME = {("content_submission", "review_decision")}  # carried as `outcome` of the reviewing steps, as contracts say
FIELDS = [
    pytest.param(form, field, id=f"{form}.{field['key']}")
    for form, about in POLICY.items()
    for field in about["fields"]
]
MONDAY = date(2026, 11, 9)


def shipped(form: str) -> dict[str, dict[str, Any]]:
    """Every form of the procedure, the start form first."""
    folder = PROCESSES / PROCEDURE.get(form, form) / "forms"
    found = sorted(folder.glob("*.json"), key=lambda path: (path.stem != form, path.stem))
    return {path.stem: json.loads(path.read_text("utf-8")) for path in found}


def carrying(form: str, key: str) -> list[dict[str, Any]]:
    """The field wherever the procedure's forms have it."""
    name = "outcome" if (form, key) in OUTCOME else key
    return [schema["properties"][name] for schema in shipped(form).values() if name in schema["properties"]]


@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_the_field_is_there_and_named_in_both_languages(form: str, field: dict[str, Any]) -> None:
    found = carrying(form, field["key"])
    assert found, "no form of the procedure carries it"
    for each in found:
        assert set(each["title"]) == {"zh-CN", "en"} and all(each["title"].values())


LOOKS: dict[
    str, Callable[[dict[str, Any]], bool]
] = {  # what a type of the policy's table must look like in a form; any of these
    "auto": lambda f: "x-auto" in f,
    "user": lambda f: f.get("x-source") == "people" or f.get("x-auto") == "initiator",
    "dept": lambda f: f.get("x-source") == "departments",
    "account": lambda f: f.get("x-source") == "accounts",
    "accounts": lambda f: f.get("x-source") == "accounts" and f["type"] == "array",
    "enum": lambda f: "enum" in f or "x-suggestions" in f,
    "enum+text": lambda f: "x-suggestions" in f,
    "multi": lambda f: "array" in f["type"],
    "list": lambda f: f["type"] == "array",
    "table": lambda f: "array" in f["type"] or "object" in f["type"],
    "files": lambda f: f.get("x-widget") == "attachments",
    "bool": lambda f: f["type"] == "boolean",
    "bool+text": lambda f: "boolean" in f["type"],
    "int": lambda f: f["type"] == "integer",
    "1-4": lambda f: f["type"] == "integer" and (f["minimum"], f["maximum"]) == (1, 4),
    "money": lambda f: "number" in f["type"] and f["minimum"] == 0,
    "email": lambda f: f.get("format") == "email",
    "date": lambda f: f.get("format") == "date",
    "datetime": lambda f: f.get("format") == "date-time" or "pattern" in f,
    "sealed": lambda f: f.get("x-sealed") is True,
    "item": lambda f: f["enum"] == ["handed", "missing", "na"],
    "sign": lambda f: f["type"] == "boolean",
    "checklist": lambda f: "array" in f["type"] or "object" in f["type"],
    "text": lambda f: f["type"] == "string" and f["maxLength"] >= 200,
    "string": lambda f: f["type"] == "string" and "maxLength" in f,
    "ref": lambda f: f["type"] == "string" and "maxLength" in f,
}
OTHERWISE = {  # (form, key): why the table's type is not the form's, see the READMEs
    ("account_deregistration", "open_cases"): "found by the system, and declared where the registers know nothing",
    ("account_deregistration", "legal_hold"): "found by the system, and declared where the registers know nothing",
    ("discipline", "priors_12m"): "counted from the register; warnings on paper from before it may be entered",
    ("discipline", "served"): "the way is the outcome of `serve`; the field holds the proof",
}


@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_the_field_has_the_type_the_policy_gives_it(form: str, field: dict[str, Any]) -> None:
    fits = [LOOKS[field["type"]](each) for each in carrying(form, field["key"])]
    assert any(fits) is ((form, field["key"]) not in OTHERWISE)


NAMED = {
    ("account_registration", "platform"): "微信公众号/视频号/抖音/快手/小红书/微博/B站/知乎/其他",
    ("account_deregistration", "reason"): "业务调整/部门撤销/重复/长期停更/安全/平台要求",
    ("account_handover", "trigger"): "岗位调整/离职/长期休假/部门调整/调查停权/紧急接管",
    ("complaint", "channel"): "网页/邮箱/电话/私信/信函/当面",
    ("complaint", "reporter_mode"): "匿名/保密实名/公开实名",
}


@pytest.mark.parametrize(("form", "key"), NAMED)
def test_the_choices_the_policy_names_are_offered(form: str, key: str) -> None:
    [rule] = [field["rule"] for field in POLICY[form]["fields"] if field["key"] == key]
    assert rule == NAMED[form, key], "the data and this test must speak of the same rule"
    field = carrying(form, key)[0]
    assert set(rule.split("/")) <= set(field.get("enum") or field["x-suggestions"])


def refused(form: str, name: str, **values: Any) -> set[str]:
    """The fields of one form that are refused for what was sent."""
    schema = shipped(form)[name]
    try:
        forms.validate(
            schema,
            values,
            lookup=lambda source, value: value != "nobody",
            today=MONDAY,
            working_days=lambda first, last: sum(
                (first + timedelta(n)).weekday() < 5 for n in range(1, (last - first).days + 1)
            ),
        )
    except Invalid as problem:
        return set(problem.fields)
    return set()


RULES: list[tuple[str, str, str, list[dict[str, Any]], dict[str, Any]]] = [
    # form, file, field, what is refused, what is taken
    ("account_registration", "account_registration", "proposed_name",
     [{"proposed_name": "样" * 21}], {"proposed_name": "样" * 20}),
    ("account_registration", "account_registration", "alt_names",
     [{"alt_names": ["样木一", "样木二", "样木三", "样木四"]}, {"alt_names": ["样木一", "样木一"]}],
     {"alt_names": ["样木一", "样木二", "样木三"]}),
    ("account_registration", "account_registration", "binding_email",
     [{"binding_email": "social"}], {"binding_email": "social@yangmu.example"}),
    ("account_registration", "account_registration", "launch_date",
     [{"launch_date": "2026-11-13"}], {"launch_date": "2026-11-16"}),
    ("account_registration", "account_registration", "responsible",
     [{"responsible": "nobody"}], {"responsible": "luyaoyi"}),
    ("account_deregistration", "account_deregistration", "notice_days",
     [{"notice_days": 6, "followers": 10}, {"notice_days": 14, "followers": 10_000}],
     {"notice_days": 7, "followers": 9_999}),
    ("account_deregistration", "account_deregistration", "open_orders", [{"open_orders": -1}], {"open_orders": 0}),
    ("account_deregistration", "account_deregistration", "name_protection",
     [{"name_protection": "转让"}], {"name_protection": "冻结保名"}),
    ("account_handover", "account_handover", "outgoing", [{"trigger": "离职"}], {"trigger": "紧急接管"}),
    ("account_handover", "rotate", "vault_ref", [{"vault_ref": "Yangmu@2026"}], {"vault_ref": "vault://accounts/A001"}),
    ("account_handover", "sign", "comment",
     [{"outcome": "refused"}], {"outcome": "refused", "comment": "余额不符"}),
    ("content_submission", "content_submission", "account_ids", [{"account_ids": []}], {"account_ids": ["A001"]}),
    ("content_submission", "t1_review", "comment",
     [{"outcome": "return"}, {"outcome": "escalate"}, {"outcome": "reject"}],
     {"outcome": "return", "comment": "补报告"}),
    ("complaint", "complaint", "description", [{"description": "长" * 8_001}], {"description": "长" * 8_000}),
    ("discipline", "discipline", "severity", [{"severity": 0}, {"severity": 5}], {"severity": 4}),
    ("discipline", "discipline", "loss_cny", [{"loss_cny": -1}], {"loss_cny": 0}),
    ("discipline", "statement", "waiver_signed",
     [{"outcome": "waived"}, {"outcome": "waived", "waiver_signed": False}],
     {"outcome": "waived", "waiver_signed": True}),
    ("discipline", "union", "outcome", [{"outcome": "maybe"}], {"outcome": "object", "union_opinion": "过重"}),
    ("discipline", "propose", "proposed", [{"proposed": "SUSPENSION"}], {"proposed": "WARNING"}),
    ("discipline", "serve", "served", [{"outcome": "mailed"}], {"outcome": "mailed", "served": "EMS 1234567890"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "name", "field", "bad", "good"), [pytest.param(*rule, id=f"{rule[1]}.{rule[2]}") for rule in RULES]
)
def test_the_rule_of_a_field_refuses_what_breaks_it(
    form: str, name: str, field: str, bad: list[dict[str, Any]], good: dict[str, Any]
) -> None:
    assert field not in refused(form, name, **good)
    for values in bad:
        assert field in refused(form, name, **values), values


def test_a_conditional_approval_says_on_what_condition() -> None:
    assert refused("content_submission", "t1_review", outcome="conditional")
    assert not refused("content_submission", "t1_review", outcome="conditional", conditions=["标注原价依据"])
    assert not refused("content_submission", "t1_review", outcome="conditional", comment="标注原价依据")
