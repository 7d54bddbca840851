"""Compensation in instalments, to the cent."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processes.discipline.instalments import MOST, NothingDeductible, TooManyInstalments, cents, monthly_cap, plan, yuan
from processes.discipline.legality import deduction, months_since, plan_text

NOVEMBER = date(2026, 11, 1)
MINIMUM = cents(2500)


def amounts(total: int, wage: int, minimum: int = MINIMUM, wanted: int | None = None) -> list[int]:
    return [each.amount for each in plan(total, wage=wage, minimum=minimum, first_month=NOVEMBER, wanted=wanted)]


def test_a_month_takes_at_most_a_fifth_of_the_wage() -> None:
    assert amounts(cents(5000), cents(9000)) == [cents(1800), cents(1800), cents(1400)]


def test_a_month_leaves_at_least_the_minimum_wage() -> None:
    assert amounts(cents(900), cents(2800)) == [cents(300)] * 3


def test_less_a_month_may_be_asked_for_but_never_more_than_the_law_allows() -> None:
    assert amounts(cents(1000), cents(9000), wanted=cents(400)) == [cents(400), cents(400), cents(200)]
    assert amounts(cents(2000), cents(9000), wanted=cents(9000)) == [cents(1800), cents(200)]


def test_a_wage_at_the_minimum_leaves_nothing_to_take() -> None:
    with pytest.raises(NothingDeductible):
        amounts(1, MINIMUM)


def test_a_debt_that_would_take_more_than_ten_years_is_not_for_payroll() -> None:
    assert len(amounts(cents(1800) * MOST, cents(9000))) == MOST
    with pytest.raises(TooManyInstalments):
        amounts(cents(1800) * MOST + 1, cents(9000))


def test_no_debt_gives_no_instalments() -> None:
    assert amounts(0, cents(9000)) == []


def test_months_follow_each_other_over_the_new_year() -> None:
    found = plan(cents(4000), wage=cents(9000), minimum=MINIMUM, first_month=NOVEMBER)
    assert [each.month for each in found] == ["2026-11", "2026-12", "2027-01"]
    assert [each.remaining for each in found] == [cents(2200), cents(400), 0]


@given(st.integers(1, 5_000_000), st.integers(1, 5_000_000), st.integers(0, 400_000))
def test_every_plan_pays_the_debt_exactly_and_keeps_both_limits(total: int, wage: int, minimum: int) -> None:
    try:
        found = plan(total, wage=wage, minimum=minimum, first_month=NOVEMBER)
    except (NothingDeductible, TooManyInstalments):
        assert monthly_cap(wage, minimum) * MOST < total
        return
    assert sum(each.amount for each in found) == total
    assert all(0 < each.amount * 5 <= wage and each.wage_after >= minimum for each in found)
    owed = total
    for each in found:
        assert each.amount == min(owed, wage // 5, wage - minimum)
        owed -= each.amount


@pytest.mark.parametrize(("given_", "expected"), [(0.1 + 0.2, 30), ("19.99", 1999), (1800, 180000), (4.35, 435)])
def test_yuan_become_whole_cents_without_binary_rounding(given_: float | str, expected: int) -> None:
    assert cents(given_) == expected
    assert yuan(123456789) == "1,234,567.89"
    assert yuan(-5) == "-0.05"


@pytest.mark.parametrize(
    ("known", "today", "expected"),
    [
        (date(2026, 6, 9), date(2026, 11, 9), 5.0),
        (date(2026, 6, 8), date(2026, 11, 9), 5.5),
        (date(2026, 6, 10), date(2026, 11, 9), 4.5),
        (date(2026, 1, 31), date(2026, 2, 28), 0.5),
        (date(2026, 11, 9), date(2026, 11, 9), 0.0),
        (date(2025, 11, 8), date(2026, 11, 9), 12.5),
    ],
)
def test_months_are_past_a_limit_from_the_day_after(known: date, today: date, expected: float) -> None:
    assert months_since(known, today) == expected


def test_the_ratio_of_a_plan_never_exceeds_a_fifth_by_rounding() -> None:
    for wage in range(250_001, 260_000, 37):
        claim = {"amount_cny": 5000, "month_wage_cny": wage / 100}
        found = deduction(claim, loss=5000, minimum=cents(1000), first_month=NOVEMBER)
        assert found["ratio"] <= 0.20
        assert found["wage_after"] >= 1000


@pytest.mark.parametrize(
    ("claim", "problem"),
    [
        ({"amount_cny": 5001, "month_wage_cny": 9000}, "over_loss"),
        ({"amount_cny": 5000}, "no_wage"),
        ({"amount_cny": 5000, "month_wage_cny": 2500}, "nothing_deductible"),
        ({"amount_cny": 5000, "month_wage_cny": 2500.01}, "too_many_instalments"),
        ({"amount_cny": 5000, "month_wage_cny": 9000}, None),
        ({}, None),
    ],
)
def test_what_stands_in_the_way_of_a_deduction_is_named(claim: dict[str, float], problem: str | None) -> None:
    assert deduction(claim, loss=5000, minimum=MINIMUM, first_month=NOVEMBER)["problem"] == problem


def test_asking_for_more_a_month_than_allowed_is_left_for_the_table_to_refuse() -> None:
    claim = {"amount_cny": 5000, "month_wage_cny": 9000, "monthly_cny": 2500}
    found = deduction(claim, loss=5000, minimum=MINIMUM, first_month=NOVEMBER)
    assert found["ratio"] > 0.20
    assert found["plan"][0]["amount"] == cents(1800)


def test_a_plan_reads_the_same_sums_in_both_languages() -> None:
    found = deduction({"amount_cny": 2000, "month_wage_cny": 9000}, loss=2000, minimum=MINIMUM, first_month=NOVEMBER)
    said = plan_text(found["plan"])
    for text in said.values():
        assert "1,800.00" in text and "200.00" in text and "2026-12" in text
    assert plan_text([]) == {"zh-CN": "", "en": ""}
