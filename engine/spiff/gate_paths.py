"""Controls of the policy, checked as paths: whether a step can be reached without passing what must be passed first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.errors import GuijuError
from engine.spiff.control import Control, Station, TableControl
from engine.spiff.expressions import compile_expression
from engine.spiff.gate_conditions import OTHER, facts
from engine.spiff.gate_known import Conditions, Known, Sample, after, after_call, flows_taken, known_of
from engine.spiff.gate_model import HUMAN, Element, Model, Process, child_text, result_variable
from engine.spiff.gate_names import Names
from engine.spiff.gate_report import Report
from engine.spiff.gate_shapes import Shape
from engine.spiff.gate_stations import is_station, lets_time, matches


def check_path_controls(process: Process, names: Names, conditions: Conditions) -> None:
    """Every control that the house declares for this process, and what is kept for others."""
    for control in names.model.house.controls:
        if isinstance(control, TableControl):
            continue
        if control.process == process.id:
            _check(control, process, names, conditions)
        else:
            _check_kept(control, process)


def check_table_controls(model: Model, table: str, report: Report) -> None:
    """Whether a decision table answers as the controls need it."""
    decision = model.decisions[table]
    for control in model.house.controls:
        if not isinstance(control, TableControl) or control.table != table:
            continue
        try:
            answered = decision.evaluate(control.inputs).outputs
            right = compile_expression(control.must).evaluate(answered) is True
        except GuijuError:  # it answers nothing at all, or something of another kind
            right = False
        if not right:
            report.problem(None, control.code, control.text["zh-CN"], control.text["en"], element=table)


def outcomes(path: str, shape: Shape, conditions: Conditions) -> set[Any]:
    """The values an outcome can have: those of its form, else those the conditions ask for, and any other."""
    if shape.values:
        return set(shape.values)
    found = (fact for each in conditions.values() for fact in facts(each) if fact.path == path)
    return {value for fact in found for value in fact.values} | {OTHER}


def _check_kept(control: Control, process: Process) -> None:
    for element in process.elements:
        if any(matches(element, pattern) for pattern in control.only):
            zh = f"「{element.id}」只能出现在流程「{control.process}」中：在别处做，就绕过了那里的控制点"
            en = f"“{element.id}” belongs in the process “{control.process}” alone; elsewhere it has no control"
            process.report.problem(element.node, control.code, zh, en)


def _check(control: Control, process: Process, names: Names, conditions: Conditions) -> None:
    problem = process.report.problem
    if control.closed and process.properties.get("starters", "").strip("\"' ") != "none":
        problem(process.node, control.code, control.text["zh-CN"], control.text["en"], element=process.id)
    missing = [each for each in control.before if not any(matches(element, each) for element in process.elements)]
    if missing:
        wanted = "、".join(missing), ", ".join(missing)
        zh = f"没有找到该控制点看守的环节（{wanted[0]}），无法核对"
        en = f"The steps this control guards are not here ({wanted[1]}), so it cannot be checked"
        problem(process.node, control.code, zh, en, element=process.id)
    targets = {element for element in process.elements if any(matches(element, each) for each in control.before)}
    found = _Search(control, process, names, conditions).unguarded(targets)
    found |= {element for element in targets if element.id == process.properties.get("withdraw_to", "").strip()}
    for target in sorted(found, key=lambda each: each.id):
        zh, en = (control.text[language].replace("{target}", target.id) for language in ("zh-CN", "en"))
        problem(target.node, control.code, zh, en)


class _Search:
    """One walk over a process: states are an element and what the path says of the values it met."""

    def __init__(self, control: Control, process: Process, names: Names, conditions: Conditions) -> None:
        self.control, self.process, self.names, self.conditions = control, process, names, conditions
        self.given = known_of(control.given)
        self.stations = {
            element: station
            for element in process.elements
            for station in control.through
            if is_station(element, station)
        }
        self.inner = {scope.owner: scope for scope in process.scopes if scope.owner is not None}
        self.arrived: dict[Element, set[str]] = {}  # parallel joins: flows that a path without a station came by
        self.held: dict[Element, list[Known]] = {}

    def unguarded(self, targets: set[Element]) -> set[Element]:
        """The targets that can be reached without a station."""
        begin = [self.process.start] if self.process.start is not None else []
        again = [e for e in self.process.elements if any(matches(e, each) for each in self.control.again_after)]
        todo: list[tuple[Element, Known]] = [(element, self.given) for element in [*begin, *again]]
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
            yield from ((each, known) for each in element.boundaries if not lets_time(each, station))
            for more in self._failing(element, station):
                yield from self._leave(element, after_call(element, _with(self._done(element, known), more)))
            return
        yield from ((boundary, known) for boundary in element.boundaries)
        if (scope := self.inner.get(element)) is not None:
            yield from ((each, known) for each in scope.elements.values() if each.kind == "startEvent")
            if element.multi is not None:  # over an empty collection it is over at once
                yield from self._leave(element, known)
            return
        owner = element.scope.owner
        if element.kind == "endEvent" and owner is not None and element.definition("error") is None:
            yield from self._leave(owner, known)
            return
        yield from self._leave(element, self._done(element, known))

    def _done(self, element: Element, known: Known) -> Known:
        """What is known once the element has done its work; who may write what is given leaves it as given."""
        found = after(element, known, self.names)
        if self.given and any(matches(element, each) for each in self.control.given_by):
            found = _with(found, self.control.given)
        return found

    def _leave(self, element: Element, known: Known) -> Iterator[tuple[Element, Known]]:
        elements = element.scope.elements
        for flow in flows_taken(element, dict(known), self.conditions):
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

    def _failing(self, element: Element, station: Station) -> list[dict[str, Any]]:
        """What is known when the station was left without what counts."""
        if station.passing is None:
            return []
        shape = Shape()
        if element.kind in HUMAN:
            shape = (self.names.form_shape(element).fields or {}).get("outcome", Shape())
        path = station.result or f"{result_variable(element)}.outcome"
        refused = [value for value in outcomes(path, shape, self.conditions) if value not in station.passing]
        if element.multi is None:
            return [{path: value} for value in refused]
        collected = child_text(element.multi, "loopDataOutputRef")
        passed = [{"outcome": value} for value in sorted(station.passing)]
        lists: list[list[dict[str, Any]]] = [[], *([{"outcome": value}] for value in refused)]
        lists += [[one, {"outcome": value}] for one in passed for value in refused]
        return [{collected: Sample.of(each)} for each in lists]


def _with(known: Known, more: Mapping[str, Any]) -> Known:
    return known_of({**dict(known), **more})
