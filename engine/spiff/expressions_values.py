"""Every operation an expression can perform on values, each bounded in time and size.

Values are JSON values: None, bool, int, float, str, list, dict with text keys. A `Run` carries the budget of one
evaluation: work that grows with the data is paid for before it is done, so nested loops over long lists stop with an
error instead of hanging.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from engine.errors import GuijuError, Text

BUDGET = 100_000  # units of work in one evaluation: about 10 ms at worst
TEXT_LENGTH = 20_000  # characters of a text made by an expression
LIST_LENGTH = 10_000  # elements of a list made by an expression
INTEGER_BITS = 256
VALUE_DEPTH = 32

Functions = Mapping[str, Callable[..., Any]]


class EvaluationError(GuijuError):
    """A checked expression met values it cannot work with, or used up its budget."""

    status = 500
    code = "evaluation"
    text: ClassVar[Text] = {"zh-CN": "表达式无法求值", "en": "The expression cannot be evaluated"}

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code, text={"zh-CN": zh, "en": en})


class Run:
    """One evaluation: where names are read, which host functions there are, loop variables, and the budget left."""

    __slots__ = ("budget", "functions", "get", "slots")

    def __init__(self, get: Callable[[str], Any], functions: Functions) -> None:
        self.get = get
        self.functions = functions
        self.slots: list[Any] = []
        self.budget = BUDGET

    def pay(self, units: int) -> None:
        self.budget -= units
        if self.budget < 0:
            raise EvaluationError("budget", "计算量太大，已停止", "Too much work; stopped")

    def weigh(self, value: Any) -> None:
        """Pay for every element inside `value`; shared parts are paid each time they are reached, as JSON would."""
        stack = [(value, 0)]
        while stack:
            item, depth = stack.pop()
            kind = type(item)
            if kind is str:
                self.pay(1 + len(item) // 64)
            elif kind is list or kind is tuple:
                self._deeper(depth, len(item))
                stack.extend((inner, depth + 1) for inner in item)
            elif isinstance(item, Mapping):
                self._deeper(depth, len(item))
                stack.extend((inner, depth + 1) for inner in item.values())
            else:
                self.pay(1)

    def _deeper(self, depth: int, length: int) -> None:
        if depth >= VALUE_DEPTH:
            raise EvaluationError("too_deep", "数据嵌套太深", "The data is nested too deeply")
        self.pay(1 + length)


def kind_of(value: Any) -> tuple[str, str]:
    """What a value is, in both languages, for an error text. The value itself is never quoted: it may be personal."""
    match value:
        case None:
            return "空值", "nothing (None)"
        case bool():
            return "是/否", "a yes/no value"
        case int() | float():
            return "数字", "a number"
        case str():
            return "文字", "a text"
        case list() | tuple():
            return "列表", "a list"
        case Mapping():
            return "记录", "a record"
    return "未知类型", "of an unknown kind"


def wrong(sign: str, *values: Any) -> EvaluationError:
    """The error for `sign` applied to values of kinds it does not take."""
    zh, en = zip(*map(kind_of, values), strict=True)
    return EvaluationError(
        "type", f"「{sign}」不能用于{'和'.join(zh)}", f"“{sign}” cannot be used with {' and '.join(en)}"
    )


def field(record: Any, name: str) -> Any:
    """`record.name`: None when the record or the field is missing."""
    if isinstance(record, Mapping):
        return record.get(name)
    if record is None:
        return None
    zh, en = kind_of(record)
    raise EvaluationError("type", f"{zh}没有字段「{name}」", f"Only a record has fields; “{name}” was asked of {en}")


def item(container: Any, key: Any) -> Any:
    """`container[key]`: None for a missing key or container, an error for a position outside a list."""
    if container is None:
        return None
    if isinstance(container, Mapping):
        if not isinstance(key, str):
            raise wrong("[]", container, key)
        return container.get(key)
    if isinstance(container, (list, tuple, str)) and type(key) is int:
        if -len(container) <= key < len(container):
            return container[key]
        raise EvaluationError("index", "列表中没有这个位置", "There is no such position in the list")
    raise wrong("[]", container, key)


def cut(run: Run, container: Any, start: Any, stop: Any) -> Any:
    """`container[start:stop]`."""
    ends = all(end is None or type(end) is int for end in (start, stop))
    if not isinstance(container, (list, tuple, str)) or not ends:
        raise wrong("[:]", container)
    run.pay(1 + len(container) // 8)
    part = container[start:stop]
    return list(part) if isinstance(part, tuple) else part


def number(value: Any) -> bool:
    return isinstance(value, (int, float))


def sized(run: Run, value: Any) -> Any:
    """`value` if it is small enough to keep: integers in bits, texts and lists in length; floats must be finite."""
    kind = type(value)
    if kind is int:
        if value.bit_length() > INTEGER_BITS:
            raise EvaluationError("too_big", "数字太大", "The number is too large")
    elif kind is float:
        if not math.isfinite(value):
            raise EvaluationError("too_big", "数字太大", "The number is too large")
    elif kind is str:
        _room(run, len(value), TEXT_LENGTH, 16)
    elif kind is list:
        _room(run, len(value), LIST_LENGTH, 1)
    return value


def _room(run: Run, length: int, limit: int, each: int) -> None:
    if length > limit:
        raise EvaluationError("too_big", "文字或列表太长", "The text or list is too long")
    run.pay(1 + length // each)


def add(run: Run, a: Any, b: Any) -> Any:
    if number(a) and number(b):
        return sized(run, a + b)
    if isinstance(a, str) and isinstance(b, str):
        _room(run, len(a) + len(b), TEXT_LENGTH, 16)
        return a + b
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        _room(run, len(a) + len(b), LIST_LENGTH, 1)
        return [*a, *b]
    raise wrong("+", a, b)


def multiply(run: Run, a: Any, b: Any) -> Any:
    if number(a) and number(b):
        bits = sum(value.bit_length() for value in (a, b) if isinstance(value, int))
        if bits > 2 * INTEGER_BITS:
            raise EvaluationError("too_big", "数字太大", "The number is too large")
        return sized(run, a * b)
    if isinstance(b, (str, list, tuple)):
        a, b = b, a
    if isinstance(a, (str, list, tuple)) and type(b) is int:
        text = isinstance(a, str)
        _room(run, len(a) * max(b, 0), TEXT_LENGTH if text else LIST_LENGTH, 16 if text else 1)
        return a * b if text else list(a) * b
    raise wrong("*", a, b)


def arithmetic(sign: str, apply: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], Any]:
    """`-`, `/`, `//`, `%`: numbers only, so that `%` can never format a text."""

    def run_it(run: Run, a: Any, b: Any) -> Any:
        if not (number(a) and number(b)):
            raise wrong(sign, a, b)
        if b == 0 and sign != "-":
            raise EvaluationError("zero", "除数为零", "Division by zero")
        return sized(run, apply(a, b))

    return run_it


def ordering(sign: str, apply: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], bool]:
    """`<`, `<=`, `>`, `>=`: two numbers or two texts."""

    def run_it(run: Run, a: Any, b: Any) -> bool:
        if (number(a) and number(b)) or (isinstance(a, str) and isinstance(b, str)):
            return bool(apply(a, b))
        raise wrong(sign, a, b)

    return run_it


def equal(run: Run, a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple, Mapping)) and isinstance(b, (list, tuple, Mapping)):
        run.weigh(a)
        run.weigh(b)
        if isinstance(a, tuple):
            a = list(a)
        if isinstance(b, tuple):
            b = list(b)
    return bool(a == b)


def contains(run: Run, needle: Any, hay: Any) -> bool:
    """`needle in hay`; nothing is in a missing list."""
    if hay is None:
        return False
    if isinstance(hay, str):
        if not isinstance(needle, str):
            raise wrong("in", needle, hay)
        run.pay(1 + len(hay) // 16)
        return needle in hay
    if isinstance(hay, Mapping):
        if not isinstance(needle, (str, int, float, type(None))):
            raise wrong("in", needle, hay)
        return needle in hay
    if isinstance(hay, (list, tuple)):
        run.weigh(hay)
        if isinstance(needle, (list, tuple, Mapping)):
            run.weigh(needle)
        return needle in hay
    raise wrong("in", needle, hay)


def elements(run: Run, values: Any, name: str) -> list[Any]:
    """The elements of a list, text or record (its keys); a missing list is empty."""
    if values is None:
        return []
    if not isinstance(values, (list, tuple, str, Mapping)):
        raise wrong(name, values)
    run.pay(1 + len(values))
    return list(values)
