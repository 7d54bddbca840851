"""The forms of a bundle: readable, valid, in both languages, and nothing in them that could hang or leak."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from engine.forms import form_problems
from engine.spiff.expressions import is_name
from engine.spiff.gate_controls import secret_fields

try:  # the standard library's own parser of patterns, under its name since Python 3.11
    from re import _parser as sre  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - older names
    import sre_parse as sre

SIZE = 256 * 1024
LANGUAGES = ("zh-CN", "en")
Finding = tuple[str, str, str, str]  # (field, code, zh, en)


@lru_cache(maxsize=512)
def read_form(data: bytes) -> tuple[Any, tuple[Finding, ...]]:
    """The form as parsed (None when it cannot be) and what is wrong with it. Must not be changed: it is shared."""
    if len(data) > SIZE:
        return None, (("", "form-size", "表单超过 256 KB", "The form is larger than 256 KB"),)
    doubled: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in items]
        doubled.extend(key for key in set(keys) if keys.count(key) > 1)
        return dict(items)

    try:
        form = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError):
        return None, (("", "form-json", "不是有效的 JSON", "This is not valid JSON"),)
    except RecursionError:
        return None, (("", "form-json", "嵌套太深", "Nested too deeply"),)
    findings = [(key, "form-json", f"「{key}」写了两次", f"“{key}” is given twice") for key in doubled]
    try:
        findings += [("", "form", problem["zh-CN"], problem["en"]) for problem in form_problems(form)]
        findings += _own_problems(form)
    except RecursionError:
        return None, (("", "form-json", "嵌套太深", "Nested too deeply"),)
    return form, tuple(findings)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _own_problems(form: Any) -> Iterator[Finding]:
    properties = form.get("properties") if isinstance(form, Mapping) else None
    if not isinstance(properties, Mapping):
        return
    for name in properties:
        if not is_name(str(name)):
            yield (
                str(name),
                "field-name",
                f"字段「{name}」须由英文字母、数字和下划线组成",
                f"The field name “{name}” must consist of letters, digits and underscores",
            )
    for name in secret_fields(form):
        yield (
            name,
            "K-09",
            f"字段「{name}」会收集密码或身份信息；请只存引用（如 vault_ref）",
            f"The field “{name}” would collect a secret; keep a reference only (vault_ref)",
        )
    for name, node in _schemas(form, ""):
        yield from _texts(name, node)
        pattern = node.get("pattern")
        if isinstance(pattern, str):
            wrong = catastrophic(pattern)
            if wrong is not None:
                yield name, "pattern", f"正则表达式 {wrong[0]}", f"The pattern {wrong[1]}"


def _schemas(node: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema inside a form, with the field it belongs to."""
    if isinstance(node, Mapping):
        yield name, node
        for key, part in node.items():
            if key in ("properties", "$defs", "patternProperties") and isinstance(part, Mapping):
                for inner, schema in part.items():
                    yield from _schemas(schema, f"{name}.{inner}" if name else str(inner))
            elif key not in ("enum", "const", "default", "x-outcomes", "x-enum-titles", "title", "description"):
                yield from _schemas(part, name)
    elif isinstance(node, list):
        for part in node:
            yield from _schemas(part, name)


def _texts(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    """Texts for readers are in both languages, for every value there is."""
    for key in ("title", "description", "x-help", "x-message"):
        if key in node and not _both(node[key]):
            yield name, "language", f"「{name}」的 {key} 须有中英文", f"{key} of “{name}” must be in both languages"
    values = node.get("enum")
    for key in ("x-enum-titles", "x-outcomes"):
        titles = node.get(key)
        if titles is None:
            continue
        if not isinstance(titles, Mapping):
            yield name, "language", f"「{name}」的 {key} 须是对象", f"{key} of “{name}” must be an object"
            continue
        for value, text in titles.items():
            title = text.get("title") if key == "x-outcomes" and isinstance(text, Mapping) else text
            hint = text.get("hint") if key == "x-outcomes" and isinstance(text, Mapping) else None
            if not _both(title) or (hint is not None and not _both(hint)):
                yield (
                    name,
                    "language",
                    f"「{name}」的值「{value}」须有中英文",
                    f"The value “{value}” of “{name}” must be worded in both languages",
                )
        if isinstance(values, list):
            missing = [value for value in values if str(value) not in titles]
            extra = [value for value in titles if value not in [str(each) for each in values]]
            for value in [*missing, *extra]:
                yield (
                    name,
                    "outcome-titles",
                    f"「{name}」的 {key} 与 enum 不一致：{value}",
                    f"{key} of “{name}” does not agree with its enum: {value}",
                )


def _both(text: Any) -> bool:
    return isinstance(text, Mapping) and all(isinstance(text.get(key), str) and text[key].strip() for key in LANGUAGES)


def catastrophic(pattern: str) -> tuple[str, str] | None:
    """Why matching a pattern could take for ever, or why it is no pattern; None when it is harmless.

    Refused: an unbounded repeat around something that can itself match in several ways (a repeat or alternatives), more
    than three unbounded repeats in a row, and references back.
    """
    if len(pattern) > 200:
        return "太长", "is too long"
    try:
        tree = sre.parse(pattern)
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return "有误", "is not valid"
    return _look(tree, repeated=False)


_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def _look(tree: Any, *, repeated: bool) -> tuple[str, str] | None:
    many = 0
    for code, argument in tree:
        name = str(code)
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return "不允许反向引用", "may not refer back"
        if name in _REPEATS:
            least, most, inner = argument
            varies = most != least and int(most) > 20
            many += varies
            if (varies and repeated) or many > 3:
                return "重复嵌套或太多，可能卡死", "has nested or too many repeats and could hang"
            found = _look(inner, repeated=repeated or varies)
        elif name == "BRANCH":
            if repeated:
                return "重复之中有多种选择，可能卡死", "has alternatives inside a repeat and could hang"
            found = next((wrong for part in argument[1] if (wrong := _look(part, repeated=repeated))), None)
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            found = _look(argument[-1] if name == "SUBPATTERN" else argument, repeated=repeated)
        elif name in ("ASSERT", "ASSERT_NOT"):
            found = _look(argument[1], repeated=repeated)
        else:
            found = None
        if found is not None:
            return found
    return None
