"""OCEL 2.0 in JSON: events and the objects they touch (case, person, account, attachment, decision), with qualifiers.

Event types are steps with their transition, so that mining by case gives the diagram back. Object and event ids carry
their type in front and cannot meet. Events are written as they come, what was touched is remembered and written last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from engine.exports.trail import Happening, Trail

OBJECT_TYPES: dict[str, dict[str, str]] = {
    "case": {
        "number": "string", "title": "string", "process": "string", "version": "integer", "status": "string",
        "end": "string", "head": "string",
    },
    "person": {},
    "account": {},
    "attachment": {"name": "string", "sha256": "string", "size": "integer"},
    "decision": {"table": "string"},
}  # fmt: skip
EVENT_ATTRIBUTES = {
    "seq": "integer", "type": "string", "element": "string", "process": "string", "transition": "string",
    "outcome": "string", "comment": "string", "hash": "string",
}  # fmt: skip


class _Objects:
    """Every object met so far, in the order of meeting."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}

    def meet(self, kind: str, key: str, at: datetime, **attributes: Any) -> str:
        """The object's id; what is known of it is what was known when it was met first."""
        name = f"{kind}:{key}"
        if name not in self.known:
            values = [
                {"name": attribute, "time": _time(at), "value": value}
                for attribute, value in attributes.items()
                if value is not None
            ]
            self.known[name] = {"id": name, "type": kind, "attributes": values, "relationships": []}
        return name

    def relate(self, name: str, other: str, qualifier: str) -> None:
        """From one object to another, once."""
        relation = {"objectId": other, "qualifier": qualifier}
        if relation not in self.known[name]["relationships"]:
            self.known[name]["relationships"].append(relation)


def ocel(trails: Iterable[Trail], *, language: str) -> Iterator[str]:
    """The document in pieces, `events` before `objects`."""
    objects, types, comma = _Objects(), dict[str, None](), ""
    yield '{"events":['
    for trail in trails:
        case = objects.meet(
            "case",
            trail.instance_id,
            trail.started_at,
            number=trail.called,
            title=trail.title,
            process=trail.process,
            version=trail.version,
            status=trail.status,
            end=trail.end,
            head=trail.head,
        )
        if trail.initiator:
            objects.relate(case, objects.meet("person", trail.initiator, trail.started_at), "started by")
        for account in trail.accounts:
            objects.relate(case, objects.meet("account", account, trail.started_at), "about")
        for happening in trail.happenings:
            event = _event(happening, trail, case, objects, language)
            types[event["type"]] = None
            yield comma + json.dumps(event, ensure_ascii=False)
            comma = ",\n"
    yield '],\n"objects":[' + ",\n".join(json.dumps(each, ensure_ascii=False) for each in objects.known.values())
    declared = [
        {"name": name, "attributes": [{"name": key, "type": kind} for key, kind in attributes.items()]}
        for name, attributes in OBJECT_TYPES.items()
    ]
    shared = [{"name": key, "type": kind} for key, kind in EVENT_ATTRIBUTES.items()]
    steps = [{"name": name, "attributes": shared} for name in types]
    yield f'],\n"objectTypes":{json.dumps(declared)},\n"eventTypes":{json.dumps(steps, ensure_ascii=False)}}}\n'


def _event(event: Happening, trail: Trail, case: str, objects: _Objects, language: str) -> dict[str, Any]:
    step = event.name.get(language) or event.element or event.type
    values = {
        "seq": event.seq,
        "type": event.type,
        "element": event.element,
        "process": event.process,
        "transition": event.transition,
        "outcome": event.outcome,
        "comment": event.comment,
        "hash": event.hash,
    }
    relations = [{"objectId": case, "qualifier": "in"}]

    def touch(kind: str, key: str, qualifier: str, **attributes: Any) -> None:
        name = objects.meet(kind, key, event.at, **attributes)
        relations.append({"objectId": name, "qualifier": qualifier})
        if kind == "attachment":
            objects.relate(name, case, "handed in with")

    if event.actor:
        touch("person", event.actor, "by")
    if event.behalf:
        touch("person", event.behalf, "on behalf of")
    for account in event.accounts:
        touch("account", account, "changes")
    for file in event.attachments:
        known = {name: file.get(name) for name in ("name", "sha256", "size")}
        touch("attachment", str(file.get("id")), "hands in", **known)
    if event.decision:
        touch("decision", event.decision, "decided by", table=event.decision.split("@")[0])
    return {
        "id": f"event:{trail.instance_id}:{event.seq}",
        "type": step if event.transition in ("complete", "unknown") else f"{step} ({event.transition})",
        "time": _time(event.at),
        "attributes": [{"name": key, "value": value} for key, value in values.items() if value is not None],
        "relationships": relations,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
