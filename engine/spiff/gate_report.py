"""What the gate says: problems and notes by file, line and element id, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.spiff.control import Control, TableControl

Node = etree._Element
_SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
Text = dict[str, str]  # {"zh-CN": …, "en": …}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing to mend before the files can be deployed; a note (`severity` "note") does not stop them."""

    file: str
    line: int
    element: str
    code: str
    message: Text
    severity: str = "problem"


@dataclass(frozen=True, kw_only=True)
class OperationInfo:
    """An operation a service task may name. `external`: it is done outside the transaction, as a job."""

    name: str
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    external: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)


Finding = tuple[int, str, str, str]  # line, which row, what is wrong in Chinese and in English


@dataclass(frozen=True, kw_only=True)
class House:
    """What the gate may take for granted: groups (id → Chinese name), operations, functions for expressions, the
    policy's controls, and the plain tables (`*.csv`) operations read: file name → what finds fault with one.

    `people` are usernames; None when they are not known, and then a name that is no group may be a person's.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, OperationInfo] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    directory_functions: frozenset[str] = frozenset()
    controls: tuple[Control | TableControl, ...] = ()
    people: frozenset[str] | None = None
    tables: Mapping[str, Callable[[bytes], Iterable[Finding]]] = field(default_factory=dict)


class Report:
    """Collects the problems of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def problem(self, node: Node | None, code: str, zh: str, en: str, *, element: str | None = None) -> None:
        self._add(node, code, zh, en, element, "problem")

    def note(self, node: Node | None, code: str, zh: str, en: str, *, element: str | None = None) -> None:
        self._add(node, code, zh, en, element, "note")

    def _add(self, node: Node | None, code: str, zh: str, en: str, element: str | None, severity: str) -> None:
        if element is None:
            element = nearest_id(node)
        line = line_of(node)
        message = {"zh-CN": zh, "en": en}
        self.problems.append(
            Problem(file=self.file, line=line, element=element, code=code, message=message, severity=severity)
        )


def line_of(node: Node | None) -> int:
    """The line of the file the node begins on, from 1."""
    line: Any = None if node is None else node.sourceline
    return int(line or 1)


def nearest_id(node: Node | None) -> str:
    """The id of the node or of what it stands in; ids of operations and parameters are names, not elements."""
    while node is not None:
        found = node.get("id")
        if found and not str(node.tag).startswith(_SPIFF):
            return found
        node = node.getparent()
    return ""


def in_order(problems: list[Problem]) -> list[Problem]:
    """Each problem once, by file and line."""
    seen: dict[tuple[str, int, str, str, str], Problem] = {}
    for problem in problems:
        key = (problem.file, problem.line, problem.element, problem.code, problem.message["en"])
        seen.setdefault(key, problem)
    return sorted(seen.values(), key=lambda problem: (problem.file, problem.line, problem.element, problem.code))
