"""The functions and methods of the expression language, each checking its own arguments. All are pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.spiff.expressions_values import EvaluationError, Run, elements, number, sized, wrong

Builtin = Callable[..., Any]  # (run, *arguments) -> value


def _length(run: Run, value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, (str, list, tuple, Mapping)):
        raise wrong("len", value)
    return len(value)


def _comparable(run: Run, name: str, values: list[Any]) -> list[Any]:
    """`values` if they can be ordered among themselves: all numbers, or all texts."""
    run.pay(8 * len(values))  # sorting costs n·log n
    if all(number(value) for value in values) or all(isinstance(value, str) for value in values):
        return values
    raise wrong(name, *values[:2])


def _extreme(name: str, pick: Callable[[list[Any]], Any]) -> Builtin:
    def run_it(run: Run, *values: Any, **default: Any) -> Any:
        if not values:
            raise wrong(name, None)
        several = elements(run, values[0], name) if len(values) == 1 else list(values)
        if not several:
            if "default" in default:
                return default["default"]
            raise EvaluationError("empty", f"「{name}」的列表是空的", f"“{name}” was given an empty list")
        return pick(_comparable(run, name, several))

    return run_it


def _sum(run: Run, values: Any) -> Any:
    several = elements(run, values, "sum")
    if not all(number(value) for value in several):
        raise wrong("sum", *several[:1])
    return sized(run, sum(several))


def _sorted(run: Run, values: Any, *, reverse: Any = False) -> list[Any]:
    return sorted(_comparable(run, "sorted", elements(run, values, "sorted")), reverse=bool(reverse))


def _absolute(run: Run, value: Any) -> Any:
    if not number(value):
        raise wrong("abs", value)
    return abs(value)


def _round(run: Run, value: Any, digits: Any = None) -> Any:
    if not number(value) or not (digits is None or (type(digits) is int and abs(digits) <= 15)):
        raise wrong("round", value)
    return sized(run, round(value, digits))


def _text(run: Run, value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (list, tuple, Mapping)):  # a list may share parts and grow without end
        raise wrong("str", value)
    return str(sized(run, value))


def _integer(run: Run, value: Any) -> int:
    if isinstance(value, str):
        if len(value) > 40:
            raise EvaluationError("too_big", "数字太大", "The number is too large")
    elif not number(value):
        raise wrong("int", value)
    return int(sized(run, int(value)))


def _float(run: Run, value: Any) -> float:
    if isinstance(value, str):
        if len(value) > 40:
            raise EvaluationError("too_big", "数字太大", "The number is too large")
    elif not number(value):
        raise wrong("float", value)
    return float(sized(run, float(value)))


FUNCTIONS: dict[str, Builtin] = {
    "len": _length,
    "min": _extreme("min", min),
    "max": _extreme("max", max),
    "sum": _sum,
    "abs": _absolute,
    "round": _round,
    "any": lambda run, values: any(elements(run, values, "any")),
    "all": lambda run, values: all(elements(run, values, "all")),
    "sorted": _sorted,
    "str": _text,
    "int": _integer,
    "float": _float,
    "bool": lambda run, value: bool(value),
}


def call_method(run: Run, name: str, target: Any, arguments: list[Any]) -> Any:
    """`target.name(arguments)` for the few methods there are; on anything but a text or a record it is an error."""
    if isinstance(target, str):
        if all(isinstance(value, (str, list, tuple)) for value in arguments):
            run.pay(1 + len(target) // 16)
            method = _TEXT_METHODS.get(name)
            if method is not None:
                return method(run, target, *arguments)
    elif isinstance(target, Mapping) or target is None:
        run.pay(1 + len(target or ()))
        method = _RECORD_METHODS.get(name)
        if method is not None:
            return method(run, target or {}, *arguments)
    raise wrong(f".{name}()", target)


def _split(run: Run, text: str, separator: Any = None) -> list[str]:
    if separator is not None and (not isinstance(separator, str) or not separator):
        raise wrong("split", separator)
    run.pay(1 + len(text))
    parts: list[str] = sized(run, text.split(separator))
    return parts


def _join(run: Run, text: str, values: Any) -> str:
    several = elements(run, values, "join")
    if not all(isinstance(value, str) for value in several):
        raise wrong("join", *several[:1])
    run.pay((sum(map(len, several)) + len(text) * len(several)) // 16)
    joined: str = sized(run, text.join(several))
    return joined


def _affix(method: Callable[[str, str], bool]) -> Builtin:
    def run_it(run: Run, text: str, part: Any) -> bool:
        if not isinstance(part, str):
            raise wrong("startswith / endswith", text, part)
        return method(text, part)

    return run_it


def _get(run: Run, record: Mapping[str, Any], key: Any, default: Any = None) -> Any:
    if not isinstance(key, str):
        raise wrong("get", key)
    return record.get(key, default)


_TEXT_METHODS: dict[str, Builtin] = {
    "upper": lambda run, text: sized(run, text.upper()),
    "lower": lambda run, text: sized(run, text.lower()),
    "strip": lambda run, text: sized(run, text.strip()),
    "startswith": _affix(str.startswith),
    "endswith": _affix(str.endswith),
    "split": _split,
    "join": _join,
}
_RECORD_METHODS: dict[str, Builtin] = {
    "get": _get,
    "keys": lambda run, record: list(record),
    "values": lambda run, record: list(record.values()),
    "items": lambda run, record: [list(pair) for pair in record.items()],
}
