"""Re-execution: the recorded commands again, on the pinned deployment, with the recorded clock, ids, due times and
results.

After each command the packed state must hash to what was recorded; what happened on the way (elements entered and left,
decisions, scripts, operations, timers), the tasks that were opened and the variables that changed must be what the
history says. Nothing is read but the history and the deployment's files. A command is one transaction, so the state
after an event is the state after the command it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.changes import changes
from engine.command import TRACED
from engine.context import RecordDiffers, RecordedContext
from engine.errors import GuijuError, NotFound, Text
from engine.history import canonical
from engine.models import history
from engine.spiff.case import Case, HumanTask
from engine.spiff.parse import Definitions

if TYPE_CHECKING:
    from engine.runtime import Engine

Body = dict[str, Any]
_TRACED = frozenset(TRACED.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The first event that re-execution does not confirm, and why, in both languages."""

    seq: int
    message: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A re-executed command: its events (`seq` to `last`), its state hash then and now (empty: there is none)."""

    seq: int
    last: int
    command: str
    actor: str | None
    recorded: str
    found: str
    difference: Difference | None

    @property
    def same(self) -> bool:
        """Whether re-execution arrived where the record says, and by the same way."""
        return self.difference is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """A re-executed case up to event `seq`. `difference` says which event differs first; None when none does."""

    instance_id: str
    seq: int
    status: str
    end: str | None
    variables: dict[str, Any]
    open: tuple[str, ...]
    steps: tuple[Step, ...]
    difference: Difference | None

    @property
    def reason(self) -> Text | None:
        """Why it differs; None when it does not."""
        return self.difference.message if self.difference else None

    @property
    def same(self) -> bool:
        """Whether every command arrived at its recorded state."""
        return self.difference is None


def replay(engine: Engine, instance_id: str, *, at: int | None = None) -> Replay:
    """Re-execute a case's commands up to the one event `at` belongs to (its end when None). Raises NotFound, also when
    the case has no such event."""
    with engine.db.read() as connection:
        rows = recorded(connection, instance_id)
        require_moment(rows, instance_id, at)
        rerun = Rerun(lambda number: engine.shelf.get(number, connection), engine.functions)
        steps = tuple(rerun.run(rows, at=at))
    case = rerun.case
    return Replay(
        instance_id=instance_id,
        seq=rerun.reached,
        status=case.status if case else "active",
        end=case.end if case else None,
        variables=case.variables() if case else {},
        open=tuple(task.element for task in case.waiting().tasks) if case else (),
        steps=steps,
        difference=rerun.difference,
    )


def recorded(connection: Connection, instance_id: str) -> list[tuple[int, bytes]]:
    """The events of a case as (seq, body), in order; bytes even where somebody put text there."""
    body = sa.cast(history.c.body, sa.LargeBinary)
    query = sa.select(history.c.seq, body).where(history.c.instance_id == instance_id).order_by(history.c.seq)
    return [(seq, bytes(raw)) for seq, raw in connection.execute(query)]


def require_moment(rows: list[tuple[int, bytes]], instance_id: str, at: int | None) -> None:
    """Raise NotFound unless the case exists and has an event `at`."""
    if not rows:
        raise NotFound(
            "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
        )
    if at is not None and not 1 <= at <= rows[-1][0]:
        raise NotFound(
            "moment_not_found",
            text={
                "zh-CN": "该案件没有第 {at} 号事件，现有 1 至 {last} 号",
                "en": "The case has no event {at}; it has events 1 to {last}",
            },
            at=at,
            last=rows[-1][0],
        )


class Rerun:
    """One re-execution. `case` and `reached` (the last event confirmed or refuted) move on as `run` goes; it stops at
    the first `difference`, since nothing after it could be told apart from it."""

    def __init__(self, definitions: Callable[[int], Definitions], functions: Mapping[str, Callable[..., Any]]) -> None:
        self._definitions, self._functions = definitions, functions
        self.case: Case | None = None
        self.reached = 0
        self.difference: Difference | None = None

    def run(self, rows: Iterable[tuple[int, bytes]], *, at: int | None = None) -> Iterator[Step]:
        """Re-execute command after command and tell how each went."""
        command: tuple[int, Body] | None = None
        said: list[tuple[int, Body]] = []
        for expected, (seq, raw) in enumerate(rows, 1):
            body = _read(raw)
            if seq != expected or body is None:
                self.difference = _missing(expected) if seq != expected else _unreadable(seq)
                yield self._broken(command, seq)
                return
            if body["type"] == "command":
                command, said = (seq, body), []
            elif body["type"] != "state.saved":
                said.append((seq, body))
            elif command is None:
                self.difference = _differs(seq, "有状态而无命令", "a state without a command")
                yield self._broken(None, seq)
                return
            else:
                yield self._step(command, said, (seq, body))
                command, self.reached = None, seq
                if self.difference or (at is not None and seq >= at):
                    return

    def _broken(self, command: tuple[int, Body] | None, seq: int) -> Step:
        first, body = command or (seq, {"data": {"command": ""}, "actor": None})
        name, actor = str(body["data"].get("command", "")), body["actor"]
        return Step(seq=first, last=seq, command=name, actor=actor, recorded="", found="", difference=self.difference)

    def _step(self, command: tuple[int, Body], said: list[tuple[int, Body]], saved: tuple[int, Body]) -> Step:
        (seq, body), (last, after) = command, saved
        found = ""
        try:
            known = self.case.variables() if self.case else {}
            waited = {task.token for task in self.case.waiting().tasks} if self.case else set()
            self.case = self._apply(body["data"])
            found = sha256(self.case.dump(after["data"].get("format", 1))).hexdigest()
            opened = [task for task in self.case.waiting().tasks if task.token not in waited]
            self.difference = (
                _trace_differs(self.case, said, last)
                or _record_differs(body["data"], opened, said, last)
                or _state_differs(after["data"], found, self.case, known, last)
            )
        except (RecordDiffers, GuijuError) as error:
            message = getattr(error, "message", None) or {"zh-CN": f"{error}", "en": f"{error}"}
            self.difference = _differs(seq, message["zh-CN"], message["en"])
        except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            what = f"{type(error).__name__}: {error}"
            self.difference = _differs(seq, f"命令无法执行（{what}）", f"the command cannot be executed ({what})")
        return Step(
            seq=seq,
            last=last,
            command=str(body["data"].get("command", "")),
            actor=body["actor"],
            recorded=str(after["data"].get("state", "")),
            found=found,
            difference=self.difference,
        )

    def _apply(self, record: dict[str, Any]) -> Case:
        """Run one recorded command; packing and unpacking between commands, as it was the first time."""
        context, given, name = RecordedContext(record, self._functions), record["input"], record["command"]
        if name == "start":
            self._parsed = self._definitions(given["deployment"])
            return Case.start(self._parsed, given["process"], given["variables"], context)
        assert self.case is not None
        case = Case.load(self._parsed, self.case.dump())
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


def _read(raw: bytes) -> Body | None:
    try:
        body = orjson.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("data"), dict) and "type" in body else None


def _trace_differs(case: Case, said: list[tuple[int, Body]], last: int) -> Difference | None:
    """The first recorded step of a token that was not taken again, or the first taken that is not recorded. What an
    event did not say when it was recorded is not asked of it now."""
    again = [step for step in case.take_trace() if step.kind in TRACED]
    told = [(seq, body) for seq, body in said if body["type"] in _TRACED and "token" in body["data"]]
    for (seq, body), step in zip(told, again, strict=False):
        data = {"token": step.token, "process": step.process, **step.data}
        if step.scope:
            data["scope"] = list(step.scope)
        found = {name: data[name] for name in body["data"] if name in data}
        same = (body["type"], body["element"]) == (TRACED[step.kind], step.element)
        if not same or canonical(found) != canonical(body["data"]):
            what = f"{TRACED[step.kind]} {step.element}"
            return _differs(seq, f"重新执行得到的是 {what}", f"re-execution gives {what} here")
    if len(told) > len(again):
        return _differs(told[len(again)][0], "重新执行时没有这一步", "re-execution takes no such step")
    if len(again) > len(told):
        what = f"{TRACED[again[len(told)].kind]} {again[len(told)].element}"
        return _differs(last, f"缺少重新执行时有的一步：{what}", f"a step of the re-execution is missing: {what}")
    return None


def _record_differs(
    record: dict[str, Any], opened: list[HumanTask], said: list[tuple[int, Body]], last: int
) -> Difference | None:
    """What else follows from the command: the result that was handed in, and the tasks that were opened."""
    tokens = {task.token: task.element for task in opened}
    for seq, body in said:
        kind, data = body["type"], body["data"]
        if kind == "task.completed" and canonical(data["result"]) != canonical(record["input"].get("variables")):
            return _differs(seq, "内容与提交的不同", "it does not say what was handed in")
        if kind == "task.created" and tokens.pop(data["task"], None) != body["element"]:
            return _differs(seq, "重新执行时没有产生这项任务", "re-execution opens no such task")
    if tokens:
        return _differs(last, "缺少任务产生的记录", "the opening of a task is missing")
    return None


def _state_differs(
    after: dict[str, Any], found: str, case: Case, known: dict[str, Any], last: int
) -> Difference | None:
    if after["state"] != found:
        return _differs(last, "状态的哈希不同", "the hash of the state is another")
    if case.status != "active" and after["status"] != case.status:
        return _differs(last, f"案件状态应为 {case.status}", f"the case should be {case.status}")
    if "changes" in after and canonical(after["changes"]) != canonical(changes(known, case.variables())):
        return _differs(last, "变量的变化不同", "other variables changed")
    return None


def _differs(seq: int, zh: str, en: str) -> Difference:
    return Difference(
        seq=seq, message={"zh-CN": f"事件 {seq} 与重新执行不符：{zh}", "en": f"event {seq} is not confirmed: {en}"}
    )


def _missing(seq: int) -> Difference:
    return Difference(seq=seq, message={"zh-CN": f"事件 {seq} 缺失", "en": f"event {seq} is missing"})


def _unreadable(seq: int) -> Difference:
    return Difference(seq=seq, message={"zh-CN": f"事件 {seq} 无法读取", "en": f"event {seq} cannot be read"})
