"""The deploy gate: what a bundle of diagrams, tables and forms must satisfy before it becomes a deployment."""

from __future__ import annotations

from collections.abc import Mapping

from engine.spiff.decisions import DecisionInvalid, parse_decision
from engine.spiff.gate_report import House, OperationInfo, Problem, Report, in_order
from engine.spiff.gate_xml import XmlRefused, read_xml

__all__ = ["House", "OperationInfo", "Problem", "check"]


def check(files: Mapping[str, bytes], house: House) -> list[Problem]:
    """Every problem of the bundle at once, sorted by file and line; empty when it may be deployed. Never raises."""
    problems: list[Problem] = []
    for file, data in files.items():
        report = Report(file)
        try:
            if file.endswith(".dmn"):
                parse_decision(data, file)
            elif file.endswith(".bpmn"):
                read_xml(data)
        except DecisionInvalid as error:
            problems += error.problems
        except XmlRefused as error:
            report.problem(None, error.code, error.message["zh-CN"], error.message["en"])
        problems += report.problems
    return in_order(problems)
