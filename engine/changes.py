"""What a command changed in a case's variables, small enough to keep with every command.

A change is `[name, "set", value]`, `[name, "add", items]` (to the end of a list), `[name, "put", {key: value}]` (fields
of a record) or `[name, "drop"]`: a vote of fifty keeps fifty ballots, not fifty lists of ballots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Change = list[Any]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What turns `before` into `after`, by name. Values must be JSON."""
    found: list[Change] = [[name, "drop"] for name in sorted(before.keys() - after.keys())]
    for name in sorted(after):
        new = after[name]
        if name not in before:
            found.append([name, "set", new])
        elif (old := before[name]) is not new and not same(old, new):
            found.append([name, *_smallest(old, new)])
    return found


def apply(variables: dict[str, Any], made: Iterable[Change]) -> dict[str, Any]:
    """`variables` (left as they are) with the changes made."""
    result = dict(variables)
    for name, kind, *value in made:
        if kind == "set":
            result[name] = value[0]
        elif kind == "add":
            result[name] = [*result.get(name, []), *value[0]]
        elif kind == "put":
            result[name] = {**result.get(name, {}), **value[0]}
        else:
            result.pop(name, None)
    return result


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, types included: to Python `1`, `1.0` and `True` are equal."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _smallest(old: Any, new: Any) -> list[Any]:
    if isinstance(old, list) and isinstance(new, list) and 0 < len(old) < len(new) and same(old, new[: len(old)]):
        return ["add", new[len(old) :]]
    if isinstance(old, dict) and isinstance(new, dict) and old and old.keys() <= new.keys():
        fresh = {key: value for key, value in new.items() if key not in old or not same(old[key], value)}
        if len(fresh) < len(new):
            return ["put", fresh]
    return ["set", new]
