"""What a command changed in the variables, and putting it back together."""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.changes import apply, changes


@pytest.mark.parametrize(
    ("before", "after", "made"),
    [
        ({}, {"a": 1}, [["a", "set", 1]]),
        ({"a": 1}, {}, [["a", "drop"]]),
        ({"a": [1]}, {"a": [1, 2]}, [["a", "add", [2]]]),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1, "y": 3, "z": 4}}, [["a", "put", {"y": 3, "z": 4}]]),
        ({"a": {"x": 1}}, {"a": {}}, [["a", "set", {}]]),
        ({"a": [1, 2]}, {"a": [1]}, [["a", "set", [1]]]),
        ({"a": 1, "b": [1]}, {"a": 1, "b": [1]}, []),
        ({"a": 1}, {"a": True}, [["a", "set", True]]),
        ({"a": 1}, {"a": 1.0}, [["a", "set", 1.0]]),
    ],
)
def test_a_change_says_as_little_as_it_can(before: Any, after: Any, made: Any) -> None:
    assert changes(before, after) == made
    assert apply(before, made) == after


def test_changes_made_again_give_what_they_were_taken_from() -> None:
    random.seed(4)

    def value(depth: int) -> Any:
        kind = random.randrange(7 if depth else 5)
        if kind == 5:
            return [value(depth - 1) for _ in range(random.randrange(3))]
        if kind == 6:
            return {name: value(depth - 1) for name in "xyz"[: random.randrange(4)]}
        return [None, True, 1, 1.0, "1"][kind]

    for _ in range(3000):
        before = {name: value(2) for name in "abc"[: random.randrange(4)]}
        after = {name: before[name] if name in before and random.random() < 0.3 else value(2) for name in "abc"[:2]}
        assert changes(apply(before, changes(before, after)), after) == []
