"""Plays the registration cases on the demo company, so that no inbox, register or timeline is empty.

They are played through the engine's commands on a clock of their own, on working days before now, in order of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine import Calendar, Engine, queries
from processes.demo.cases import CASES, Case, Step
from processes.demo.company import Progress

LOCAL = ZoneInfo("Asia/Shanghai")
PROCESS = "account_registration"
LEAD = 20  # calendar days from filing to the planned launch


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


@dataclass
class Story:
    """A case being played; `instance` is known once it is filed."""

    case: Case
    instance: str = ""


def play_demo(engine: Engine, *, progress: Progress | None = None) -> None:
    """Cases of past weeks: some finished, some waiting at each step, one late, one rejected, one withdrawn."""
    now = engine.now()
    days = _working_days_before(now, max(step[0] for case in CASES for step in case.steps))
    plan: list[tuple[datetime, int, Story, Step]] = []
    for case in CASES:
        story = Story(case)
        for step in case.steps:
            moment = datetime.combine(days[step[0]], time.fromisoformat(step[1]), LOCAL).astimezone(UTC)
            plan.append((moment, len(plan), story, step))
    plan.sort(key=lambda entry: entry[:2])
    clock = PastClock(plan[0][0])
    past = Engine(
        engine.db,
        operations=engine.operations,
        functions=engine.functions,
        directory_functions=engine.directory_functions,
        personal=engine.personal,
        clock=clock,
    )
    for number, (moment, _, story, step) in enumerate(plan, 1):
        _let_pass(past, clock, moment)
        _do(past, story, step)
        if progress:
            progress(number, len(plan))
    _let_pass(past, clock, now)


def _working_days_before(now: datetime, count: int) -> dict[int, date]:
    """Working days before today by how many they are ago, from 1."""
    calendar, day, found = Calendar(), now.astimezone(LOCAL).date(), dict[int, date]()
    while len(found) < count:
        day -= timedelta(days=1)
        if calendar.is_workday(day):
            found[len(found) + 1] = day
    return found


def _let_pass(engine: Engine, clock: PastClock, moment: datetime) -> None:
    """Everything that falls due before `moment` happens at its own time."""
    while (due := engine.next_due()) is not None and due <= moment:
        clock.move(due)
        if not engine.tick():
            break
    clock.move(moment)


def _do(engine: Engine, story: Story, step: Step) -> None:
    _, _, person, element, entered = step
    if element == "start":
        launch = (engine.now().astimezone(LOCAL).date() + timedelta(days=LEAD)).isoformat()
        filed = {name: value for name, value in story.case.form.items() if value is not None}
        story.instance = engine.start(PROCESS, {**filed, "launch_date": launch}, by=person).instance_id
        return
    engine.complete(_task(engine, story.instance, element, person), entered, by=person)


def _task(engine: Engine, instance: str, element: str, person: str) -> str:
    """The open task that `person` may do, claimed when it was offered to their group."""
    for tab in ("mine", "claimable"):
        cursor: str | None = None
        while True:
            page = queries.inbox(engine, actor=person, tab=tab, cursor=cursor, limit=100)
            for row in page.items:
                if row.instance_id == instance and row.element == element:
                    if tab == "claimable":
                        engine.claim(row.task_id, by=person)
                    return str(row.task_id)
            if (cursor := page.next) is None:
                break
    raise LookupError(f"{person} has no task {element} in {instance}")
