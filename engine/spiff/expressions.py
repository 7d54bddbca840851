"""Expressions and scripts: a bounded subset of Python for conditions, candidates, parameters, scripts, decision cells.

A text is checked against a whitelist (`expressions_check`), turned into closures (`expressions_build`) over bounded
operations (`expressions_values`, `expressions_functions`) and kept. No text ever reaches `eval`, `exec` or `compile`.

`a.b` reads a field of a record; a missing variable or field is None (the gate refuses names that nobody sets). `None`
in `<` or `+` is an `EvaluationError`, never a silent answer. Texts cannot be formatted, objects have no attributes,
loops have a budget.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from engine.errors import GuijuError
from engine.spiff.expressions_build import Builder, Code
from engine.spiff.expressions_check import BUILTINS, ExpressionError, is_name, parse_expression, parse_script
from engine.spiff.expressions_values import EvaluationError, Functions, Run, field

__all__ = [
    "BUILTINS",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Script",
    "compile_expression",
    "compile_script",
    "is_name",
]

NO_FUNCTIONS: Functions = {}
_FAULTS = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


class Expression:
    """A checked expression. `names`: the variables it reads, loop variables excluded; `calls`: host functions."""

    __slots__ = ("_code", "calls", "names", "source", "tree")

    def __init__(self, source: str) -> None:
        self.source = source.strip()
        self.tree: ast.expr = parse_expression(source)  # for the gate's static checks only
        builder = Builder()
        self._code: Code = builder.expression(self.tree)
        self.names = frozenset(builder.names)
        self.calls = frozenset(builder.calls)

    def evaluate(self, variables: Mapping[str, Any], functions: Functions = NO_FUNCTIONS) -> Any:
        """The value over `variables`. Raises `EvaluationError`; a host function's own `GuijuError` passes through."""
        run = Run(variables.get, functions)
        try:
            value = self._code(run)
            if isinstance(value, (list, dict)):
                run.weigh(value)
            return value
        except GuijuError:
            raise
        except _FAULTS as error:
            raise _fault(error) from None

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


class Script:
    """A checked script: assignments and if/elif/else. `names` are the variables it reads, `assigned` those it sets."""

    __slots__ = ("_steps", "assigned", "calls", "names", "source", "statements")

    def __init__(self, source: str) -> None:
        self.source = source.strip()
        self.statements: list[ast.stmt] = parse_script(source)  # for the gate's static checks only
        builder = Builder()
        assigned: set[str] = set()
        self._steps = _block(self.statements, builder, assigned)
        self.names = frozenset(builder.names)
        self.calls = frozenset(builder.calls)
        self.assigned = frozenset(assigned)

    def run(self, variables: Mapping[str, Any], functions: Functions = NO_FUNCTIONS) -> dict[str, Any]:
        """What the script assigned, and nothing else; `variables` and what it holds stay as they were."""
        scope = dict(variables)
        assigned: dict[str, Any] = {}
        run = Run(scope.get, functions)
        try:
            for step in self._steps:
                step(run, scope, assigned)
            for value in assigned.values():
                run.weigh(value)
        except GuijuError:
            raise
        except _FAULTS as error:
            raise _fault(error) from None
        return assigned

    def __repr__(self) -> str:
        return f"Script({self.source!r})"


Step = Callable[[Run, dict[str, Any], dict[str, Any]], None]


def _block(statements: list[ast.stmt], builder: Builder, assigned: set[str]) -> list[Step]:
    steps: list[Step] = []
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned.add(name)
                steps.append(_assign(name, builder.expression(value)))
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attr)], value=value):
                assigned.add(name)
                steps.append(_assign_field(name, attr, builder.expression(value)))
            case ast.If(test=test, body=body, orelse=orelse):
                steps.append(
                    _choose(
                        builder.expression(test), _block(body, builder, assigned), _block(orelse, builder, assigned)
                    )
                )
    return steps


def _assign(name: str, code: Code) -> Step:
    def step(run: Run, scope: dict[str, Any], assigned: dict[str, Any]) -> None:
        scope[name] = assigned[name] = code(run)

    return step


def _assign_field(name: str, attr: str, code: Code) -> Step:
    def step(run: Run, scope: dict[str, Any], assigned: dict[str, Any]) -> None:
        record = scope.get(name)
        field(record, attr)  # refuses what is neither a record nor missing
        run.pay(1 + len(record or ()))
        scope[name] = assigned[name] = {**(record or {}), attr: code(run)}  # a copy: history may share the old one

    return step


def _choose(test: Code, body: list[Step], orelse: list[Step]) -> Step:
    def step(run: Run, scope: dict[str, Any], assigned: dict[str, Any]) -> None:
        for inner in body if test(run) else orelse:
            inner(run, scope, assigned)

    return step


def _fault(error: Exception) -> EvaluationError:
    if isinstance(error, (RecursionError, MemoryError)):
        return EvaluationError("too_deep", "数据嵌套太深", "The data is nested too deeply")
    kind = type(error).__name__
    return EvaluationError("type", f"表达式与数据不符（{kind}）", f"The expression does not fit the data ({kind})")


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """The expression written in `source`; the same text gives the same object. Raises `ExpressionError`."""
    return Expression(source)


@lru_cache(maxsize=1024)
def compile_script(source: str) -> Script:
    """The script written in `source`. Raises `ExpressionError`."""
    return Script(source)
