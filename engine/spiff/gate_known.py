"""What is known on a path through a diagram: values of variables, kept or forgotten as each step writes its own.

Known are paths (`vote.outcome`) with their values; a variable known to be None has no fields. A `Sample` stands for a
whole collection, so that conditions over it (`all(each.outcome == "approve" for each in approvals)`) are worked out.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.spiff.expressions import EvaluationError, ExpressionError, compile_expression, compile_script
from engine.spiff.gate_conditions import MISSING, Formula, formula, judge, look_up
from engine.spiff.gate_model import Element, Flow, Process, child, child_text, extension, text_of
from engine.spiff.gate_names import Names

Known = frozenset[tuple[str, Any]]
Conditions = dict[str, Formula]  # flow id → its condition
NOTHING: Known = frozenset()


@dataclass(frozen=True)
class Sample:
    """A value that is no plain one, as JSON."""

    text: str

    @classmethod
    def of(cls, value: Any) -> Sample:
        return cls(json.dumps(value))


def known_of(values: Mapping[str, Any]) -> Known:
    """Paths and values as a hashable whole."""
    return frozenset(values.items())


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
        verdict = _judged(conditions[flow.id], known) if flow.id in conditions else True
        if verdict is not False:
            taken.append(flow)
        if verdict and flow.id in conditions:
            certain = True
            if exclusive:
                break
    if not certain:
        taken += [flow for flow in element.outgoing if flow.id == default]
    return taken


def after(element: Element, known: Known, names: Names) -> Known:
    """What is still known, or known anew, once the element has done its work."""
    if element.kind == "scriptTask" and element.multi is None:
        try:
            statements = compile_script(child_text(element.node, "script")).statements
        except ExpressionError:
            return NOTHING  # said where scripts are checked; it might set anything
        return known_of(_run(statements, dict(known)))
    written = writes(element, names)
    return frozenset(item for item in known if _root(item[0]) not in written) if written else known


def after_call(element: Element, known: Known) -> Known:
    """What is known once a call's own script has run over what the called process gave back."""
    source = text_of(extension(element.node, "postScript")) if element.kind == "callActivity" else ""
    try:
        return known_of(_run(compile_script(source).statements, dict(known))) if source else known
    except ExpressionError:
        return NOTHING


def writes(element: Element, names: Names, busy: frozenset[str] = frozenset()) -> frozenset[str]:
    """The variables that an activity may leave behind; of a call, what the called process and its scripts set."""
    found: set[str] = set()
    called = names.model.processes.get(element.node.get("calledElement") or "")
    if element.kind == "callActivity" and called is not None:
        if called.outputs is not None:
            found |= set(called.outputs)
        elif called.id not in busy:
            for inner in called.elements:
                found |= writes(inner, names, busy | {called.id})
        found |= names.brought(element)
    else:
        found |= names.products(element)
    if element.multi is not None:
        found.add(child_text(element.multi, "loopDataOutputRef"))
    return frozenset(found - {""})


def skippable(element: Element) -> bool:
    """Whether an activity may be over before it was begun: a loop that is tested first."""
    loop = child(element.node, "standardLoopCharacteristics")
    return loop is not None and loop.get("testBefore") == "true"


# -- scripts, as far as they can be followed ---------------------------------------------------------------------------
def _run(statements: Iterable[ast.stmt], known: dict[str, Any]) -> dict[str, Any]:
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known = _set(known, name, value)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attr)], value=value):
                said = _value(value, known)
                path = f"{name}.{attr}"
                gone = (path, name)
                known = {key: held for key, held in known.items() if key not in gone and not key.startswith(f"{path}.")}
                if _plain(said):
                    known[path] = said
            case ast.If(test=test, body=body, orelse=orelse):
                verdict = _judged(formula(test), known)
                if verdict is None:
                    one, other = _run(body, dict(known)), _run(orelse, dict(known))
                    known = {key: held for key, held in one.items() if key in other and other[key] == held}
                else:
                    known = _run(body if verdict else orelse, known)
    return known


def _set(known: dict[str, Any], name: str, value: ast.expr) -> dict[str, Any]:
    said = _value(value, known)
    fields: dict[str, Any] = {}
    if isinstance(value, ast.Dict):
        for key, inner in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _plain(held := _value(inner, known)):
                fields[f"{name}.{key.value}"] = held
    elif said is MISSING and isinstance(value, ast.Name | ast.Attribute):  # another name for the same record
        before = ast.unparse(value) + "."
        fields = {name + "." + key[len(before) :]: held for key, held in known.items() if key.startswith(before)}
    known = {key: held for key, held in known.items() if _root(key) != name}
    if _plain(said):
        known[name] = said
    return known | fields


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of an expression, or MISSING when what is known does not tell."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name() | ast.Attribute():
            return look_up(ast.unparse(node), known)
        case ast.BoolOp(op=op, values=parts):
            decisive = isinstance(op, ast.Or)
            said: Any = MISSING
            for part in parts:
                said = _value(part, known)
                if said is MISSING or isinstance(said, Sample) or bool(said) is decisive:
                    return said
            return said
        case ast.IfExp(test=test, body=body, orelse=orelse):
            verdict = _judged(formula(test), known)
            if verdict is not None:
                return _value(body if verdict else orelse, known)
            one, other = _value(body, known), _value(orelse, known)
            return one if one == other else MISSING
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            verdict = _judged(formula(node), known)
            return MISSING if verdict is None else verdict
    return MISSING


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | Sample)


def _root(path: str) -> str:
    return path.partition(".")[0]


# -- conditions over samples -------------------------------------------------------------------------------------------
def _judged(condition: Formula, known: Mapping[str, Any]) -> bool | None:
    samples = {name: json.loads(value.text) for name, value in known.items() if isinstance(value, Sample)}
    return judge(condition, known if not samples else {**known, **_worked_out(condition, known, samples)})


def _worked_out(condition: Formula, known: Mapping[str, Any], samples: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of a condition that a sample decides, as path → value."""
    if condition.parts:
        return {path: value for part in condition.parts for path, value in _worked_out(part, known, samples).items()}
    if condition.kind == "const":
        return {}
    try:
        expression = compile_expression(condition.path)
        given = {**{name: value for name, value in known.items() if "." not in name}, **samples}
        if not expression.names or expression.names - set(given) or not expression.names & set(samples):
            return {}
        return {condition.path: expression.evaluate(given)}
    except (ExpressionError, EvaluationError):
        return {}
