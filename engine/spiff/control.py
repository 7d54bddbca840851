"""A control: what every path through a procedure must pass before it may reach certain steps. Declared by the policy.

Steps are named by their id, with `*` for anything (`platform_*`), or by what they do: `call:group_vote`,
`table:sanction_legality`, `operation:takedown.record`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Station:
    """A step that lets a path on. `names`: any of these is one.

    `passing`: the outcomes that count, None for any; `result`: where the outcome is read (`vote.outcome`), by default
    in the step's own result. `timers`: being left by a timer counts too (who was asked and kept silent was asked).
    `recuses`: variables of which its `recuse` must name at least one.
    """

    names: tuple[str, ...]
    passing: frozenset[str] | None = None
    result: str = ""
    timers: bool = False
    recuses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Control:
    """In process `process`, every path to a step of `before` passes a step of `through`.

    Paths begin at the start and, anew, after each step of `again_after` (an edit voids what was approved). Only paths
    on which `given` holds are looked at. `closed`: nobody may start the process by hand; then `before` may be empty.
    `text`: what is wrong, in both languages; `{target}` is the step that was reached. A process in which none of the
    steps of `before` is found is refused as well: a control that guards nothing would pass unseen.
    """

    code: str
    process: str
    before: tuple[str, ...] = ()
    through: tuple[Station, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    again_after: tuple[str, ...] = ()
    closed: bool = False
    text: Mapping[str, str] = field(default_factory=dict)
