"""The values a case may hold: JSON, bounded in depth, integers of 64 bits, finite numbers.

Values are never changed in place once they are in a case: a new value replaces the old one. That is why tokens,
called processes and history may share them.
"""

from __future__ import annotations

import math
from typing import Any

DEPTH = 40


class NotJson(ValueError):
    """A value that cannot be kept: says what it is and where."""

    def __init__(self, where: str, what: str) -> None:
        self.where, self.what = where, what
        super().__init__(f"{where or 'value'}: {what}")


def taken(value: Any, where: str = "", depth: int = 0) -> Any:
    """A copy of `value` that nobody else holds. Tuples become lists. Raises NotJson."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if -(1 << 63) <= value < 1 << 63:
            return value
        raise NotJson(where, "an integer of more than 64 bits")
    if kind is float:
        if math.isfinite(value):
            return value
        raise NotJson(where, "a number that is not finite")
    if depth >= DEPTH:
        raise NotJson(where, "nested too deeply")
    if kind is list or kind is tuple:
        return [taken(item, where, depth + 1) for item in value]
    if isinstance(value, dict):
        copy = {}
        for key, item in value.items():
            if type(key) is not str:
                raise NotJson(where, f"a key that is not text: {key!r:.40}")
            copy[key] = taken(item, where or key, depth + 1)
        return copy
    if isinstance(value, (str, int, float)):  # a subclass (an enum, numpy): keep the plain value
        plain = str(value) if isinstance(value, str) else int(value) if isinstance(value, int) else float(value)
        return taken(plain, where, depth)
    raise NotJson(where, f"a value of type {kind.__name__}")


def kept(variables: Any) -> dict[str, Any]:
    """The variables, copied and checked. Raises NotJson."""
    if not hasattr(variables, "items"):
        raise NotJson("", "variables that are not a mapping")
    return {str(name): taken(value, str(name)) for name, value in variables.items()}
