"""Forms in a bundle: valid, in both languages, and harmless."""

# ruff: noqa: E501 - tables of cases

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.spiff.gate_forms import catastrophic
from tests.engine.spiff.gate.building import DECIDE_FORM, bundle, found, said


def with_form(change: dict[str, Any] | None = None, field: dict[str, Any] | None = None) -> dict[str, bytes]:
    """The bundle whose form has other top-level keys, or another field `extra`."""
    form = json.loads(json.dumps(DECIDE_FORM))
    form.update(change or {})
    if field is not None:
        form["properties"]["extra"] = {"title": {"zh-CN": "某项", "en": "Something"}, "type": "string", **field}
    return {**bundle(), "demo/forms/decide.json": json.dumps(form, ensure_ascii=False, indent=1).encode()}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ({"title": "某项"}, "language"),
        ({"title": {"zh-CN": "某项"}}, "form"),
        ({"title": {"zh-CN": "某项", "en": ""}}, "language"),
        ({"description": {"zh-CN": "某项"}}, "language"),
        ({"enum": ["a"], "x-enum-titles": {"a": {"zh-CN": "甲"}}}, "language"),
        ({"enum": ["a", "b"], "x-enum-titles": {"a": {"zh-CN": "甲", "en": "A"}}}, "outcome-titles"),
        ({"enum": ["a"], "x-enum-titles": {"a": {"zh-CN": "甲", "en": "A"}, "c": {"zh-CN": "丙", "en": "C"}}}, "outcome-titles"),
        ({"enum": ["a"], "x-outcomes": {"a": {"title": {"en": "A"}}}}, "language"),
        ({"type": "strnig"}, "form"),
        ({"minLength": "3"}, "form"),
        ({"$ref": "http://example.invalid/schema"}, "form"),
        ({"x-source": "passwords"}, "form"),
        ({"x-auto": "root"}, "form"),
        ({"pattern": "(a+)+$"}, "pattern"),
        ({"pattern": "("}, "pattern"),
        ({"x-prefill": "subjcet"}, "name-unknown"),
        ({"x-prefill": "().__class__"}, "expression-attribute"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(field: dict[str, Any], code: str) -> None:
    problems = found(with_form(field=field))
    assert code in [problem.code for problem in problems]
    assert {problem.file for problem in problems} <= {"demo/forms/decide.json", "demo.bpmn"}


def test_a_problem_of_a_field_gives_its_line() -> None:
    files = with_form(field={"pattern": "(a+)+$"})
    problem = next(each for each in found(files) if each.code == "pattern")
    assert b'"extra"' in files["demo/forms/decide.json"].splitlines()[problem.line - 1]
    assert problem.element == "extra"


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+", "(a*)*$", "(a|a)*$", "(a|ab)*c", "(.*)*x", "((a+))+", "(?:a+)+", "([a-z]+)*$", "(a{1,50})+", "(a+){50,}", ".*.*.*.*.*x",
        "(a)\\1+", "(?=(a+)+$)", "a" * 300, "[", "(?P<x>a)(?P=x)", "(x+x+)+y", "(\\s*a)*", "(a?){40}{40}",
    ],
)  # fmt: skip
def test_a_pattern_that_could_hang_or_is_none_is_refused(pattern: str) -> None:
    assert catastrophic(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    ["^1[3-9]\\d{9}$", "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", "^vault://[a-z0-9/_-]+$", "^(图文|视频)$", "^\\d{4}-\\d{2}$", "^.{0,200}$", "(ab|cd)e{2}"],
)  # fmt: skip
def test_ordinary_patterns_pass(pattern: str) -> None:
    assert catastrophic(pattern) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"type": "object"}', b'{"a": NaN}', b"\xff", b"[" * 100_000, b'{"a":' * 100_000,
     b'{"type": "object", "properties": [], "properties": {}}', b" " * 300_000],
    ids=range(13),
)  # fmt: skip
def test_a_form_that_is_none_is_refused_without_a_fuss(data: bytes) -> None:
    files = {**bundle(), "demo/forms/decide.json": data}
    assert "demo/forms/decide.json" in {problem.file for problem in found(files)}
    assert "internal" not in [code for _, code in said(files)]
