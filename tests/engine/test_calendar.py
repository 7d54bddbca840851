"""Working time, against the announced calendar of 2026 and as properties over any start."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import SHANGHAI, Calendar, DurationError, parse_duration

calendar = Calendar()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def after(start: str, duration: str) -> str:
    return calendar.add(local(start), duration).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        ("2026-11-09 09:00", "3wd", "2026-11-12 09:00"),
        ("2026-11-13 15:30", "1wd", "2026-11-16 15:30"),
        ("2026-11-14 10:00", "1wd", "2026-11-17 09:00"),
        ("2026-11-14 10:00", "0wd", "2026-11-16 09:00"),
        ("2026-09-30 10:00", "1wd", "2026-10-08 10:00"),
        ("2026-10-09 10:00", "1wd", "2026-10-10 10:00"),
        ("2026-11-09 09:00", "8wh", "2026-11-09 18:00"),
        ("2026-11-09 11:00", "2wh", "2026-11-09 14:00"),
        ("2026-11-13 16:00", "4wh", "2026-11-16 11:00"),
        ("2026-11-14 16:00", "0.5wh", "2026-11-16 09:30"),
        ("2026-11-09 12:30", "1wh", "2026-11-09 14:00"),
        ("2026-11-14 10:00", "PT8H", "2026-11-14 18:00"),
        ("2026-11-14 10:00", "P14D", "2026-11-28 10:00"),
        ("2026-01-31 10:00", "P1M", "2026-02-28 10:00"),
        ("2024-02-29 10:00", "P1Y", "2025-02-28 10:00"),
        ("2026-11-09 10:00", "P1WT1H30M", "2026-11-16 11:30"),
    ],
)
def test_a_deadline_falls_where_a_person_would_put_it(start: str, duration: str, expected: str) -> None:
    assert after(start, duration) == expected


def test_answers_are_in_utc() -> None:
    assert calendar.add(local("2026-11-09 09:00"), "1wd") == datetime(2026, 11, 10, 1, tzinfo=UTC)
    assert calendar.add(local("2026-11-09 09:00"), "1wd").tzinfo is UTC


def test_a_make_up_saturday_is_worked_and_a_public_holiday_is_not() -> None:
    assert calendar.is_workday(date(2026, 10, 10))
    assert not calendar.is_workday(date(2026, 10, 1))


def test_after_the_last_announced_year_only_weekends_are_off() -> None:
    later = calendar.horizon + 3
    assert calendar.is_workday(date(later, 10, 1)) == (date(later, 10, 1).weekday() < 5)
    assert not calendar.is_announced(date(later, 10, 1))
    assert calendar.is_announced(date(calendar.horizon, 12, 31))


def test_the_companys_own_table_overrides_the_announced_days_and_the_weekends() -> None:
    own = Calendar({date(2026, 10, 1): True, date(2026, 11, 9): False, date(2040, 6, 2): True})
    assert own.is_workday(date(2026, 10, 1))
    assert not own.is_workday(date(2026, 11, 9))
    assert own.is_workday(date(2040, 6, 2))


def test_office_hours_are_the_companys_to_choose() -> None:
    early = Calendar(hours=((time(7), time(11)),))
    assert early.add(local("2026-11-09 10:00"), "2wh") == local("2026-11-10 08:00")


def test_a_table_that_closes_the_company_for_ever_is_refused_rather_than_searched_for_ever() -> None:
    closed = Calendar({date(2026, 1, 1) + timedelta(days=n): False for n in range(800)})
    with pytest.raises(DurationError):
        closed.add(local("2026-01-05 09:00"), "1wh")


def test_office_hours_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="ascending"):
        Calendar(hours=((time(9), time(13)), (time(12), time(18))))


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "2 wd", "wd", "1.5wd", "-1wd", "3days", "R3/PT24H", "P1H", "1wd\n2wd"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        calendar.add(datetime(2026, 11, 9), "1wd")


def test_a_duration_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(DurationError):
        calendar.add(local("2026-11-09 09:00"), "P9999Y")


def test_working_days_between_counts_the_days_after_the_first() -> None:
    assert calendar.working_days_between(date(2026, 11, 9), date(2026, 11, 12)) == 3
    assert calendar.working_days_between(date(2026, 11, 13), date(2026, 11, 16)) == 1
    assert calendar.working_days_between(date(2026, 11, 12), date(2026, 11, 9)) == -3


starts = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
hours = st.integers(0, 200)


@given(starts, hours)
def test_the_working_time_until_a_deadline_in_hours_is_those_hours(start: datetime, n: int) -> None:
    assert calendar.working_time_between(start, calendar.add(start, f"{n}wh")) == timedelta(hours=n)


@given(starts, st.integers(0, 100))
def test_a_deadline_in_days_falls_on_a_working_day_and_never_before_its_start(start: datetime, n: int) -> None:
    due = calendar.add(start, f"{n}wd")
    assert due >= start
    assert calendar.is_workday(calendar.today(due))
    local_start = start.astimezone(SHANGHAI)
    if calendar.is_workday(local_start.date()):
        assert calendar.working_days_between(start, due) == n
        assert due.astimezone(SHANGHAI).time() == local_start.time()


@given(starts, starts, st.sampled_from(["1wd", "5wd", "4wh", "8wh", "31wh", "PT4H", "P1M", "P10D"]))
def test_who_starts_earlier_is_never_due_later(a: datetime, b: datetime, duration: str) -> None:
    first, second = sorted([a, b])
    assert calendar.add(first, duration) <= calendar.add(second, duration)


@given(starts, st.integers(0, 60), st.integers(0, 60))
def test_two_stretches_of_working_hours_add_up(start: datetime, a: int, b: int) -> None:
    assert calendar.add(calendar.add(start, f"{a}wh"), f"{b}wh") == calendar.add(start, f"{a + b}wh")


@given(starts, starts, starts)
def test_working_time_between_is_additive(a: datetime, b: datetime, c: datetime) -> None:
    whole = calendar.working_time_between(a, c)
    assert calendar.working_time_between(a, b) + calendar.working_time_between(b, c) == whole


def test_a_timer_fires_at_the_date_and_time_it_names_or_after_a_stretch_of_time() -> None:
    start = local("2026-11-09 09:00")
    named = datetime(2027, 1, 4, 1, tzinfo=UTC)
    assert calendar.due(start, "2027-01-04T09:00:00+08:00") == named
    assert calendar.due(start, "2027-01-04T09:00:00") == named
    assert calendar.due(start, "3wd") == calendar.add(start, "3wd")
    with pytest.raises(DurationError):
        calendar.due(start, "2027-13-04T09:00:00")
