"""Conditions as logic: whether a gateway's conditions cover every case, and which way a known value takes.

A condition becomes a formula over *facts*: a path (`dept_confirm.outcome`) having one of some values, a path being
true, or anything else as a fact of its own. Finite domains (enumerations, yes/no) and the facts are tried
exhaustively, up to a limit.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.spiff.gate_shapes import Shape

COMBINATIONS = 4_096
OTHER = "…"  # some value no condition mentions
MISSING: Any = object()  # nothing is known of it


@dataclass(frozen=True)
class Formula:
    """`kind`: const, not, and, or, in (path has one of `values`), true (path is truthy), fact (anything else)."""

    kind: str
    parts: tuple[Formula, ...] = ()
    path: str = ""
    values: frozenset[Any] = frozenset()
    value: bool = False


def formula(node: ast.expr) -> Formula:
    """The logic of a condition."""
    match node:
        case ast.BoolOp(op=op, values=values):
            kind = "and" if isinstance(op, ast.And) else "or"
            return Formula(kind, parts=tuple(formula(part) for part in values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _negated(formula(operand))
        case ast.Constant(value=bool(value)):
            return Formula("const", value=value)
        case ast.Name() | ast.Attribute():
            return Formula("true", path=ast.unparse(node))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _comparison(left, op, right, node)
    return Formula("fact", path=ast.unparse(node))


def _negated(inner: Formula) -> Formula:
    return Formula("not", parts=(inner,))


def _comparison(left: ast.expr, op: ast.cmpop, right: ast.expr, node: ast.expr) -> Formula:
    if isinstance(left, ast.Constant) and isinstance(op, (ast.Eq, ast.NotEq)):
        left, right = right, left
    if isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)) and isinstance(right, ast.Constant):
        found = Formula("in", path=ast.unparse(left), values=frozenset({right.value}))
        return found if isinstance(op, (ast.Eq, ast.Is)) else _negated(found)
    if isinstance(op, (ast.In, ast.NotIn)):
        if isinstance(right, (ast.List, ast.Tuple)) and all(isinstance(part, ast.Constant) for part in right.elts):
            values = frozenset(part.value for part in right.elts if isinstance(part, ast.Constant))
            found = Formula("in", path=ast.unparse(left), values=values)
        else:
            found = Formula("fact", path=f"{ast.unparse(left)} in {ast.unparse(right)}")
        return found if isinstance(op, ast.In) else _negated(found)
    a, b = ast.unparse(left), ast.unparse(right)
    match op:
        case ast.Lt():
            return Formula("fact", path=f"{a} < {b}")
        case ast.GtE():
            return _negated(Formula("fact", path=f"{a} < {b}"))
        case ast.Gt():
            return Formula("fact", path=f"{b} < {a}")
        case ast.LtE():
            return _negated(Formula("fact", path=f"{b} < {a}"))
    return Formula("fact", path=ast.unparse(node))


def judge(condition: Formula, known: Mapping[str, Any]) -> bool | None:
    """True, False, or None when what is known does not decide it."""
    match condition.kind:
        case "const":
            return condition.value
        case "not":
            inner = judge(condition.parts[0], known)
            return None if inner is None else not inner
        case "and" | "or":
            decisive = condition.kind == "or"
            judged = [judge(part, known) for part in condition.parts]
            if decisive in judged:
                return decisive
            return None if None in judged else not decisive
    value = look_up(condition.path, known)
    if value is MISSING:
        return None
    if condition.kind == "in":
        return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in condition.values)
    return bool(value)


def look_up(path: str, known: Mapping[str, Any]) -> Any:
    """What is known of a path, MISSING when nothing is. What is known to be None has no fields."""
    if path in known:
        return known[path]
    while "." in path:
        path = path.rpartition(".")[0]
        if path in known:
            return None if known[path] is None else MISSING
    return MISSING


def facts(condition: Formula) -> Iterator[Formula]:
    """The formulas at the leaves."""
    if condition.parts:
        for part in condition.parts:
            yield from facts(part)
    elif condition.kind != "const":
        yield condition


def uncovered(conditions: list[Formula], domain: Callable[[str], tuple[Shape, bool]]) -> dict[str, Any] | None:
    """A case in which no condition holds, as path → value; None when every case is covered; {} when there are too many.

    `domain` gives the shape of a path and whether it may be missing.
    """
    leaves = [leaf for condition in conditions for leaf in facts(condition)]
    choices: dict[str, list[Any]] = {}
    for leaf in leaves:
        if leaf.kind == "fact":
            choices.setdefault(leaf.path, [False, True])
    for path in {leaf.path for leaf in leaves if leaf.kind != "fact"}:
        choices[path] = _domain([leaf for leaf in leaves if leaf.path == path], *domain(path))
    size = 1
    for values in choices.values():
        size *= len(values)
        if size > COMBINATIONS:
            return {}
    for combination in itertools.product(*choices.values()):
        known = dict(zip(choices, combination, strict=True))
        if not any(judge(condition, known) for condition in conditions):
            return known
    return None


def _domain(leaves: list[Formula], shape: Shape, may_miss: bool) -> list[Any]:
    mentioned = sorted({value for leaf in leaves for value in leaf.values if value is not None}, key=repr)
    missing = [None] if may_miss else []
    if shape.values is not None:
        return [*sorted(shape.values, key=repr), *missing]
    if shape.kind == "boolean":
        return [True, False, *missing]
    falsy = [""] if any(leaf.kind == "true" for leaf in leaves) else []
    return [*mentioned, OTHER, *falsy, *missing]
