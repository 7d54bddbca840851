"""Forms: JSON Schema 2020-12 in, typed variables out, and every complaint as a sentence beside its field.

A form is a plain dict (see docs, “Forms”). Ours beyond the standard: `x-auto`, `x-source`, `x-min-working-days`,
`x-may-be-empty`, `x-message`; the other `x-…` keywords only concern how a page shows the field.
What was sent is cleaned first (empty text counts as missing), then refused for anything no form may carry
(control characters, non-finite numbers, sizes), and only then shown to the schema.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry

from engine.errors import Invalid, Text
from engine.form_texts import Schema, explain, items_of, kind_of, named, texts
from engine.metaschema import first_problem

Lookup = Callable[[str, str], bool]  # (source, id) -> does it exist
WorkingDays = Callable[[date, date], int]  # working days after the first date up to and including the second

TEXT_CAP = 10_000  # characters of one text
LIST_CAP = 200  # items of one list, fields of one record
DEPTH_CAP = 6
TOTAL_CAP = 200_000  # characters of everything that was sent
BOX = frozenset({"personal", "field", "box"})  # the shape of sealed personal data (`engine.personal`)
NUMBER_CAP = 2**53  # beyond it a browser and a database no longer agree on the digits
SOURCES = {
    "people": {"zh-CN": "人员", "en": "person"},
    "departments": {"zh-CN": "部门", "en": "department"},
    "groups": {"zh-CN": "小组", "en": "group"},
    "accounts": {"zh-CN": "账号", "en": "account"},
    "drafts": {"zh-CN": "草稿", "en": "draft"},
}
AUTOMATIC = ("initiator", "business_key", "today", "case")  # case: shows its `x-prefill`, to be read only
_UNSAFE = re.compile(  # control characters, marks that turn text round, halves of characters
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_NESTED_REPEAT = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")
_formats = FormatChecker()


@_formats.checks("email")
def _email(value: object) -> bool:
    return not isinstance(value, str) or (len(value) <= 254 and _EMAIL.match(value) is not None)


@_formats.checks("date-time")
def _moment(value: object) -> bool:
    """As browsers send it, without a zone (the company's is meant), or with one."""
    if not isinstance(value, str):
        return True
    try:
        return "T" in value and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


class Submission(Protocol):
    """What a browser posts: every name may come several times (werkzeug's MultiDict)."""

    def getlist(self, key: str) -> Sequence[str]: ...
    def keys(self) -> Any: ...


def default_form() -> dict[str, Any]:
    """The form of a task that names none: how it ended, in a word, and why."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "outcome": {"type": "string", "title": {"zh-CN": "结果", "en": "Outcome"}, "maxLength": 64},
            "comment": {
                "type": "string",
                "title": {"zh-CN": "意见", "en": "Comment"},
                "x-widget": "textarea",
                "maxLength": 2000,
            },
        },
        "required": ["outcome"],
    }


def validate(
    schema: Schema,
    variables: Mapping[str, Any],
    *,
    lookup: Lookup,
    today: date,
    working_days: WorkingDays,
) -> dict[str, Any]:
    """The variables as the case keeps them: typed, trimmed, without `x-auto` fields. Raises `Invalid`.

    1. clean, and drop what is empty  2. refuse what no form may carry, and unknown fields
    3. the schema  4. what only the house knows: existing people and departments, working days
    """
    properties: Mapping[str, Schema] = schema.get("properties", {})
    taken, problems = _take(properties, variables)
    for name in variables:
        if name not in properties:
            safe = _UNSAFE.sub("\ufffd", str(name)[:80])
            problems[safe] = {"zh-CN": "表单中没有这一项", "en": "The form has no such field"}
    values = {
        name: value
        for name, value in taken.items()
        if value is not None and (value != "" or properties[name].get("x-may-be-empty"))
    }
    for error in _validator(schema).iter_errors(values):
        name, field, text = explain(error, schema)
        if name not in problems:
            problems[name] = named(field, name, text)
    for name, value in values.items():
        if name not in problems:
            found = _house_rules(properties[name], value, lookup=lookup, today=today, working_days=working_days)
            if found:
                problems[name] = named(properties[name], name, found)
    if problems:
        order = {name: place for place, name in enumerate(properties)}
        raise Invalid(dict(sorted(problems.items(), key=lambda item: order.get(item[0], len(order)))))
    return {name: _integers(properties[name], value) for name, value in values.items()}


def draft(schema: Schema, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept of a half-filled form: known fields, cleaned. Unfinished is fine, unsafe raises `Invalid`."""
    kept, problems = _take(schema.get("properties", {}), variables)
    if problems:
        raise Invalid(problems)
    return kept


def coerce_submission(schema: Schema, submission: Submission) -> dict[str, Any]:
    """A posted HTML form as JSON values. What does not convert stays text, so that `validate` can say what is wrong."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    names = [name for name, field in properties.items() if "x-auto" not in field]
    found = {name: _coerce(properties[name], name, submission) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def form_problems(schema: Any) -> list[Text]:
    """What is wrong with a form itself, for the deploy gate: nothing here may hang, fetch or puzzle the reader."""
    if not isinstance(schema, dict) or schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        return [{"zh-CN": "表单须是含 properties 的 object", "en": "A form must be an object with properties"}]
    if (error := first_problem(_without_titles(schema))) is not None:
        where = "/".join(map(str, error.path)) or "/"
        return [{"zh-CN": f"不是有效的 JSON Schema:{where}", "en": f"Not a valid JSON Schema at {where}"}]
    found: list[Text] = []
    for path, node in _nodes(schema, ""):
        if "$ref" in node or "$dynamicRef" in node:
            found.append({"zh-CN": f"{path}：不支持 $ref", "en": f"{path}: $ref is not supported"})
        pattern = node.get("pattern")
        if isinstance(pattern, str) and (len(pattern) > 200 or _NESTED_REPEAT.search(pattern)):
            found.append({"zh-CN": f"{path}:pattern 过于复杂", "en": f"{path}: the pattern is too complex"})
        if node.get("x-source", "people") not in SOURCES:
            found.append({"zh-CN": f"{path}：未知的 x-source", "en": f"{path}: unknown x-source"})
        if node.get("x-auto", "today") not in AUTOMATIC:
            found.append({"zh-CN": f"{path}：未知的 x-auto", "en": f"{path}: unknown x-auto"})
        if "x-personal" in node and (path.count("/") != 2 or not path.startswith("/properties/")):
            whole = f"{path}: x-personal marks whole fields"
            found.append({"zh-CN": f"{path}：x-personal 只能写在整个字段上", "en": whole})
        elif "x-personal" in node and ("x-auto" in node or "x-sealed" in node or "enum" in node):
            found.append(
                {
                    "zh-CN": f"{path}：自动字段、封存字段和选项不能是 x-personal",
                    "en": f"{path}: automatic, sealed and choice fields cannot be x-personal",
                }
            )
        elif not isinstance(node.get("x-personal", ""), str):
            found.append({"zh-CN": f"{path}：x-personal 须是文字", "en": f"{path}: x-personal must be a text"})
    for name, field in schema["properties"].items():
        if not isinstance(field, dict) or not {"zh-CN", "en"} <= set(texts(field.get("title"))):
            found.append({"zh-CN": f"{name}：缺少中英文标题", "en": f"{name}: needs a title in both languages"})
    return found


def _take(properties: Mapping[str, Schema], variables: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Text]]:
    """(known fields cleaned, what no form may carry)."""
    kept: dict[str, Any] = {}
    problems: dict[str, Text] = {}
    budget = [TOTAL_CAP]
    for name, raw in variables.items():
        if name in properties and "x-auto" not in properties[name]:
            value = _clean(raw)
            problem = _unsafe(value, budget)
            if problem:
                problems[name] = named(properties[name], name, problem)
            else:
                kept[name] = value
    return kept, problems


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    return value


def _unsafe(value: Any, budget: list[int], depth: int = 0) -> Text | None:
    """Why no form may carry this value, or None. `budget` is what is left of `TOTAL_CAP`."""
    if depth > DEPTH_CAP:
        return {"zh-CN": "嵌套过深", "en": "is nested too deeply"}
    budget[0] -= len(value) if isinstance(value, str) else 1
    if budget[0] < 0:
        return {"zh-CN": "内容过多", "en": "is too much in all"}
    if isinstance(value, str):
        if len(value) > TEXT_CAP:
            return {"zh-CN": f"不得超过 {TEXT_CAP} 个字", "en": f"must have at most {TEXT_CAP} characters"}
        if _UNSAFE.search(value):
            return {
                "zh-CN": "含有不可见的控制字符，请删除后重填",
                "en": "contains invisible control characters; remove them",
            }
    elif isinstance(value, bool) or value is None:
        return None
    elif isinstance(value, int | float):
        if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > NUMBER_CAP:
            return {"zh-CN": "不是可用的数字", "en": "is not a usable number"}
    elif isinstance(value, Mapping) and value.keys() == BOX:
        return {"zh-CN": "不能填写加密内容", "en": "cannot be something encrypted"}
    elif isinstance(value, list | Mapping):
        if len(value) > LIST_CAP:
            return {"zh-CN": f"不得超过 {LIST_CAP} 项", "en": f"must have at most {LIST_CAP} items"}
        inside: list[Any] = value if isinstance(value, list) else [*value.keys(), *value.values()]
        return next((problem for item in inside if (problem := _unsafe(item, budget, depth + 1))), None)
    else:
        return {"zh-CN": "类型不支持", "en": "has an unsupported type"}
    return None


_cache: dict[int, tuple[Schema, Draft202012Validator]] = {}


def _validator(schema: Schema) -> Draft202012Validator:
    """Compiled once per form object: deployments are immutable, so identity is enough. Never fetches a `$ref`."""
    known = _cache.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_cache) >= 1000:
            _cache.clear()
        automatic = {name for name, field in schema.get("properties", {}).items() if "x-auto" in field}
        needed = [name for name in schema.get("required", ()) if name not in automatic]
        bare = {**_without_titles(schema), "required": needed}
        bare.pop("additionalProperties", None)  # unknown fields have been named already
        known = schema, Draft202012Validator(bare, format_checker=_formats, registry=Registry())
        _cache[id(schema)] = known
    return known[1]


def _house_rules(field: Schema, value: Any, *, lookup: Lookup, today: date, working_days: WorkingDays) -> Text | None:
    source = field.get("x-source") or items_of(field).get("x-source")
    if source:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str) or not lookup(source, item):
                kind = SOURCES.get(source, {"zh-CN": "对象", "en": "entry"})
                return {"zh-CN": f"没有找到{kind['zh-CN']}「{item}」", "en": f"names an unknown {kind['en']}, “{item}”"}
    least = field.get("x-min-working-days")
    if least is not None and isinstance(value, str):
        day = date.fromisoformat(value[:10])
        if day < today or working_days(today, day) < least:
            return {
                "zh-CN": f"须在今天起 {least} 个工作日之后",
                "en": f"must be at least {least} working days from today",
            }
    return None


def _integers(field: Schema, value: Any) -> Any:
    """JSON Schema takes 3.0 for an integer; the case keeps 3."""
    if kind_of(field) == "integer" and isinstance(value, float):
        return int(value)
    if isinstance(value, list):
        return [_integers(items_of(field), item) for item in value]
    if isinstance(value, dict):
        parts: Mapping[str, Schema] = field.get("properties", {})
        return {name: _integers(parts.get(name, {}), item) for name, item in value.items()}
    return value


def _coerce(field: Schema, name: str, submission: Submission) -> Any:
    kind, given = kind_of(field), [text for text in submission.getlist(name) if isinstance(text, str)]
    if kind == "boolean":
        if not given:
            return False if field.get("x-widget") != "radio" else None
        return {"true": True, "on": True, "1": True, "false": False, "0": False, "": None}.get(given[-1], given[-1])
    if kind == "object":
        parts = {part: _coerce(sub, f"{name}.{part}", submission) for part, sub in field.get("properties", {}).items()}
        return {part: value for part, value in parts.items() if value not in (None, "")}
    if kind == "array":
        items = items_of(field)
        if kind_of(items) == "object":
            places = re.compile(re.escape(name) + r"\.(\d{1,3})\.")
            rows = sorted({int(hit[1]) for key in submission.keys() if (hit := places.match(key))})  # noqa: SIM118
            records = [_coerce(items, f"{name}.{row}", submission) for row in rows]
            return [record for record in records if any(value is not False for value in record.values())]
        lines = [line.strip() for text in given for line in text.splitlines()]
        return [_scalar(kind_of(items), line) for line in lines if line]
    return _scalar(kind, given[-1]) if given else None


def _scalar(kind: str, text: str) -> Any:
    text = text.strip()
    if kind not in ("integer", "number"):
        return text
    if not text:
        return None
    try:
        plain = text.replace(",", "").replace("\uff0c", "")
        return int(plain) if re.fullmatch(r"[+-]?\d{1,20}", plain) else float(plain)
    except ValueError:
        return text


def _without_titles(node: Any) -> Any:
    """The schema without our two-language titles, which the standard wants to be plain text."""
    if isinstance(node, Mapping):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key in ("title", "description") and isinstance(value, Mapping) and "zh-CN" in value)
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


def _nodes(node: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        yield path or "/", node
        for key, value in node.items():
            yield from _nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _nodes(item, f"{path}/{place}")
