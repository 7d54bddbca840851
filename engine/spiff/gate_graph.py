"""Paths through a whole process, embedded subprocesses included."""

from __future__ import annotations

from collections.abc import Iterable

from engine.spiff.gate_model import Element, Process


def reached(starts: Iterable[Element], removed: Iterable[Element] = ()) -> set[Element]:
    """What can be reached from `starts` without passing an element of `removed`.

    A removed activity may still be left by its boundary events, and a subprocess counts as left as soon as it is
    entered: both make more reachable, never less.
    """
    walls = set(removed)
    seen: set[Element] = set()
    todo = [element for element in starts if element not in walls]
    todo += [boundary for wall in walls for boundary in wall.boundaries]
    while todo:
        element = todo.pop()
        if element in seen or element in walls:
            continue
        seen.add(element)
        todo.extend(element.scope.after(element))
        todo.extend(element.boundaries)
        todo.extend(_inside(element))
    return seen


def dominates(first: Element, later: Element) -> bool:
    """Whether every path from the start of the process to `later` goes through a finished `first`."""
    start = first.scope.process.start
    return start is not None and first is not later and later not in reached([start], [first])


def has_people(process: Process) -> bool:
    """Whether anybody is asked anything in the process."""
    return any(element.kind in ("userTask", "manualTask") for element in process.elements)


def _inside(element: Element) -> list[Element]:
    """The start of a subprocess."""
    for scope in element.scope.process.scopes:
        if scope.owner is element:
            return [inner for inner in scope.elements.values() if inner.kind == "startEvent"]
    return []
