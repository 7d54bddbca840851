"""Helpers of these tests: a context that answers from a seed, and a driver that plays a case by the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from engine.spiff.case import Case, OperationCall, Trace
from engine.spiff.parse import Definitions, parse

CORPUS = Path(__file__).parents[1] / "corpus"
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
UNITS = {"wd": 24.0, "wh": 1.0}
ROLL = ["gusunmao", "luyaoyi", "taochouti", "shenshafa", "michuangdian", "yangmu", "fang"]
VARIABLES: dict[str, Any] = {
    "n": 0,
    "turns": 0,
    "roll": ROLL,
    "members": ROLL[:5],
    "reviewers": ROLL[:3],
    "prices": {"desk": 10, "chair": 20},
    "boards": [ROLL[:2], ROLL[2:5]],
    "units": ["东区", "西区"],
    "text": "沙发新品",
    "platform": "抖音",
}


@cache
def corpus() -> Definitions:
    """Every diagram of the corpus, parsed once and shared as a deployment is."""
    return parse(corpus_files())


def corpus_files() -> dict[str, bytes]:
    """The corpus as a bundle."""
    paths = sorted(path for path in CORPUS.rglob("*.*") if path.is_file())
    return {path.relative_to(CORPUS).as_posix(): path.read_bytes() for path in paths}


class Answers:
    """A context whose ids come from a seed and whose operations echo what they are given, but for external ones."""

    def __init__(self, seed: Any = 0, now: datetime = NOW) -> None:
        self.now = self.horizon = now
        self.functions: Mapping[str, Callable[..., Any]] = {}
        self.calls: list[OperationCall] = []
        self._random = random.Random(f"{seed}")

    def new_id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def due(self, element: str, value: str, start: datetime) -> datetime:
        if value[-2:] in UNITS:
            return start + timedelta(hours=float(value[:-2]) * UNITS[value[-2:]])
        if value.startswith("P"):
            date, _, time = value[1:].partition("T")
            return start + timedelta(days=int(date[:-1] or 0), hours=int(time[:-1] or 0))
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def operation(self, call: OperationCall) -> Mapping[str, Any] | None:
        self.calls.append(call)
        return None if "external" in call.name else {"of": call.name, **call.parameters}


class Play:
    """A case and everything it said, driven action by action; `reload` loads it anew at the moments named."""

    def __init__(
        self, process: str, *, definitions: Definitions | None = None, reload: str = "", **variables: Any
    ) -> None:
        self.definitions = definitions or corpus()
        self.reload = reload
        self.now = NOW
        self.turn = 0
        self.traces: list[Trace] = []
        self.states: list[bytes] = []
        context = Answers(0, self.now)
        self.case = Case.start(self.definitions, process, {**VARIABLES, **variables}, context)
        self._after()

    def _after(self) -> None:
        self.traces += self.case.take_trace()
        self.states.append(self.case.dump())
        if self.reload == "command":
            self.case = Case.load(self.definitions, self.states[-1])
        self.turn += 1

    def _context(self) -> Answers:
        return Answers(self.turn, self.now)

    def open(self) -> list[str]:
        return [task.element for task in self.case.waiting().tasks]

    def do(self, element: str, outcome: str = "agree", **fields: Any) -> Play:
        token = next(task.token for task in self.case.waiting().tasks if task.element == element)
        return self.complete(token, {"outcome": outcome, "by": "gusunmao", **fields})

    def complete(self, token: str, result: dict[str, Any]) -> Play:
        self.case.complete(token, result, self._context())
        self._after()
        return self

    def fire(self, element: str) -> Play:
        timer = next(timer for timer in self.case.waiting().timers if timer.element == element)
        self.now = max(self.now, timer.due)
        self.case.fire(timer.token, self._context())
        self._after()
        return self

    def answer(self, element: str, **result: Any) -> Play:
        wait = next(wait for wait in self.case.waiting().operations if wait.element == element)
        self.case.finish_operation(wait.token, result, self._context())
        self._after()
        return self

    def visited(self) -> list[str]:
        return [trace.element for trace in self.traces if trace.kind == "entered"]

    def told(self, kind: str) -> list[Trace]:
        return [trace for trace in self.traces if trace.kind == kind]

    def at_random(self, seed: int, turns: int = 80) -> Play:
        """Do whatever is possible, chosen by the seed, until the case is over."""
        choice = random.Random(seed)
        while self.case.status == "active" and self.turn < turns:
            waiting = self.case.waiting()
            actions: list[Callable[[], Play]] = []
            for task in waiting.tasks:
                fields = {
                    "outcome": choice.choice(["agree", "approve", "reject", "fail", "stop", "more"]),
                    "want": choice.sample(["a", "b"], choice.randrange(3)),
                    "amount": choice.randrange(100),
                    "audience": choice.choice([10, 5000]),
                    "date": "2026-03-01",
                    "title": "申请",
                }
                actions += [lambda task=task, fields=fields: self.complete(task.token, fields)] * 3  # type: ignore[misc]
            for timer in waiting.timers:
                actions.append(lambda timer=timer: self.fire(timer.element))  # type: ignore[misc]
            for wait in waiting.operations:
                actions += [lambda wait=wait: self.answer(wait.element, found=choice.randrange(9))] * 3  # type: ignore[misc]
            choice.choice(actions)()
        return self


def wrapped(body: str, process: str = "p", after: str = "") -> bytes:
    """A file with one process."""
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core">'
        f'<process id="{process}" isExecutable="true">{body}</process>{after}</definitions>'
    ).encode()


def diagram(*body: str, after: str = "") -> Definitions:
    """A deployment of one process `p`."""
    return parse({"p.bpmn": wrapped("".join(body), after=after)})
