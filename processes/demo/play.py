"""Plays a month of the company: every procedure has cases that are finished, waiting at somebody's desk, or late.

Everything goes through the engine's commands, on a clock of its own that stands on working days before now, and every
command carries an idempotency key: a run that was cut off is gone through again and only what is missing is done.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import Engine, queries, read_setting, write_setting
from engine.errors import GuijuError
from processes.demo.company import MARK, Progress
from processes.demo.month import stories
from processes.demo.stories import Action, Days, Story

KEY = "demo "
_CASE = re.compile(r"[A-Z]+\d+b?")  # a public case, which others may name


class PastClock:
    """A clock that stands where the story is."""

    def __init__(self, moment: datetime) -> None:
        self._now = moment

    def now(self) -> datetime:
        """Where the story is."""
        return self._now

    def move(self, moment: datetime) -> None:
        """Go on to `moment`, never back."""
        self._now = max(self._now, moment)


@dataclass(frozen=True, kw_only=True)
class Astray:
    """A step that could not be played; the case stays as it was before."""

    story: str
    element: str
    who: str | None
    why: str


def is_demo_played(engine: Engine) -> bool:
    """Whether the month has been played to its end, or is not for this database at all."""
    with engine.db.read() as connection:
        mark = read_setting(connection, MARK)
    return mark is None or bool(mark["played"])


def play_demo(engine: Engine, *, progress: Progress | None = None) -> list[Astray]:
    """Play the month before the company was loaded, or what is missing of it. Returns what could not be played."""
    with engine.db.read() as connection:
        mark = read_setting(connection, MARK) or {}
    now = datetime.fromisoformat(mark["at"]) if mark else engine.now()
    play = _Play(engine, now)
    play.run(progress)
    engine.db.write(lambda connection: write_setting(connection, MARK, {"at": now.isoformat(), "played": True}))
    return play.astray


class _Play:
    def __init__(self, engine: Engine, now: datetime) -> None:
        self.now, self.stories = now, stories(Days(now))
        self.done = queries.answered(engine, KEY)
        plan = [(action.at, number, story, step) for story in self.stories for number, (step, action) in _steps(story)]
        self.plan = sorted((entry for entry in plan if entry[0] <= now), key=lambda entry: (entry[0], entry[2].name))
        self.clock = PastClock(self.plan[0][0])
        self.engine = copy.copy(engine)
        self.engine.clock = self.clock
        self.astray: list[Astray] = []
        self.numbers: dict[str, str] = {}  # scenario → case number

    def run(self, progress: Progress | None) -> None:
        day, lost = None, set[str]()
        for number, (at, _, story, step) in enumerate(self.plan, 1):
            if at.date() != day:
                day = at.date()
                self.engine.refresh_schedules()
            self._let_pass(at)
            action = story.actions[step]
            if story.name not in lost:
                try:
                    self._do(story, step, action)
                except (GuijuError, LookupError) as error:
                    lost.add(story.name)
                    why = getattr(error, "message", {}).get("en", str(error))
                    fields = getattr(error, "fields", {})
                    self.astray.append(
                        Astray(story=story.name, element=action.element, who=action.who, why=f"{why} {fields or ''}")
                    )
            if progress:
                progress(number, len(self.plan))
        self._let_pass(self.now)

    def _let_pass(self, moment: datetime) -> None:
        """Everything that falls due before `moment` happens at its own time."""
        while (due := self.engine.next_due()) is not None and due <= moment:
            self.clock.move(due)
            if not self.engine.tick():
                break
        self.clock.move(moment)

    def _do(self, story: Story, step: int, action: Action) -> None:
        key = f"{KEY}{story.name} {step}"
        if key in self.done:
            self._is(story, self.done[key])
            if not action.all:
                return
        entered = self._named(action.entered)
        if action.element == "start":
            result = self.engine.start(story.process, entered, by=action.who, key=key)
            self._is(story, result.instance_id)
            return
        if not story.instance:
            self._is(story, self._started(story))
        assert action.who is not None
        if action.element == "withdraw":
            if any(case.instance_id == story.instance for case in queries.running(self.engine, story.process)):
                self.engine.withdraw(story.instance, by=action.who, reason="不再需要")
            return
        if action.all:
            times = sum(each.startswith(key) for each in self.done)
            while queries.doable(self.engine, story.instance, action.element, actor=action.who):
                self._complete(story, action, entered, f"{key}+{times}" if times else key)
                times += 1
        else:
            self._complete(story, action, entered, key)

    def _complete(self, story: Story, action: Action, entered: Mapping[str, Any], key: str) -> None:
        assert action.who is not None
        found = queries.doable(self.engine, story.instance, action.element, actor=action.who)
        if not found:
            raise LookupError(f"{action.who} has no task {action.element}")
        if not found[0].held:
            self.engine.claim(found[0].task_id, by=action.who)
        self.engine.complete(found[0].task_id, entered, by=action.who, key=key)

    def _started(self, story: Story) -> str:
        """The case that the company itself started for the story: the latest with these words in its title."""
        taken = {each.instance for each in self.stories}
        for case in reversed(queries.running(self.engine, story.process)):
            if story.follows and story.follows in case.title and case.instance_id not in taken:
                return case.instance_id
        raise LookupError(f"no case of {story.process} about {story.follows} was started")

    def _is(self, story: Story, instance: str) -> None:
        if story.instance != instance:
            story.instance = instance
            name = story.name.rpartition("/")[2].partition(" ")[0]
            if _CASE.fullmatch(name):
                self.numbers[name] = str(queries.inspect(self.engine, instance).business_key)

    def _named(self, value: Any) -> Any:
        """What is entered, with the number of an earlier case in place of its scenario's name (`K01`)."""
        if isinstance(value, Mapping):
            return {name: self._named(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._named(each) for each in value]
        return self.numbers.get(value, value) if isinstance(value, str) else value


def _steps(story: Story) -> list[tuple[int, tuple[int, Action]]]:
    return [(number, (number, action)) for number, action in enumerate(story.actions)]
