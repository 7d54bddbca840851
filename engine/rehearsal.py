"""Rehearsal: what a new version would have done with a real case, and where it would have parted from what happened.

The recorded commands are given again to the new definitions: what people entered, what operations answered, when timers
were due. Ids need not be the same, so a task or timer is found by its element, and among several by which one of them
it was. The first step taken otherwise ends the rehearsal; so does anything the record has no answer for. Nothing is
written, no operation runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from engine.context import Seeded
from engine.errors import ExecutionFailed, GuijuError, Text
from engine.moments import moment
from engine.spiff.case import Case, OperationCall
from engine.spiff.parse import Definitions

Body = dict[str, Any]
Place = tuple[str, str]  # process, element


@dataclass(frozen=True, kw_only=True, slots=True)
class Parting:
    """Where a case would have gone another way: the event `seq` of the record, what was entered then (`was`) and what
    would be now (`now`), each (process, element) or None; `message` in both languages."""

    seq: int
    was: Place | None
    now: Place | None
    message: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """How far a case went the same way: `commands` of them followed, `parting` None when all were."""

    commands: int
    parting: Parting | None


class _Unknown(Exception):
    def __init__(self, place: Place, message: Text) -> None:
        self.place, self.message = place, message
        super().__init__(message["en"])


class _Answers(Seeded):
    """Answers from the record by element; a due time it does not have is computed."""

    def __init__(self, record: Body, functions: Mapping[str, Callable[..., Any]], due: Callable[..., datetime]) -> None:
        super().__init__(bytes.fromhex(record["seed"]), moment(record["now"]), moment(record["horizon"]), functions)
        self._compute = due
        self._known: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for kind, element, answer in record["answers"]:
            self._known[kind, element].append(answer)

    def due(self, element: str, value: str, start: datetime) -> datetime:
        """As recorded at this element, else computed."""
        known = self._known["due", element]
        return moment(known.pop(0)) if known else self._compute(start, value)

    def operation(self, call: OperationCall) -> Mapping[str, Any] | None:
        """As recorded at this element; nobody knows what another call would have answered."""
        known = self._known["operation", call.element]
        if not known:
            zh = f"会在「{call.element}」执行操作 {call.name}，当时没有执行过"
            en = f"would call {call.name} at “{call.element}”, which was not called then"
            raise _Unknown((call.process, call.element), {"zh-CN": zh, "en": en})
        answer: Mapping[str, Any] | None = known.pop(0)
        return answer


def rehearse(
    rows: Iterable[tuple[int, bytes]],
    definitions: Definitions,
    *,
    functions: Mapping[str, Callable[..., Any]],
    due: Callable[[datetime, str], datetime],
) -> Rehearsal:
    """Follow a case's events (seq, body) on `definitions`. `due` computes working time."""
    running = _Rehearsal(definitions, functions, due)
    command: tuple[int, Body] | None = None
    said: list[tuple[int, Body]] = []
    for seq, raw in rows:
        body = orjson.loads(raw)
        if body["type"] == "command":
            command, said = (seq, body), []
        elif body["type"] != "state.saved":
            said.append((seq, body))
        elif command is not None:
            if (parting := running.follow(*command, said)) is not None:
                return Rehearsal(commands=running.commands, parting=parting)
            command = None
    return Rehearsal(commands=running.commands, parting=None)


class _Rehearsal:
    def __init__(self, definitions: Definitions, functions: Mapping[str, Any], due: Callable[..., datetime]) -> None:
        self._definitions, self._functions, self._due = definitions, functions, due
        self._case: Case | None = None
        self._open: dict[str, tuple[Place, int | None]] = {}  # recorded tokens that wait: where, which of several
        self.commands = 0

    def follow(self, seq: int, command: Body, said: list[tuple[int, Body]]) -> Parting | None:
        """Give one recorded command again; None when the case goes the same way."""
        record = command["data"]
        context = _Answers(record, self._functions, self._due)
        try:
            self._give(record, context)
        except _Unknown as unknown:
            return Parting(seq=seq, was=None, now=unknown.place, message=unknown.message)
        except ExecutionFailed as failed:
            return Parting(seq=seq, was=None, now=(failed.process, failed.element), message=failed.message)
        except (GuijuError, KeyError) as error:
            text = {"zh-CN": f"命令无法执行：{error}", "en": f"the command cannot be given: {error}"}
            return Parting(seq=seq, was=None, now=None, message=getattr(error, "message", text))
        parting = self._compare(seq, said)
        self._note(said)
        if parting is None:
            self.commands += 1
        return parting

    def _give(self, record: Body, context: _Answers) -> None:
        given, name = record["input"], record["command"]
        if name == "start":
            if given["process"] not in self._definitions.processes:
                text = {"zh-CN": "新版本里没有这个流程", "en": "The new version has no such procedure"}
                raise _Unknown((given["process"], ""), text)
            self._case = Case.start(self._definitions, given["process"], given["variables"], context)
            return
        case = self._case
        if case is None:
            return
        if name in ("complete", "recuse") and "variables" in given:
            case.complete(self._match(given["task"], "tasks"), given["variables"], context)
        elif name == "timer":
            case.fire(self._match(given["token"], "timers"), context)
        elif name == "operation":
            case.finish_operation(self._match(given["token"], "operations"), given["result"], context)
        elif name == "withdraw":
            case.withdraw(given["end"], context)
        elif name == "cancel":
            case.cancel(context)

    def _match(self, token: str, kind: str) -> str:
        """The waiting token that stands where the recorded one stood."""
        assert self._case is not None
        place, index = self._open.get(token, (("", ""), None))
        waiting = [each for each in getattr(self._case.waiting(), kind) if (each.process, each.element) == place]
        before = [known for known, (where, _) in self._open.items() if where == place]
        found = [each for each in waiting if index is not None and getattr(each, "index", None) == index]
        if not found and waiting:  # counted from the newest: of a step that came again, older ones may be kept
            behind = len(before) - 1 - before.index(token) if token in before else 0
            found = [waiting[max(0, len(waiting) - 1 - behind)]]
        if not found:
            zh, en = f"「{place[1]}」此时不会等待办理", f"“{place[1]}” would not be waiting then"
            raise _Unknown(place, {"zh-CN": zh, "en": en})
        return str(found[0].token)

    def _compare(self, seq: int, said: list[tuple[int, Body]]) -> Parting | None:
        assert self._case is not None
        then = [(at, (body["data"]["process"], body["element"])) for at, body in said if _entered(body)]
        trace = self._case.take_trace()
        now = [(each.process, each.element) for each in trace if each.kind == "entered"]
        for number, (at, was) in enumerate(then):
            is_now = now[number] if number < len(now) else None
            if is_now != was:
                return _parted(at, was, is_now)
        if len(now) > len(then):
            return _parted(said[-1][0] if said else seq, None, now[len(then)])
        return None

    def _note(self, said: list[tuple[int, Body]]) -> None:
        """Keep which recorded tokens wait where."""
        for _, body in said:
            kind, data = body["type"], body["data"]
            if kind in ("element.entered", "timer.scheduled") and "token" in data:
                known = self._open.get(data["token"])
                index = data.get("index", known[1] if known else None)
                self._open[data["token"]] = ((data["process"], body["element"]), index)
            elif kind in ("element.left", "element.cancelled", "timer.fired") and "token" in data:
                self._open.pop(data["token"], None)


def _entered(body: Body) -> bool:
    return body["type"] == "element.entered" and "token" in body["data"]


def _parted(seq: int, was: Place | None, now: Place | None) -> Parting:
    if was is None and now is not None:
        text = {"zh-CN": f"还会进入「{now[1]}」", "en": f"would also enter “{now[1]}”"}
    elif now is None and was is not None:
        text = {"zh-CN": f"不会再进入「{was[1]}」", "en": f"would not enter “{was[1]}”"}
    else:
        old, new = was[1] if was else "", now[1] if now else ""
        text = {"zh-CN": f"不再进入「{old}」，改为「{new}」", "en": f"would enter “{new}” instead of “{old}”"}
    return Parting(seq=seq, was=was, now=now, message=text)
