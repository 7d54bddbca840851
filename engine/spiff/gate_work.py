"""What the system does itself: operations, decisions, scripts, calls, repetitions and timers."""

from __future__ import annotations

from datetime import datetime

from engine.spiff.elements import SPIFF
from engine.spiff.expressions import is_name
from engine.spiff.gate_model import (
    HUMAN,
    Element,
    Model,
    Process,
    child,
    child_text,
    extension,
    result_variable,
    text_of,
)
from engine.spiff.gate_names import ALWAYS, Checker, Names
from engine.spiff.gate_shapes import suggestion
from engine.spiff.gate_tasks import is_duration, unquoted

CYCLES = 100


def check_work(process: Process, names: Names, checker: Checker) -> None:
    """Every element that is not a person's."""
    model = names.model
    people = {result_variable(element): element.id for element in process.elements if element.kind in HUMAN}
    for element in process.elements:
        if element.kind == "serviceTask":
            _check_operation(element, model, checker)
        elif element.kind == "businessRuleTask":
            _check_decision(element, model, checker, people)
        elif element.kind == "scriptTask":
            source = child_text(element.node, "script")
            if not source:
                process.report.problem(element.node, "script-empty", "脚本是空的", "The script is empty")
            else:
                checker.script(source, element.node, "script", extra=names.local(element))
        elif element.kind == "callActivity":
            _check_call(element, model, checker)
        if element.definition("timer") is not None:
            _check_timer(element, checker)
        if element.multi is not None:
            _check_instances(element, checker)
        loop = child(element.node, "standardLoopCharacteristics")
        if loop is not None and child_text(loop, "loopCondition"):
            checker.expression(child_text(loop, "loopCondition"), element.node, "loopCondition", element=element)


def _check_operation(element: Element, model: Model, checker: Checker) -> None:
    report, node = element.scope.process.report, element.node
    operator = extension(node, "serviceTaskOperator")
    if operator is None:
        report.problem(
            node,
            "operation-missing",
            "没有指明操作（serviceTaskOperator）",
            "It names no operation (serviceTaskOperator)",
        )
        return
    name = operator.get("id") or ""
    known = model.house.operations.get(name)
    if known is None:
        zh, en = suggestion(name, model.house.operations)
        report.problem(node, "operation-unknown", f"没有操作「{name}」{zh}", f"There is no operation “{name}”{en}")
    result = result_variable(element)
    if not is_name(result):
        report.problem(
            node, "result-name", f"结果变量「{result}」无效（resultVariable）", f"“{result}” cannot be a resultVariable"
        )
    elif result in ALWAYS or result in (checker.process.inputs or ()) or result in _start_fields(checker):
        report.problem(
            node, "result-taken", f"结果变量「{result}」已被占用", f"The result variable “{result}” is taken"
        )
    given: list[str] = []
    for parameter in operator.iter(f"{{{SPIFF}}}parameter"):
        key, value = parameter.get("id") or "", parameter.get("value") or ""
        if key in given:
            report.problem(
                parameter,
                "parameter",
                f"参数「{key}」写了两次",
                f"The parameter “{key}” is given twice",
                element=element.id,
            )
        given.append(key)
        if known is not None and key not in known.parameters:
            zh, en = suggestion(key, known.parameters)
            report.problem(
                parameter,
                "parameter",
                f"操作「{name}」没有参数「{key}」{zh}",
                f"The operation “{name}” has no parameter “{key}”{en}",
                element=element.id,
            )
        if value.strip():
            checker.expression(value, node, f"{name} {key}", element=element, carries=True)
    for key in known.required if known is not None else ():
        if key not in given:
            report.problem(
                node,
                "parameter",
                f"操作「{name}」缺少参数「{key}」",
                f"The operation “{name}” needs the parameter “{key}”",
            )


def _start_fields(checker: Checker) -> frozenset[str]:
    start = checker.process.start
    return frozenset(checker.names.form_shape(start).fields or ()) if start is not None else frozenset()


def _check_decision(element: Element, model: Model, checker: Checker, people: dict[str, str]) -> None:
    report = element.scope.process.report
    name = text_of(extension(element.node, "calledDecisionId"))
    decision = model.decisions.get(name)
    if decision is None:
        zh, en = suggestion(name, model.decisions)
        report.problem(
            element.node,
            "decision-unknown",
            f"没有决策表「{name}」{zh}" if name else "没有指明决策表（calledDecisionId）",
            f"There is no decision table “{name}”{en}" if name else "It names no decision table (calledDecisionId)",
        )
        return
    checker.decision(decision, element)
    for output in decision.outputs:
        if output in people or output in ALWAYS:
            owner = people.get(output, "business_key / initiator")
            report.problem(
                element.node,
                "result-taken",
                f"决策表的输出「{output}」会覆盖「{owner}」的结果",
                f"The table's output “{output}” would overwrite the result of “{owner}”",
            )


def _check_call(element: Element, model: Model, checker: Checker) -> None:
    report, node = element.scope.process.report, element.node
    name = node.get("calledElement") or ""
    called = model.processes.get(name)
    if called is None:
        zh, en = suggestion(name, model.processes)
        report.problem(
            node,
            "call-unknown",
            f"没有流程「{name}」{zh}" if name else "没有指明被调用的流程（calledElement）",
            f"There is no process “{name}”{en}" if name else "It names no process (calledElement)",
        )
    before, after = text_of(extension(node, "preScript")), text_of(extension(node, "postScript"))
    local = checker.names.local(element)
    prepared = checker.script(before, node, "preScript", extra=local) if before else None
    if after:
        checker.script(after, node, "postScript", extra=local)
    if called is not None and called.inputs is not None:
        known = {*checker.names.of(checker.process), *local, *(prepared.assigned if prepared else ())}
        missing = [each for each in called.inputs if each not in known]
        if missing:
            several = ", ".join(missing)
            report.note(
                node, "call-input", f"没有给出的输入将为空：{several}", f"Inputs nobody sets will be None: {several}"
            )


def check_circles(model: Model) -> None:
    """A process may not call itself, directly or through others."""
    calls = {
        process.id: {
            element.node.get("calledElement") or "" for element in process.elements if element.kind == "callActivity"
        }
        for process in model.processes.values()
    }
    for process in model.processes.values():
        for element in process.elements:
            if element.kind == "callActivity":
                name = element.node.get("calledElement") or ""
                if process.id in _called(name, calls):
                    process.report.problem(
                        element.node,
                        "call-circle",
                        f"循环调用：「{name}」又会调用本流程",
                        f"A circle: “{name}” calls this process again",
                    )


def _called(name: str, calls: dict[str, set[str]]) -> set[str]:
    reached, todo = {name}, [name]
    while todo:
        for following in calls.get(todo.pop(), ()):
            if following not in reached:
                reached.add(following)
                todo.append(following)
    return reached


def _check_instances(element: Element, checker: Checker) -> None:
    """A collection with an item, or a number; what people enter is collected; the condition reads what is there."""
    report, node, multi = element.scope.process.report, element.node, element.multi
    assert multi is not None
    source, count = child_text(multi, "loopDataInputRef"), child_text(multi, "loopCardinality")
    output = child_text(multi, "loopDataOutputRef")
    item, given = child(multi, "inputDataItem"), child(multi, "outputDataItem")
    names = {
        "inputDataItem": (item.get("id") or item.get("name") or "") if item is not None else None,
        "outputDataItem": (given.get("id") or given.get("name") or "") if given is not None else None,
        "loopDataOutputRef": output or None,
    }
    if bool(source) == bool(count):
        report.problem(
            node,
            "multi-input",
            "多实例须指明输入集合（loopDataInputRef）或次数（loopCardinality），二者取一",
            "A multi-instance activity needs either a collection (loopDataInputRef) or a number (loopCardinality)",
        )
    if source and names["inputDataItem"] is None:
        report.problem(
            node, "multi-input", "输入集合须有输入项（inputDataItem）", "A collection needs an inputDataItem"
        )
    if (given is not None and not output) or (output and given is None and not result_variable(element)):
        report.problem(
            node, "multi-output", "输出集合与输出项须同时指明", "loopDataOutputRef and outputDataItem go together"
        )
    if element.kind in HUMAN and not output:
        report.problem(
            node,
            "multi-output",
            "多人办理的结果须收入输出集合（loopDataOutputRef）",
            "What several people enter must be collected (loopDataOutputRef)",
        )
    known = checker.names.of(checker.process)
    for what, name in names.items():
        if name is not None and not is_name(name):
            report.problem(
                node, "multi-name", f"{what} 的「{name}」不能作变量名", f"{what} “{name}” cannot be a variable"
            )
        elif what == "outputDataItem" and element.kind not in HUMAN:
            given_there = checker.names.products(element)
            if name is not None and name not in given_there:
                zh, en = suggestion(name, given_there)
                report.problem(
                    node,
                    "multi-output",
                    f"没有什么给出输出项「{name}」{zh}",
                    f"Nothing sets the output item “{name}”{en}",
                )
        elif what != "loopDataOutputRef" and name in known and name != result_variable(element):
            report.problem(
                node,
                "multi-name",
                f"{what} 的「{name}」与流程变量同名",
                f"{what} “{name}” is a variable of the process already",
            )
    if names["inputDataItem"] and names["inputDataItem"] == names["outputDataItem"]:
        report.problem(
            node, "multi-name", "输入项与输出项不能同名", "inputDataItem and outputDataItem need different names"
        )
    around = checker.names.around(element)
    for what, text in (("loopDataInputRef", source), ("loopCardinality", count)):
        if text:
            checker.expression(text, node, what, extra=around)
    condition = child_text(multi, "completionCondition")
    if condition:
        checker.expression(condition, node, "completionCondition", extra=around)
    elif child(multi, "completionCondition") is not None:
        report.problem(node, "multi-condition", "提前结束条件是空的", "The completionCondition is empty")


def _check_timer(element: Element, checker: Checker) -> None:
    report, node, definition = element.scope.process.report, element.node, element.definition("timer")
    assert definition is not None
    times = [
        (kind, text_of(found))
        for kind in ("timeDuration", "timeDate", "timeCycle")
        if (found := child(definition, kind)) is not None
    ]
    if len(times) != 1 or not times[0][1]:
        report.problem(node, "time", "定时须恰有一个时间", "A timer needs exactly one time")
        return
    kind, text = times[0]
    bare = unquoted(text)
    if kind == "timeCycle":
        _check_cycle(element, bare, checker)
    elif kind == "timeDuration" and not is_duration(bare):
        if bare[:1].isdigit() or bare != text:
            report.problem(
                node,
                "time",
                f"时间「{bare}」无法理解，应如 4wh、2wd、PT8H",
                f"“{bare}” is not a time such as 4wh, 2wd, PT8H",
            )
        else:
            checker.expression(text, node, kind, element=_host(element))
    elif kind == "timeDate" and not _is_date(bare):
        if bare[:1].isdigit() or bare != text:
            report.problem(
                node,
                "time",
                f"「{bare}」不是带时区的 ISO 日期时间",
                f"“{bare}” is not an ISO date and time with its offset",
            )
        else:
            checker.expression(text, node, kind, element=_host(element))


def _host(element: Element) -> Element:
    """What a boundary event is attached to: its timer reads what that activity reads."""
    return element.scope.elements.get(element.node.get("attachedToRef") or "", element)


def _check_cycle(element: Element, text: str, checker: Checker) -> None:
    report, node = element.scope.process.report, element.node
    times, _, every = text.partition("/")
    count = times[1:] if times.startswith("R") else ""
    if not (count.isascii() and count.isdecimal() and 1 <= int(count[:9]) <= CYCLES and is_duration(every)):
        report.problem(
            node,
            "time",
            f"周期「{text}」应如 R3/PT24H，次数 1 至 {CYCLES}",
            f"The cycle “{text}” must be like R3/PT24H, 1 to {CYCLES} times",
        )
    if element.kind != "boundaryEvent" or element.interrupting:
        report.problem(
            node, "time", "周期只能用于不中断的边界定时", "A cycle is for non-interrupting boundary timers only"
        )


def _is_date(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
