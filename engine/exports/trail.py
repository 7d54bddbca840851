"""A case as process mining sees it: what happened in which step, by whom, when; the same for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Text
from engine.facts import PRIVATE, leaves
from engine.history import EVENT_TYPES
from engine.indexing import kept_back
from engine.models import history, tasks
from engine.models_audit import case_facts
from engine.moments import moment
from engine.queries.course import element_name
from engine.spiff.parse import Definitions

if TYPE_CHECKING:
    from engine.runtime import Engine

TRANSITIONS = {  # event type → transition of the standard transactional life-cycle (IEEE 1849, Lifecycle extension)
    "task.created": "schedule",
    "task.claimed": "assign",
    "task.released": "reassign",
    "task.reassigned": "reassign",
    "task.recused": "reassign",
    "task.escalated": "reassign",
    "task.completed": "complete",
    "task.cancelled": "withdraw",
    "element.entered": "start",
    "element.left": "complete",
    "element.cancelled": "pi_abort",
    "instance.suspended": "suspend",
    "instance.resumed": "resume",
    "instance.started": "unknown",
    "instance.ended": "unknown",
    "timer.fired": "unknown",
    "access.refused": "unknown",
    "case.read": "unknown",
    "incident.raised": "ate_abort",
    "incident.resolved": "resume",
    "register.changed": "unknown",
    "decision.evaluated": "unknown",
}
LASTING = ("callActivity", "subProcess", "serviceTask", "intermediateCatchEvent", "eventBasedGateway")
HUMAN = ("userTask", "manualTask")
SAID = 2000  # characters of a comment


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One event. `token` tells visits of a step apart; `hash` is the event's own in the case's chain."""

    seq: int
    at: datetime
    type: str
    transition: str
    element: str | None
    process: str
    name: Text
    token: str | None
    actor: str | None
    behalf: str | None
    outcome: str | None
    comment: str | None
    hash: str
    accounts: tuple[str, ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    decision: str | None = None  # the table's id and digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Trail:
    """A case with everything that happened in it that auditors may see."""

    instance_id: str
    business_key: str | None
    title: str
    process: str
    process_name: Text
    version: int
    deployment: int
    status: str
    end: str | None
    initiator: str | None
    started_at: datetime
    ended_at: datetime | None
    head: str
    happenings: tuple[Happening, ...]
    accounts: tuple[str, ...] = field(default=())

    @property
    def called(self) -> str:
        """What the case goes by: its number, else its id."""
        return self.business_key or self.instance_id


def trail(engine: Engine, connection: Connection, row: Any) -> Trail:
    """The trail of the instance whose row this is. Authorisation is the caller's."""
    parsed = engine.shelf.get(row.deployment, connection)
    hidden = kept_back(connection, row.instance_id)
    placed = sa.select(tasks.c.task_id, tasks.c.process).where(tasks.c.instance_id == row.instance_id)
    homes = {each.task_id: each.process for each in connection.execute(placed)}
    where = sa.and_(history.c.instance_id == row.instance_id, history.c.type.in_(TRANSITIONS))
    query = sa.select(history.c.body, history.c.hash).where(where).order_by(history.c.seq)
    known = sa.select(case_facts.c.value).where(
        case_facts.c.instance_id == row.instance_id, case_facts.c.kind == "account"
    )
    return Trail(
        instance_id=row.instance_id,
        business_key=row.business_key,
        title=row.title,
        process=row.process,
        process_name=parsed.processes[row.process].name,
        version=row.version,
        deployment=row.deployment,
        status=row.status,
        end=row.end,
        initiator=row.initiator,
        started_at=moment(row.started_at),
        ended_at=moment(row.ended_at) if row.ended_at else None,
        head=bytes(row.head).hex(),
        happenings=tuple(_happenings(connection.execute(query), row, parsed, homes, hidden)),
        accounts=tuple(sorted(value[2:] for value in connection.scalars(known))),
    )


def _happenings(
    rows: Any, row: Any, parsed: Definitions, homes: dict[str, str], hidden: set[str]
) -> Iterator[Happening]:
    for raw, digest in rows:
        body = orjson.loads(raw)
        kind, element, data = body["type"], body["element"], body["data"]
        task = data.get("task")
        process = data.get("process") or homes.get(task or "") or row.process
        if kind.startswith("element.") and not _told(kind, parsed, process, element):
            continue
        result = {} if task in hidden else data.get("result") or {}
        if kind != "task.completed":
            result = {}
        decision = f"{data['table']}@{data['sha'][:12]}" if kind == "decision.evaluated" else None
        yield Happening(
            seq=body["seq"],
            at=moment(body["at"]),
            type=kind,
            transition=TRANSITIONS[kind],
            element=element,
            process=process,
            name=element_name(parsed, row.process, process, element) or EVENT_TYPES[kind],
            token=task or data.get("token"),
            actor=body["actor"],
            behalf=result.get("for"),
            outcome=_word(result.get("outcome")),
            comment=_word(result.get("comment")),
            hash=bytes(digest).hex(),
            accounts=(data["key"],) if kind == "register.changed" and data.get("register") == "account" else (),
            attachments=() if task in hidden else tuple(_file(one) for one in data.get("attachments") or ()),
            decision=decision,
        )


def _told(kind: str, parsed: Definitions, process: str, element: str) -> bool:
    """Whether coming to or leaving a step says something that its task's own events do not."""
    info = parsed.processes[process].elements.get(element) if process in parsed.processes else None
    if info is None or info.kind in HUMAN:
        return False
    return kind != "element.entered" or info.kind in LASTING


def _file(one: dict[str, Any]) -> dict[str, Any]:
    """What is said of a file; the name of one with personal data is sealed like any entry."""
    return {**one, "name": _word(one.get("name"))}


def _word(value: Any) -> str | None:
    """A plain text of an entry; a sealed or erased one says only that it is."""
    if isinstance(value, str):
        return value[:SAID]
    if isinstance(value, dict) and any(keys <= value.keys() for keys in PRIVATE):
        return "[erased]" if "erased" in value else "[sealed]"
    if value is None:
        return None
    return "; ".join(str(one) for _, one in leaves("value", value))[:SAID]
