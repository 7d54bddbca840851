"""A decision table as facts: its columns and, by rule, every cell under the column's own label."""

from __future__ import annotations

from lxml import etree

from engine.difference.changes import Facts
from engine.difference.diagrams import attributes, local
from engine.spiff.gate_xml import read_xml


def table_facts(content: bytes) -> dict[str, Facts]:
    """Facts by id: the decision, its columns, its rules. The rules' order is a fact of the table: FIRST reads it.

    Raises XmlRefused.
    """
    root = read_xml(content)
    facts: dict[str, Facts] = {}
    for decision in _children(root, "decision"):
        said = {key: value for key, value in attributes(decision).items() if key != "id"}
        if note := _text(decision, "description"):
            said["description"] = note
        facts[decision.get("id") or ""] = Facts(type="decision", said=said)
        for table in _children(decision, "decisionTable"):
            _read(table, facts)
    return facts


def _read(table: etree._Element, facts: dict[str, Facts]) -> None:
    said = {key: value for key, value in attributes(table).items() if key != "id"}
    labels: dict[str, list[str]] = {"input": [], "output": [], "annotation": []}
    for kind, known in labels.items():
        for number, column in enumerate(_children(table, kind), 1):
            of = {key: value for key, value in attributes(column).items() if key != "id"}
            for expression in _children(column, "inputExpression"):
                of["expression"] = _text(expression, "text")
                of["typeRef"] = expression.get("typeRef") or ""
            for name in ("inputValues", "outputValues"):
                for values in _children(column, name):
                    of[name] = _text(values, "text")
            known.append(column.get("label") or column.get("name") or of.get("expression") or str(number))
            facts[column.get("id") or f"{kind} {number}"] = Facts(type=kind, said=of)
    order = []
    for number, rule in enumerate(_children(table, "rule"), 1):
        of = {}
        for kind, known in labels.items():
            for place, cell in enumerate(_children(rule, f"{kind}Entry")):
                label = known[place] if place < len(known) else str(place + 1)
                of[f"{kind}:{label}"] = _text(cell, "text")
        if note := _text(rule, "description"):
            of["description"] = note
        id = rule.get("id") or f"rule {number}"
        order.append(id)
        facts[id] = Facts(type="rule", said=of)
    said["order"] = " ".join(order)
    facts[table.get("id") or "table"] = Facts(type="decisionTable", said=said)


def _children(node: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in node if isinstance(child.tag, str) and local(child) == name]


def _text(node: etree._Element, name: str) -> str:
    return "".join((child.text or "") for child in _children(node, name)).strip()
