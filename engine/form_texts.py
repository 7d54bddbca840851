"""What is wrong with a form, in words: each schema keyword as a sentence in both languages that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from engine.errors import Text

Schema = Mapping[str, Any]


def explain(error: ValidationError, schema: Schema) -> tuple[str, Schema, Text]:
    """(top-level field name, its schema, the sentence without the field's title)."""
    path = list(error.absolute_path)
    properties: Mapping[str, Schema] = schema.get("properties", {})
    demanded: Any = error.validator_value
    if error.validator == "required":  # the library reports each missing name by itself, but only inside its message
        path.append(next(one for one in demanded if error.message.startswith(repr(one))))
    elif error.validator == "dependentRequired":
        path.append(next(one for names in demanded.values() for one in names if error.message.startswith(repr(one))))
    name = str(path[0]) if path else next(iter(properties), "")
    field: Schema = properties.get(name, {})
    inner, row = field, 0
    for step in path[1:]:
        if isinstance(step, int):
            inner, row = items_of(inner), step + 1
        else:
            inner = inner.get("properties", {}).get(step, {})
    text = texts(error.schema.get("x-message") if isinstance(error.schema, Mapping) else None)
    if not {"zh-CN", "en"} <= set(text):
        text = _sentence(str(error.validator), error.validator_value, inner, error.instance)
    if len(path) > 1:
        part = named(inner, str(path[-1]), text) if isinstance(path[-1], str) else text
        text = {"zh-CN": f"第 {row} 项：{part['zh-CN']}", "en": f"item {row}: {part['en']}"} if row else part
    return name, field, text


def _sentence(keyword: str, limit: Any, field: Schema, value: Any) -> Text:
    """What is wrong, by schema keyword. Chinese follows the title directly, English too: “Title” is required."""
    chosen = "enum" in field or "x-source" in field or "oneOf" in field or kind_of(field) in ("boolean", "array")
    if keyword in ("required", "dependentRequired"):
        zh, en = ("尚未选择", "needs a choice") if chosen else ("尚未填写", "is required")
    elif keyword == "type":
        zh, en = _TYPES.get(limit if isinstance(limit, str) else "", _OTHER)
    elif keyword == "format":
        zh, en = _FORMATS.get(str(limit), _OTHER)
    elif keyword == "const" and limit is True:
        zh, en = "须勾选确认", "must be confirmed"
    else:
        zh, en = _LIMITS.get(keyword, ("不符合要求", "does not meet the requirement"))
    over = len(value) - limit if keyword == "maxLength" else ""
    least = 1 if keyword == "contains" else limit
    return {"zh-CN": zh.format(n=least, over=over), "en": en.format(n=least, over=over)}


_OTHER = ("格式不对", "has the wrong form")
_LIMITS = {
    "enum": ("不在可选范围内", "is not one of the choices"),
    "const": ("不在可选范围内", "is not one of the choices"),
    "oneOf": ("不在可选范围内", "is not one of the choices"),
    "anyOf": ("不在可选范围内", "is not one of the choices"),
    "minLength": ("至少 {n} 个字", "must have at least {n} characters"),
    "maxLength": ("不得超过 {n} 个字，已超出 {over} 个字", "must have at most {n} characters ({over} too many)"),
    "minimum": ("不得小于 {n}", "must be at least {n}"),
    "maximum": ("不得大于 {n}", "must be at most {n}"),
    "exclusiveMinimum": ("须大于 {n}", "must be more than {n}"),
    "exclusiveMaximum": ("须小于 {n}", "must be less than {n}"),
    "multipleOf": ("须是 {n} 的倍数", "must be a multiple of {n}"),
    "minItems": ("至少需要 {n} 项", "needs at least {n} of them"),
    "contains": ("至少需要 {n} 项", "needs at least {n} of them"),
    "maxItems": ("最多 {n} 项", "may have at most {n} entries"),
    "uniqueItems": ("有重复的项", "has the same entry twice"),
}
_TYPES = {
    "integer": ("须填整数", "must be a whole number"),
    "number": ("须填数字", "must be a number"),
    "string": ("须填文字", "must be text"),
    "boolean": ("须选是或否", "must be yes or no"),
    "array": ("须是列表", "must be a list"),
    "object": ("须分项填写", "must be filled in by item"),
}
_FORMATS = {
    "date": ("须是日期，如 2026-11-09", "must be a date such as 2026-11-09"),
    "date-time": ("须是日期和时间", "must be a date and time"),
    "time": ("须是时间，如 09:30", "must be a time such as 09:30"),
    "email": ("须是邮箱地址", "must be an e-mail address"),
    "uri": ("须是网址，如 https://example.com", "must be an address such as https://example.com"),
}


def named(field: Schema, name: str, text: Text) -> Text:
    titles = texts(field.get("title")) or {"zh-CN": name, "en": name}
    zh, en = titles.get("zh-CN", name), titles.get("en", name)
    return {"zh-CN": f"「{zh}」{text['zh-CN']}", "en": f"“{en}” {text['en']}"}


def texts(title: Any) -> Text:
    if isinstance(title, str):
        return {"zh-CN": title, "en": title}
    return dict(title) if isinstance(title, Mapping) else {}


def kind_of(field: Schema) -> str:
    kind = field.get("type", "string")
    return str(next((one for one in kind if one != "null"), "string") if isinstance(kind, list) else kind)


def items_of(field: Schema) -> Schema:
    items = field.get("items", {})
    return items if isinstance(items, Mapping) else {}
