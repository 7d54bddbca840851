"""A diagram as facts: every attribute, child and extension of every element, wherever it stands in the file."""

from __future__ import annotations

from lxml import etree

from engine.difference.changes import Change, Facts
from engine.spiff.gate_xml import read_xml

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
DRAWN = frozenset({"BPMNShape", "BPMNEdge"})
WITHIN = frozenset(  # children that are part of what they stand in, even with an id of their own
    {
        "conditionExpression", "documentation", "extensionElements", "ioSpecification", "dataInputAssociation",
        "dataOutputAssociation", "multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "property",
        "timerEventDefinition", "errorEventDefinition", "terminateEventDefinition", "linkEventDefinition",
        "signalEventDefinition", "messageEventDefinition", "escalationEventDefinition", "conditionalEventDefinition",
        "compensateEventDefinition", "cancelEventDefinition", "resourceRole", "performer", "potentialOwner",
    }
)  # fmt: skip
TRANSPARENT = ("extensionElements", "properties", "parameters", "property", "parameter", "serviceTaskOperator")
DERIVED = frozenset({"incoming", "outgoing"})  # said again by the flows


def diagram_facts(content: bytes) -> dict[str, Facts]:
    """Facts by element id; "" is the file's definitions. Raises XmlRefused."""
    root = read_xml(content)
    facts: dict[str, Facts] = {}
    lanes = {(node.text or "").strip(): _lane(node) for node in root.iter(f"{{{BPMN}}}flowNodeRef")}
    stack: list[tuple[etree._Element, str]] = [(root, "")]
    while stack:
        node, inside = stack.pop()
        said = {key: value for key, value in attributes(node).items() if key != "id"}
        id = node.get("id") or "" if node is not root else ""
        if inside:
            said["in"] = inside
        if id in lanes:
            said["lane"] = lanes[id]
        for child in reversed(node):
            if not isinstance(child.tag, str) or local(child) == "BPMNDiagram" or local(child) in DERIVED:
                continue
            if child.get("id") and local(child) not in WITHIN and _namespace(child) == BPMN:
                stack.append((child, id))
        for child in node:
            if not isinstance(child.tag, str) or local(child) in {*DERIVED, "BPMNDiagram", "flowNodeRef"}:
                continue
            if child.get("id") is None or local(child) in WITHIN or _namespace(child) != BPMN:
                _tell(child, "", said)
        facts.setdefault(id, Facts(type=local(node), said=said))
    return facts


def moved(before: bytes | None, after: bytes | None) -> tuple[Change, ...]:
    """Elements that are drawn elsewhere: what the engine does is the same."""
    if before is None or after is None:
        return ()
    old, new = _drawing(before), _drawing(after)
    both = (element for element in new if element in old and old[element] != new[element])
    return tuple(Change(element=element, kind="moved", type=new[element][0]) for element in both)


def _drawing(content: bytes) -> dict[str, tuple[str, str]]:
    found = {}
    for node in read_xml(content).iter():
        if isinstance(node.tag, str) and local(node) in DRAWN:
            places = [child for child in node.iter() if isinstance(child.tag, str) and local(child) != "BPMNLabel"]
            where = " ".join(f"{each.get('x')},{each.get('y')},{each.get('width')}" for each in places)
            element = node.get("bpmnElement") or ""
            found[element] = ("shape" if local(node) == "BPMNShape" else "edge", where + str(node.get("isExpanded")))
    return found


def _tell(node: etree._Element, path: str, said: dict[str, str]) -> None:
    """Write down what a child says under a key a reader understands; ids inside are names for the file alone."""
    name = local(node)
    if _namespace(node) == SPIFF and name in ("property", "parameter", "serviceTaskOperator"):
        key = "operation" if name == "serviceTaskOperator" else f"{name}:{node.get('name') or node.get('id')}"
        _put(said, key, node.get("id" if name == "serviceTaskOperator" else "value") or "")
        for more, value in attributes(node).items():
            if more not in ("id", "name", "value"):
                _put(said, f"{key}@{more}", value)
    inner = path if name in TRANSPARENT else _join(path, name)
    if inner != path:
        text = " ".join((node.text or "").split()) if len(node) else (node.text or "").strip()
        if text:
            _put(said, inner, text)
        elif not len(node) and not {*node.attrib} - {"id"}:
            _put(said, inner, "")  # its being there says something: terminateEventDefinition
        for key, value in attributes(node).items():
            if key != "id":
                _put(said, f"{inner}@{key}", value)
    for child in node:
        if isinstance(child.tag, str):
            _tell(child, inner, said)


def _put(said: dict[str, str], key: str, value: str) -> None:
    """Two children of one name are kept apart by number."""
    number, unique = 1, key
    while unique in said:
        number += 1
        unique = f"{key} {number}"
    said[unique] = value


def _lane(node: etree._Element) -> str:
    lane = node.getparent()
    return "" if lane is None else lane.get("name") or lane.get("id") or ""


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def local(node: etree._Element) -> str:
    return etree.QName(node).localname


def _namespace(node: etree._Element) -> str:
    return etree.QName(node).namespace or ""


def attributes(node: etree._Element) -> dict[str, str]:
    """The attributes by local name."""
    return {etree.QName(str(key)).localname: str(value) for key, value in node.attrib.items()}
