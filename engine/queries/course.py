"""How a case went: its timeline as a reader may know it, and its diagrams with where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import accesses, deployment
from engine.errors import Denied, NotFound, Text
from engine.identity import Standing
from engine.jobs import note_refusal
from engine.models import history
from engine.moments import moment
from engine.personal import reveal
from engine.queries.reading import Sealed, is_auditor, readable_case, reader
from engine.queries.rows import Names, PersonRef
from engine.spiff.parse import Definitions

if TYPE_CHECKING:
    from engine.runtime import Engine

PUBLIC = (
    "instance.started",
    "instance.ended",
    "instance.suspended",
    "instance.resumed",
    "task.created",
    "task.claimed",
    "task.released",
    "task.completed",
    "task.cancelled",
    "task.reassigned",
    "task.recused",
    "task.escalated",
    "task.reminded",
    "timer.fired",
    "operation.called",
    "decision.evaluated",
    "register.changed",
    "access.refused",
    "case.read",
    "incident.raised",
    "incident.resolved",
)
AUDITED = {
    "access.refused",
    "case.read",
    "operation.called",
    "decision.evaluated",
    "register.changed",
}  # shown to auditors alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line of the timeline. `data` is what the reader may know of it."""

    seq: int
    at: datetime
    type: str
    actor: PersonRef | None
    on_behalf: PersonRef | None
    element: str | None
    name: Text | None
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class DiagramView:
    """A diagram as deployed, and where this case stands in it: active and done elements, flows taken, visits of
    each."""

    process: str
    name: Text
    xml: bytes
    active: list[str]
    done: list[str]
    flows: list[str]
    visits: dict[str, int]
    names: dict[str, Text] = field(default_factory=dict)


def timeline(engine: Engine, connection: Connection, row: Any, who: Standing) -> list[Entry]:
    """What happened, oldest first, as far as the reader may know."""
    parsed, names = engine.shelf.get(row.deployment, connection), Names(connection)
    sealed, audits = Sealed(engine, connection, row.instance_id, who), is_auditor(engine, who)
    shown = [kind for kind in PUBLIC if audits or kind not in AUDITED]
    query = sa.select(history.c.seq, history.c.body).where(
        history.c.instance_id == row.instance_id, history.c.type.in_(shown)
    )
    bodies = [(found.seq, orjson.loads(found.body)) for found in connection.execute(query.order_by(history.c.seq))]
    names.load(body["actor"] for _, body in bodies)
    entries = []
    for seq, body in bodies:
        data, element, actor = body["data"], body["element"], body["actor"]
        behalf = None
        if body["type"] == "task.completed":
            behalf = data["result"].get("for")
            if sealed.hides(data["task"], element, actor):
                data = {"task": data["task"], "sealed": True}
        if data.get("confidential") and not audits and actor != who.username:
            data = {key: value for key, value in data.items() if key != "reason"}
        entries.append(
            Entry(
                seq=seq,
                at=moment(body["at"]),
                type=body["type"],
                actor=names.person(actor),
                on_behalf=names.person(behalf),
                element=element,
                name=element_name(parsed, row.process, data.get("process"), element),
                data=data,
            )
        )
    opened = reveal(engine.personal, connection, [entry.data for entry in entries])
    return [replace(entry, data=data) for entry, data in zip(entries, opened, strict=True)]


def element_name(parsed: Definitions, root: str, process: str | None, element: str | None) -> Text | None:
    """The element's name, looked for in its own process, then in the root and whatever that calls."""
    if element is None:
        return None
    for candidate in [process, *[key for key, _ in diagrams(parsed, root)]]:
        info = parsed.processes.get(candidate or "")
        if info and element in info.elements:
            return info.elements[element].name
    return None


def diagrams(parsed: Definitions, root: str) -> list[tuple[str, Text]]:
    """The root's diagram and those of every process it calls, in calling order."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in parsed.processes:
            return
        order.append(name)
        for element in parsed.processes[name].elements.values():
            if element.called:
                visit(element.called)

    visit(root)
    return [(name, parsed.processes[name].name) for name in order]


def diagram(engine: Engine, instance_id: str, process: str, *, actor: str) -> DiagramView:
    """A diagram of the case's own deployment with where the case stands in it. Raises NotFound, Denied; a refusal is
    written into the case's history."""
    try:
        view = _diagram(engine, instance_id, process, actor)
    except Denied as refusal:
        note_refusal(engine, ("instance", instance_id), by=actor, command="diagram", refusal=refusal)
        raise
    accesses.read(engine, instance_id, actor, "diagram")
    return view


def _diagram(engine: Engine, instance_id: str, process: str, actor: str) -> DiagramView:
    with engine.db.read() as connection:
        who = reader(engine, connection, actor)
        row = readable_case(engine, connection, instance_id, who)
        return drawn(engine, connection, row, process)


def drawn(engine: Engine, connection: Connection, row: Any, process: str) -> DiagramView:
    """The same for a case that somebody may read already. Raises NotFound for a diagram that is not the case's."""
    parsed = engine.shelf.get(row.deployment, connection)
    if process not in dict(diagrams(parsed, row.process)):
        raise NotFound("process_not_found", text={"zh-CN": "没有该流程图", "en": "No such diagram"}, id=process)
    info = parsed.processes[process]
    steps = ("element.entered", "element.left", "element.cancelled")
    query = sa.select(history.c.type, history.c.body).where(
        history.c.instance_id == row.instance_id, history.c.type.in_(steps)
    )
    inside: dict[str, str] = {}
    visits: dict[str, int] = {}
    done: dict[str, None] = {}
    flows: dict[str, None] = {}
    for kind, raw in connection.execute(query.order_by(history.c.seq)):
        body = orjson.loads(raw)
        token, element = body["data"]["token"], body["element"]
        if body["data"]["process"] != process:
            continue
        if kind == "element.entered":
            inside[token] = element
            visits[element] = visits.get(element, 0) + 1
        else:
            inside.pop(token, None)
            if kind == "element.left":
                done[element] = None
                flows.update(dict.fromkeys(body["data"].get("flows", [])))
    ended = row.ended_at is not None
    return DiagramView(
        process=process,
        name=info.name,
        xml=deployment.read_files(connection, row.deployment)[info.file],
        active=[] if ended else sorted(set(inside.values())),
        done=list(done),
        flows=list(flows),
        visits=visits,
        names={name: item.name for name, item in info.elements.items()},
    )
