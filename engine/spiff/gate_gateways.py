"""The conditions of gateways: names, fields and values that exist, and no case without a way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.spiff.gate_conditions import OTHER, Formula, formula, uncovered
from engine.spiff.gate_graph import dominates
from engine.spiff.gate_model import (
    CONDITIONAL,
    HUMAN,
    Element,
    Process,
    child_text,
    extension,
    result_variable,
    text_of,
)
from engine.spiff.gate_names import Checker, Names
from engine.spiff.gate_shapes import ANY, Shape

_PATH = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*\Z")


def check_gateways(process: Process, names: Names, checker: Checker) -> None:
    """Every exclusive and inclusive gateway with several ways out."""
    producers = _producers(process, names)
    for element in process.elements:
        if element.kind not in CONDITIONAL:
            continue
        formulas: list[Formula] = []
        readable = True
        for flow in element.outgoing:
            if flow.condition:
                expression = checker.expression(flow.condition, flow.node, "condition", element=element)
                if expression is None:
                    readable = False
                else:
                    formulas.append(formula(expression.tree))
        default = element.node.get("default")
        if len(element.outgoing) > 1 and default is None and readable and formulas:
            _check_total(element, formulas, _domains(element, names, producers))


def _check_total(element: Element, formulas: list[Formula], domain: Callable[[str], tuple[Shape, bool]]) -> None:
    found = uncovered(formulas, domain)
    if found is None:
        return
    report = element.scope.process.report
    before = [element.scope.elements.get(flow.source) for flow in element.incoming]
    for task in before:
        if task is not None and task.kind in HUMAN:
            outcome = found.get(f"{result_variable(task)}.outcome")
            if isinstance(outcome, str) and outcome != OTHER:
                report.problem(
                    element.node,
                    "outcome-unrouted",
                    f"「{task.id}」的结果「{outcome}」没有出口，也没有默认流",
                    f"The outcome “{outcome}” of “{task.id}” has no way out, and there is no default",
                )
                return
    case = "、".join(f"{path} = {value}" for path, value in sorted(found.items()))
    report.problem(
        element.node,
        "not-total",
        f"没有默认流，条件也不能证明覆盖一切情形（{case or '情形太多'}）",
        f"There is no default, and the conditions do not provably cover every case ({case or 'too many cases'})",
    )


def _producers(process: Process, names: Names) -> dict[str, list[Element]]:
    """Variable → what sets it."""
    found: dict[str, list[Element]] = {}
    for element in process.elements:
        if element.kind in HUMAN and element.multi is None:
            found.setdefault(result_variable(element), []).append(element)
        elif element.kind == "businessRuleTask":
            decision = names.model.decisions.get(text_of(extension(element.node, "calledDecisionId")))
            for name in decision.outputs if decision is not None else ():
                found.setdefault(name, []).append(element)
    return found


def _assigned(process: Process) -> set[str]:
    """Names that scripts may set: a required field may have been cleared by one."""
    words: set[str] = set()
    for element in process.elements:
        if element.kind == "scriptTask":
            words.update(re.findall(r"[A-Za-z]\w*", child_text(element.node, "script")))
        elif element.kind == "callActivity":
            words.update(re.findall(r"[A-Za-z]\w*", text_of(extension(element.node, "postScript"))))
    return words


def _domains(
    gateway: Element, names: Names, producers: dict[str, list[Element]]
) -> Callable[[str], tuple[Shape, bool]]:
    """What a path can hold at a gateway, and whether it may be missing there."""
    process = gateway.scope.process
    known = names.of(process)
    assigned = _assigned(process)
    start = process.start
    form: Any = names.form_shape(start) if start is not None and process.id not in names.callers else ANY

    def domain(path: str) -> tuple[Shape, bool]:
        if not _PATH.match(path):
            return ANY, True
        first, *fields = path.split(".")
        shape = known.get(first, ANY)
        makers = producers.get(first, [])
        sure = first not in assigned and len(makers) == 1 and dominates(makers[0], gateway)
        if first in form.required and first not in assigned and not makers:
            sure = True
        for name in fields:
            sure = sure and name in shape.required
            shape = (shape.fields or {}).get(name, ANY)
        return shape, not sure

    return domain
