"""Which changes need more than a second designer: those of an approval point, a control or a listed table (X16).

Everything in a diagram counts that the engine acts upon; only words, pictures, due times and reminders do not. So do
the outcomes a form offers, the listed decision tables, and any diagram or table that comes or goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.difference import Change, FileDifference

TABLES = frozenset({"sanction_legality.dmn", "discipline_range.dmn", "content_tier.dmn", "vote_rule.dmn"})
WORDS = ("name", "documentation", "instructionsForEndUser", "property:name:", "property:instructions:")
GENTLE = (*WORDS, "property:due", "property:remind", "property:title", "exporter", "exporterVersion")


def touched(files: Iterable[FileDifference]) -> list[tuple[str, str]]:
    """(path, element) of every change that Administration and Legal sign as well; empty when a second designer will
    do."""
    found: dict[tuple[str, str], None] = {}
    for file in files:
        for change in file.changes or (Change(element="", kind=file.kind),):
            if _weighs(file, change):
                found.setdefault((file.path, change.element))
    return list(found)


def _weighs(file: FileDifference, change: Change) -> bool:
    if file.path.endswith(".bpmn"):
        return change.kind != "moved" and not (change.what and change.what.startswith(GENTLE))
    if file.path.endswith(".dmn"):
        return file.path in TABLES
    if "/forms/" in file.path:
        return file.kind != "changed" or (change.element == "outcome" and not change.what.startswith("x-outcomes"))
    return False
