"""What stands in a dossier, as plain texts in one language, read in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Text
from engine.exports.trail import Trail, trail
from engine.history import EVENT_TYPES
from engine.indexing import kept_back
from engine.models import deployments, history, instances, tasks
from engine.moments import moment
from engine.personal import reveal
from engine.queries.course import DiagramView, diagrams, drawn
from engine.queries.views import start_record
from engine.task_forms import of_task
from web.dossier.said import Words

if TYPE_CHECKING:
    from engine import Engine

STATUS = {
    "active": ("办理中", "In progress"),
    "incident": ("遇到故障", "Waiting for an administrator"),
    "completed": ("已结束", "Completed"),
    "cancelled": ("已取消", "Cancelled"),
}


PASSING = ("element.entered", "element.cancelled", "task.cancelled")
BY_ITSELF = (
    "element.left",
    "task.created",
    "task.escalated",
    "register.changed",
    "instance.ended",
    "decision.evaluated",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the timeline."""

    seq: int
    at: str
    who: str
    says: str
    said: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as it was filled in; `pairs` is None when its entry is kept from auditors."""

    title: str
    step: str
    who: str
    at: str
    seq: int
    pairs: list[tuple[str, str]] | None


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What several people said in one step."""

    step: str
    ballots: list[tuple[str, str, str, str]]  # who, outcome, reason, when


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment by its digest."""

    name: str
    size: int
    sha256: str
    step: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything the paper shows."""

    words: Words
    number: str
    title: str
    facts: list[tuple[str, str]]
    timeline: list[Row]
    forms: list[Form]
    votes: list[Vote]
    files: list[File]
    diagrams: list[DiagramView]
    head: str
    events: int


def collect(engine: Engine, connection: Connection, row: Any, *, language: str) -> Contents:
    """Read the case whose row this is. Authorisation is the caller's."""
    words = Words(language)
    words.load(connection)
    found = trail(engine, connection, row)
    filled, votes, files, outcomes = _entries(engine, connection, row, words)
    parsed = engine.shelf.get(row.deployment, connection)
    outcomes = {seq: said for seq, said in outcomes.items() if said}
    return Contents(
        words=words,
        number=found.called,
        title=found.title or words.of(found.process_name),
        facts=_facts(engine, connection, found, words),
        timeline=_timeline(found, words, outcomes),
        forms=filled,
        votes=votes,
        files=files,
        diagrams=[drawn(engine, connection, row, process) for process, _ in diagrams(parsed, row.process)],
        head=found.head,
        events=row.seq,
    )


def _facts(engine: Engine, connection: Connection, found: Trail, w: Words) -> list[tuple[str, str]]:
    parsed = engine.shelf.get(found.deployment, connection)
    digest = connection.scalar(sa.select(deployments.c.sha256).where(deployments.c.number == found.deployment))
    elements = parsed.processes[found.process].elements
    end = w.of(elements[found.end].name) if found.end and found.end in elements and found.ended_at else ""
    pairs = [
        (
            w("流程", "Procedure"),
            f"{w.of(found.process_name)} ({found.process}) · {w('版本', 'version')} {found.version}",
        ),
        (w("状态", "Status"), w(*STATUS[found.status]) + (f" · {end}" if end else "")),
        (w("发起人", "Started by"), w.person(found.initiator) if found.initiator else w("未具名", "No name given")),
        (w("发起", "Started"), w.at(found.started_at)),
        (w("结束", "Ended"), w.at(found.ended_at) if found.ended_at else "—"),
        (
            w("涉及账号", "Accounts"),
            w("、", ", ").join(w.value({"x-source": "accounts"}, one) for one in found.accounts),
        ),
        (w("案件编码", "Case id"), found.instance_id),
        (w("部署", "Deployment"), f"{found.deployment} · SHA-256 {digest}"),
    ]
    return [(label, value) for label, value in pairs if value]


def _timeline(found: Trail, w: Words, outcomes: dict[int, str]) -> list[Row]:
    rows = []
    calm = _calm(found)
    for event in found.happenings:
        if event.type in PASSING or (event.type == "element.left" and event.token in calm):
            continue
        step = f"「{w.of(event.name)}」" if w.language == "zh-CN" else f' "{w.of(event.name)}"'
        says = w.of(EVENT_TYPES[event.type]) + (step if event.element else "")
        outcome = outcomes.get(event.seq) or event.outcome
        if event.type == "task.completed":
            says += f"{w('：', ': ')}{outcome or w('（内容不对审计公开）', '(entry not open to auditors)')}"
        who = w.person(event.actor) if event.actor and event.type not in BY_ITSELF else ""
        if event.behalf:
            who += w(f"，代 {w.person(event.behalf)}", f", for {w.person(event.behalf)}")
        rows.append(
            Row(seq=event.seq, at=w.at(event.at), who=who, says=says, said=event.comment or "", hash=event.hash)
        )
    return rows


def _calm(found: Trail) -> set[str | None]:
    """Tokens that passed a step in the moment they came to it: gateways, events and the like tell a person nothing."""
    came = {event.token: event.at for event in found.happenings if event.type == "element.entered"}
    return {
        event.token
        for event in found.happenings
        if event.type == "element.left" and came.get(event.token, event.at) == event.at
    }


def _entries(
    engine: Engine, connection: Connection, row: Any, w: Words
) -> tuple[list[Form], list[Vote], list[File], dict[int, str]]:
    parsed, hidden = engine.shelf.get(row.deployment, connection), kept_back(connection, row.instance_id)
    placed = sa.select(tasks.c.task_id, tasks.c.process).where(tasks.c.instance_id == row.instance_id)
    homes = {each.task_id: each.process for each in connection.execute(placed)}
    filled, votes, files, outcomes = list[Form](), dict[str, Vote](), list[File](), dict[int, str]()

    def opened(values: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = reveal(engine.personal, connection, values)
        return shown

    start = start_record(engine, connection, parsed, row.instance_id, row.process)
    if start:
        title = w.of(start.schema.get("title")) or w("申请内容", "Request")
        filled.append(
            Form(
                title=title, step=w("发起", "Start"), who=w.person(row.initiator), seq=1,
                at=w.at(moment(row.started_at)), pairs=_pairs(start.schema, start.values, w),
            )
        )  # fmt: skip
    where = sa.and_(
        history.c.instance_id == row.instance_id, history.c.type.in_(("task.completed", "instance.started"))
    )
    for raw in connection.scalars(sa.select(history.c.body).where(where).order_by(history.c.seq)):
        body = reveal(engine.personal, connection, orjson.loads(raw))
        data, element = body["data"], body["element"]
        if body["type"] != "task.completed":
            files += _files(opened(data), w, w("发起", "Start"))
            continue
        info = parsed.processes[homes[data["task"]]].elements[element]
        schema = of_task(parsed.forms, info.form)
        result = opened(dict(data["result"]))
        by, at, behalf = result.pop("by"), moment(result.pop("at")), result.pop("for", None)
        who = w.person(by) + (w(f"，代 {w.person(behalf)}", f", for {w.person(behalf)}") if behalf else "")
        step, kept = w.of(info.name), data["task"] in hidden
        pairs = None if kept else _pairs(schema, result, w)
        outcomes[body["seq"]] = dict(pairs or ()).get(w("结论", "Outcome"), "")
        if info.multi and not kept:
            properties = schema.get("properties", {})
            outcome = w.value(properties.get("outcome", {}), result.get("outcome"))
            reason = w.value(properties.get("comment", {}), result.get("comment"))
            votes.setdefault(element, Vote(step=step, ballots=[])).ballots.append((who, outcome, reason, w.at(at)))
            if not set(result) - {"outcome", "comment"}:
                continue  # the table of votes says all of it
        title = w.of(schema.get("title")) or step
        filled.append(Form(title=title, step=step, who=who, at=w.at(at), seq=body["seq"], pairs=pairs))
        files += [] if kept else _files(opened(data), w, step)
    return filled, list(votes.values()), files, outcomes


def _pairs(schema: dict[str, Any], values: dict[str, Any], w: Words) -> list[tuple[str, str]]:
    found = []
    for name, part in schema.get("properties", {}).items():
        if part.get("x-widget") == "attachments":
            continue  # listed with their digests
        title = w("结论", "Outcome") if name == "outcome" else w.of(part.get("title")) or name
        if said := w.value(part, values.get(name)):
            found.append((title, said))
    return found


def _files(data: dict[str, Any], w: Words, step: str) -> list[File]:
    return [
        File(name=w.value({}, one["name"]), size=one["size"], sha256=one["sha256"], step=step)
        for one in data.get("attachments") or ()
    ]


def row_of(connection: Connection, instance_id: str) -> Any:
    """The instance's row, for the operator at the server's own command line; None when there is none."""
    return connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).first()


__all__ = ["Contents", "File", "Form", "Row", "Text", "Vote", "collect", "row_of"]
