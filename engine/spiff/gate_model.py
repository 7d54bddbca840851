"""A bundle as the checks see it: processes, scopes, elements, flows and lanes, read from any XML without complaint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from engine.spiff.decisions import Decision
from engine.spiff.elements import BPMN, SPIFF
from engine.spiff.gate_report import House, Node, Report

_RUNNING = """startEvent endEvent boundaryEvent intermediateCatchEvent intermediateThrowEvent userTask manualTask
scriptTask serviceTask businessRuleTask callActivity subProcess exclusiveGateway inclusiveGateway parallelGateway
eventBasedGateway"""
RUNNING = frozenset(_RUNNING.split())
# refused kinds take part in the graph all the same, so that one refusal does not bring a dozen others with it
FLOW_NODES = RUNNING | {"task", "sendTask", "receiveTask", "complexGateway", "transaction", "adHocSubProcess"}
HUMAN = frozenset({"userTask", "manualTask"})
CONDITIONAL = frozenset({"exclusiveGateway", "inclusiveGateway"})


@dataclass(eq=False)
class Flow:
    """A sequence flow; `condition` is its text, None when it has none."""

    id: str
    source: str
    target: str
    condition: str | None
    node: Node


@dataclass(eq=False)
class Element:
    """A flow node. `incoming` and `outgoing`: its sequence flows; `boundaries`: the events attached to it."""

    id: str
    kind: str
    node: Node
    scope: Scope
    properties: dict[str, str]
    lane: str | None = None
    incoming: list[Flow] = field(default_factory=list)
    outgoing: list[Flow] = field(default_factory=list)
    boundaries: list[Element] = field(default_factory=list)

    @property
    def interrupting(self) -> bool:
        return self.node.get("cancelActivity", "true") != "false"

    @property
    def multi(self) -> Node | None:
        return child(self.node, "multiInstanceLoopCharacteristics")

    def definition(self, name: str) -> Node | None:
        """Its event definition of that kind (`timer`, `error`, `terminate`)."""
        return child(self.node, f"{name}EventDefinition")


@dataclass(eq=False)
class Scope:
    """A process or an embedded subprocess with what lies directly in it."""

    id: str
    node: Node
    process: Process
    owner: Element | None
    elements: dict[str, Element] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def after(self, element: Element) -> Iterator[Element]:
        """The elements its sequence flows lead to."""
        for flow in element.outgoing:
            if flow.target in self.elements:
                yield self.elements[flow.target]


@dataclass(eq=False)
class Process:
    """A process with all its scopes, outermost first. `inputs`/`outputs` are None without an ioSpecification."""

    id: str
    file: str
    node: Node
    report: Report
    properties: dict[str, str]
    scopes: list[Scope] = field(default_factory=list)
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None

    @property
    def elements(self) -> Iterator[Element]:
        for scope in self.scopes:
            yield from scope.elements.values()

    @property
    def start(self) -> Element | None:
        """The start event of the process itself."""
        return next((each for each in self.scopes[0].elements.values() if each.kind == "startEvent"), None)


@dataclass(eq=False)
class Model:
    """Everything of a bundle: `roots` by file, processes and decisions by id, forms (parsed) by path."""

    files: Mapping[str, bytes]
    house: House
    roots: dict[str, Node] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    forms: dict[str, Any] = field(default_factory=dict)

    def form_path(self, process: str, name: str) -> str | None:
        """Where the form called `name` by a diagram of `process` lies in the bundle."""
        stem = name.removesuffix(".json")
        for path in (f"{process}/forms/{stem}.json", f"{stem}.json", name):
            if path in self.forms:
                return path
        tail = ("forms", f"{stem}.json")
        return next((path for path in self.forms if PurePosixPath(path).parts[-2:] == tail), None)


def local(node: Node) -> str:
    """The name of a BPMN element without namespace; empty for anything else."""
    tag = node.tag
    prefix = f"{{{BPMN}}}"
    return tag[len(prefix) :] if isinstance(tag, str) and tag.startswith(prefix) else ""


def child(node: Node, name: str) -> Node | None:
    return node.find(f"{{{BPMN}}}{name}")


def children(node: Node, name: str) -> list[Node]:
    return node.findall(f"{{{BPMN}}}{name}")


def text_of(node: Node | None) -> str:
    """The text of an element, as the kernel reads it."""
    return "" if node is None else (node.text or "").strip()


def child_text(node: Node, name: str) -> str:
    return text_of(child(node, name))


def extension(node: Node, name: str) -> Node | None:
    """The spiffworkflow extension `name` of an element."""
    return node.find(f"{{{BPMN}}}extensionElements/{{{SPIFF}}}{name}")


def properties_of(node: Node) -> dict[str, str]:
    path = f"{{{BPMN}}}extensionElements/{{{SPIFF}}}properties/{{{SPIFF}}}property"
    return {each.get("name") or "": each.get("value") or "" for each in node.iterfind(path)}


def result_variable(element: Element) -> str:
    """Where the result of a user or service task goes; empty when a service task does not say."""
    if element.kind in HUMAN:
        return text_of(extension(element.node, "variableName")) or element.id
    operator = extension(element.node, "serviceTaskOperator") if element.kind == "serviceTask" else None
    return (operator.get("resultVariable") or "").strip() if operator is not None else ""


def read_process(node: Node, file: str, report: Report) -> Process:
    """The process in `node`; what is missing stays empty."""
    process = Process(id=node.get("id") or "", file=file, node=node, report=report, properties=properties_of(node))
    exchange = child(node, "ioSpecification")
    if exchange is not None:
        process.inputs = tuple(each.get("id") or "" for each in children(exchange, "dataInput"))
        process.outputs = tuple(each.get("id") or "" for each in children(exchange, "dataOutput"))
    _read_scope(node, process, None)
    for lane in node.iter(f"{{{BPMN}}}lane"):
        for reference in children(lane, "flowNodeRef"):
            for scope in process.scopes:
                element = scope.elements.get(text_of(reference))
                if element is not None:
                    element.lane = (lane.get("name") or "").strip()
    for scope in process.scopes:  # elements of a subprocess have its lane
        if scope.owner is not None:
            for element in scope.elements.values():
                element.lane = element.lane or scope.owner.lane
    return process


def _read_scope(node: Node, process: Process, owner: Element | None) -> None:
    scope = Scope(id=node.get("id") or "", node=node, process=process, owner=owner)
    process.scopes.append(scope)
    inner: list[Element] = []
    for each in node:
        kind = local(each)
        name = each.get("id") or ""
        if kind == "sequenceFlow":
            condition = child(each, "conditionExpression")
            flow = Flow(
                id=name,
                source=each.get("sourceRef") or "",
                target=each.get("targetRef") or "",
                condition=None if condition is None else text_of(condition),
                node=each,
            )
            scope.flows.append(flow)
        elif kind in FLOW_NODES:
            element = Element(id=name, kind=kind, node=each, scope=scope, properties=properties_of(each))
            scope.elements.setdefault(name, element)
            if kind in ("subProcess", "transaction", "adHocSubProcess"):
                inner.append(element)
    for flow in scope.flows:
        if flow.source in scope.elements:
            scope.elements[flow.source].outgoing.append(flow)
        if flow.target in scope.elements:
            scope.elements[flow.target].incoming.append(flow)
    for element in scope.elements.values():
        host = scope.elements.get(element.node.get("attachedToRef") or "")
        if element.kind == "boundaryEvent" and host is not None:
            host.boundaries.append(element)
    for element in inner:
        _read_scope(element.node, process, element)
