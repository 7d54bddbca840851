"""A case's history as it was recorded, damage included: events, and the *beats* they came in.

A beat is one command with everything it caused, or a single event that no command caused. An event whose bytes cannot
be read is kept in its place without content, so that the rest can still be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import NotFound, Text
from engine.models import history

Body = dict[str, Any]
FAULTS: dict[str, Text] = {
    "missing": {"zh-CN": "事件 {seq} 缺失", "en": "event {seq} is missing"},
    "hash": {"zh-CN": "事件 {seq} 的内容与哈希不符", "en": "the content of event {seq} does not match its hash"},
    "link": {"zh-CN": "事件 {seq} 与前一事件脱节", "en": "event {seq} does not follow the one before it"},
    "row": {"zh-CN": "事件 {seq} 的内容与其所在行不符", "en": "event {seq} contradicts the row it stands in"},
    "unreadable": {"zh-CN": "事件 {seq} 无法读取", "en": "event {seq} cannot be read"},
    "tail": {"zh-CN": "事件 {seq} 及以后的记录缺失", "en": "event {seq} and what follows it is missing"},
}
# what follows from a command; anything else is what the command was about
CONSEQUENCES = frozenset(
    [
        "command", "state.saved", "element.entered", "element.left", "element.cancelled", "timer.scheduled",
        "task.created", "task.cancelled", "script.run", "decision.evaluated", "operation.called", "operation.queued",
        "register.changed", "case.barred", "case.queued", "tasks.queued", "instance.ended", "attachment.made",
    ]
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One event as it was recorded. `body` is empty for one that cannot be read; `fault`: a key of FAULTS."""

    seq: int
    type: str
    body: Body
    fault: str = ""
    boxed: bool = False  # whether it may hold sealed personal data

    @property
    def data(self) -> dict[str, Any]:
        """What it holds."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else {}

    @property
    def actor(self) -> str | None:
        """Who caused it."""
        actor = self.body.get("actor")
        return actor if isinstance(actor, str) else None

    @property
    def element(self) -> str | None:
        """The element it happened at."""
        element = self.body.get("element")
        return element if isinstance(element, str) else None

    @property
    def at(self) -> str:
        """When, as a stamp; empty when it cannot be read."""
        return str(self.body.get("at", ""))


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """One command (`number` from 1) and its events. `lead` is the one that says what it was about."""

    number: int
    command: str
    events: list[Recorded] = field(default_factory=list)

    @property
    def first(self) -> int:
        """Its first event."""
        return self.events[0].seq

    @property
    def last(self) -> int:
        """Its last event."""
        return self.events[-1].seq

    @property
    def at(self) -> str:
        """When, as a stamp."""
        return next((event.at for event in self.events if event.at), "")

    @property
    def actor(self) -> str | None:
        """Who gave the command; None: the clock, or an outsider."""
        return next((event.actor for event in self.events if event.actor), None)

    @property
    def lead(self) -> Recorded:
        """The event that says what the beat was about."""
        about = [event for event in self.events if event.type not in CONSEQUENCES]
        ends = [event for event in self.events if event.type in ("operation.called", "instance.ended")]
        return (about or ends or self.events)[0]

    @property
    def actors(self) -> frozenset[str]:
        """Everybody it is about: who acted, for whom."""
        named = {event.actor for event in self.events if event.actor}
        for event in self.events:
            result = event.data.get("result")
            if event.type == "task.completed" and isinstance(result, dict):
                named |= {name for name in (result.get("by"), result.get("for")) if isinstance(name, str)}
        return frozenset(named)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """The first bad event of a case."""

    seq: int
    code: str

    @property
    def message(self) -> Text:
        """What is wrong, in both languages."""
        return {language: words.replace("{seq}", str(self.seq)) for language, words in FAULTS[self.code].items()}


def read(connection: Connection, instance_id: str) -> list[Recorded]:
    """Every event of the case that is there, in order, each held against its hash and the one before it."""
    body, digest = sa.cast(history.c.body, sa.LargeBinary), sa.cast(history.c.hash, sa.LargeBinary)
    query = sa.select(history.c.seq, history.c.type, body, digest).where(history.c.instance_id == instance_id)
    found: list[Recorded] = []
    before = bytes(32)
    for seq, kind, raw, stored in connection.execute(query.order_by(history.c.seq)):
        content = bytes(raw)
        event = _event(instance_id, seq, str(kind), content)
        fault = event.fault
        if hashlib.sha256(content).digest() != bytes(stored):
            fault = "hash"
        elif not fault and event.body.get("prev") != before.hex() and (not found or found[-1].seq == seq - 1):
            fault = "link"
        if fault in ("hash", "row"):  # what it says is not what was recorded: it is named, not believed
            event = replace(event, body={})
        found.append(replace(event, fault=fault) if fault else event)
        before = bytes(stored)
    return found


def _event(instance_id: str, seq: int, kind: str, content: bytes) -> Recorded:
    try:
        body = orjson.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return Recorded(seq=seq, type=kind, body={}, fault="unreadable")
    said = (body.get("instance"), body.get("seq"), body.get("type"))
    fault = "" if said == (instance_id, seq, kind) else "row"
    return Recorded(seq=seq, type=kind, body=body, fault=fault, boxed=b'"personal"' in content)


def first_fault(events: list[Recorded], last: int) -> Fault | None:
    """The first bad event, missing ones included; `last` is how many the case says it has."""
    for expected, event in enumerate(events, 1):
        if event.seq != expected:
            return Fault(seq=expected, code="missing")
        if event.fault:
            return Fault(seq=event.seq, code=event.fault)
    return Fault(seq=len(events) + 1, code="tail") if len(events) < last else None


def beats(events: Iterable[Recorded]) -> list[Beat]:
    """The events by command, in order."""
    found: list[Beat] = []
    inside = False
    for event in events:
        if event.type == "command" or not inside:
            command = str(event.data.get("command", "")) if event.type == "command" else ""
            found.append(Beat(number=len(found) + 1, command=command))
        found[-1].events.append(event)
        inside = found[-1].events[0].type == "command" and event.type != "state.saved"
    return found


def moment_missing(at: int, last: int) -> NotFound:
    """The error for a moment that the case does not have."""
    return NotFound(
        "moment_not_found",
        text={
            "zh-CN": "该案件没有第 {at} 号事件，现有 1 至 {last} 号",
            "en": "The case has no event {at}; it has events 1 to {last}",
        },
        at=at,
        last=last,
    )
