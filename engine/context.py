"""What one command is given that differs between two runs: the clock, ids, due times, results of operations.

`LiveContext` asks the world and writes every answer down; `RecordedContext` (replay) gives the same answers again from
the record. Both are the `Context` that `engine.spiff.case` runs on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from engine.moments import moment, stamp
from engine.spiff.case import OperationCall


class Seeded:
    """Ids drawn from a seed: the same seed gives the same ids in the same order."""

    def __init__(
        self, seed: bytes, now: datetime, horizon: datetime, functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self.seed, self.now, self.horizon, self.functions = seed, now, horizon, functions
        self._drawn = 0

    def new_id(self) -> UUID:
        """The next id, a version-4 UUID."""
        self._drawn += 1
        digest = hashlib.blake2b(self._drawn.to_bytes(8, "big"), key=self.seed, digest_size=16).digest()
        return UUID(bytes=digest, version=4)


class LiveContext(Seeded):
    """Answers from the calendar and the operations, kept in `answers` in the order they were given."""

    def __init__(
        self,
        seed: bytes,
        *,
        now: datetime,
        horizon: datetime,
        functions: Mapping[str, Callable[..., Any]],
        due: Callable[[datetime, str], datetime],
        operate: Callable[[OperationCall], Mapping[str, Any] | None],
    ) -> None:
        super().__init__(seed, now, horizon, functions)
        self._due, self._operate = due, operate
        self.answers: list[list[Any]] = []

    def due(self, element: str, value: str, start: datetime) -> datetime:
        """When `value` (working time, ISO 8601 duration or date-time) after `start` is."""
        answer = self._due(start, value)
        self.answers.append(["due", element, stamp(answer)])
        return answer

    def operation(self, call: OperationCall) -> Mapping[str, Any] | None:
        """The result of a local operation; None for an external one, which is queued."""
        answer = self._operate(call)
        self.answers.append(["operation", call.element, None if answer is None else dict(answer)])
        return answer


class RecordDiffers(Exception):
    """Re-execution asked something else than the record answers: `asked` against `recorded`."""

    def __init__(self, asked: str, recorded: str) -> None:
        self.asked, self.recorded = asked, recorded
        super().__init__(f"asked {asked}, recorded {recorded}")


class RecordedContext(Seeded):
    """Gives the recorded answers again, in order; anything else raises RecordDiffers."""

    def __init__(self, record: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(bytes.fromhex(record["seed"]), moment(record["now"]), moment(record["horizon"]), functions)
        self._answers = list(record["answers"])

    def due(self, element: str, value: str, start: datetime) -> datetime:
        """The recorded due time."""
        return moment(self._next("due", element))

    def operation(self, call: OperationCall) -> Mapping[str, Any] | None:
        """The recorded result."""
        answer: Mapping[str, Any] | None = self._next("operation", call.element)
        return answer

    def _next(self, kind: str, element: str) -> Any:
        recorded = self._answers.pop(0) if self._answers else ["nothing", "", None]
        if recorded[:2] != [kind, element]:
            raise RecordDiffers(f"{kind} of {element}", f"{recorded[0]} of {recorded[1]}")
        return recorded[2]

    def unused(self) -> int:
        """How many recorded answers were not asked for."""
        return len(self._answers)
