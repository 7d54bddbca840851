"""What an event says, as facts to search cases by: who, which account, which step, which outcome, which values.

A fact is (kind, name, value). Values carry their type in front, so that `5` and `"5"` are told apart: `s:` text,
`n:` number, `b:true`, `z:` nothing. Entries kept from auditors (`visible_to`) and personal data never become facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANY = "*"
LONGEST = 200  # characters of a value; longer text is searched by its beginning
LONGEST_NAME = 160
LEAVES = 400  # values of one event; a form is never that long
DEEPEST = 8
PRIVATE = ({"personal", "box"}, {"erased"})  # keys of a sealed value, of a tombstone

ROLES = {  # event type → role of its actor
    "instance.started": "started",
    "task.completed": "did",
    "task.claimed": "claimed",
    "task.reassigned": "transferred",
    "access.refused": "refused",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is true of a case since event `seq`."""

    kind: str  # person | account | element | outcome | end | variable | title
    name: str
    value: str
    seq: int
    number: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What the diagram says about where an event happened: its result variable and the fields that name accounts."""

    variable: str
    accounts: frozenset[str] = frozenset()
    secret: bool = False  # the entry is not for auditors (now)


def facts_of(body: Mapping[str, Any], step: Step) -> Iterator[Fact]:
    """The facts of one event. `step` tells about the event's own step."""
    kind, seq, actor, element, data = body["type"], body["seq"], body["actor"], body["element"], body["data"]
    if actor and kind in ROLES:
        yield from _person(ROLES[kind], actor, seq)
    if kind == "element.entered" and element:
        yield Fact("element", element, f"s:{data['process']}", seq)
    elif kind == "task.recused":
        yield from _person("recused", data.get("who") or actor, seq)
    elif kind == "task.reassigned":
        yield from _person("received", data.get("to"), seq)
    elif kind == "register.changed" and data.get("register") == "account":
        yield Fact("account", ANY, f"s:{data['key']}", seq)
    elif kind == "instance.ended" and element:
        yield Fact("end", ANY, f"s:{element}", seq)
    elif kind == "command" and data.get("command") == "start":
        yield from _values("", data["input"].get("variables", {}), seq, step.accounts)
    elif kind == "script.run":
        yield from _values("", data.get("assigned", {}), seq, frozenset())
    elif kind == "operation.called":
        yield from _values(step.variable, data.get("result") or {}, seq, frozenset())
    elif kind == "decision.evaluated":
        yield from _values(step.variable, data.get("outputs") or {}, seq, frozenset())
    elif kind == "task.completed":
        yield from _completed(data.get("result") or {}, element or "", seq, step)


def _completed(result: Mapping[str, Any], element: str, seq: int, step: Step) -> Iterator[Fact]:
    yield from _person("stood in", result.get("for"), seq)
    if step.secret:
        return
    outcome = result.get("outcome")
    if isinstance(outcome, str):
        for name in (element, ANY):
            yield Fact("outcome", name, f"s:{outcome[:LONGEST]}", seq)
    filled = {name: value for name, value in result.items() if name not in ("by", "at", "for")}
    yield from _values(step.variable, filled, seq, step.accounts)


def _person(role: str, username: Any, seq: int) -> Iterator[Fact]:
    if isinstance(username, str) and username:
        for name in (role, ANY):
            yield Fact("person", name, f"s:{username[:LONGEST]}", seq)


def _values(prefix: str, tree: Any, seq: int, accounts: frozenset[str]) -> Iterator[Fact]:
    found = 0
    for path, value in leaves(prefix, tree):
        if (found := found + 1) > LEAVES:
            return
        yield Fact("variable", path, typed(value), seq, number_of(value))
        if isinstance(value, str) and value and path.removeprefix(f"{prefix}.") in accounts:
            yield Fact("account", ANY, f"s:{value[:LONGEST]}", seq)


def leaves(path: str, tree: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of every plain value inside; the entries of a list share its path."""
    if depth > DEEPEST or len(path) > LONGEST_NAME:
        return
    if isinstance(tree, Mapping):
        if any(keys <= tree.keys() for keys in PRIVATE):
            return
        for name, inner in tree.items():
            yield from leaves(f"{path}.{name}" if path else str(name), inner, depth + 1)
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from leaves(path, inner, depth + 1)
    elif path:
        yield path, tree


def typed(value: Any) -> str:
    """A plain value with its type in front, without the NUL that PostgreSQL's text cannot hold."""
    if value is None:
        return "z:"
    if isinstance(value, bool):
        return f"b:{'true' if value else 'false'}"
    if isinstance(value, int | float):
        return f"n:{value:.15g}"
    return f"s:{str(value)[:LONGEST]}".replace("\x00", "")


def number_of(value: Any) -> float | None:
    """The value as a number to compare, when it is one that fits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300:
        return None
    return float(value)
