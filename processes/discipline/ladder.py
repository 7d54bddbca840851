"""The ladder of measures: what they are called, which is milder, and which of the policy's is not on it (a fine)."""

from __future__ import annotations

from engine.errors import Text
from processes.registers.sanction import MEASURES

LADDER = ("NONE", "COACHING", "WARNING", "DEMOTION", "DISMISSAL")
FINE = "FINE"
TITLES: dict[str, Text] = dict(MEASURES)


def title(measure: str | None, language: str) -> str:
    """A measure in words."""
    return TITLES.get(measure or "NONE", {}).get(language, str(measure))


def within(measure: str, floor: str, ceiling: str) -> bool:
    """Whether a measure lies between two others of the ladder; a fine lies nowhere."""
    return measure in LADDER and LADDER.index(floor) <= LADDER.index(measure) <= LADDER.index(ceiling)


def between(floor: str, ceiling: str) -> list[str]:
    """The measures from `floor` to `ceiling`, mildest first, without "no sanction"."""
    return [each for each in LADDER if within(each, floor, ceiling) and each != "NONE"]
