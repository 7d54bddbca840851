"""Re-execution: the recorded commands again, on the pinned deployment, with the recorded clock, ids, due times and
results.

After each command the packed state must hash to what was recorded. Nothing is read but the history and the
deployment's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from engine.context import RecordDiffers, RecordedContext
from engine.errors import GuijuError, NotFound
from engine.models import history
from engine.spiff.case import Case
from engine.spiff.parse import Definitions

if TYPE_CHECKING:
    from engine.runtime import Engine


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A re-executed command: the event it was recorded as, its state hash then and now."""

    seq: int
    command: str
    recorded: str
    found: str

    @property
    def same(self) -> bool:
        """Whether re-execution arrived where the record says."""
        return self.recorded == self.found


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A re-executed case up to event `seq`. `reason` says why it stopped early, in both languages; None when it did
    not."""

    instance_id: str
    seq: int
    status: str
    end: str | None
    variables: dict[str, Any]
    open: tuple[str, ...]
    steps: tuple[Step, ...]
    reason: dict[str, str] | None

    @property
    def same(self) -> bool:
        """Whether every command arrived at its recorded state."""
        return self.reason is None and all(step.same for step in self.steps)


def replay(engine: Engine, instance_id: str, *, at: int | None = None) -> Replay:
    """Re-execute a case's commands up to event `at` (its end when None). Raises NotFound."""
    with engine.db.read() as connection:
        wanted = [history.c.instance_id == instance_id, history.c.type.in_(("command", "state.saved"))]
        query = sa.select(history.c.seq, history.c.body).where(*wanted).order_by(history.c.seq)
        bodies = [(seq, orjson.loads(body)) for seq, body in connection.execute(query)]
        if not bodies or (at is not None and at < 1):
            raise NotFound(
                "case_not_found",
                text={"zh-CN": "没有这一时刻的案件记录", "en": "No such case or moment"},
                id=instance_id,
            )
        first = bodies[0][1]["data"]["input"]
        parsed = engine.shelf.get(first["deployment"], connection)
    case: Case | None = None
    steps: list[Step] = []
    reached, reason = 0, None
    pending: tuple[int, dict[str, Any]] | None = None
    for seq, body in bodies:
        if at is not None and seq > at and case is not None:
            break
        if body["type"] == "command":
            pending = (seq, body)
            continue
        assert pending is not None
        try:
            case = _apply(parsed, case, pending[1]["data"], engine)
        except (RecordDiffers, GuijuError) as error:
            sentence = getattr(error, "message", None) or {
                "zh-CN": f"与记录不符：{error}",
                "en": f"differs from the record: {error}",
            }
            steps.append(
                Step(seq=pending[0], command=pending[1]["data"]["command"], recorded=body["data"]["state"], found="")
            )
            reason = sentence
            break
        found = sha256(case.dump()).hexdigest()
        steps.append(
            Step(seq=pending[0], command=pending[1]["data"]["command"], recorded=body["data"]["state"], found=found)
        )
        reached = seq
        if at is not None and seq >= at:
            break
    return Replay(
        instance_id=instance_id,
        seq=reached,
        status=case.status if case else "active",
        end=case.end if case else None,
        variables=case.variables() if case else {},
        open=tuple(task.element for task in case.waiting().tasks) if case else (),
        steps=tuple(steps),
        reason=reason,
    )


def _apply(parsed: Definitions, case: Case | None, record: dict[str, Any], engine: Engine) -> Case:
    """Run one recorded command; packing and unpacking between commands, as it was the first time."""
    context, given, name = RecordedContext(record, engine.functions), record["input"], record["command"]
    if name == "start":
        return Case.start(parsed, given["process"], given["variables"], context)
    assert case is not None
    case = Case.load(parsed, case.dump())
    if name in ("complete", "recuse") and "variables" in given:
        case.complete(given["task"], given["variables"], context)
    elif name == "timer":
        case.fire(given["token"], context)
    elif name == "operation":
        case.finish_operation(given["token"], given["result"], context)
    elif name == "withdraw":
        case.withdraw(given["end"], context)
    elif name == "cancel":
        case.cancel(context)
    if context.unused():
        raise RecordDiffers("nothing more", f"{context.unused()} more answers")
    return case
