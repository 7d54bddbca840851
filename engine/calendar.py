"""Working time: which days are worked, and where a deadline such as `2wd` or `4wh` falls.

Public holidays and make-up days (调休) come from chinesecalendar, which carries each year once the State Council has
announced it. After the last announced year (`Calendar.horizon`) weekends alone are off: the administrator is told that
deadlines beyond it are provisional. A table of overrides, given by the company, wins over both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from chinese_calendar.constants import holidays, workdays  # type: ignore[import-untyped]

_HOLIDAYS: frozenset[date] = frozenset(holidays)
_MAKE_UP_DAYS: frozenset[date] = frozenset(workdays)
FIRST_ANNOUNCED_YEAR: int = min(_HOLIDAYS).year
LAST_ANNOUNCED_YEAR: int = max(_HOLIDAYS).year

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(13), time(18)))

_WORKING = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)w([dh])", re.ASCII)
_ISO = re.compile(
    r"P(?!$)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,7}(?:\.\d{1,3})?)H)?(?:(\d{1,9}(?:\.\d{1,3})?)M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_LONGEST_CLOSURE = 400  # days off in a row after which a table of overrides is a mistake, not a holiday


class DurationError(ValueError):
    """The text is neither working time (`4wh`, `2wd`) nor an ISO 8601 duration (`PT8H`, `P14D`)."""


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A length of time: working days or working hours, or else months and an exact rest that pass regardless."""

    working_days: int = 0
    working: timedelta = timedelta()
    months: int = 0
    elapsed: timedelta = timedelta()
    is_working: bool = False


def parse_duration(text: str) -> Duration:
    """Read `4wh`, `0.5wh`, `2wd`, `PT8H`, `P14D`, `P1M`, `P1Y2M3DT4H5M6S` or `P2W`; raises DurationError."""
    text = text.strip()
    if match := _WORKING.fullmatch(text):
        amount, unit = match.groups()
        if unit == "h":
            return Duration(working=timedelta(hours=float(amount)), is_working=True)
        if "." in amount:
            raise DurationError(f"working days are whole days: {text!r}")
        return Duration(working_days=int(amount), is_working=True)
    if match := _ISO.fullmatch(text):
        years, months, weeks, days, hours, minutes, seconds = match.groups()
        return Duration(
            months=12 * int(years or 0) + int(months or 0),
            elapsed=timedelta(
                weeks=int(weeks or 0),
                days=int(days or 0),
                hours=float(hours or 0),
                minutes=float(minutes or 0),
                seconds=float(seconds or 0),
            ),
        )
    raise DurationError(f"not a duration: {text!r}; write 4wh, 2wd, PT8H or P14D")


class Calendar:
    """The working calendar of one company.

    `overrides` maps a date to True (worked) or False (off); `hours` are the local opening times of a working day, in
    order and not overlapping.
    """

    horizon: int = LAST_ANNOUNCED_YEAR

    def __init__(
        self,
        overrides: Mapping[date, bool] | None = None,
        *,
        hours: Sequence[tuple[time, time]] = OFFICE_HOURS,
        zone: ZoneInfo = SHANGHAI,
    ) -> None:
        edges = [edge for span in hours for edge in span]
        if not edges or any(a >= b for a, b in pairwise(edges)):
            raise ValueError("office hours must be spans in ascending order")
        self.overrides: dict[date, bool] = dict(overrides or {})
        self.hours: tuple[tuple[time, time], ...] = tuple((a, b) for a, b in hours)
        self.zone = zone

    def is_workday(self, day: date) -> bool:
        """Whether `day` (a local date) is worked: the company's word, else the announced one, else Monday to Friday."""
        if (known := self.overrides.get(day)) is not None:
            return known
        return day in _MAKE_UP_DAYS or (day.weekday() < 5 and day not in _HOLIDAYS)

    def is_announced(self, day: date) -> bool:
        """Whether the public holidays of that day's year are known; otherwise only weekends count as days off."""
        return FIRST_ANNOUNCED_YEAR <= day.year <= self.horizon

    def add(self, start: datetime, text: str) -> datetime:
        """When `text` has passed since `start` (aware), in UTC.

        Working days keep the local time of day, Monday 09:00 + 3wd = Thursday 09:00; working hours run only while the
        office is open, and end at closing rather than at the next opening. Either, begun on a day off, is counted from
        the next opening. ISO durations run on regardless; months keep the day of the month, or end with a shorter one.
        """
        local = self._local(start)
        duration = parse_duration(text)
        try:
            if not duration.is_working:
                return (_add_months(local, duration.months).astimezone(UTC)) + duration.elapsed
            if duration.working_days or not duration.working:
                return self._add_days(local, duration.working_days).astimezone(UTC)
            return self._add_working(local, duration.working).astimezone(UTC)
        except OverflowError as error:
            raise DurationError(f"{text!r} from {start.isoformat()} is beyond the calendar") from error

    def due(self, start: datetime, text: str) -> datetime:
        """When a timer with `text` fires: at a date and time as it stands (local without a zone), else as `add`."""
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            return self.add(start, text)
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How long the office was open between two instants; negative when `end` comes first."""
        if end < start:
            return -self.working_time_between(end, start)
        first, last = self._local(start), self._local(end)
        total = timedelta()
        day = first.date()
        while day <= last.date():
            if self.is_workday(day):
                for opening, closing in self._spans(day):
                    total += max(timedelta(), min(closing, last) - max(opening, first))
            day += timedelta(days=1)
        return total

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after the date of `start`, up to and with that of `end`; negative when reversed.

        Datetimes count by their local date.
        """
        first, last = self._date(start), self._date(end)
        if last < first:
            return -self.working_days_between(last, first)
        return sum(self.is_workday(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))

    def today(self, now: datetime) -> date:
        """The local date at `now` (aware)."""
        return self._local(now).date()

    def _add_days(self, start: datetime, days: int) -> datetime:
        if not self.is_workday(start.date()):
            start = self._opening_after(start.date())
        for _ in range(days):
            start = datetime.combine(self._next_workday(start.date()), start.timetz())
        return start

    def _add_working(self, start: datetime, left: timedelta) -> datetime:
        day = start.date()
        while True:
            for opening, closing in self._spans(day) if self.is_workday(day) else ():
                begin = max(opening, start)
                if begin < closing:
                    if left <= closing - begin:
                        return begin + left
                    left -= closing - begin
            day = self._next_workday(day)

    def _opening_after(self, day: date) -> datetime:
        return datetime.combine(self._next_workday(day), self.hours[0][0], self.zone)

    def _next_workday(self, day: date) -> date:
        for _ in range(_LONGEST_CLOSURE):
            day += timedelta(days=1)
            if self.is_workday(day):
                return day
        raise DurationError(f"the calendar has no working day in the {_LONGEST_CLOSURE} days before {day.isoformat()}")

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for opening, closing in self.hours:
            yield datetime.combine(day, opening, self.zone), datetime.combine(day, closing, self.zone)

    def _local(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone is ambiguous")
        return moment.astimezone(self.zone)

    def _date(self, day: date) -> date:
        return self._local(day).date() if isinstance(day, datetime) else day


def _add_months(start: datetime, months: int) -> datetime:
    """The same day of the month so many months on, or that month's last day."""
    if not months:
        return start
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if year > 9999:
        raise OverflowError(year)
    for day in range(start.day, 27, -1):
        try:
            return start.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return start.replace(year=year, month=month + 1)
