"""Which steps of a diagram are the stations of a control: not by their name alone, but by what they really do."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from engine.calendar import Duration, DurationError, parse_duration
from engine.spiff.control import Station
from engine.spiff.elements import SPIFF
from engine.spiff.expressions import EvaluationError, ExpressionError, compile_expression, compile_script
from engine.spiff.gate_known import skippable
from engine.spiff.gate_model import HUMAN, Element, child_text, extension, text_of

_WORD = re.compile(r"\w+")
HANDED_OVER = "recused"  # what a called process reads whom to keep out from


def is_station(element: Element, station: Station) -> bool:
    """Whether the element does what the station is there for."""
    return (
        any(matches(element, name, people=True) for name in station.names)
        and not skippable(element)
        and (element.multi is None or element.kind in HUMAN)
        and _keeps_out(element, station)
        and _asks(element, station)
        and _is_given(element, station.parameters)
    )


def lets_time(boundary: Element, station: Station) -> bool:
    """Whether leaving by this boundary event means that somebody was asked and had the time to answer."""
    timer = boundary.definition("timer")
    if not station.timers or timer is None or not boundary.interrupting:
        return False
    if not station.least:
        return True
    lengths = list(_lengths(child_text(timer, "timeDuration")))
    return bool(lengths) and all(_enough(each, parse_duration(station.least)) for each in lengths)


def matches(element: Element, pattern: str, *, people: bool = False) -> bool:
    """Whether a pattern of a control means the element. With `people` a plain id means a person's task alone."""
    kind, _, name = pattern.rpartition(":")
    if kind == "call":
        return element.kind == "callActivity" and fnmatchcase(element.node.get("calledElement") or "", name)
    if kind == "table":
        called = text_of(extension(element.node, "calledDecisionId"))
        return element.kind == "businessRuleTask" and fnmatchcase(called, name)
    if kind == "operation":
        operator = extension(element.node, "serviceTaskOperator")
        return operator is not None and fnmatchcase(operator.get("id") or "", name)
    return fnmatchcase(element.id, name) and (not people or element.kind in HUMAN)


# -- who is asked, and who is not --------------------------------------------------------------------------------------
def _asks(element: Element, station: Station) -> bool:
    if not station.asks:
        return True
    said = [element.properties.get("assignee") or element.properties.get("candidates") or element.lane or ""]
    return bool(set(station.asks) & {word for text in said for word in _WORD.findall(text)})


def _keeps_out(element: Element, station: Station) -> bool:
    if not station.recuses:
        return True
    source = element.properties.get("recuse", "")
    if element.kind == "callActivity":
        source = _scripted(element, "preScript").get(HANDED_OVER, "")
    elif element.kind not in HUMAN:
        return True
    try:
        expression = compile_expression(source)
    except ExpressionError:
        return False
    named = expression.names & set(station.recuses)
    return bool(named) and _contains(source, named)


def _contains(source: str, wanted: Iterable[str]) -> bool:
    """Whether the people that some of these variables hold are really in the value, tried out with stand-ins.

    What cannot be tried (it asks the directory, or reads deeper records) counts when it names them.
    """
    expression, tried = compile_expression(source), False
    stand_ins: tuple[Any, ...] = (None, [], {})
    for name in wanted:
        for held, others in itertools.product(("§", ["§"]), stand_ins):
            try:
                value = expression.evaluate({**dict.fromkeys(expression.names, others), name: held})
            except (EvaluationError, ExpressionError):
                continue
            tried = True
            if "§" in str(value):
                return True
    return not tried


# -- what it is given --------------------------------------------------------------------------------------------------
def _is_given(element: Element, wanted: Mapping[str, str]) -> bool:
    if not wanted:
        return True
    given = _scripted(element, "preScript") if element.kind == "callActivity" else _parameters(element)
    return all(_same(given.get(name, ""), text) for name, text in wanted.items())


def _parameters(element: Element) -> dict[str, str]:
    operator = extension(element.node, "serviceTaskOperator")
    found = operator.iter(f"{{{SPIFF}}}parameter") if operator is not None else ()
    return {each.get("id") or "": each.get("value") or "" for each in found}


def _scripted(element: Element, name: str) -> dict[str, str]:
    """What a script of a call assigns at its top level, as expressions; nothing when twice or in an `if`."""
    try:
        statements = compile_script(text_of(extension(element.node, name))).statements
    except ExpressionError:
        return {}
    found: dict[str, str] = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                found[target] = ast.unparse(value) if target not in found else ""
            case _:
                for target in (each.id for each in ast.walk(statement) if isinstance(each, ast.Name)):
                    found[target] = ""
    return found


def _same(one: str, other: str) -> bool:
    try:
        return ast.dump(compile_expression(one).tree) == ast.dump(compile_expression(other).tree)
    except ExpressionError:
        return False


# -- how long ----------------------------------------------------------------------------------------------------------
def _lengths(text: str) -> Iterable[Duration]:
    """The lengths of time a timer may have: the text itself, or those its expression chooses among."""
    texts: list[Any] = [text.strip().strip("\"'")]
    with contextlib.suppress(ExpressionError):
        texts += [node.value for node in ast.walk(compile_expression(text).tree) if isinstance(node, ast.Constant)]
    for each in texts:
        try:
            yield parse_duration(str(each))
        except (DurationError, ValueError, OverflowError):
            continue


def _enough(one: Duration, least: Duration) -> bool:
    """Whether a length is at least another. Working days are also so many days; the reverse says nothing."""
    if least.working_days:
        return one.working_days >= least.working_days
    return one.elapsed >= least.elapsed if one.elapsed else one.working_days >= least.elapsed.days
