"""What the clock starts, of all procedures together: each names its own in a function listed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine import Planning, Schedule
from processes import duties

PROVIDERS: tuple[Callable[[Planning], Iterable[Schedule]], ...] = (
    duties.patrols,
    duties.rotations,
    duties.trainings,
    duties.handovers,
)


def schedules(planning: Planning) -> list[Schedule]:
    """Every recurring case of this company: the standing ones, and those that follow from a register's rows."""
    return [schedule for provider in PROVIDERS for schedule in provider(planning)]
