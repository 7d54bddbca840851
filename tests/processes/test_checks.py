"""What an application is checked for, one rule at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine import Person
from processes.account_registration import checks

TODAY = date(2026, 11, 9)
ACCOUNTS = {"A007": {"platform": "微博", "name": "样木家居"}, "A004": {"platform": "抖音", "name": "样木家居官方"}}


def person(**changed: Any) -> Person:
    known: dict[str, Any] = {
        "username": "luyaoyi",
        "names": {"zh-CN": "陆摇椅", "en": "Lu Yaoyi"},
        "department": "marketing",
        "title": "",
        "employment_type": "regular",
        "training_valid": True,
        "policy_signed_on": "2026-01-12",
        "status": "active",
    }
    return Person(**(known | changed))


def severities(findings: list[checks.Finding]) -> list[str]:
    return [each["severity"] for each in findings]


@pytest.mark.parametrize(
    ("platform", "name", "expected"),
    [
        ("微博", "样木家居官博", ["warn"]),
        ("微博", "样木家居", ["fail"]),
        ("微博", "样 木 家 居", ["fail"]),
        ("微博", "樣木家居", ["fail"]),
        ("抖音", "样木家居直播间", []),
        ("抖音", "样木家居珠海店", []),
        ("B站", "样木家居", []),
    ],
)
def test_a_name_is_compared_on_its_platform(platform: str, name: str, expected: list[str]) -> None:
    assert severities(checks.check_duplicates(platform, [("proposed_name", name)], ACCOUNTS, {})) == expected


def test_open_applications_hold_their_names_too() -> None:
    applications = {"ZC-2026-0007": {"platform": "B站", "names": ["样木木工课", "样木工坊"]}}
    found = checks.check_duplicates("B站", [("alt_names", "样木工坊")], {}, applications)
    assert severities(found) == ["fail"] and "ZC-2026-0007" in found[0]["zh"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("样木木工课", []),
        ("样木家居招聘", []),
        ("样木家居直播间", []),
        ("样木顶级家居", ["fail"]),
        ("樣木頂級家居", ["fail"]),
        ("样木税务局", ["fail"]),
        ("样木中国", ["warn"]),
        ("样木第一家居", ["warn"]),
    ],
)
def test_names_are_scanned(name: str, expected: list[str]) -> None:
    assert severities(checks.check_names([("proposed_name", name)])) == expected


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({}, 0),
        ({"employment_type": "temporary", "training_valid": False, "policy_signed_on": None}, 3),
        ({"employment_type": "probation"}, 1),
        ({"policy_signed_on": "2026-11-10"}, 1),
        ({"status": "left 2026-10-30", "training_valid": False}, 1),
    ],
)
def test_whoever_holds_an_account_is_active_regular_trained_and_signed(changed: dict[str, Any], failing: int) -> None:
    assert len(checks.check_holder("responsible", "luyaoyi", person(**changed), TODAY)) == failing


def test_the_backup_is_somebody_else_and_there_is_one() -> None:
    people = {"luyaoyi": person()}
    assert [f["field"] for f in checks.check_people("luyaoyi", None, None, people, TODAY)] == ["backup"]
    assert [f["field"] for f in checks.check_people("luyaoyi", "luyaoyi", None, people, TODAY)] == ["backup"]


@pytest.mark.parametrize(
    ("kind", "phone", "email", "domains", "expected"),
    [
        ("企业号(蓝V)", "公司SIM", "media@yangmu.example", [], []),
        ("个人号", "个人手机号", "someone@qq.com", [], ["fail", "fail", "fail"]),
        ("企业号", "行政部", "media@yangmu.example", [], ["warn"]),
        ("企业号", "公司号码", "media@other.example", ["yangmu.example"], ["fail"]),
    ],
)
def test_accounts_phones_and_mailboxes_belong_to_the_company(
    kind: str, phone: str, email: str, domains: list[str], expected: list[str]
) -> None:
    assert severities(checks.check_ownership(kind, phone, email, domains)) == expected


def test_legal_is_asked_for_a_third_party_live_shop_payment_or_a_new_platform() -> None:
    asked = checks.reasons_for_legal
    assert asked(["评论", "私信"], None, new_platform=False) == []
    assert len(asked(["直播", "橱窗", "支付"], "云样传媒", new_platform=True)) == 5


def test_every_finding_speaks_both_languages() -> None:
    found = checks.check_ownership("个人号", "个人手机号", "someone@qq.com", [])
    found += checks.check_people("luyaoyi", None, "nobody", {"luyaoyi": person(training_valid=False)}, TODAY)
    assert all(each["zh"] and each["en"] and each["field"] for each in found)
    assert checks.verdict(found) == "fail" and checks.verdict([]) == "ok"
