"""Forms and other JSON by field, lists by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from engine.difference.changes import Change, Facts

LINES = 20_000  # more are not compared one by one


def json_facts(content: bytes) -> dict[str, Facts]:
    """Facts by field of a form (its `properties`); "" is everything else. Raises ValueError."""
    whole = json.loads(content)
    if not isinstance(whole, dict):
        return {"": Facts(type="file", said=dict(_flat(whole, "")))}
    fields = whole.get("properties") if isinstance(whole.get("properties"), dict) else None
    rest = {key: value for key, value in whole.items() if fields is None or key != "properties"}
    facts = {"": Facts(type="form" if fields is not None else "file", said=dict(_flat(rest, "")))}
    if fields:
        facts[""] = Facts(type="form", said={**facts[""].said, "order": " ".join(fields)})
    for name, schema in (fields or {}).items():
        facts[name] = Facts(type="field", said=dict(_flat(schema, "")))
    return facts


def line_changes(before: bytes, after: bytes) -> tuple[Change, ...]:
    """Lines that came, went or changed; `element` is the line's number (of the old file for what went)."""
    old, new = (text.decode("utf-8", "replace").splitlines()[:LINES] for text in (before, after))
    found = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 1000).get_opcodes():
        if kind == "equal":
            continue
        for place in range(max(j - i, m - k)):
            was = old[i + place] if i + place < j else None
            now = new[k + place] if k + place < m else None
            name = "added" if was is None else "removed" if now is None else "changed"
            number = k + place if now is not None else i + place
            found.append(Change(element=str(number + 1), kind=name, type="line", before=was, after=now))
    return tuple(found)


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Leaves by path; lists of plain values as one, so that an order shows as an order."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{path} {number}")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
