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
    """A step that lets a path on. `names`: any of these is one; a plain id means a task of a person's.

    `passing`: the outcomes that count, None for any; `result`: where the outcome is read (`vote.outcome`), by default
    in the step's own result. `timers`: being left by an interrupting timer counts too (who was asked and kept silent
    was asked), if it allows at least `least` (`3wd`, `P7D`).
    `recuses`: variables of which its `recuse` (of a call: the `recused` it hands over) must keep out at least one.
    `asks`: whom its assignee, candidates or lane must name, at least one. `parameters`: what an operation or a called
    process must be given just so.
    """

    names: tuple[str, ...]
    passing: frozenset[Any] | None = None
    result: str = ""
    timers: bool = False
    least: str = ""
    recuses: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Control:
    """In process `process`, every path to a step of `before` passes a step of `through`.

    Paths begin at the start and, anew, after each step of `again_after` (an edit voids what was approved). Only paths
    on which `given` holds are looked at: until something other than a step of `given_by` writes those variables.
    `closed`: nobody may start the process by hand; then `before` may be empty. `only`: what no other process may do.
    `text`: what is wrong, in both languages; `{target}` is the step that was reached. A process in which one of the
    steps of `before` is not found is refused as well: a control that guards nothing would pass unseen.
    """

    code: str
    process: str
    before: tuple[str, ...] = ()
    through: tuple[Station, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    given_by: tuple[str, ...] = ()
    again_after: tuple[str, ...] = ()
    closed: bool = False
    only: tuple[str, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TableControl:
    """For these inputs the decision table `table` answers so that the expression `must` over its outputs is true.

    The steps a control relies on are only as good as the tables they ask. `text`: what is wrong, in both languages.
    """

    code: str
    table: str
    inputs: Mapping[str, Any]
    must: str
    text: Mapping[str, str] = field(default_factory=dict)
