"""The deploy gate: what a bundle of diagrams, tables and forms must satisfy before it becomes a deployment.

Every problem is found at once and named by file, line and element, in both languages. Nothing unknown passes: what is
not in the tables of `elements` is refused. Notes (`severity` "note") do not stop a deployment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from engine.spiff.decisions import DecisionInvalid, parse_decision
from engine.spiff.failures import ParseFailed
from engine.spiff.gate_controls import check_controls
from engine.spiff.gate_forms import read_form
from engine.spiff.gate_gateways import check_gateways
from engine.spiff.gate_model import Model, Process, children, read_process
from engine.spiff.gate_names import Checker, Names
from engine.spiff.gate_paths import check_table_controls
from engine.spiff.gate_report import Finding, House, OperationInfo, Problem, Report, in_order
from engine.spiff.gate_structure import check_errors, check_loops, check_structure
from engine.spiff.gate_tasks import check_people
from engine.spiff.gate_whitelist import check_whitelist
from engine.spiff.gate_work import check_circles, check_work
from engine.spiff.gate_xml import XmlRefused, read_xml
from engine.spiff.parse import is_scenario, parse

__all__ = ["Finding", "House", "OperationInfo", "Problem", "check"]

FILES = 1_000


def check(files: Mapping[str, bytes], house: House) -> list[Problem]:
    """Every problem of the bundle at once, sorted by file and line; empty when it may be deployed. Never raises.

    1. read every file 2. each diagram against the whitelist 3. each process: structure, people, work, gateways,
    controls 4. the bundle as a whole 5. when all is well, what the kernel itself says
    """
    model = Model(files=files, house=house)
    if len(files) > FILES:
        _safely(model, "", lambda: _report(model, "").problem(None, "too-many", "文件太多", "There are too many files"))
        return _all(model)
    for file in sorted(files):
        _safely(model, file, lambda file=file: _read(model, file))  # type: ignore[misc]
    for file in sorted(model.roots):
        _safely(model, file, lambda file=file: _read_diagram(model, file))  # type: ignore[misc]
    _safely(model, "", lambda: _check_processes(model))
    if not any(problem.severity == "problem" for problem in _all(model)):
        _safely(model, "", lambda: _ask_kernel(model))
    return _all(model)


def _all(model: Model) -> list[Problem]:
    return in_order([problem for report in model.reports.values() for problem in report.problems])


def _report(model: Model, file: str) -> Report:
    return model.reports.setdefault(file, Report(file))


def _safely(model: Model, file: str, work: Callable[[], None]) -> None:
    """A check that fails refuses the file: what cannot be judged does not pass."""
    try:
        work()
    except Exception as error:
        kind = type(error).__name__
        _report(model, file).problem(
            None, "internal", f"检查程序无法判断此文件（{kind}）", f"The check could not judge this file ({kind})"
        )


def _read(model: Model, file: str) -> None:
    report, data = _report(model, file), model.files[file]
    if file.endswith(".bpmn"):
        try:
            model.roots[file] = read_xml(data)
        except XmlRefused as error:
            _refused(report, error)
    elif file.endswith(".dmn"):
        try:
            decision = parse_decision(data, file)
        except DecisionInvalid as invalid:
            report.problems += invalid.problems
            return
        if decision.id in model.decisions:
            report.problem(
                None,
                "id-duplicate",
                f"决策表「{decision.id}」在另一个文件里也有",
                f"The decision “{decision.id}” stands in another file too",
                element=decision.id,
            )
            return
        model.decisions[decision.id] = decision
        check_table_controls(model, decision.id, report)
    elif is_scenario(file):
        try:
            played = json.loads(data)
        except (ValueError, RecursionError):
            played = None
        if not isinstance(played, dict) or not isinstance(played.get("process"), str):
            report.problem(
                None,
                "scenario",
                "场景文件无法读取，或没有写明 process",
                "The scenario cannot be read, or names no process",
            )
    elif file.endswith(".json"):
        form, findings = read_form(data)
        model.forms[file] = form
        for field, code, zh, en in findings:
            report.problems.append(
                Problem(file=file, line=_line(data, field), element=field, code=code, message={"zh-CN": zh, "en": en})
            )
    elif file in model.house.tables:
        for line, row, zh, en in model.house.tables[file](data):
            report.problems.append(
                Problem(file=file, line=line, element=row, code="table", message={"zh-CN": zh, "en": en})
            )
    elif file.endswith(".csv"):
        known = ", ".join(sorted(model.house.tables)) or "-"
        report.problem(
            None,
            "table-unknown",
            f"没有流程读取这张表；可发布的表：{known}",
            f"No procedure reads this table; those that can be deployed: {known}",
        )
    else:
        report.problem(
            None,
            "file-kind",
            "只接受 .bpmn、.dmn、.csv 和 .json 文件",
            "Only .bpmn, .dmn, .csv and .json files are taken",
        )


def _refused(report: Report, error: XmlRefused) -> None:
    report.problems.append(
        Problem(file=report.file, line=error.line, element="", code=error.code, message=dict(error.message))
    )


def _line(data: bytes, field: str) -> int:
    """The line on which a form first names a field."""
    place = data.find(f'"{field.rpartition(".")[2]}"'.encode()) if field else -1
    return data.count(b"\n", 0, place) + 1 if place >= 0 else 1


def _read_diagram(model: Model, file: str) -> None:
    root, report = model.roots[file], _report(model, file)
    check_whitelist(root, report)
    processes = children(root, "process")
    if not processes:
        report.problem(root, "no-process", "文件里没有流程", "There is no process in the file")
    for node in processes:
        process = read_process(node, file, report)
        other = model.processes.get(process.id)
        if other is not None:
            report.problem(
                node,
                "id-duplicate",
                f"流程「{process.id}」在 {other.file} 里也有",
                f"The process “{process.id}” stands in {other.file} too",
            )
            check_structure(process)
        else:
            model.processes[process.id] = process


def _check_processes(model: Model) -> None:
    names = Names(model)
    for process in model.processes.values():
        _safely(model, process.file, lambda process=process: _check_process(process, names))  # type: ignore[misc]
    check_errors(model)
    check_circles(model)
    _check_scopes(model)


def _check_process(process: Process, names: Names) -> None:
    checker = Checker(names, process)
    check_structure(process)
    check_loops(process)
    check_people(process, names, checker)
    check_work(process, names, checker)
    check_gateways(process, names, checker)
    check_controls(process, names)


def _check_scopes(model: Model) -> None:
    """Subprocesses share one space of names with processes in the library."""
    seen: dict[str, str] = {process.id: process.file for process in model.processes.values()}
    for process in model.processes.values():
        for scope in process.scopes[1:]:
            if scope.id in seen:
                process.report.problem(
                    scope.node,
                    "id-duplicate",
                    f"子流程「{scope.id}」与 {seen[scope.id]} 里的流程或子流程同名",
                    f"The subprocess “{scope.id}” has the name of a process or subprocess in {seen[scope.id]}",
                )
            seen[scope.id] = process.file


def _ask_kernel(model: Model) -> None:
    """The kernel has the last word: what it cannot build is refused, whatever the tables say."""
    try:
        parse(model.files)
    except ParseFailed as error:
        args = error.args_
        _report(model, str(args.get("file", ""))).problem(
            None, "parse", error.message["zh-CN"], error.message["en"], element=str(args.get("element", ""))
        )
