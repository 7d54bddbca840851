"""Random diagrams, built from blocks whose meaning is known without an engine, must do what the blocks mean.

A block is drawn as BPMN and, independently, counted: how often each of its tasks is done. The cases are played in
random order, saved and loaded after every command, and must end having done every task exactly that often.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from html import escape
from itertools import pairwise

import pytest

from engine.spiff.parse import parse
from tests.engine.spiff.kernel.driving import Play, wrapped

Drawn = tuple[str, str, list[str]]  # first element, last element, XML


class Drawing:
    """One deployment in the making: `flags` are what its conditions ask for, `counts` how often each task is done."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.flags: dict[str, object] = {}
        self.counts: Counter[str] = Counter()
        self.processes: dict[str, bytes] = {}
        self._number = 0

    def id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def flow(self, source: str, target: str, condition: str = "", id: str = "") -> str:
        inside = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
        return (
            f'<sequenceFlow id="{id or self.id("f")}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'
        )

    def block(self, depth: int, times: int) -> Drawn:
        """A random block that is gone through `times` times."""
        simple: list[Callable[[int, int], Drawn]] = [self.task, self.script]
        nested = [self.sequence, self.choice, self.fork, self.several, self.loop, self.inside, self.each, self.call]
        return self.random.choice(nested if depth and self.random.random() < 0.8 else simple)(depth - 1, times)

    def task(self, depth: int, times: int) -> Drawn:
        id, late, gone = self.id("task"), self.id("late"), self.id("gone")
        self.counts[id] += times
        time = f"<timeDuration>{self.random.randrange(1, 9)}wd</timeDuration>"
        timer = f"<timerEventDefinition>{time}</timerEventDefinition>"
        event = f'<boundaryEvent id="{late}" attachedToRef="{id}" cancelActivity="false">{timer}</boundaryEvent>'
        return id, id, [f'<userTask id="{id}"/>', event, self.flow(late, gone), f'<endEvent id="{gone}"/>']

    def script(self, depth: int, times: int) -> Drawn:
        id = self.id("script")
        return id, id, [f'<scriptTask id="{id}"><script>{id} = True</script></scriptTask>']

    def sequence(self, depth: int, times: int) -> Drawn:
        parts = [self.block(depth, times) for _ in range(self.random.randrange(2, 4))]
        joints = [self.flow(one[1], two[0]) for one, two in pairwise(parts)]
        return parts[0][0], parts[-1][1], [*joints, *(xml for part in parts for xml in part[2])]

    def choice(self, depth: int, times: int) -> Drawn:
        taken = self.random.randrange(3)
        return self._split("exclusiveGateway", depth, times, [index == taken for index in range(3)])

    def fork(self, depth: int, times: int) -> Drawn:
        return self._split("parallelGateway", depth, times, [True] * self.random.randrange(2, 4))

    def several(self, depth: int, times: int) -> Drawn:
        chosen = [self.random.random() < 0.5 for _ in range(3)]
        return self._split("inclusiveGateway", depth, times, [*chosen, not any(chosen)])

    def _split(self, kind: str, depth: int, times: int, chosen: list[bool]) -> Drawn:
        """Branches of which the chosen ones are taken; the last one is the default of a choosing gateway."""
        first, last, default = self.id("split"), self.id("join"), self.id("f")
        parallel = kind == "parallelGateway"
        xml = [f'<{kind} id="{first}"' + ("/>" if parallel else f' default="{default}"/>'), f'<{kind} id="{last}"/>']
        for place, taken in enumerate(chosen):
            branch = self.block(depth, times if taken else 0)
            flag = self.id("flag")
            self.flags[flag] = taken
            if parallel:
                xml.append(self.flow(first, branch[0]))
            elif place == len(chosen) - 1:
                xml.append(self.flow(first, branch[0], id=default))
            else:
                xml.append(self.flow(first, branch[0], flag))
            xml += [*branch[2], self.flow(branch[1], last)]
        return first, last, xml

    def loop(self, depth: int, times: int) -> Drawn:
        rounds = self.random.randrange(1, 4)
        body = self.block(depth, times * rounds)
        kinds = ("reset", "merge", "count", "again", "done", "f")
        reset, merge, count, again, done, out = (self.id(kind) for kind in kinds)
        xml = [
            f'<scriptTask id="{reset}"><script>n{reset} = 0</script></scriptTask><exclusiveGateway id="{merge}"/>',
            f'<scriptTask id="{count}"><script>n{reset} = n{reset} + 1</script></scriptTask>',
            f'<exclusiveGateway id="{again}" default="{out}"/>',
            f'<scriptTask id="{done}"><script>x = 1</script></scriptTask>',
            self.flow(reset, merge),
            self.flow(merge, body[0]),
            self.flow(body[1], count),
            self.flow(count, again),
            self.flow(again, merge, f"n{reset} < {rounds}"),
            self.flow(again, done, id=out),
        ]
        return reset, done, [*xml, *body[2]]

    def inside(self, depth: int, times: int) -> Drawn:
        return self._subprocess(depth, times, "")

    def each(self, depth: int, times: int) -> Drawn:
        items, sequential = self.random.randrange(0, 4), self.random.choice(["true", "false"])
        kind = f'multiInstanceLoopCharacteristics isSequential="{sequential}"'
        marker = f"<{kind}><loopCardinality>{items}</loopCardinality></multiInstanceLoopCharacteristics>"
        return self._subprocess(depth, times * items, marker)

    def _subprocess(self, depth: int, times: int, marker: str) -> Drawn:
        id = self.id("sub")
        return id, id, [f'<subProcess id="{id}">{marker}', *self.whole(depth, times), "</subProcess>"]

    def call(self, depth: int, times: int) -> Drawn:
        id, process = self.id("call"), self.id("process")
        self.processes[process] = wrapped("".join(self.whole(depth, times)), process)
        return id, id, [f'<callActivity id="{id}" calledElement="{process}"/>']

    def whole(self, depth: int, times: int) -> list[str]:
        """A block between a start and an end."""
        body = self.block(depth, times)
        start, end = self.id("start"), self.id("end")
        ends = [self.flow(start, body[0]), self.flow(body[1], end)]
        return [f'<startEvent id="{start}"/><endEvent id="{end}"/>', *ends, *body[2]]


@pytest.mark.parametrize("seed", range(60))
def test_a_random_diagram_does_what_its_blocks_mean(seed: int) -> None:
    drawing = Drawing(seed)
    drawing.processes["main"] = wrapped("".join(drawing.whole(5, 1)), "main")
    definitions = parse({f"{name}.bpmn": content for name, content in drawing.processes.items()})
    play = Play("main", definitions=definitions, reload="command", **drawing.flags)
    order, done = random.Random(seed), Counter[str]()
    while play.case.status == "active":
        waiting = play.case.waiting()
        if waiting.timers and order.random() < 0.2:
            play.fire(order.choice(waiting.timers).element)
            continue
        task = order.choice(waiting.tasks)
        done[task.element] += 1
        play.complete(task.token, {"outcome": "agree"})
    assert done == +drawing.counts
    assert len(play.case._root.tasks) == 1 and not play.case._root.subprocesses
