"""Events as rows of a table, for whoever works in a spreadsheet. Making text safe there is the writer's work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.exports.trail import Trail

COLUMNS = (
    "case", "instance", "process", "process_name", "version", "status", "seq", "time", "type", "transition", "element",
    "step", "token", "by", "on_behalf_of", "outcome", "comment", "attachments", "decision", "hash",
)  # fmt: skip
Cell = str | int | float | None


def rows(trails: Iterable[Trail], *, language: str) -> Iterator[list[Cell]]:
    """A row for each event; times in UTC, attachments as `name sha256`."""
    for trail in trails:
        for event in trail.happenings:
            files = "; ".join(f"{file.get('name')} {file.get('sha256')}" for file in event.attachments)
            yield [
                trail.called, trail.instance_id, trail.process, trail.process_name.get(language), trail.version,
                trail.status, event.seq, event.at.isoformat(timespec="milliseconds"), event.type, event.transition,
                event.element, event.name.get(language), event.token, event.actor, event.behalf, event.outcome,
                event.comment, files or None, event.decision, event.hash,
            ]  # fmt: skip
