"""Checked syntax to nested Python closures: evaluation is plain function calls, so no `eval` or `exec` exists anywhere.

`Builder` handles one expression or script. Each method returns a function of one `Run`. Loop variables become
numbered slots, all other names are read from the run's variables. What the static checks of the gate want to know
(`names`, `calls`) is collected on the way.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from engine.spiff import expressions_values as values
from engine.spiff.expressions_check import BUILTINS, refuse
from engine.spiff.expressions_functions import FUNCTIONS, call_method
from engine.spiff.expressions_values import EvaluationError, Run

Code = Callable[[Run], Any]

_BINARY: dict[type[ast.operator], Callable[[Run, Any, Any], Any]] = {
    ast.Add: values.add,
    ast.Mult: values.multiply,
    ast.Sub: values.arithmetic("-", operator.sub),
    ast.Div: values.arithmetic("/", operator.truediv),
    ast.FloorDiv: values.arithmetic("//", operator.floordiv),
    ast.Mod: values.arithmetic("%", operator.mod),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Run, Any, Any], bool]] = {
    ast.Eq: values.equal,
    ast.NotEq: lambda run, a, b: not values.equal(run, a, b),
    ast.Lt: values.ordering("<", operator.lt),
    ast.LtE: values.ordering("<=", operator.le),
    ast.Gt: values.ordering(">", operator.gt),
    ast.GtE: values.ordering(">=", operator.ge),
    ast.In: values.contains,
    ast.NotIn: lambda run, a, b: not values.contains(run, a, b),
    ast.Is: lambda run, a, b: a is b,
    ast.IsNot: lambda run, a, b: a is not b,
}


class Builder:
    """Builds closures for one source text; `names` and `calls` are what it reads and which host functions it calls."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.calls: set[str] = set()
        self._loops: list[dict[str, int]] = []  # innermost last: loop variable -> slot
        self._slots = 0

    def expression(self, node: ast.expr) -> Code:
        build: Callable[[Any], Code] = getattr(self, f"_build_{type(node).__name__.lower()}")
        return build(node)

    def _build_constant(self, node: ast.Constant) -> Code:
        constant = node.value
        return lambda run: constant

    def _build_name(self, node: ast.Name) -> Code:
        name = node.id
        for loop in reversed(self._loops):
            if name in loop:
                slot = loop[name]
                return lambda run: run.slots[slot]
        self.names.add(name)
        return lambda run: run.get(name)

    def _build_attribute(self, node: ast.Attribute) -> Code:
        record, name, field = self.expression(node.value), node.attr, values.field

        def read(run: Run) -> Any:
            found = record(run)
            return found.get(name) if type(found) is dict else field(found, name)

        return read

    def _build_subscript(self, node: ast.Subscript) -> Code:
        container = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            start = self.expression(node.slice.lower) if node.slice.lower else _nothing
            stop = self.expression(node.slice.upper) if node.slice.upper else _nothing
            return lambda run: values.cut(run, container(run), start(run), stop(run))
        key = self.expression(node.slice)
        return lambda run: values.item(container(run), key(run))

    def _build_boolop(self, node: ast.BoolOp) -> Code:
        parts = [self.expression(part) for part in node.values]
        first, rest = parts[0], parts[1:]
        stop_on = isinstance(node.op, ast.Or)

        def either(run: Run) -> Any:
            value = first(run)
            for part in rest:
                if bool(value) is stop_on:
                    return value
                value = part(run)
            return value

        return either

    def _build_unaryop(self, node: ast.UnaryOp) -> Code:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda run: not operand(run)
        negative = isinstance(node.op, ast.USub)

        def sign(run: Run) -> Any:
            value = operand(run)
            if not values.number(value):
                raise values.wrong("-" if negative else "+", value)
            return -value if negative else +value

        return sign

    def _build_binop(self, node: ast.BinOp) -> Code:
        left, right, apply = self.expression(node.left), self.expression(node.right), _BINARY[type(node.op)]
        return lambda run: apply(run, left(run), right(run))

    def _build_compare(self, node: ast.Compare) -> Code:
        left = self.expression(node.left)
        if len(node.ops) == 1:
            right_node, apply = node.comparators[0], _COMPARE[type(node.ops[0])]
            if isinstance(right_node, ast.Constant) and isinstance(node.ops[0], ast.Eq):
                constant = right_node.value  # the commonest test of all: no size to check against a literal
                return lambda run: bool(left(run) == constant)
            right = self.expression(right_node)
            return lambda run: apply(run, left(run), right(run))
        steps = [
            (_COMPARE[type(op)], self.expression(part)) for op, part in zip(node.ops, node.comparators, strict=True)
        ]

        def chain(run: Run) -> bool:
            a = left(run)
            for compare, part in steps:
                b = part(run)
                if not compare(run, a, b):
                    return False
                a = b
            return True

        return chain

    def _build_ifexp(self, node: ast.IfExp) -> Code:
        test, yes, no = self.expression(node.test), self.expression(node.body), self.expression(node.orelse)
        return lambda run: yes(run) if test(run) else no(run)

    def _build_list(self, node: ast.List | ast.Tuple) -> Code:
        parts = [self.expression(part) for part in node.elts]
        return lambda run: [part(run) for part in parts]

    _build_tuple = _build_list  # JSON has no tuples: `x in ("a", "b")` reads a list

    def _build_dict(self, node: ast.Dict) -> Code:
        keys = [self.expression(key) for key in node.keys if key is not None]
        pairs = list(zip(keys, [self.expression(value) for value in node.values], strict=True))
        return lambda run: {_key(key(run)): value(run) for key, value in pairs}

    def _build_listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Code:
        return self._loop(node.generators, [node.elt], node, lambda into: [row[0] for row in into])

    _build_generatorexp = _build_listcomp  # never lazy: a generator object would have frames to climb out through

    def _build_dictcomp(self, node: ast.DictComp) -> Code:
        return self._loop(
            node.generators, [node.key, node.value], node, lambda into: {_key(key): value for key, value in into}
        )

    def _loop(
        self,
        generators: list[ast.comprehension],
        results: list[ast.expr],
        node: ast.expr,
        pack: Callable[[list[list[Any]]], Any],
    ) -> Code:
        """Nested `for`/`if` clauses; every turn is paid for by the size of what it evaluates."""
        price = sum(1 for _ in ast.walk(node))
        levels: list[tuple[Code, list[int], list[Code]]] = []
        for clause in generators:
            source = self.expression(clause.iter)
            targets = clause.target.elts if isinstance(clause.target, ast.Tuple) else [clause.target]
            bound: dict[str, int] = {}
            for target in targets:
                assert isinstance(target, ast.Name)
                bound[target.id] = self._slots
                self._slots += 1
            self._loops.append(bound)
            levels.append((source, list(bound.values()), [self.expression(test) for test in clause.ifs]))
            if len(bound) != len(targets):
                raise refuse("name", clause.target, "循环变量重复", "A loop variable is repeated")
        parts = [self.expression(result) for result in results]
        del self._loops[len(self._loops) - len(generators) :]
        slots = self._slots

        def turn(run: Run, level: int, into: list[list[Any]]) -> None:
            if level == len(levels):
                into.append([part(run) for part in parts])
                return
            source, targets, tests = levels[level]
            for element in values.elements(run, source(run), "for"):
                run.pay(price)
                _bind(run, targets, element)
                if all(test(run) for test in tests):
                    turn(run, level + 1, into)

        def loop(run: Run) -> Any:
            if len(run.slots) < slots:
                run.slots.extend([None] * (slots - len(run.slots)))
            into: list[list[Any]] = []
            turn(run, 0, into)
            return pack(into)

        return loop

    def _build_call(self, node: ast.Call) -> Code:
        arguments = [self.expression(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            target, method = self.expression(node.func.value), node.func.attr
            return lambda run: call_method(run, method, target(run), [argument(run) for argument in arguments])
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in BUILTINS:
            builtin = FUNCTIONS[name]
            named = {str(keyword.arg): self.expression(keyword.value) for keyword in node.keywords}
            if named:
                return lambda run: builtin(run, *[a(run) for a in arguments], **{k: v(run) for k, v in named.items()})
            return lambda run: builtin(run, *[argument(run) for argument in arguments])
        self.calls.add(name)

        def call(run: Run) -> Any:
            function = run.functions.get(name)
            if function is None:
                raise EvaluationError("function", f"没有函数「{name}」", f"There is no function “{name}”")
            return function(*[argument(run) for argument in arguments])

        return call


def _nothing(run: Run) -> None:
    return None


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise values.wrong("{}", key)
    return key


def _bind(run: Run, targets: list[int], element: Any) -> None:
    if len(targets) == 1:
        run.slots[targets[0]] = element
        return
    if not isinstance(element, (list, tuple)) or len(element) != len(targets):
        raise values.wrong("for", element)
    for slot, part in zip(targets, element, strict=True):
        run.slots[slot] = part
