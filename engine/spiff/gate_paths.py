"""Controls of the policy, checked as paths: whether a step can be reached without passing what must be passed first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from engine.spiff.control import Control, Station
from engine.spiff.expressions import ExpressionError, compile_expression, compile_script
from engine.spiff.gate_conditions import OTHER, Formula, facts, formula, judge
from engine.spiff.gate_model import HUMAN, Element, Flow, Process, child_text, extension, result_variable, text_of
from engine.spiff.gate_names import Names
from engine.spiff.gate_shapes import Shape

Conditions = dict[str, Formula]  # flow id → its condition
Known = frozenset[tuple[str, Any]]  # what the path so far says of outcomes


def check_path_controls(process: Process, names: Names, conditions: Conditions) -> None:
    """Every control that the house declares for this process."""
    for control in names.model.house.controls:
        if control.process == process.id:
            _check(control, process, names, conditions)


def conditions_of(process: Process) -> Conditions:
    """The condition of every flow that has a readable one."""
    found: Conditions = {}
    for scope in process.scopes:
        for flow in scope.flows:
            if flow.condition:
                try:
                    found[flow.id] = formula(compile_expression(flow.condition).tree)
                except ExpressionError:
                    continue  # said where the condition is checked
    return found


def flows_taken(element: Element, known: Mapping[str, Any], conditions: Conditions) -> list[Flow]:
    """The flows an element can be left by, as far as what is known tells."""
    default = element.node.get("default")
    exclusive = element.kind == "exclusiveGateway"
    taken, certain = [], False
    for flow in element.outgoing:
        if flow.id == default:
            continue
        verdict = judge(conditions[flow.id], known) if flow.id in conditions else True
        if verdict is not False:
            taken.append(flow)
        if verdict and flow.id in conditions:
            certain = True
            if exclusive:
                break
    if not certain:
        taken += [flow for flow in element.outgoing if flow.id == default]
    return taken


def sets(element: Element, variable: str) -> bool:
    """Whether a script assigns the variable; one that cannot be read might."""
    try:
        return variable in compile_script(child_text(element.node, "script")).assigned
    except ExpressionError:
        return True


def outcomes(path: str, shape: Shape, conditions: Conditions) -> set[Any]:
    """The values an outcome can have: those of its form, else those the conditions ask for, and any other."""
    if shape.values:
        return set(shape.values)
    found = (fact for each in conditions.values() for fact in facts(each) if fact.path == path)
    return {value for fact in found for value in fact.values} | {OTHER}


def _check(control: Control, process: Process, names: Names, conditions: Conditions) -> None:
    problem = process.report.problem
    if control.closed and process.properties.get("starters", "").strip("\"' ") != "none":
        problem(process.node, control.code, control.text["zh-CN"], control.text["en"], element=process.id)
    targets = {element for element in process.elements if _is(element, control.before)}
    if control.before and not targets:
        wanted = "、".join(control.before), ", ".join(control.before)
        zh = f"没有找到该控制点看守的环节（{wanted[0]}），无法核对"
        en = f"None of the steps this control guards is here ({wanted[1]}), so it cannot be checked"
        problem(process.node, control.code, zh, en, element=process.id)
    for target in sorted(_Search(control, process, names, conditions).unguarded(targets), key=lambda each: each.id):
        zh, en = (control.text[language].replace("{target}", target.id) for language in ("zh-CN", "en"))
        problem(target.node, control.code, zh, en)


def _is(element: Element, patterns: Iterable[str]) -> bool:
    return any(_matches(element, pattern) for pattern in patterns)


def _matches(element: Element, pattern: str) -> bool:
    kind, _, name = pattern.rpartition(":")
    if kind == "call":
        return element.kind == "callActivity" and fnmatchcase(element.node.get("calledElement") or "", name)
    if kind == "table":
        called = text_of(extension(element.node, "calledDecisionId"))
        return element.kind == "businessRuleTask" and fnmatchcase(called, name)
    if kind == "operation":
        operator = extension(element.node, "serviceTaskOperator")
        return operator is not None and fnmatchcase(operator.get("id") or "", name)
    return fnmatchcase(element.id, name)


class _Search:
    """One walk over a process: states are an element and what the path says of the outcomes it met."""

    def __init__(self, control: Control, process: Process, names: Names, conditions: Conditions) -> None:
        self.control, self.process, self.names, self.conditions = control, process, names, conditions
        self.stations = {
            element: station
            for element in process.elements
            for station in control.through
            if _is(element, station.names) and _recuses(element, station)
        }
        self.inner = {scope.owner: scope for scope in process.scopes if scope.owner is not None}
        self.arrived: dict[Element, set[str]] = {}  # parallel joins: flows that a path without a station came by
        self.held: dict[Element, list[Known]] = {}

    def unguarded(self, targets: set[Element]) -> set[Element]:
        """The targets that can be reached without a station."""
        begin = [self.process.start] if self.process.start is not None else []
        again = [element for element in self.process.elements if _is(element, self.control.again_after)]
        todo: list[tuple[Element, Known]] = [(element, frozenset()) for element in [*begin, *again]]
        seen: set[tuple[Element, Known]] = set()
        while todo:
            state = todo.pop()
            if state in seen:
                continue
            seen.add(state)
            todo.extend(self._after(*state))
        return {element for element, _ in seen} & targets

    def _after(self, element: Element, known: Known) -> Iterator[tuple[Element, Known]]:
        station = self.stations.get(element)
        if station is not None:
            if not station.timers:
                yield from ((boundary, known) for boundary in element.boundaries)
            for path, value in self._failing(element, station):
                yield from self._leave(element, _with(known, path, value))
            return
        yield from ((boundary, known) for boundary in element.boundaries)
        if (scope := self.inner.get(element)) is not None:
            yield from ((each, known) for each in scope.elements.values() if each.kind == "startEvent")
            return
        owner = element.scope.owner
        if element.kind == "endEvent" and owner is not None and element.definition("error") is None:
            yield from self._leave(owner, known)
            return
        yield from self._leave(element, self._forgetting(element, known))

    def _leave(self, element: Element, known: Known) -> Iterator[tuple[Element, Known]]:
        elements = element.scope.elements
        for flow in flows_taken(element, {**dict(known), **self.control.given}, self.conditions):
            target = elements.get(flow.target)
            if target is None:
                continue
            if target.kind != "parallelGateway" or len(target.incoming) < 2:
                yield target, known
                continue
            self.arrived.setdefault(target, set()).add(flow.id)
            self.held.setdefault(target, []).append(known)
            if len(self.arrived[target]) == len(target.incoming):  # a join waits for all: one guarded branch is enough
                yield from ((target, each) for each in self.held.pop(target))

    def _failing(self, element: Element, station: Station) -> list[tuple[str, Any]]:
        """The outcomes that leave the station without counting."""
        if station.passing is None:
            return []
        path = station.result or f"{result_variable(element)}.outcome"
        shape = Shape()
        if element.kind in HUMAN:
            shape = (self.names.form_shape(element).fields or {}).get("outcome", Shape())
        return [(path, value) for value in outcomes(path, shape, self.conditions) if value not in station.passing]

    def _forgetting(self, element: Element, known: Known) -> Known:
        """What is still known once the element has written its own variables."""
        if element.kind == "scriptTask":
            return frozenset(item for item in known if not sets(element, item[0].partition(".")[0]))
        written = {result_variable(element)} if element.kind in HUMAN else set()
        return frozenset(item for item in known if item[0].partition(".")[0] not in written)


def _with(known: Known, path: str, value: Any) -> Known:
    return frozenset({*((name, other) for name, other in known if name != path), (path, value)})


def _recuses(element: Element, station: Station) -> bool:
    if not station.recuses or element.kind not in HUMAN:
        return True
    try:
        named = compile_expression(element.properties.get("recuse", "")).names
    except ExpressionError:
        return False
    return bool(named & set(station.recuses))
