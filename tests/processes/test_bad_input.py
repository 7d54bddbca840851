"""What no form may carry is refused by every shipped form, field by field, in both languages, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
import sqlalchemy as sa

from engine import Engine, forms, queries
from engine.errors import Invalid
from engine.models import history, instances, register_rows
from tests.processes.content_driving import submission, submit

PROCEDURES = Path(__file__).resolve().parents[2] / "processes"
FORMS = {
    f"{path.parents[1].name}/{path.stem}": json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(PROCEDURES.glob("*/forms/*.json"))
}
HOSTILE = {
    "ten thousand and one characters": "名" * 10_001,
    "right-to-left override": "茶几\u202e几茶",
    "right-to-left mark": "茶几\u200f",
    "isolate": "茶几\u2067几茶",
    "NUL": "茶\x00几",
    "escape": "\x1b[2J茶几",
    "backspace": "茶\x08几",
    "lone surrogate": "茶\ud800几",
    "line separator": "茶\u2028几",
    "byte order mark inside": "茶\ufeff几",
}


def texts_in(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where in a form somebody writes text."""
    for name, field in schema.get("properties", {}).items():
        kinds = field.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "x-auto" in field:
            continue
        if "string" in kinds:
            yield (*path, name)
        if "object" in kinds:
            yield from texts_in(field, (*path, name))
        items = field.get("items") or {}
        if "array" in kinds and "string" in str(items.get("type")):
            yield (*path, name, "[]")
        if "array" in kinds and "object" in str(items.get("type")):
            yield from texts_in(items, (*path, name, "[]"))


def holding(path: tuple[str, ...], text: str) -> Any:
    """A value with `text` at the place, and nothing else."""
    if not path:
        return text
    inner = holding(path[1:], text)
    return [inner] if path[0] == "[]" else {path[0]: inner}


@pytest.mark.parametrize("form", FORMS)
def test_no_text_of_any_form_takes_what_none_may_carry(form: str) -> None:
    for path in texts_in(FORMS[form]):
        for what, text in HOSTILE.items():
            with pytest.raises(Invalid) as refused:
                forms.validate(
                    FORMS[form],
                    holding(path, text),
                    lookup=lambda *_: True,
                    today=date(2026, 11, 9),
                    working_days=lambda *_: 99,
                )
            said = refused.value.fields.get(path[0])
            assert said is not None, (path, what)
            assert said["zh-CN"] and said["en"] and said["zh-CN"] != said["en"]
            assert not forms._UNSAFE.search(said["zh-CN"] + said["en"]), (path, what)


@pytest.mark.parametrize("form", FORMS)
def test_a_draft_of_any_form_takes_no_more_than_the_form_itself(form: str) -> None:
    for path in texts_in(FORMS[form]):
        with pytest.raises(Invalid):
            forms.draft(FORMS[form], holding(path, "茶\x00几"))


def stored(engine: Engine) -> list[int]:
    """How many cases, events and register rows there are."""
    with engine.db.read() as connection:
        tables = (instances, history, register_rows)
        return [connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


ODD_VALUES: dict[str, Any] = {
    "a list for a text": ["一", "二"],
    "a record for a text": {"text": "一"},
    "a number for a text": 10**400,
    "not a number": float("nan"),
    "deep": json.loads("[" * 50 + "]" * 50),
    "wide": ["x"] * 100_000,
    "a record of thousands": {str(number): number for number in range(5000)},
}


@pytest.mark.parametrize("what", [*HOSTILE, *ODD_VALUES])
@pytest.mark.parametrize("field", ["title", "body", "media_notes", "claims", "hosts", "host_brief"])
def test_a_submission_with_bad_input_is_refused_and_leaves_nothing_behind(
    engine: Engine, field: str, what: str
) -> None:
    before = stored(engine)
    value: Any = HOSTILE.get(what, ODD_VALUES.get(what))
    if field == "hosts" and isinstance(value, list):
        value = [value]  # hosts are a list: what is odd is a list in it
    with pytest.raises(Invalid) as refused:
        submit(engine, "C25", **{field: value})
    assert field in refused.value.fields
    assert stored(engine) == before


@pytest.mark.parametrize("text", ["沙发😀", "👨‍👩‍👧‍👦 全家福", "𠮷野家具", "é́́", "שלום", "مرحبا", "a\tb", "一\r\n二"])
def test_what_people_do_write_is_kept_as_they_wrote_it(engine: Engine, text: str) -> None:
    case = submit(engine, "C25", body=f"前{text}后", title="标题")
    kept = queries.inspect(engine, case).variables["body"]
    assert kept == "前" + normalize("NFC", text.replace("\r\n", "\n")) + "后"


def test_a_field_the_form_does_not_have_is_named_safely(engine: Engine) -> None:
    before = stored(engine)
    for name in ("approval", "tier", "business_key", "\u202eeltit", "茶\x00几", "x" * 10_000):
        with pytest.raises(Invalid) as refused:
            engine.start("content_review", {**submission(), name: "T1"}, by="hanzhuomian")
        assert all(len(key) <= 80 and not forms._UNSAFE.search(key) for key in refused.value.fields)
    assert stored(engine) == before
