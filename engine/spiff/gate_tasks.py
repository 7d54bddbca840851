"""Tasks of people: form, who does it, result, times, and the texts that decide about them."""

from __future__ import annotations

import ast
import re
from typing import Any

from engine.calendar import DurationError, parse_duration
from engine.spiff.expressions import Expression, is_name
from engine.spiff.gate_model import HUMAN, Element, Model, Process, result_variable
from engine.spiff.gate_names import ALWAYS, Checker, Names
from engine.spiff.gate_shapes import suggestion
from engine.spiff.parse import tables_of

_QUOTED = re.compile(r"""(["'])([^"'\\]*)\1\Z""")
_KEY = re.compile(r"[^{}\s]*(\{(yyyy|yy|mm|dd|n{1,9})\}[^{}\s]*)+\Z")


def check_people(process: Process, names: Names, checker: Checker) -> None:
    """Every user task: 1. form 2. who 3. result 4. due, reminders, texts 5. properties of the process."""
    model = names.model
    taken = _taken(process, names)
    for element in process.elements:
        if element.kind in HUMAN:
            _check_form(element, model, checker)
            _check_who(element, model, checker)
            _check_result(element, taken)
            _check_times(element, checker)
            for name in ("recuse", "visible_to"):
                if element.properties.get(name):
                    checker.expression(element.properties[name], element.node, name, element=element, directory=True)
        elif element.kind == "startEvent":
            _check_form(element, model, checker)
            if element.properties.get("form") and element.scope.owner is not None:
                process.report.problem(
                    element.node,
                    "start-form",
                    "子流程的开始事件不能有表单",
                    "The start of a subprocess cannot have a form",
                )
    _check_process(process, checker)


def _check_form(element: Element, model: Model, checker: Checker) -> None:
    report, named = element.scope.process.report, element.properties.get("form")
    if named and model.form_path(element.scope.process.id, named) is None:
        report.problem(element.node, "form-missing", f"没有表单「{named}」", f"There is no form “{named}”")
    elif named:
        path = model.form_path(element.scope.process.id, named)
        for field, source in prefills(model.forms.get(path or "")):
            checker.expression(source, element.node, f"{named} x-prefill {field}", element=element, carries=True)
        for field in sealed(model.forms.get(path or "")) if element.kind != "startEvent" else []:
            report.problem(
                element.node,
                "sealed-field",
                f"「{field}」只能在开始表单里封存（x-sealed）",
                f"“{field}” can be sealed (x-sealed) on a start form only",
            )
    elif element.kind == "manualTask":
        report.problem(
            element.node,
            "form-missing",
            "手工任务须指明表单，或改为用户任务",
            "A manual task must name a form, or be a user task",
        )


def sealed(form: Any) -> list[str]:
    """The fields of a form whose values are kept apart from the case."""
    properties = form.get("properties") if isinstance(form, dict) else None
    if not isinstance(properties, dict):
        return []
    return [str(name) for name, field in properties.items() if isinstance(field, dict) and field.get("x-sealed")]


def prefills(form: Any) -> list[tuple[str, str]]:
    """(field, expression) for every field of a form that is filled in from the case."""
    properties = form.get("properties") if isinstance(form, dict) else None
    if not isinstance(properties, dict):
        return []
    return [
        (str(name), field["x-prefill"])
        for name, field in properties.items()
        if isinstance(field, dict) and isinstance(field.get("x-prefill"), str)
    ]


def _check_who(element: Element, model: Model, checker: Checker) -> None:
    report, groups = element.scope.process.report, model.house.groups
    said = False
    for name in ("candidates", "assignee"):
        source = element.properties.get(name)
        if source is None:
            continue
        said = True
        if not source.strip():
            report.problem(element.node, "who", f"属性 {name} 是空的", f"The property {name} is empty")
            continue
        expression = checker.expression(source, element.node, name, element=element, directory=True)
        for text in _literals(expression) if expression is not None else ():
            _check_principal(element, text, model)
    if not said:
        lane = element.lane
        if not lane:
            report.problem(
                element.node,
                "who",
                "没有办理人：不在泳道里，也没有 candidates 或 assignee",
                "Nobody can do it: it is in no lane and has neither candidates nor assignee",
            )
        elif lane not in groups and lane not in groups.values():
            report.problem(
                element.node,
                "group-unknown",
                f"泳道「{lane}」不是已知的组，也没有 candidates 或 assignee",
                f"The lane “{lane}” is not a known group, and there are neither candidates nor assignee",
            )


def _check_principal(element: Element, text: str, model: Model) -> None:
    """A name written out is a group, or a person where people are known."""
    report, house = element.scope.process.report, model.house
    names = {*house.groups, *house.groups.values()}
    if text in names or (house.people is not None and text in house.people):
        return
    zh, en = suggestion(text, names | (house.people or frozenset()))
    tell = report.problem if house.people is not None or en else report.note
    tell(
        element.node,
        "group-unknown",
        f"「{text}」不是已知的组或人员{zh}",
        f"“{text}” is not a known group or person{en}",
    )


def _literals(expression: Expression) -> list[str]:
    """The texts an expression names outright: itself, or elements of a list it is or adds."""
    found: list[str] = []
    todo: list[ast.expr] = [expression.tree]
    while todo:
        node = todo.pop()
        match node:
            case ast.Constant(value=str(text)):
                found.append(text)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                todo.extend(parts)
            case ast.BinOp(left=left, op=ast.Add(), right=right) | ast.IfExp(body=left, orelse=right):
                if isinstance(node, ast.IfExp) or not isinstance(left, ast.Constant):
                    todo.extend((left, right))
            case ast.BoolOp(values=parts):
                todo.extend(parts)
    return sorted(found)


def _taken(process: Process, names: Names) -> dict[str, str]:
    """Variable → what it belongs to, for everything a task's result may not overwrite."""
    taken = dict.fromkeys(ALWAYS, "business_key / initiator")
    start = process.start
    if start is not None:
        taken.update(dict.fromkeys(names.form_shape(start).fields or {}, start.id))
    taken.update(dict.fromkeys(process.inputs or (), "ioSpecification"))
    for element in process.elements:
        if element.kind == "serviceTask" and result_variable(element):
            taken.setdefault(result_variable(element), element.id)
    return taken


def _check_result(element: Element, taken: dict[str, str]) -> None:
    report, name = element.scope.process.report, result_variable(element)
    if not is_name(name):
        report.problem(
            element.node,
            "result-name",
            f"结果变量「{name}」须由英文字母、数字和下划线组成，且不是函数名",
            f"“{name}” cannot be a result variable",
        )
    elif name in taken:
        report.problem(
            element.node,
            "result-taken",
            f"结果变量「{name}」已被「{taken[name]}」占用",
            f"The result variable “{name}” already belongs to “{taken[name]}”",
        )
    taken[name] = element.id


def _check_times(element: Element, checker: Checker) -> None:
    report = element.scope.process.report
    due = element.properties.get("due")
    if due is not None and not is_duration(due):
        checker.expression(due, element.node, "due", element=element)
    for part in (element.properties.get("remind") or "").split(","):
        if part.strip() and not is_duration(part):
            report.problem(
                element.node,
                "time",
                f"提醒时间「{part.strip()}」无法理解，应如 4wh、2wd、PT8H",
                f"The reminder “{part.strip()}” is not a time such as 4wh, 2wd, PT8H",
            )


def unquoted(text: str) -> str:
    """What stands between the quotes of a single quoted text; else the text itself."""
    found = _QUOTED.match(text.strip())
    return found.group(2).strip() if found else text.strip()


def is_duration(text: str) -> bool:
    """Whether a text, quoted or not, is a length of time written out."""
    try:
        parse_duration(unquoted(text))
    except (DurationError, ValueError, OverflowError):
        return False
    return True


def _check_process(process: Process, checker: Checker) -> None:
    report, properties = process.report, process.properties
    for name in ("title", "viewers", "barred"):
        if properties.get(name):
            checker.expression(properties[name], process.node, name, directory=True)
    if properties.get("log_reads", "true") != "true":
        report.problem(
            process.node,
            "log-reads",
            "log_reads 只能为 true；不记录查阅就不要写它",
            "`log_reads` can only be true; leave it out where reading is not recorded",
        )
    starters = properties.get("starters")
    if starters:
        found = checker.expression(starters, process.node, "starters", directory=True)
        if found is not None and found.names:
            report.problem(
                process.node,
                "starters",
                "starters 不能读变量：此时事项还不存在",
                "`starters` cannot read variables: no case yet",
            )
    for table in tables_of(properties):
        if table not in checker.names.model.files:
            report.problem(
                process.node, "table-missing", f"没有表「{table}」", f"There is no table “{table}” in the deployment"
            )
    pattern = properties.get("business_key")
    if pattern is not None and not _KEY.match(pattern):
        report.problem(
            process.node,
            "business-key",
            f"编号格式「{pattern}」无法理解，应如 ZC-{{yyyy}}-{{nnnn}}",
            f"The number pattern “{pattern}” is not like ZC-{{yyyy}}-{{nnnn}}",
        )
    outer = process.scopes[0].elements
    end = properties.get("withdraw_to")
    if end is not None and not _ends(outer.get(end), process):
        report.problem(
            process.node,
            "withdraw",
            f"withdraw_to 的「{end}」不是本流程的结束事件，也不是通向它的系统操作",
            f"withdraw_to “{end}” is neither an end event of this process nor an operation that leads to one",
        )
    people = {element.id for each in _with_called(process, checker.names.model) for element in _humans(each)}
    for name in (properties.get("withdraw_until") or "").split(","):
        if name.strip() and name.strip() not in people:
            report.problem(
                process.node,
                "withdraw",
                f"withdraw_until 的「{name.strip()}」不是用户任务",
                f"withdraw_until names “{name.strip()}”, which is not a user task",
            )


def _ends(element: Element | None, process: Process) -> bool:
    """Whether a withdrawn case may go on here: a plain end, or one operation of our own tables before it."""
    if element is not None and element.kind == "serviceTask" and len(element.outgoing) == 1:
        element = process.scopes[0].elements.get(element.outgoing[0].target)
    return element is not None and element.kind == "endEvent" and element.definition("error") is None


def _humans(process: Process) -> list[Element]:
    return [element for element in process.elements if element.kind in HUMAN]


def _with_called(process: Process, model: Model) -> list[Process]:
    """The process and every one it calls."""
    found: dict[str, Process] = {}
    todo = [process]
    while todo:
        each = todo.pop()
        if each.id not in found:
            found[each.id] = each
            called = [element.node.get("calledElement") or "" for element in each.elements]
            todo += [model.processes[name] for name in called if name in model.processes]
    return list(found.values())
