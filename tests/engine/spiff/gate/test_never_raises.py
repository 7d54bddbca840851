"""Whatever comes in, the gate answers with a list: no exception, no check that gave up, no surprise for the kernel."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from engine.spiff.gate import House, Problem, check
from tests.engine.spiff.gate.building import EVERYTHING, FORMS, HOUSE, PLAIN, TABLE, bundle, everything

UNPROVEN = {"internal", "parse"}  # a check that failed; something only the kernel found
ROOTS = [etree.fromstring(PLAIN), etree.fromstring(EVERYTHING)]
TAGS = sorted({str(node.tag) for root in ROOTS for node in root.iter()})
VALUES = sorted(
    {str(value) for root in ROOTS for node in root.iter() for value in node.attrib.values()}
    | {(node.text or "").strip() for root in ROOTS for node in root.iter()}
    | {
        "",
        " ",
        "None",
        "x",
        "a.b.c",
        "[",
        "R1/PT1H",
        "0",
        "-1",
        "1e9",
        "审批",
        "a" * 300,
        "True and",
        "initiator",
        "len",
        "__x__",
    }
)
Mutation = tuple[str, int, int, str]
mutations = st.lists(
    st.tuples(
        st.sampled_from(["drop", "copy", "move", "attribute", "unset", "text", "tag", "swap"]),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.sampled_from(VALUES),
    ),
    min_size=1,
    max_size=6,
)


def mutated(root: Any, changes: list[Mutation]) -> bytes:
    """The diagram after these changes, each at nodes picked by number."""
    root = copy.deepcopy(root)
    for what, first, second, value in changes:
        nodes = list(root.iter())
        node, other = nodes[first % len(nodes)], nodes[second % len(nodes)]
        parent = node.getparent()
        if parent is None or node in other.iterancestors() or node is other:
            continue
        if what == "drop":
            parent.remove(node)
        elif what == "copy":
            other.append(copy.deepcopy(node))
        elif what == "move":
            other.append(node)
        elif what == "swap":
            node.text, other.text = other.text, node.text
        elif what == "text":
            node.text = value
        elif what == "tag":
            node.tag = TAGS[second % len(TAGS)]
        elif node.attrib:
            name = sorted(node.attrib)[second % len(node.attrib)]
            if what == "unset":
                del node.attrib[name]
            else:
                node.set(name, value)
    return etree.tostring(root)


def judged(files: dict[str, bytes], house: House = HOUSE) -> list[Problem]:
    problems = check(files, house)
    assert [problem for problem in problems if problem.code in UNPROVEN] == []
    for problem in problems:
        assert problem.message["zh-CN"] and problem.message["en"] and problem.line >= 1 and problem.file in files
    return problems


quickly = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(mutations)
@quickly
def test_a_plain_diagram_changed_at_random_is_judged(changes: list[Mutation]) -> None:
    judged(bundle(mutated(ROOTS[0], changes)))


@given(mutations)
@quickly
def test_a_full_diagram_changed_at_random_is_judged(changes: list[Mutation]) -> None:
    judged(everything(mutated(ROOTS[1], changes)))


@given(
    st.sampled_from([PLAIN, EVERYTHING, TABLE, *FORMS.values()]),
    st.integers(0, 20_000),
    st.integers(0, 200),
    st.binary(max_size=12),
)
@quickly
def test_bytes_changed_at_random_are_judged(data: bytes, place: int, length: int, instead: bytes) -> None:
    changed = data[:place] + instead + data[place + length :]
    for file in ("demo.bpmn", "level.dmn", "demo/forms/decide.json"):
        judged({**bundle(), file: changed})


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=60), max_size=5))
@example({"": b""})
@example({".bpmn": b"<a/>", ".dmn": b"<a/>", ".json": b"1", "a.bpmn": b"", "..": b""})
@quickly
def test_any_files_at_all_are_judged(files: dict[str, bytes]) -> None:
    judged(files)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "enum",
                    "title",
                    "x-outcomes",
                    "x-prefill",
                    "pattern",
                    "required",
                    "outcome",
                    "$ref",
                    "allOf",
                    "if",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
@quickly
def test_any_json_as_a_form_is_judged(value: Any) -> None:
    import json

    judged({**bundle(), "demo/forms/decide.json": json.dumps(value).encode()})


def test_an_empty_bundle_and_an_empty_house_are_judged() -> None:
    assert check({}, House()) == []
    assert judged(bundle(), House())


def broken_check(*_: object) -> Callable[[], None]:
    raise RuntimeError("a bug in a check")


def test_a_check_that_fails_refuses_the_file(monkeypatch: Any) -> None:
    monkeypatch.setattr("engine.spiff.gate.check_structure", broken_check)
    assert [problem.code for problem in check(bundle(), HOUSE) if problem.severity == "problem"] == ["internal"]
