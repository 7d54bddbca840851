"""What differs between two runs of the same command comes from the command's own record, never from the machine.

A command runs inside `running(context)`. Ids and the clock are read from that context; outside a command they raise.
The library's own module globals (`uuid4`, `time`, `datetime`) are replaced once, at import, so that no path through
it can ask the machine either. The context lives in a `ContextVar`: every thread has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import SpiffWorkflow.bpmn.specs.event_definitions.timer as library_timer
import SpiffWorkflow.task as library_task

if TYPE_CHECKING:
    from engine.spiff.case import OperationCall


class Context(Protocol):
    """Everything that differs between two runs, given per command; a replay gives the recorded answers again."""

    @property
    def now(self) -> datetime:
        """The clock's reading, aware."""

    @property
    def horizon(self) -> datetime:
        """Timers due at or before this may fire."""

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """Pure functions that expressions may call."""

    def new_id(self) -> UUID:
        """The next id."""

    def due(self, element: str, value: str, start: datetime) -> datetime:
        """When `value` (`3wd`, `PT4H`, an ISO date-time) counted from `start` is due, aware."""

    def operation(self, call: OperationCall) -> Mapping[str, Any] | None:
        """The result of an operation; None when it runs outside and is finished later."""


class OutsideCommand(RuntimeError):
    """An id, the clock or an answer was asked for while no command was running."""


_running: ContextVar[Context] = ContextVar("guiju_command")


@contextmanager
def running(context: Context) -> Iterator[Context]:
    """Let everything inside draw ids, time and answers from `context`."""
    token = _running.set(context)
    try:
        yield context
    finally:
        _running.reset(token)


def context() -> Context:
    """The context of the running command. Raises OutsideCommand when there is none."""
    try:
        return _running.get()
    except LookupError:
        raise OutsideCommand("no command is running") from None


class _Time:
    """Stands where the library imported the module `time`."""

    @staticmethod
    def time() -> float:
        return context().now.timestamp()


class _Datetime(datetime):
    """Stands where the library imported the class `datetime`: same type, but `now` is the command's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return context().now.astimezone(tz)


def _new_id() -> UUID:
    return context().new_id()


library_task.uuid4 = _new_id
library_task.time = _Time
library_timer.datetime = _Datetime
