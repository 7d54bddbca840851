"""A decision table as people read it: its columns by name, its cells as written, one row a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.models import deployment_files, resources
from engine.spiff.decisions_read import DMN
from engine.spiff.gate_xml import XmlRefused, read_xml


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One row: `number` from 1, the cells of inputs and outputs as written (empty: any), its note."""

    number: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionTable:
    """`inputs` pairs each column's name with its expression, `outputs` with the variable it gives."""

    name: str
    policy: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]


def table(connection: Connection, deployment: int, sha256: str) -> DecisionTable | None:
    """The table with this hash in a deployment; None when it is not there or cannot be read."""
    query = (
        sa.select(resources.c.content)
        .join(deployment_files, deployment_files.c.sha256 == resources.c.sha256)
        .where(deployment_files.c.number == deployment, resources.c.sha256 == sha256)
    )
    content = connection.scalar(query.limit(1))
    return None if content is None else read_table(bytes(content))


def read_table(xml: bytes) -> DecisionTable | None:
    """The first decision table in `xml`, or None."""
    try:
        root = read_xml(xml)
    except XmlRefused:
        return None
    decision = root.find(f"{{{DMN}}}decision")
    drawn = decision.find(f"{{{DMN}}}decisionTable") if decision is not None else None
    if decision is None or drawn is None:
        return None

    def cell(node: Any, path: str = "") -> str:
        found = node.find(f"{path}{{{DMN}}}text")
        return str(found.text or "").strip() if found is not None else ""

    inputs = []
    for column in drawn.findall(f"{{{DMN}}}input"):
        asked = cell(column, f"{{{DMN}}}inputExpression/")
        inputs.append((str(column.get("label") or asked), asked))
    outputs = [
        (str(column.get("label") or column.get("name") or ""), str(column.get("name") or ""))
        for column in drawn.findall(f"{{{DMN}}}output")
    ]
    rules = []
    for number, rule in enumerate(drawn.findall(f"{{{DMN}}}rule"), 1):
        notes = [cell(note) for note in rule.findall(f"{{{DMN}}}annotationEntry")]
        said = rule.find(f"{{{DMN}}}description")
        if said is not None and said.text:
            notes.append(said.text.strip())
        rules.append(
            Rule(
                number=number,
                inputs=tuple(cell(entry) for entry in rule.findall(f"{{{DMN}}}inputEntry")),
                outputs=tuple(cell(entry) for entry in rule.findall(f"{{{DMN}}}outputEntry")),
                note="；".join(note for note in notes if note),
            )
        )
    return DecisionTable(
        name=str(decision.get("name") or decision.get("id") or ""),
        policy=str(drawn.get("hitPolicy") or "UNIQUE"),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        rules=tuple(rules),
    )
