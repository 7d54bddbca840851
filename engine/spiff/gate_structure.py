"""The graph of a process: every element can be reached, every token can end, every gateway has a way out."""

from __future__ import annotations

from collections.abc import Iterable

from engine.spiff.elements import BPMN
from engine.spiff.gate_model import CONDITIONAL, Element, Flow, Model, Process, Scope, child_text, children
from engine.spiff.gate_report import Node, Report

_GATEWAYS = frozenset(
    {"exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway", "complexGateway"}
)
_DEFINITIONS = (
    "timer",
    "error",
    "terminate",
    "message",
    "signal",
    "escalation",
    "compensate",
    "conditional",
    "link",
    "cancel",
)


def check_structure(process: Process) -> None:
    """1. each scope's start and ends 2. flows 3. reachability 4. gateways 5. events 6. lanes."""
    for scope in process.scopes:
        _check_ends(scope)
        for flow in scope.flows:
            _check_flow(flow, scope)
        for element in scope.elements.values():
            _check_element(element)
        _check_reachable(scope)
        _check_joins(scope)
    _check_lanes(process)


def _check_ends(scope: Scope) -> None:
    report = scope.process.report
    starts = [element for element in scope.elements.values() if element.kind == "startEvent"]
    ends = [element for element in scope.elements.values() if element.kind == "endEvent"]
    if len(starts) != 1:
        report.problem(
            scope.node,
            "one-start",
            f"须恰有一个开始事件，现有 {len(starts)} 个",
            f"There must be exactly one start event; there are {len(starts)}",
        )
    if not ends:
        report.problem(scope.node, "no-end", "没有结束事件", "There is no end event")


def _check_flow(flow: Flow, scope: Scope) -> None:
    report = scope.process.report
    for end, name in ((flow.source, "sourceRef"), (flow.target, "targetRef")):
        if end not in scope.elements:
            report.problem(
                flow.node,
                "flow-end",
                f"顺序流的 {name}「{end}」不在同一层",
                f"The {name} “{end}” of the flow is not an element of the same level",
            )
    source = scope.elements.get(flow.source)
    if flow.condition is not None and source is not None and source.kind not in CONDITIONAL:
        report.problem(
            flow.node,
            "flow-condition",
            "只有排他、包容网关的出口可以有条件",
            "Only a flow out of an exclusive or inclusive gateway can have a condition",
        )


def _check_element(element: Element) -> None:
    report = element.scope.process.report
    outgoing, incoming = len(element.outgoing), len(element.incoming)
    if element.kind == "endEvent":
        if outgoing:
            report.problem(element.node, "end-leaves", "结束事件不能有出口", "An end event cannot have a way out")
    elif not outgoing:
        report.problem(
            element.node, "dead-end", "没有出口，流程会停在这里", "There is no way out; a case would end here unseen"
        )
    elif outgoing > 1 and element.kind not in _GATEWAYS:
        report.problem(
            element.node,
            "implicit-split",
            "有多个出口；请用网关表明是分支还是并行",
            "There are several ways out; use a gateway to say whether it is a choice or a fork",
        )
    if element.kind in ("startEvent", "boundaryEvent") and incoming:
        report.problem(element.node, "start-entered", "该事件不能有入口", "This event cannot have a way in")
    if element.kind in _GATEWAYS:
        _check_gateway(element, report)
    if element.kind.endswith("Event"):
        _check_event(element, report)
    _check_mentions(element, report)


def _check_mentions(element: Element, report: Report) -> None:
    """`incoming`/`outgoing` only repeat what the sequence flows say, which alone count; a difference is noted."""
    for name, flows in (("incoming", element.incoming), ("outgoing", element.outgoing)):
        said = [(node.text or "").strip() for node in children(element.node, name)]
        if said and set(said) != {flow.id for flow in flows}:
            report.note(
                element.node,
                "flow-mention",
                f"{name} 与顺序流不一致",
                f"The element's {name} does not agree with the sequence flows",
            )


def _check_gateway(element: Element, report: Report) -> None:
    node, default = element.node, element.node.get("default")
    if element.kind in CONDITIONAL:
        if default is not None and default not in [flow.id for flow in element.outgoing]:
            report.problem(node, "default-flow", "默认流不是它的出口", "The default flow is not one of its ways out")
        for flow in element.outgoing:
            if flow.id == default and flow.condition is not None:
                report.problem(
                    flow.node, "default-condition", "默认流不能有条件", "The default flow cannot have a condition"
                )
            elif len(element.outgoing) > 1 and flow.id != default and not flow.condition:
                report.problem(
                    flow.node,
                    "condition-missing",
                    "出口既没有条件，也不是默认流",
                    "This way out has no condition and is not the default",
                )
        if len(element.outgoing) == 1 and element.outgoing[0].condition is not None:
            report.problem(
                element.outgoing[0].node,
                "only-condition",
                "唯一的出口不能有条件",
                "The only way out cannot have a condition",
            )
    if element.kind == "eventBasedGateway":
        for after in element.scope.after(element):
            if after.kind != "intermediateCatchEvent":
                report.problem(
                    node, "event-gateway", "其后只能是定时捕获事件", "Only timer catch events may follow this gateway"
                )
            elif len(after.incoming) > 1:
                report.problem(
                    after.node, "event-gateway", "事件网关后的事件不能有其他入口", "The event has another way in"
                )
    if len(element.incoming) <= 1 and len(element.outgoing) == 1 and element.kind == "parallelGateway":
        report.note(
            node, "idle-gateway", "网关只有一进一出，不起作用", "One way in and one out: this gateway does nothing"
        )


def _check_joins(scope: Scope) -> None:
    """A parallel join needs something before it that makes several tokens out of one; else it waits for ever."""
    splits = [
        element
        for element in scope.elements.values()
        if (element.kind in ("parallelGateway", "inclusiveGateway") and len(element.outgoing) > 1)
        or (element.kind == "boundaryEvent" and not element.interrupting)
    ]
    fed = walk(splits, scope, forward=True)
    for element in scope.elements.values():
        if element.kind == "parallelGateway" and len(element.incoming) > 1 and element not in fed:
            scope.process.report.problem(
                element.node,
                "join-starves",
                "并行汇合之前没有并行分支，会永远等下去",
                "Nothing forks before this parallel join, so it would wait for ever",
            )


def _check_event(element: Element, report: Report) -> None:
    node = element.node
    found = [name for name in _DEFINITIONS if element.definition(name) is not None]
    count = sum(len(children(node, f"{name}EventDefinition")) for name in found)
    if count > 1:
        report.problem(node, "event-multiple", "一个事件只能有一个定义", "An event can have one definition only")
    if element.kind == "intermediateCatchEvent" and count == 0:
        report.problem(node, "event-empty", "捕获事件须有定时", "A catch event needs a timer")
    if element.kind == "boundaryEvent":
        _check_boundary(element, found, report)
    elif element.kind == "endEvent" and "error" in found:
        _check_error_end(element, report)


def _check_boundary(element: Element, found: list[str], report: Report) -> None:
    node = element.node
    host = element.scope.elements.get(node.get("attachedToRef") or "")
    if host is None:
        report.problem(
            node, "boundary-host", "没有附着在同一层的任何活动上", "It is attached to no activity of this level"
        )
    elif host.kind not in ("userTask", "manualTask", "callActivity", "subProcess", "serviceTask"):
        report.problem(
            node,
            "boundary-host",
            f"不能附着在 {host.kind} 上：它不等待任何东西",
            f"It cannot be attached to a {host.kind}, which waits for nothing",
        )
    if not found:
        report.problem(node, "event-empty", "边界事件须有定时或错误", "A boundary event needs a timer or an error")
    if "error" in found:
        if host is not None and host.kind not in ("subProcess", "callActivity"):
            report.problem(
                node,
                "error-host",
                "错误只能在子流程或调用活动上接住",
                "An error can be caught on a subprocess or call activity only",
            )
        if not element.interrupting:
            report.problem(node, "error-host", "错误边界事件必须中断", "An error boundary event must interrupt")
        reference = _error_of(element)
        if reference and _error_code(element, reference) is None:
            report.problem(node, "error-unknown", f"没有定义错误「{reference}」", f"There is no error “{reference}”")


def _error_of(element: Element) -> str:
    definition = element.definition("error")
    return (definition.get("errorRef") or "") if definition is not None else ""


def _error_code(element: Element, reference: str) -> str | None:
    for node in element.node.getroottree().getroot().iterfind(f"{{{BPMN}}}error"):
        if node.get("id") == reference:
            return node.get("errorCode") or node.get("name") or reference
    return None


def _check_error_end(element: Element, report: Report) -> None:
    reference = _error_of(element)
    if not reference or _error_code(element, reference) is None:
        report.problem(
            element.node, "error-unknown", f"没有定义错误「{reference}」", f"There is no error “{reference}”"
        )


def check_errors(model: Model) -> None:
    """Every error end is caught: by a subprocess around it, or by every call activity that calls the process."""
    calls: dict[str, list[Element]] = {}
    for process in model.processes.values():
        for element in process.elements:
            if element.kind == "callActivity":
                calls.setdefault(element.node.get("calledElement") or "", []).append(element)
    for process in model.processes.values():
        for element in process.elements:
            reference = _error_of(element) if element.kind == "endEvent" else ""
            code = _error_code(element, reference) if reference else None
            if code is not None and not _caught(code, element.scope, calls, frozenset()):
                process.report.problem(
                    element.node,
                    "error-uncaught",
                    "抛出的错误没有外层子流程或调用它的活动接住",
                    "No subprocess around it, nor every activity that calls the process, catches the error",
                )


def _caught(code: str, scope: Scope, calls: dict[str, list[Element]], seen: frozenset[str]) -> bool:
    """Whether an error thrown in `scope` is caught on every way out."""
    if scope.owner is not None:
        return _catches(scope.owner, code) or _caught(code, scope.owner.scope, calls, seen)
    callers = calls.get(scope.process.id, [])
    if not callers or scope.process.id in seen:
        return False
    inner = seen | {scope.process.id}
    return all(_catches(caller, code) or _caught(code, caller.scope, calls, inner) for caller in callers)


def _catches(host: Element, code: str) -> bool:
    for boundary in host.boundaries:
        if boundary.definition("error") is not None:
            reference = _error_of(boundary)
            if not reference or _error_code(boundary, reference) == code:
                return True
    return False


def _check_reachable(scope: Scope) -> None:
    report = scope.process.report
    starts = [element for element in scope.elements.values() if element.kind == "startEvent"]
    reached = walk(starts, scope, forward=True)
    ends = [element for element in scope.elements.values() if element.kind == "endEvent"]
    ending = walk(ends, scope, forward=False)
    for element in scope.elements.values():
        if element not in reached and starts:
            report.problem(
                element.node, "unreachable", "从开始事件无法到达", "It cannot be reached from the start event"
            )
        elif element not in ending and ends and element.outgoing:
            report.problem(
                element.node, "no-way-to-end", "从这里到不了任何结束事件", "No end event can be reached from here"
            )


def walk(starts: Iterable[Element], scope: Scope, *, forward: bool) -> set[Element]:
    """The elements reached along flows and boundary events (or from which `starts` are reached)."""
    reached = set(starts)
    todo = list(reached)
    while todo:
        element = todo.pop()
        if forward:
            steps = [*scope.after(element), *element.boundaries]
        else:
            steps = [scope.elements[flow.source] for flow in element.incoming if flow.source in scope.elements]
            host = scope.elements.get(element.node.get("attachedToRef") or "")
            steps += [host] if host is not None and element.kind == "boundaryEvent" else []
        for step in steps:
            if step not in reached:
                reached.add(step)
                todo.append(step)
    return reached


def _check_lanes(process: Process) -> None:
    known = {element.id for element in process.elements}
    seen: dict[str, Node] = {}
    for lane in process.node.iter(f"{{{BPMN}}}lane"):
        if not (lane.get("name") or "").strip():
            process.report.problem(lane, "lane-name", "泳道没有名称", "The lane has no name")
        for reference in children(lane, "flowNodeRef"):
            name = (reference.text or "").strip()
            if name not in known:
                process.report.note(reference, "lane-element", f"没有元素「{name}」", f"There is no element “{name}”")
            elif name in seen and seen[name] not in lane.iterancestors():
                process.report.problem(
                    reference, "lane-element", f"「{name}」同时在两条泳道里", f"“{name}” is in two lanes", element=name
                )
            seen[name] = lane


def check_loops(process: Process) -> None:
    """Multi-instance activities and loops say everything they need."""
    for element in process.elements:
        loop = element.node.find(f"{{{BPMN}}}standardLoopCharacteristics")
        if loop is not None:
            most = loop.get("loopMaximum")
            if most is not None and not (most.isascii() and most.isdecimal() and 1 <= int(most[:9]) <= 1000):
                process.report.problem(
                    element.node,
                    "loop-maximum",
                    "循环的上限 loopMaximum 须为 1 至 1000",
                    "The loopMaximum of a loop must be 1 to 1000",
                )
            if most is None and not child_text(loop, "loopCondition"):
                process.report.problem(
                    element.node,
                    "loop-condition",
                    "循环须有条件 loopCondition 或上限 loopMaximum",
                    "A loop needs a loopCondition or a loopMaximum",
                )
        if loop is not None and element.multi is not None:
            process.report.problem(
                element.node, "loop-both", "不能既循环又多实例", "It cannot be a loop and multi-instance at once"
            )
