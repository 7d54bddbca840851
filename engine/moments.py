"""Moments as the database keeps them: ISO 8601 text in UTC, microseconds, fixed width, so text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


def stamp(moment: datetime) -> str:
    """An aware datetime as `2026-11-09T01:00:00.000000Z`."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place here")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(text: str) -> datetime:
    """The aware datetime of a stamp."""
    return datetime.fromisoformat(text).astimezone(UTC)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, aware."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)
