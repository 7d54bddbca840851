"""What the demo plays: who does what in which case, and when, worked out before anything runs.

Most stories are scenarios of the procedures, moved to the working days before today: the same people enter the same
things, dates within them move along, and working time passes between two steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine import Calendar

LOCAL = ZoneInfo("Asia/Shanghai")
PROCEDURES = Path(__file__).parent.parent
DEFAULT_NOW = "2026-11-09T09:00:00+08:00"  # of a scenario that names none
BETWEEN = "0.3wh"  # between two people doing the same step, such as casting ballots
PROMPTLY = "PT12M"  # after whatever was waited for
_DATE = re.compile(r"(?<![\d-])20\d\d-[01]\d-[0-3]\d(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Action:
    """`who` does `element` at `at`; "start" files the case, "withdraw" takes it back. `who` None is an outsider."""

    at: datetime
    who: str | None
    element: str
    entered: Mapping[str, Any] = field(default_factory=dict)
    all: bool = False  # as often as there is such a step to do


@dataclass(kw_only=True)
class Story:
    """A case and what happens in it. `follows` names one that the company itself starts, by words of its title."""

    name: str
    process: str
    actions: list[Action]
    follows: str | None = None
    instance: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A scenario as a story: begun `ago` working days before today at `at`, left alone before the step `stop`.

    `weekday` (0 Monday) moves the beginning back to such a day; `pace` is the time between two steps; `entered` is put
    in place of what the scenario enters under these names.
    """

    scenario: str
    ago: int
    at: str = "09:20"
    pace: str = "1.5wh"
    stop: str | None = None
    weekday: int | None = None
    entered: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Unique: the same scenario may be told twice."""
        return f"{self.scenario} {self.ago}"


class Days:
    """Working days counted from today, and the days of a scenario moved among them."""

    def __init__(self, now: datetime) -> None:
        self.calendar = Calendar()
        self.today = now.astimezone(LOCAL).date()

    def ago(self, count: int, weekday: int | None = None) -> date:
        """The working day `count` working days before today, or the nearest earlier one on that weekday."""
        day = self._step(self.today, -count)
        while weekday is not None and (day.weekday() != weekday or not self.calendar.is_workday(day)):
            day -= timedelta(days=1)
        return day

    def moved(self, day: date, origin: date, target: date) -> date:
        """Where `day` falls when `origin` becomes `target`: as many working days on, and as many days off after it."""
        count = off = 0
        step = timedelta(days=1 if day >= origin else -1)
        at = origin
        while at != day:
            at += step
            if self.calendar.is_workday(at):
                count, off = count + 1, 0
            else:
                off += 1
        return self._step(target, count if day >= origin else -count) + step * off

    def _step(self, day: date, count: int) -> date:
        step = timedelta(days=1 if count > 0 else -1)
        left = abs(count)
        while left:
            day += step
            left -= self.calendar.is_workday(day)
        return day


def told(story: Told, days: Days) -> Story:
    """The scenario's steps at the moments they happen in this company."""
    procedure, _, name = story.scenario.partition("/")
    scenario = json.loads((PROCEDURES / procedure / "scenarios" / f"{name}.json").read_text(encoding="utf-8"))
    now = datetime.fromisoformat(scenario.get("now", DEFAULT_NOW)).astimezone(LOCAL)
    begins = days.ago(story.ago, story.weekday)

    def move(day: date) -> date:
        return days.moved(day, now.date(), begins)

    def entered(values: Mapping[str, Any]) -> dict[str, Any]:
        replaced = {name: story.entered.get(name, value) for name, value in values.items()}
        moved: dict[str, Any] = _dates_moved(replaced, move)
        return moved

    at = datetime.combine(begins, time.fromisoformat(story.at), LOCAL)
    start = scenario["start"]
    actions = [_action(at, start.get("by"), "start", entered(start.get("variables", {})))]
    before, waited = "", False
    for step in scenario.get("steps", ()):
        waited = waited or "after" in step or "until" in step
        if "after" in step:
            at = days.calendar.add(at, step["after"]).astimezone(LOCAL)
        elif "until" in step:
            moment = datetime.fromisoformat(step["until"]).astimezone(LOCAL)
            at = max(at, datetime.combine(move(moment.date()), moment.time(), LOCAL))
        elif "complete" in step or "withdraw" in step:
            element = step.get("complete", "withdraw")
            if element == story.stop:
                break
            between = BETWEEN if element == before and "wh" in story.pace else story.pace
            if waited:
                between = PROMPTLY
            waited = False
            at = days.calendar.add(at, between).astimezone(LOCAL)
            actions.append(_action(at, step["by"], element, entered(step.get("variables", {}))))
            before = element
    return Story(name=story.name, process=scenario["process"], actions=actions)


def _action(at: datetime, who: str | None, element: str, entered: Mapping[str, Any]) -> Action:
    return Action(at=at.astimezone(UTC), who=who, element=element, entered=entered)


def _dates_moved(value: Any, move: Callable[[date], date]) -> Any:
    if isinstance(value, Mapping):
        return {name: _dates_moved(each, move) for name, each in value.items()}
    if isinstance(value, list):
        return [_dates_moved(each, move) for each in value]
    if isinstance(value, str):
        return _DATE.sub(lambda found: move(date.fromisoformat(found.group())).isoformat(), value)
    return value


def following(
    process: str, title: str, steps: Iterable[tuple[int, str, str, str, dict[str, Any]]], days: Days
) -> Story:
    """What people do in a case that the clock or another case starts: (working days ago, time, who, step, entered)."""
    actions = [
        _action(datetime.combine(days.ago(ago), time.fromisoformat(at), LOCAL), who, element, dict(entered))
        for ago, at, who, element, entered in steps
    ]
    return Story(name=f"{process} {title}", process=process, actions=actions, follows=title)
