"""Compares what a scenario expects with what is there; only what the expectation names is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EXPECTATIONS = ("open", "variables", "status", "end", "visited", "not_visited", "register")


class _OpenTask(Protocol):
    @property
    def element(self) -> str: ...


class Seen(Protocol):
    """What is compared: a case as it stands."""

    @property
    def status(self) -> str: ...
    @property
    def end(self) -> str | None: ...
    @property
    def variables(self) -> Mapping[str, Any]: ...
    @property
    def open(self) -> Sequence[_OpenTask]: ...
    @property
    def path(self) -> Sequence[str]: ...


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One thing that is not as expected, by its dotted name (`variables.tier`, `open.ballot`)."""

    name: str
    expected: Any
    actual: Any


MISSING = "(missing)"


def compare_expectation(
    expectation: Mapping[str, Any], seen: Seen, registers: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> list[Mismatch]:
    """Every difference. `registers` holds the rows (key → fields) of each register the expectation names."""
    found: list[Mismatch] = []

    def check(name: str, expected: Any, actual: Any) -> None:
        if not matches(expected, actual):
            found.append(Mismatch(name=name, expected=expected, actual=actual))

    counts = Counter(task.element for task in seen.open)
    for element, count in expectation.get("open", {}).items():
        check(f"open.{element}", count, counts[element])
    for name, value in expectation.get("variables", {}).items():
        actual = reach(seen.variables, name)
        check(f"variables.{name}", value, None if actual == MISSING and value is None else actual)
    if "status" in expectation:
        check("status", expectation["status"], seen.status)
    if "end" in expectation:
        check("end", expectation["end"], seen.end)
    visited = set(seen.path)
    if missed := [element for element in expectation.get("visited", ()) if element not in visited]:
        found.append(Mismatch(name="visited", expected=missed, actual=list(seen.path)))
    if strayed := [element for element in expectation.get("not_visited", ()) if element in visited]:
        found.append(Mismatch(name="not_visited", expected=[], actual=strayed))
    for register, wanted in expectation.get("register", {}).items():
        rows = registers.get(register, {})
        for row in wanted if isinstance(wanted, list) else [wanted]:
            if not any(_row_matches(row, key, fields) for key, fields in rows.items()):
                found.append(Mismatch(name=f"register.{register}", expected=row, actual=_nearest(row, rows)))
    return found


def matches(expected: Any, actual: Any) -> bool:
    """Equal, where an object need only hold what is expected of it; true is not 1."""
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            name in actual and matches(value, actual[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(matches, expected, actual))
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


def reach(variables: Any, dotted: str) -> Any:
    """The value at `a.b.0.c`; MISSING when there is none."""
    value = variables
    for part in dotted.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def _row_matches(expected: Mapping[str, Any], key: str, fields: Mapping[str, Any]) -> bool:
    row = {"key": key, **fields}
    return all(matches(value, reach(row, name)) for name, value in expected.items())


def _nearest(expected: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Any:
    """The row that comes closest, cut down to what was asked, so that a report shows the difference."""
    if not rows:
        return MISSING
    shown = [{name: reach({"key": key, **fields}, name) for name in expected} for key, fields in rows.items()]
    return max(shown, key=lambda row: sum(matches(expected[name], row[name]) for name in expected))
