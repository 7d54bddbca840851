"""The form of a task as a person gets it: the declared one, and a place for files, because any task may need some.

A form that has a field of attachments of its own keeps to that. Where the forms of a procedure hold personal fields,
files are taken for personal too: nobody can know what is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.form_texts import Schema
from engine.forms import default_form

FIELD = "attachments"
MOST = 20  # files of one task
_ADDED: Schema = {
    "type": "array",
    "title": {"zh-CN": "附件", "en": "Attachments"},
    "items": {"type": "string", "maxLength": 64},
    "maxItems": MOST,
    "uniqueItems": True,
    "x-widget": "attachments",
}
_BEFORE = ("comment", "outcome")  # it stands before the opinion and the buttons
_kept: dict[int, tuple[Any, dict[str, Any]]] = {}  # by identity: a deployment's forms never change


def of_task(declared: Mapping[str, Any], path: str | None) -> dict[str, Any]:
    """The schema of the task whose form lies at `path` of a deployment's forms; None: the default form. The same form
    gives the same object."""
    schema = declared[path] if path is not None else _DEFAULT
    known = _kept.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_kept) >= 1000:
            _kept.clear()
        known = _kept[id(schema)] = (schema, _with_files(schema, _is_personal(declared, path)))
    return known[1]


def _with_files(schema: Mapping[str, Any], personal: bool) -> dict[str, Any]:
    fields: Mapping[str, Any] = schema.get("properties", {})
    own = any(field.get("x-widget") == FIELD and "x-auto" not in field for field in fields.values())
    if own or FIELD in fields:
        return dict(schema) if not isinstance(schema, dict) else schema
    added = {**_ADDED, "x-personal": "case"} if personal else dict(_ADDED)
    place = next((name for name in fields if name in _BEFORE), None)
    placed: dict[str, Any] = {}
    for name, field in fields.items():
        if name == place:
            placed[FIELD] = added
        placed[name] = field
    return {**schema, "properties": placed if place else {**placed, FIELD: added}}


def _is_personal(declared: Mapping[str, Any], path: str | None) -> bool:
    folder = (path or "").rpartition("/")[0]
    return any(
        "x-personal" in field
        for name, schema in declared.items()
        if name.rpartition("/")[0] == folder and isinstance(schema, Mapping)
        for field in schema.get("properties", {}).values()
    )


_DEFAULT = default_form()
