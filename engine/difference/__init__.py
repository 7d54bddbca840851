"""What two versions of the files say differently, element by element and property by property.

Computed from the files themselves, extension elements included, and never from a picture: nothing that the engine reads
can change without showing here. Nothing is judged; the gate does that.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.difference.changes import Change, Facts, FileDifference, compare
from engine.difference.diagrams import diagram_facts, moved
from engine.difference.plain import json_facts, line_changes
from engine.difference.tables import table_facts
from engine.spiff.gate_xml import XmlRefused

__all__ = ["Change", "FileDifference", "difference"]


def difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[FileDifference]:
    """Every file that differs, by path, with what changed in it. What cannot be read is compared line by line."""
    found = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        kind = "added" if old is None else "removed" if new is None else "changed"
        found.append(FileDifference(path=path, kind=kind, changes=_changes(path, old, new)))
    return found


def _changes(path: str, old: bytes | None, new: bytes | None) -> tuple[Change, ...]:
    try:
        if path.endswith(".bpmn"):
            changes = compare(_facts(diagram_facts, old), _facts(diagram_facts, new))
            return (*changes, *moved(old, new))
        if path.endswith(".dmn"):
            return compare(_facts(table_facts, old), _facts(table_facts, new))
        if path.endswith(".json"):
            return compare(_facts(json_facts, old), _facts(json_facts, new))
    except (XmlRefused, ValueError):
        pass
    return line_changes(old or b"", new or b"")


def _facts(read: object, content: bytes | None) -> dict[str, Facts]:
    return read(content) if content is not None and callable(read) else {}
