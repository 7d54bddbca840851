"""What an auditor may see of a case: the case at all, and which of its entries already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from engine.errors import Unavailable
from engine.identity import Standing
from engine.personal import reveal
from engine.queries.auditing import audited
from engine.queries.reading import Sealed
from engine.queries.recorded import Recorded

if TYPE_CHECKING:
    from engine.runtime import Engine

SEALED: dict[str, Any] = {"sealed": True}  # stands for an entry the reader may not see yet


@contextmanager
def opened(engine: Engine, instance_id: str, actor: str) -> Iterator[tuple[Connection, Any, Standing]]:
    """The case's row, on a connection that cannot write; the read is recorded where the procedure wants that. Raises
    NotFound, Denied."""
    with audited(engine, instance_id, actor, "replay") as audit:
        yield audit.connection, audit.row, audit.who


def veiled(
    engine: Engine, connection: Connection, instance_id: str, who: Standing, events: list[Recorded]
) -> list[Recorded]:
    """The events without what the reader may not see yet (ballots until the tally), wherever it was copied to."""
    sealed = Sealed(engine, connection, instance_id, who)
    hidden = set()
    for event in events:
        result = event.data.get("result")
        if event.type == "task.completed" and isinstance(result, dict):
            by, at = result.get("by"), result.get("at")
            if isinstance(by, str) and sealed.hides(str(event.data.get("task")), event.element or "", by):
                hidden.add((by, at))
    if hidden:
        events = [replace(event, body={**event.body, "data": _without(event.data, hidden)}) for event in events]
    return _opened(engine, connection, events)


def _opened(engine: Engine, connection: Connection, events: list[Recorded]) -> list[Recorded]:
    """The events with sealed personal data opened, erased data as its tombstone. Without the key that wraps the others
    the boxes stay shut: everything else can still be replayed."""
    boxed = [place for place, event in enumerate(events) if event.boxed]
    if not boxed:
        return events
    try:
        told = reveal(engine.personal, connection, [events[place].body for place in boxed])
    except Unavailable:
        return events
    opened = list(events)
    for place, body in zip(boxed, told, strict=True):
        opened[place] = replace(events[place], body=body)
    return opened


def _without(tree: Any, hidden: set[tuple[str, Any]]) -> Any:
    if isinstance(tree, dict):
        by, at = tree.get("by"), tree.get("at")
        if isinstance(by, str) and isinstance(at, str) and (by, at) in hidden:
            return {"by": by, "at": at, **SEALED}
        return {name: _without(value, hidden) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_without(value, hidden) for value in tree]
    return tree
