"""The flattened meta-schema says of a schema what the published one says, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from engine.metaschema import first_problem

ROOT = Path(__file__).resolve().parents[2]
WRONG: list[Any] = [
    {"type": "objekt"},
    {"properties": []},
    {"properties": {"a": {"type": 5}}},
    {"required": "a"},
    {"minLength": -1},
    {"items": {"enum": 5}},
    {"pattern": 5},
    {"allOf": []},
    {"properties": {"a": {"items": {"maximum": "3"}}}},
    {"$defs": {"x": {"type": "nope"}}},
    {"if": {"const": 1}, "then": 5},
    {"uniqueItems": "yes"},
    {"$anchor": "1x"},
    {"dependentRequired": {"a": "b"}},
    {"unevaluatedProperties": 3},
    {"contentSchema": []},
    7,
]
RIGHT: list[Any] = [
    True,
    {},
    {"type": ["string", "null"], "x-widget": "textarea"},
    {"properties": {"$ref": {"type": "string"}, "a": {"$comment": "x", "format": "date"}}},
    {"oneOf": [{"const": None}, {"not": {"type": "object"}}]},
]


@pytest.mark.parametrize("schema", WRONG, ids=str)
def test_what_the_published_one_refuses_is_refused_at_the_same_place(schema: Any) -> None:
    with pytest.raises(SchemaError) as refused:
        Draft202012Validator.check_schema(schema)
    found = first_problem(schema)
    assert found is not None
    assert list(found.path) == list(refused.value.path)


@pytest.mark.parametrize("schema", RIGHT, ids=str)
def test_what_the_published_one_takes_is_taken(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)
    assert first_problem(schema) is None


def test_it_agrees_on_every_form_there_is() -> None:
    forms = [json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("processes/*/forms/*.json")]
    assert len(forms) > 80
    for form in forms:
        try:
            Draft202012Validator.check_schema(form)
        except SchemaError:
            assert first_problem(form) is not None
        else:
            assert first_problem(form) is None
