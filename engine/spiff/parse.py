"""The files of a deployment, parsed once into something immutable that every thread may share.

Nothing is checked here that the gate checks; but what cannot be executed raises, and nothing is ever evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from lxml import etree

from engine.spiff.activities import embedded
from engine.spiff.decisions import Decision, parse_decision
from engine.spiff.diagram import DiagramParser, ProcessSpec
from engine.spiff.expressions import Expression, compile_expression
from engine.spiff.failures import ParseFailed
from engine.spiff.steps import Step

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
SIZE_CAP = 5_000_000  # bytes of one file
NODES = frozenset(etree.QName(tag).localname for tag in DiagramParser.PARSER_CLASSES)


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementInfo:
    """What a diagram says of one element. `kind` is the BPMN name (`userTask`), `process` the process whose
    diagram it stands in.

    `form` is the path of the form in the bundle (`account_registration/forms/ballot.json`) when there is such a file,
    else what the diagram says. `lane` is the innermost lane's name as written; elements of an embedded subprocess
    have that of the subprocess.
    """

    id: str
    kind: str
    process: str
    name: dict[str, str]
    line: int
    lane: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    instructions: dict[str, str] = field(default_factory=dict)
    form: str | None = None
    result_variable: str | None = None
    candidates: Expression | None = None
    assignee: Expression | None = None
    recuse: Expression | None = None
    visible_to: Expression | None = None
    due: str | None = None
    remind: tuple[str, ...] = ()
    multi: bool = False
    attached_to: str | None = None
    called: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessInfo:
    """A process: its names, properties, start event and every element in its diagram, those of embedded
    subprocesses included.
    """

    id: str
    file: str
    name: dict[str, str]
    properties: dict[str, str]
    start: ElementInfo
    elements: Mapping[str, ElementInfo]


@dataclass(frozen=True, kw_only=True, slots=True)
class Definitions:
    """Everything of one deployment. `specs` belongs to this package; `tables` are the `*.csv` as they are."""

    processes: Mapping[str, ProcessInfo]
    decisions: Mapping[str, Decision]
    forms: Mapping[str, dict[str, Any]]
    specs: Mapping[str, ProcessSpec]
    tables: Mapping[str, bytes] = field(default_factory=dict)


def safe_xml(content: bytes, file: str) -> Any:
    """The root of an XML file: no DOCTYPE, no entities, no network, bounded size. Raises ParseFailed."""
    if len(content) > SIZE_CAP:
        raise ParseFailed(file=file, element="", reason=f"more than {SIZE_CAP} bytes")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ParseFailed(file=file, element="", reason=str(error)) from None
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise ParseFailed(file=file, element="", reason="a DOCTYPE is not allowed")
    return root


def is_scenario(path: str) -> bool:
    """Whether a file of a bundle is a scenario beside a procedure: the engine keeps it and never reads it."""
    return path.endswith(".json") and "/scenarios/" in path


def parse(files: Mapping[str, bytes]) -> Definitions:
    """Parse a bundle (path → content): `*.bpmn`, `*.dmn`, `<process>/forms/*.json`. Raises ParseFailed."""
    roots = {path: safe_xml(content, path) for path, content in sorted(files.items()) if path.endswith(".bpmn")}
    named = (path for path in sorted(files) if path.endswith(".json") and not is_scenario(path))
    forms = {path: _json(files[path], path) for path in named}
    decisions: dict[str, Decision] = {}
    for path, content in sorted(files.items()):
        if path.endswith(".dmn"):
            decision = parse_decision(content, path)
            decisions[decision.id] = decision
    processes: dict[str, ProcessInfo] = {}
    for path, root in roots.items():
        for node in root.iterfind(f"{{{BPMN}}}process"):
            info = _process(node, path, forms)
            processes[info.id] = info
    by_file = {path: _specs(path, root) for path, root in roots.items()}
    definitions = Definitions(
        processes=MappingProxyType(processes),
        decisions=MappingProxyType(decisions),
        forms=MappingProxyType(forms),
        specs=MappingProxyType({name: spec for specs in by_file.values() for name, spec in specs.items()}),
        tables=MappingProxyType({path: content for path, content in files.items() if path.endswith(".csv")}),
    )
    for path, specs in by_file.items():
        _prepare(path, specs, definitions)
    return definitions


def _json(content: bytes, path: str) -> dict[str, Any]:
    try:
        form: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise ParseFailed(file=path, element="", reason=str(error)) from None
    return form


# -- specs ---------------------------------------------------------------------------------------------------------
def _specs(path: str, root: Any) -> dict[str, ProcessSpec]:
    """The specs of one file: processes under their ids, embedded subprocesses under `process/subprocess`."""
    parser = DiagramParser()
    parsed: dict[str, ProcessSpec] = {}
    name = ""
    try:
        parser.add_bpmn_xml(root, path)
        while todo := [name for name in parser.process_parsers if name not in parsed]:
            for name in todo:  # embedded subprocesses come to light on the way
                parsed[name] = parser.get_spec(name)
    except Exception as error:
        raise ParseFailed(file=path, element=getattr(error, "id", "") or name, reason=str(error)) from error
    found: dict[str, ProcessSpec] = {}
    for node in root.iterfind(f"{{{BPMN}}}process"):
        found[node.get("id")] = parsed[node.get("id")]
        for inner in node.iter(f"{{{BPMN}}}subProcess"):
            name = embedded(node.get("id"), inner.get("id"))
            found[name] = parsed[inner.get("id")]
            found[name].name = name
    return found


def _prepare(path: str, specs: Mapping[str, ProcessSpec], definitions: Definitions) -> None:
    """Finish the specs of one file."""
    for name, process in specs.items():
        for spec in process.task_specs.values():
            if not isinstance(spec, Step):
                continue
            try:
                spec.prepare(name.split("/")[0], definitions)
            except Exception as error:
                reason = getattr(error, "message", {}).get("en") or f"{error or type(error).__name__}"
                raise ParseFailed(file=path, element=spec.bpmn_id, reason=reason) from error


# -- what the diagram says -----------------------------------------------------------------------------------------
def _process(node: Any, path: str, forms: Mapping[str, Any]) -> ProcessInfo:
    id = node.get("id")
    elements = {info.id: info for info in _elements(node, node, _lanes(node), None, forms)}
    starts = [info for info in elements.values() if info.kind == "startEvent"]
    own = [info for info in starts if _child(node, info.id)]
    if len(own) != 1:
        raise ParseFailed(file=path, element=id, reason=f"{len(own)} start events instead of one")
    properties = _properties(node)
    return ProcessInfo(
        id=id,
        file=path,
        name=_names(node, properties),
        properties=properties,
        start=own[0],
        elements=MappingProxyType(elements),
    )


def _child(node: Any, id: str) -> bool:
    return any(each.get("id") == id for each in node)


def _lanes(process: Any) -> dict[str, str]:
    """Element id → name of the innermost lane."""
    found: dict[str, str] = {}
    for lane in process.iter(f"{{{BPMN}}}lane"):  # an inner lane comes after the one around it
        for reference in lane.iterfind(f"{{{BPMN}}}flowNodeRef"):
            found[(reference.text or "").strip()] = lane.get("name") or ""
    return found


def _elements(
    scope: Any, process: Any, lanes: dict[str, str], lane: str | None, forms: Mapping[str, Any]
) -> list[ElementInfo]:
    found = []
    for node in scope:
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node)
        if name.namespace != BPMN or name.localname not in NODES:
            continue
        own_lane = lanes.get(node.get("id")) or lane
        found.append(_element(node, name.localname, process.get("id"), own_lane, forms))
        if name.localname == "subProcess":
            found.extend(_elements(node, process, lanes, own_lane, forms))
    return found


def _element(node: Any, kind: str, process: str, lane: str | None, forms: Mapping[str, Any]) -> ElementInfo:
    properties = _properties(node)
    id = node.get("id")
    result = None
    if kind in ("userTask", "manualTask"):
        result = _extension(node, "variableName") or id
    elif kind == "serviceTask":
        operator = node.find(f"{{{BPMN}}}extensionElements/{{{SPIFF}}}serviceTaskOperator")
        result = operator.get("resultVariable") if operator is not None else None
    multi = any(node.find(f"{{{BPMN}}}{each}") is not None for each in ("multiInstanceLoopCharacteristics",))
    instructions = {"zh-CN": _extension(node, "instructionsForEndUser"), "en": properties.get("instructions:en")}
    return ElementInfo(
        id=id,
        kind=kind,
        process=process,
        name=_names(node, properties),
        line=node.sourceline or 0,
        lane=lane,
        properties=properties,
        instructions={language: text for language, text in instructions.items() if text},
        form=_form(properties.get("form"), process, forms),
        result_variable=result,
        candidates=_expression(properties, "candidates"),
        assignee=_expression(properties, "assignee"),
        recuse=_expression(properties, "recuse"),
        visible_to=_expression(properties, "visible_to"),
        due=properties.get("due") or None,
        remind=tuple(each.strip() for each in properties.get("remind", "").split(",") if each.strip()),
        multi=multi,
        attached_to=node.get("attachedToRef"),
        called=node.get("calledElement")
        or (_extension(node, "calledDecisionId") if kind == "businessRuleTask" else None),
    )


def _form(named: str | None, process: str, forms: Mapping[str, Any]) -> str | None:
    if not named:
        return None
    stem = named.removesuffix(".json")
    for path in (f"{process}/forms/{stem}.json", f"{stem}.json", named):
        if path in forms:
            return path
    return next((path for path in forms if PurePosixPath(path).parts[-2:] == ("forms", f"{stem}.json")), named)


def _expression(properties: Mapping[str, str], name: str) -> Expression | None:
    text = properties.get(name, "").strip()
    return compile_expression(text) if text else None


def _properties(node: Any) -> dict[str, str]:
    path = f"{{{BPMN}}}extensionElements/{{{SPIFF}}}properties/{{{SPIFF}}}property"
    return {each.get("name"): each.get("value") or "" for each in node.iterfind(path) if each.get("name")}


def _extension(node: Any, name: str) -> str | None:
    found = node.find(f"{{{BPMN}}}extensionElements/{{{SPIFF}}}{name}")
    return (found.text or "").strip() or None if found is not None else None


def tables_of(properties: Mapping[str, str]) -> list[str]:
    """The plain tables a process says its operations read."""
    return [each.strip() for each in properties.get("tables", "").split(",") if each.strip()]


def _names(node: Any, properties: Mapping[str, str]) -> dict[str, str]:
    """The Chinese name (`name`, else the id), and those in other languages (`name:en` …); English falls back to
    the Chinese one.
    """
    chinese = (node.get("name") or "").strip() or node.get("id")
    others = {
        key.removeprefix("name:"): value for key, value in properties.items() if key.startswith("name:") and value
    }
    return {"zh-CN": chinese, "en": chinese, **others}
