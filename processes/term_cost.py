"""How many steps a pattern of the term table may cost at one place of a text, at worst.

The standard library's matcher goes back and forth; a pattern can make it do so for ever. What a pattern costs at one
place is worked out from its structure before it is ever used: with that bounded, a text of n characters costs at most
n times as much, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from re import _parser as sre  # type: ignore[attr-defined]  # the standard library's own parser of patterns
from typing import Any

TOO_MANY = 10**9  # what is not worth counting any further
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_SIMPLE = ("LITERAL", "NOT_LITERAL", "IN", "ANY", "AT", "CATEGORY", "RANGE")


def steps(pattern: str) -> int:
    """Steps at one place of a text, at worst. Raises re.error for a pattern that is none.

    What comes last and may be missing never fails, so nothing before it is tried a second time on its account.
    """
    return min(_whole(list(sre.parse(pattern))), TOO_MANY)


def _whole(items: Sequence[Any]) -> int:
    """The steps of a pattern nothing follows."""
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return sum(_whole(list(part)) for part in items[0][1][1])
    certain = len(items)
    while certain and _least(items[certain - 1]) == 0:
        certain -= 1
    cost, _ = _sequence(items[:certain])
    return cost + sum(_one(item)[0] for item in items[certain:]) + 1


def least_length(pattern: str) -> int:
    """The length of the shortest text it matches. Raises re.error."""
    return int(sre.parse(pattern).getwidth()[0])


def _least(item: Any) -> int:
    """0 for a repetition that may be missing altogether."""
    return int(item[1][0]) if str(item[0]) in _REPEATS else 1


def _sequence(items: Sequence[Any]) -> tuple[int, int]:
    """(steps, ways to succeed) of one item after another: what follows is tried once for every way so far."""
    cost, ways = 0, 1
    for item in items:
        more, branching = _one(item)
        cost, ways = min(cost + ways * more, TOO_MANY), min(ways * branching, TOO_MANY)
    return cost, ways


def _one(item: Any) -> tuple[int, int]:
    name, argument = str(item[0]), item[1]
    if name in _SIMPLE:
        return 1, 1
    if name in _REPEATS:
        return _repeat(int(argument[0]), int(argument[1]), argument[2])
    if name == "BRANCH":
        parts = [list(part) for part in argument[1]]
        costs = [_sequence(part) for part in parts]
        return sum(cost for cost, _ in costs) + len(parts), _branches(parts, [ways for _, ways in costs])
    if name == "SUBPATTERN":
        return _sequence(list(argument[-1]))
    if name == "ATOMIC_GROUP":
        return _sequence(list(argument))[0], 1
    if name in ("ASSERT", "ASSERT_NOT"):
        return _sequence(list(argument[1]))[0] + 1, 1
    return TOO_MANY, TOO_MANY  # references back, conditions: nothing a list of terms needs


def _repeat(least: int, most: int, inner: Any) -> tuple[int, int]:
    cost, ways = _sequence(list(inner))
    total, choices, power = 0, 0, 1
    for count in range(min(most, 1000) + 1):
        if count >= least:
            choices = min(choices + power, TOO_MANY)
        if count < most:
            total = min(total + power * cost, TOO_MANY)
        power = min(power * ways, TOO_MANY)
    return (total + 1, choices) if most <= 1000 else (TOO_MANY, TOO_MANY)


def _branches(parts: Sequence[Sequence[Any]], ways: Sequence[int]) -> int:
    """In how many ways one of several alternatives may succeed. Of plain words only those that begin one another."""
    words = [_word(part) for part in parts]
    if all(word is not None for word in words):
        known: list[str] = [word for word in words if word is not None]
        return max(sum(long.startswith(short) for short in known) for long in known)
    return min(sum(ways), TOO_MANY)


def _word(part: Sequence[Any]) -> str | None:
    """The text of an alternative that is nothing but text."""
    if all(str(item[0]) == "LITERAL" for item in part):
        return "".join(chr(item[1]) for item in part)
    return None
