"""Diagrams for the tests of the gate: a plain one to break, and one that holds every allowed element."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.spiff.gate import House, OperationInfo, Problem, check

HERE = Path(__file__).parent
HOUSE = House(
    groups={"staff": "员工", "legal": "法务", "registrar": "账号管理员"},
    operations={
        "note": OperationInfo(name="note", parameters=("text", "level"), required=("text",)),
        "send": OperationInfo(name="send", parameters=("text",), external=True),
    },
    functions=frozenset({"decided"}),
    directory_functions=frozenset({"dept_head"}),
    tables={"words.csv": lambda data: [(2, "W1", "不行", "is no good")] if b"bad" in data else []},
)
DECIDE_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "outcome": {
            "type": "string",
            "title": {"zh-CN": "意见", "en": "Decision"},
            "enum": ["agree", "return", "reject"],
            "x-outcomes": {
                "agree": {"title": {"zh-CN": "同意", "en": "Agree"}},
                "return": {"title": {"zh-CN": "退回", "en": "Return"}},
                "reject": {"title": {"zh-CN": "驳回", "en": "Reject"}},
            },
        },
        "comment": {"type": "string", "title": {"zh-CN": "说明", "en": "Reason"}, "maxLength": 500},
        "amount": {"type": "integer", "title": {"zh-CN": "数量", "en": "Amount"}},
    },
    "required": ["outcome"],
}
START_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {"type": "string", "title": {"zh-CN": "事由", "en": "Subject"}},
        "urgent": {"type": "boolean", "title": {"zh-CN": "加急", "en": "Urgent"}},
        "kind": {"type": "string", "title": {"zh-CN": "类别", "en": "Kind"}, "enum": ["a", "b"]},
        "dept": {"type": "string", "title": {"zh-CN": "部门", "en": "Department"}, "x-source": "departments"},
    },
    "required": ["subject", "kind"],
}
FORMS = {
    "demo/forms/decide.json": json.dumps(DECIDE_FORM, ensure_ascii=False, indent=1).encode(),
    "demo/forms/apply.json": json.dumps(START_FORM, ensure_ascii=False, indent=1).encode(),
}
PLAIN = (HERE / "plain.bpmn").read_bytes()
EVERYTHING = (HERE / "everything.bpmn").read_bytes()
TABLE = (HERE / "level.dmn").read_bytes()


def bundle(demo: bytes = PLAIN, **others: bytes) -> dict[str, bytes]:
    """The plain bundle; further files by name without their dots (`other_bpmn`)."""
    files = {"demo.bpmn": demo, **FORMS, "level.dmn": TABLE}
    for name, data in others.items():
        stem, _, kind = name.rpartition("_")
        files[f"{stem}.{kind}"] = data
    return files


def everything(diagram: bytes = EVERYTHING) -> dict[str, bytes]:
    """The bundle around the diagram with every allowed element."""
    return {"everything.bpmn": diagram, "demo.bpmn": PLAIN, **FORMS, "level.dmn": TABLE, "words.csv": b"word\n"}


def replaced(before: str, after: str, diagram: bytes = PLAIN) -> bytes:
    """The diagram with one text exchanged, which must be there."""
    text = diagram.decode()
    assert before in text, before
    return text.replace(before, after, 1).encode()


def found(files: Mapping[str, bytes], house: House = HOUSE) -> list[Problem]:
    """The problems, notes left out."""
    return [problem for problem in check(files, house) if problem.severity == "problem"]


def said(files: Mapping[str, bytes], house: House = HOUSE) -> list[tuple[str, str]]:
    """(element, code) of every problem."""
    return [(problem.element, problem.code) for problem in found(files, house)]
