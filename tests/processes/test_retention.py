"""Until when rows and cases are kept: each rule's date, from what it runs, and no date while it does not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine import Database, Registers, save_directory
from processes import retention
from processes.law import SURE
from processes.registers.books import BOOKS
from processes.retention import Kept, Looking, looking, months_on, rules

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
DAY = date(2026, 11, 24)
Puts = dict[tuple[str, str], dict[str, Any]]
Ask = Callable[[Puts, Callable[[Looking], tuple[Kept, ...]]], tuple[Kept, ...]]


@pytest.fixture
def ask(db: Database) -> Iterator[Ask]:
    """Ask about rows in a company where 木滑板 works and 贾旧椅 left on 2026-10-30."""

    def work(rows: Puts, question: Callable[[Looking], tuple[Kept, ...]]) -> tuple[Kept, ...]:
        people = [("muhuaban", "active"), ("jiajiuyi", "left 2026-10-30")]
        person = {"department": None, "title": "", "employment_type": "regular", "training_valid": True}

        def write(connection: Any) -> None:
            save_directory(
                connection,
                persons=[
                    {"username": name, "names": {"zh-CN": name, "en": name}, "policy_signed_on": None, "status": status}
                    | person
                    for name, status in people
                ],
            )
            for (register, key), fields in rows.items():
                Registers(connection, now=NOW).put(register, key, fields)

        db.write(write)
        with db.read() as connection:
            return question(looking(connection, NOW))

    yield work


def dates(kept: tuple[Kept, ...]) -> list[tuple[str, date | None]]:
    return [(each.rule.id, each.until) for each in kept]


def of_row(register: str, row: dict[str, Any], changed: date = DAY) -> Callable[[Looking], tuple[Kept, ...]]:
    return lambda reading: retention.of_row(reading, register, row, changed)


def of_case(process: str, number: str, ended: date | None) -> Callable[[Looking], tuple[Kept, ...]]:
    return lambda reading: retention.of_case(reading, process, number, ended)


@pytest.mark.parametrize(
    ("register", "row", "expected"),
    [
        ("content", {"status": "published"}, [("T02", None)]),
        ("content", {"status": "rejected"}, [("T02", date(2029, 11, 24))]),
        ("content", {"status": "taken_down", "removed_at": "2026-11-02T01:00:00+00:00"}, [("T02", date(2029, 11, 2))]),
        ("account", {"status": "active"}, [("T03", None)]),
        ("account", {"status": "closed", "closed_on": "2026-02-28"}, [("T03", date(2029, 2, 28))]),
        ("account", {"status": "closed", "closed_on": "2026-02-28", "legal_hold": True}, [("T03", None)]),
        ("complaint", {"status": "watching", "finding": "not"}, [("T04", None), ("T06", None)]),
        (
            "complaint",
            {"status": "closed", "finding": "not", "closed_on": "2026-08-31"},
            [("T04", date(2027, 2, 28)), ("T06", date(2026, 8, 31))],
        ),
        (
            "complaint",
            {"status": "closed", "finding": "partial", "closed_on": "2026-08-31"},
            [("T05", date(2029, 8, 31)), ("T06", date(2026, 8, 31))],
        ),
        ("sanction", {"respondent": "muhuaban"}, [("T08", None)]),
        ("sanction", {"respondent": "jiajiuyi"}, [("T08", date(2028, 10, 30))]),
        (
            "sanction",
            {"respondent": "jiajiuyi", "instalments": [{"month": "2026-12"}, {"month": "2027-01"}]},
            [("T09", date(2029, 2, 1)), ("T08", date(2028, 10, 30))],
        ),
        ("training", {"person": "muhuaban"}, [("T11", None)]),
        ("training", {"person": "jiajiuyi"}, [("T11", date(2028, 10, 30))]),
    ],
)
def test_a_row_is_kept_by_its_rule(
    ask: Ask, register: str, row: dict[str, Any], expected: list[tuple[str, date | None]]
) -> None:
    assert dates(ask({}, of_row(register, row))) == expected


def test_what_has_no_date_says_why(ask: Ask) -> None:
    for register, row in (("account", {"status": "active"}), ("training", {"person": "muhuaban"})):
        (kept,) = ask({}, of_row(register, row))
        assert kept.waits is not None
        assert kept.waits["zh-CN"] and kept.waits["en"]


def test_credentials_go_with_their_account(ask: Ask) -> None:
    account: Puts = {("account", "A010"): {"status": "closed", "closed_on": "2026-11-02"}}
    assert dates(ask(account, of_row("credential", {"account_id": "A010"}))) == [("T03", date(2029, 11, 2))]


def test_a_case_is_kept_as_long_as_what_it_left(ask: Ask) -> None:
    rows: Puts = {
        ("complaint", "TS-1"): {"status": "closed", "finding": "substantiated", "closed_on": "2026-11-02"},
        ("sanction", "WG-1"): {"respondent": "jiajiuyi"},
        ("account", "A013"): {"status": "active", "case_no": "ZC-1"},
        ("training", "jiajiuyi"): {"person": "jiajiuyi", "case_no": "PX-1"},
    }
    assert dates(ask(rows, of_case("complaint", "TS-1", date(2026, 11, 2))))[0] == ("T05", date(2029, 11, 2))
    assert dates(ask(rows, of_case("discipline", "WG-1", DAY))) == [("T08", date(2028, 10, 30))]
    assert dates(ask(rows, of_case("account_registration", "ZC-1", DAY))) == [("T03", None)]
    assert dates(ask(rows, of_case("training_signoff", "PX-1", DAY))) == [("T11", date(2028, 10, 30))]


def test_a_case_that_came_to_nothing_is_kept_from_its_end(ask: Ask) -> None:
    assert dates(ask({}, of_case("account_registration", "ZC-2", DAY))) == [("T03", date(2029, 11, 24))]
    assert dates(ask({}, of_case("discipline", "WG-2", DAY))) == [("T04", date(2027, 5, 24))]
    assert dates(ask({}, of_case("content_review", "NR-2", DAY))) == [("T02", date(2029, 11, 24))]


def test_an_open_complaint_does_not_tell_its_finding(ask: Ask) -> None:
    rows: Puts = {("complaint", "TS-1"): {"status": "decided", "finding": "substantiated"}}
    assert {rule for rule, _ in dates(ask(rows, of_case("complaint", "TS-1", None)))} == {"T04", "T05", "T06"}


def test_a_month_on_from_the_last_day_is_the_last_day() -> None:
    assert months_on(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_on(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_on(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_every_rule_is_used_or_says_why_not(ask: Ask) -> None:
    used = {"T02", "T03", "T04", "T05", "T06", "T08", "T09", "T11"}
    assert {rule.id for rule in rules().values() if rule.absent is None} == used
    assert len(rules()) == 11
    for rule in rules().values():
        assert rule.sure in SURE
        for text in (rule.what, rule.since, rule.basis, rule.then, *([rule.absent] if rule.absent else [])):
            assert text["zh-CN"] and text["en"]


@pytest.mark.parametrize("register", sorted(BOOKS))
def test_every_register_has_a_rule(ask: Ask, register: str) -> None:
    assert ask({}, of_row(register, {})), register
