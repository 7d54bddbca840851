"""A form's schema as fields a template can draw, and a filled-in form as a record a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import g, url_for
from markupsafe import Markup

from engine import queries
from engine.errors import Text
from engine.identity import LOCAL
from engine.moments import moment
from web import words
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

_WIDE = frozenset(["textarea", "told", "marked", "list", "checkboxes", "records", "record", "tick", "files", "links"])
LONG = 120  # a text field that takes more than this is an area
BRIEF = 24  # a list no longer than this is told in one line


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice: its value as text, its title, and whether it is chosen."""

    value: str
    title: str
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Field:
    """One entry of a form. `kind` is the template macro that draws it; `rows` are the parts of records in a list."""

    name: str
    kind: str
    title: str
    help: str = ""
    required: bool = False
    value: Any = ""
    error: str = ""
    options: tuple[Option, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    rows: tuple[tuple[Field, ...], ...] = ()

    @property
    def id(self) -> str:
        """The id of the control, for labels and for links from the summary of errors."""
        return f"f-{self.name.replace('.', '-')}"

    @property
    def wide(self) -> bool:
        """Whether it takes the whole line."""
        return self.kind in _WIDE


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A button that ends a task: what it says, and what happens next."""

    value: str
    title: str
    hint: str
    tone: str


def fields(schema: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, Text]) -> list[Field]:
    """The fields of a form in its order, filled with `values`; `outcome` is left to the buttons when it has choices."""
    required = set(schema.get("required", ()))
    return [
        _field(name, part, values.get(name, part.get("default")), name in required, text(errors.get(name)))
        for name, part in schema.get("properties", {}).items()
        if not (name == "outcome" and "enum" in part) and not (part.get("x-auto") == "case" and not values.get(name))
    ]


def outcomes(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> list[Outcome]:
    """The buttons that end the task; the dangerous ones last. With `values`, those whose `x-when` names a field that is
    empty are left out."""
    part = schema.get("properties", {}).get("outcome", {})
    told, titles = part.get("x-outcomes", {}), part.get("x-enum-titles", {})
    found = []
    for value in part.get("enum", ()):
        said = told.get(value, {})
        if values is not None and said.get("x-when") and not values.get(said["x-when"]):
            continue
        title = text(said.get("title") or titles.get(value)) or str(value)
        found.append(
            Outcome(value=str(value), title=title, hint=text(said.get("hint")), tone=said.get("tone", "plain"))
        )
    order = {"primary": 0, "plain": 1, "danger": 2}
    return sorted(found, key=lambda outcome: order.get(outcome.tone, 1))


def outcome_title(schema: Mapping[str, Any], value: object) -> str:
    """What an outcome is called on its button."""
    return next((one.title for one in outcomes(schema) if one.value == value), str(value or ""))


def record(
    schema: Mapping[str, Any], values: Mapping[str, Any], *, skip: tuple[str, ...] = ()
) -> list[tuple[str, Any]]:
    """(title, what was entered, as text or a list of texts) for everything that was filled in."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    return [
        (text(part.get("title")) or name, said)
        for name, part in properties.items()
        if name not in skip and (said := shown(part, values.get(name))) not in ("", [], None)
    ]


def tombstone(erased: Mapping[str, Any]) -> str:
    """What stands where personal data was: when, by which rule, approved by whom, and why."""
    at = words.exact(moment(erased["at"])) if erased.get("at") else "—"
    by = _("、").join(name_of("people", str(one)) for one in erased.get("by") or ())
    return _(
        "个人信息已于 %(at)s 销毁。依据：%(rule)s；批准：%(by)s；理由：%(reason)s",
        at=at,
        by=by,
        rule=erased.get("rule") or "—",
        reason=erased.get("reason") or "—",
    )


def shown(part: Mapping[str, Any], value: Any) -> Any:
    """A value as people read it: names for ids, words for yes and no, one line per entry of a list."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list) and part.get("x-widget") == "attachments":
        link = Markup('<a href="{}" download>{}</a>')
        return [
            link.format(url_for("attachments.download", attachment_id=one.value), one.title) for one in _files(value)
        ]
    if isinstance(value, list):
        said = [shown(_each(part), item) for item in value]
        return _("、").join(said) if sum(map(len, said)) <= BRIEF else said
    if isinstance(value, Mapping) and isinstance(value.get("erased"), Mapping):
        return tombstone(value["erased"])
    if isinstance(value, Mapping) and "zh-CN" in value:  # what the system says, in both languages
        return text(value)
    if isinstance(value, Mapping):
        inner = part.get("properties", {})
        parts = [
            (text(inner.get(name, {}).get("title")) or name, shown(inner.get(name, {}), one))
            for name, one in value.items()
        ]
        return "\n".join(f"{title}{_('：')}{one}" for title, one in parts if one not in ("", [], None))
    part = _automatic(part)
    if part.get("x-source"):
        return name_of(part["x-source"], str(value))
    told = part.get("x-outcomes", {}).get(str(value), {}).get("title") or part.get("x-enum-titles", {}).get(str(value))
    if told:
        return text(told)
    if part.get("format") == "date-time":
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return words.exact(moment.astimezone() if moment.tzinfo else moment.replace(tzinfo=LOCAL))
    return str(value)


def name_of(source: str, key: str) -> str:
    """The name behind an id; people who have left keep theirs."""
    for known, title, _hint in choices(source):
        if known == key:
            return title
    left = queries.person(engine(), key) if source == "people" else None
    return text(left.names) if left else key


def choices(source: str) -> list[tuple[str, str, str]]:
    """(id, name, hint) of everybody or everything a source offers, read once a request."""
    known: dict[str, list[tuple[str, str, str]]] = g.setdefault("choices", {})
    if source not in known:
        known[source] = [(key, text(names), hint) for key, names, hint in queries.choices(engine(), source)]
    return known[source]


def _field(name: str, part: Mapping[str, Any], value: Any, required: bool, error: str) -> Field:
    common: dict[str, Any] = {
        "name": name,
        "title": text(part.get("title")) or name,
        "help": text(part.get("x-help")) or text(part.get("description")),
        "required": required or part.get("const") is True,
        "error": error,
    }
    if part.get("x-widget") == "attachments":
        return _attachments(part, value if isinstance(value, list) else [], common)
    if part.get("x-widget") == "marked" and isinstance(value, Mapping):
        return Field(kind="marked", value=_marked(value), **common)
    if part.get("x-auto") == "case":
        said = shown(part, value)
        return Field(kind="told", value="\n".join(said) if isinstance(said, list) else said, **common)
    if "x-auto" in part:
        return Field(kind="fixed", value=shown(part, value) or _("提交后自动填写"), **common)
    kind = part.get("type", "string")
    kind = next((one for one in kind if one != "null"), "string") if isinstance(kind, list) else kind
    widget = part.get("x-widget", "")
    if kind == "boolean":
        if widget == "radio":
            chosen = {True: "true", False: "false"}.get(value, "")
            yes_no = [
                Option(value=one, title=said, chosen=one == chosen)
                for one, said in (("true", _("是")), ("false", _("否")))
            ]
            return Field(kind="radio", options=tuple(yes_no), **common)
        return Field(kind="tick", value=value is True, **common)
    if kind == "array":
        return _several(name, part, value, common)
    if kind == "object":
        inner = value if isinstance(value, Mapping) else {}
        return Field(kind="record", rows=(_parts(name, part, inner),), **common)
    options = _options(part, [] if value is None else [str(value)])
    if options:
        return Field(kind="radio" if widget == "radio" else "select", options=options, **common)
    return _entry(part, kind, widget, value, common)


def _entry(part: Mapping[str, Any], kind: str, widget: str, value: Any, common: dict[str, Any]) -> Field:
    attributes: dict[str, Any] = {}
    said = "" if value is None else str(value)
    if kind in ("integer", "number"):
        attributes = {"inputmode": "numeric" if kind == "integer" else "decimal"}
        return Field(kind="entry", value=said, attributes={"type": "text", **attributes}, **common)
    longest = part.get("maxLength")
    if longest:
        attributes["maxlength"] = longest
    if widget == "textarea" or ((longest or 0) > LONG and not part.get("format") and not part.get("pattern")):
        return Field(kind="textarea", value=said, attributes=attributes, **common)
    style = {"date": "date", "date-time": "datetime-local", "email": "email", "uri": "url", "time": "time"}
    attributes["type"] = style.get(part.get("format", ""), "text")
    if attributes["type"] == "date":
        attributes["min"] = str(date(2000, 1, 1))
    suggestions = tuple(Option(value=str(one), title=str(one)) for one in part.get("x-suggestions", ()))
    return Field(kind="entry", value=said, attributes=attributes, options=suggestions, **common)


def _several(name: str, part: Mapping[str, Any], value: Any, common: dict[str, Any]) -> Field:
    items: Mapping[str, Any] = part.get("items", {})
    given = value if isinstance(value, list) else []
    kind = items.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        least = max(int(part.get("minItems", 1)), len(given) + (0 if part.get("maxItems") == len(given) else 1))
        records = [*given, *[{}] * (min(least, part.get("maxItems", least)) - len(given))]
        rows = tuple(_parts(f"{name}.{place}", items, one) for place, one in enumerate(records))
        return Field(kind="records", rows=rows, **common)
    merged = _each(part)
    options = _options(merged, [str(one) for one in given])
    if options and "x-source" in merged:
        return Field(kind="many", options=options, **common)
    if options:
        return Field(kind="checkboxes", options=options, **common)
    most = part.get("maxItems")
    note = _("每行一项，最多 %(n)s 项", n=most) if most else _("每行一项")
    common["help"] = f"{common['help']} {note}".strip()
    return Field(kind="list", value="\n".join(str(one) for one in given), **common)


def _attachments(part: Mapping[str, Any], ids: list[Any], common: dict[str, Any]) -> Field:
    """Files to hand in, those that came already ticked; or, where the case shows them, links."""
    if "x-auto" in part:
        return Field(kind="links", options=tuple(_files(ids)), **common)
    note = _("每个文件不超过 20 MB；取消勾选即移除")
    common["help"] = f"{common['help']} {note}".strip()
    return Field(kind="files", options=tuple(_files(ids)), **common)


_KINDS: Mapping[str, Text] = {  # what a marked piece of text is, for those who do not see its colour
    "block": {"zh-CN": "阻断", "en": "Blocks"},
    "warn": {"zh-CN": "提示", "en": "Warns"},
    "added": {"zh-CN": "新增", "en": "Added"},
    "removed": {"zh-CN": "删去", "en": "Removed"},
}


def _marked(value: Mapping[str, Any]) -> list[dict[str, str]]:
    """The pieces of a marked text: {"text", "kind", "word" (what the kind is called), "note"}."""
    return [
        {
            "text": str(piece.get("text", "")),
            "kind": str(piece.get("kind", "")),
            "word": text(_KINDS.get(str(piece.get("kind", "")))),
            "note": text(piece.get("note")),
        }
        for piece in value.get("segments", ())
    ]


def _files(ids: list[Any]) -> list[Option]:
    """The files among the ids that the reader may have, by name and size."""
    if not ids:  # nobody needs to be asked for, as on pages without a log-in
        return []
    found = queries.attachment_rows(engine(), [str(one) for one in ids], actor=user())
    gone = _("（已销毁）")
    return [
        Option(value=row.id, title=f"{row.name or gone} · {words.size(row.size)}", chosen=True)
        for row in (found[str(one)] for one in ids if str(one) in found)
    ]


def _each(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a list's entries; titles and source may stand on the list itself."""
    return {**part.get("items", {}), **{key: part[key] for key in ("x-source", "x-enum-titles") if key in part}}


def _parts(prefix: str, part: Mapping[str, Any], values: Any) -> tuple[Field, ...]:
    required = set(part.get("required", ()))
    given = values if isinstance(values, Mapping) else {}
    inner: Mapping[str, Any] = part.get("properties", {})
    return tuple(_field(f"{prefix}.{name}", sub, given.get(name), name in required, "") for name, sub in inner.items())


def _options(part: Mapping[str, Any], chosen: list[str]) -> tuple[Option, ...]:
    if "x-source" in part:
        offered = [(key, f"{name} · {hint}" if hint else name) for key, name, hint in choices(part["x-source"])]
    else:
        titles = part.get("x-enum-titles", {})
        offered = [(str(one), text(titles.get(str(one))) or str(one)) for one in part.get("enum", ())]
    return tuple(Option(value=value, title=title, chosen=value in chosen) for value, title in offered)


def _automatic(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field the engine fills with a person shows a person."""
    return {**part, "x-source": "people"} if part.get("x-auto") == "initiator" else part
