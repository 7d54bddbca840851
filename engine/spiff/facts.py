"""What a case tells the rest of the engine: what it waits for, and what happened. Plain, frozen, without a trace
of the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationCall:
    """A service task's call: the operation `name` with evaluated `parameters`, made at `element` of `process` by
    `token`.
    """

    name: str
    parameters: dict[str, Any]
    element: str
    process: str
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanTask:
    """An open user task. `scope`: tokens of the call activities and subprocesses around it, outermost first;
    `item` and `index` (from 0) say which one of a multi-instance task it is; `data` are the variables it sees.
    """

    token: str
    element: str
    process: str
    scope: tuple[str, ...]
    item: Any
    index: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerWait:
    """A timer due at `due` (aware, UTC). `interrupting`: it stops the activity it is attached to."""

    token: str
    element: str
    process: str
    due: datetime
    interrupting: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationWait:
    """An external operation whose result is awaited."""

    token: str
    element: str
    process: str
    call: OperationCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Everything a case waits for, oldest first, called processes after their callers."""

    tasks: tuple[HumanTask, ...]
    timers: tuple[TimerWait, ...]
    operations: tuple[OperationWait, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing that happened. `kind` and what `data` holds:

    `entered` {index, item?}: a token reached the element · `left` {flows: sequence flows taken, merged?}: it went on
    · `cancelled`: it was stopped · `operation` {name, parameters, result | external: true} · `decision` {table, sha,
    rules, inputs, outputs} · `script` {assigned} · `timer_scheduled` {due, host?: the token it waits beside} ·
    `timer_fired` {due} · `error` {code}: an error was thrown · `ended` {end}: the process (called ones too) reached its
    end. `scope` as in `HumanTask`.
    """

    kind: str
    element: str
    process: str
    token: str
    scope: tuple[str, ...]
    data: dict[str, Any]
