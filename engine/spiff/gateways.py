"""Gateways: which flows get a token, and which tokens wait for each other."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from collections import Counter
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as bpmn
from SpiffWorkflow.util.task import TaskState

from engine.spiff import scripting
from engine.spiff.expressions import compile_expression
from engine.spiff.failures import NoWayOut
from engine.spiff.steps import Step, Way
from engine.spiff.workflow import ACTIVE, Token


class Choosing(Step):
    """What gateways with conditions on their flows share."""

    cond_task_specs: list[tuple[Any, str]]  # the library's

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        conditions = [condition for condition, _ in self.cond_task_specs]
        self.ways = [
            way._replace(condition=None if text is None else compile_expression(text.args[0]))
            for way, text in zip(self.ways, conditions, strict=True)
        ]


class ExclusiveGateway(Choosing, bpmn.ExclusiveGateway):
    """The first flow whose condition holds, else the default."""

    def ways_on(self, token: Token) -> list[Way]:
        default = None
        for way in self.ways:
            if way.condition is None:
                default = way
            elif scripting.evaluate(token, way.condition):
                return [way]
        if default is None:
            raise NoWayOut(element=self.bpmn_id, process=self.process)
        return [default]


class ParallelGateway(Step, bpmn.ParallelGateway):
    """Takes one token from every flow in, puts one on every flow out. Further tokens keep waiting for their own
    round.
    """

    joins = True

    def _update_hook(self, token: Token) -> bool:
        if len(self._inputs) < 2:
            return True
        token._set_state(TaskState.WAITING)
        need = Counter(self._inputs)
        taken = []
        for other in token.workflow.tasks.values():
            if other.task_spec is self and other._state == TaskState.WAITING and need[other.source]:
                need[other.source] -= 1
                taken.append(other)
        if not +need:
            merge(taken)
        return False


class InclusiveGateway(Choosing, bpmn.InclusiveGateway):
    """Puts a token on every flow whose condition holds, else on the default; waits for every token that may still
    come.
    """

    joins = gathers = True

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self._upstream: dict[str, frozenset[str]] | None = None

    def _update_hook(self, token: Token) -> bool:
        if len(self._inputs) < 2:
            return True
        token._set_state(TaskState.WAITING)
        return False

    def release(self, token: Token) -> bool:
        """Let the waiting tokens go on as one unless another token can still reach a flow on which none has come."""
        tokens = token.workflow.tasks.values()
        here = [each for each in tokens if each.task_spec is self and each._state == TaskState.WAITING]
        filled = {each.source for each in here}
        upstream = self.upstream()
        reach_filled = frozenset().union(*(upstream[name] for name in filled))
        reach_empty = frozenset().union(*(upstream[name] for name in self._inputs if name not in filled))
        for other in tokens:
            if other._state & ACTIVE and other.task_spec is not self:
                place = other.task_spec.name
                if place in reach_empty and place not in reach_filled:
                    return False
        merge(list({each.source: each for each in reversed(here)}.values())[::-1])
        return True

    def upstream(self) -> dict[str, frozenset[str]]:
        """For each flow in, by the element it comes from: the elements from which it can be reached without
        passing here.
        """
        if self._upstream is None:
            specs = self._wf_spec.task_specs
            before: dict[str, set[str]] = {}
            for name, spec in specs.items():
                for target in getattr(spec, "_outputs", []):
                    before.setdefault(target, set()).add(name)
                for boundary in getattr(spec, "boundary_names", []):
                    before.setdefault(boundary, set()).add(name)
            self._upstream = {name: _reach(name, before, self.name) for name in self._inputs}
        return self._upstream

    def ways_on(self, token: Token) -> list[Way]:
        chosen = [way for way in self.ways if way.condition is not None and scripting.evaluate(token, way.condition)]
        chosen = chosen or [way for way in self.ways if way.condition is None]
        if not chosen:
            raise NoWayOut(element=self.bpmn_id, process=self.process)
        return chosen


def _reach(name: str, before: dict[str, set[str]], wall: str) -> frozenset[str]:
    found, todo = {name}, [name]
    while todo:
        for earlier in before.get(todo.pop(), ()):
            if earlier != wall and earlier not in found:
                found.add(earlier)
                todo.append(earlier)
    return frozenset(found)


def merge(tokens: list[Token]) -> None:
    """Let the first of these tokens go on for all of them."""
    first, *others = tokens
    for other in others:
        other.workflow.log("left", other, flows=[], merged=True)
        other.remove()
    first._ready()
