"""Every element, attribute, extension and property of a diagram against the tables of `elements`; and the ids."""

from __future__ import annotations

import math
import re

from engine.spiff import elements
from engine.spiff.decisions_read import split_name
from engine.spiff.elements import BPMN, DRAWING, ELEMENTS, HARMLESS, SPIFF, XSI
from engine.spiff.gate_model import FLOW_NODES
from engine.spiff.gate_report import Node, Report

# names the execution library gives to steps of its own
RESERVED = frozenset({"Start", "End", "Root", "StartEventSplit", "StartEventJoin", "EndJoin"})
_RESERVED_ENDS = (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin", "[child]")
# their ids are names of variables, which may well appear twice
_VARIABLES = frozenset({"dataInput", "dataOutput", "inputDataItem", "outputDataItem"})
_NEVER_EMPTY = frozenset(
    {"loopCondition", "loopCardinality", "loopDataInputRef", "loopDataOutputRef", "dataInputRefs", "dataOutputRefs"}
)
_MAY_BE_BLANK = frozenset(
    """text terminateEventDefinition errorEventDefinition error dataInput dataOutput inputDataItem outputDataItem
    categoryValue property parameter documentation instructionsForEndUser""".split()  # noqa: SIM905
)
_ID = re.compile(r"[^\W\d][\w.-]{0,99}\Z")


def check_whitelist(root: Node, report: Report) -> None:
    """1. elements and where they stand 2. attributes 3. ids 4. the drawing."""
    if root.tag != f"{{{BPMN}}}definitions":
        report.problem(root, "bpmn-root", "不是 BPMN 2.0 文件", "This is not a BPMN 2.0 file")
        return
    ids: dict[str, Node] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if not isinstance(node.tag, str):  # a comment
            continue
        if _check_element(node, report):
            stack.extend(node)
        _check_id(node, ids, report)
    _check_drawing(root, report)


def _check_element(node: Node, report: Report) -> bool:
    """Whether what is inside should be looked at too."""
    space, name = split_name(node.tag if isinstance(node.tag, str) else "")
    parent = node.getparent()
    above_space, above = split_name(str(parent.tag)) if parent is not None else ("", "")
    if space in DRAWING:
        return above_space in DRAWING or above == "definitions" or _unknown(node, name, report)
    if space == SPIFF:
        return _check_extension(node, name, above_space, above, report)
    if space != BPMN:
        return _unknown(node, name, report)
    if parent is not None and above_space != BPMN:
        report.problem(node, "misplaced", f"{name} 不能放在 {above} 里", f"{name} cannot stand in {above}")
        return False
    if parent is not None and above in ELEMENTS and name not in ELEMENTS[above].children:
        known = elements.refusal(name, above)
        if known is not None:
            report.problem(node, "not-supported", f"不支持 {name}：{known.zh}", f"{name} is not supported: {known.en}")
        elif name in ELEMENTS:
            report.problem(node, "misplaced", f"{name} 不能放在 {above} 里", f"{name} cannot stand in {above}")
        else:
            _unknown(node, name, report)
        return False
    if name not in ELEMENTS:
        return _unknown(node, name, report)
    _check_attributes(node, name, report)
    return name == "extensionElements" or ELEMENTS[name].children != frozenset() or _is_leaf(node, name, report)


def _is_leaf(node: Node, name: str, report: Report) -> bool:
    """An element for text: a comment inside would silently cut the text short, and blanks are no text."""
    if len(node):
        report.problem(node, "misplaced", f"{name} 里只能有文字", f"{name} can hold text only")
    elif (name in _NEVER_EMPTY or node.text) and name not in _MAY_BE_BLANK and not (node.text or "").strip():
        report.problem(node, "empty", f"{name} 是空的", f"{name} is empty")
    return False


def _unknown(node: Node, name: str, report: Report) -> bool:
    report.problem(node, "unknown-element", f"不认识的元素「{name}」", f"The element “{name}” is not known here")
    return False


def _check_attributes(node: Node, name: str, report: Report) -> None:
    allowed = ELEMENTS[name].attributes
    for key, value in node.attrib.items():
        space, attribute = split_name(str(key))
        if space == XSI:
            if attribute == "schemaLocation" and name == "definitions":
                continue
            attribute = f"xsi:{attribute}"
        elif space in HARMLESS or space in DRAWING:
            continue
        elif space:
            report.problem(
                node,
                "unknown-attribute",
                f"不认识的属性「{attribute}」",
                f"The attribute “{attribute}” is not known here",
            )
            continue
        plain = str(value).rpartition(":")[2] if attribute == "xsi:type" else str(value)
        if attribute not in allowed or (allowed[attribute] and plain not in allowed[attribute]):
            _refuse_attribute(node, name, attribute, str(value), report)


def _refuse_attribute(node: Node, name: str, attribute: str, value: str, report: Report) -> None:
    known = elements.refused_attribute(name, attribute)
    code = "not-supported" if known else "unknown-attribute"
    shown = f"{attribute}={value[:40]}"
    zh, en = (f"：{known.zh}", f": {known.en}") if known else ("", "")
    report.problem(node, code, f"{name} 的属性 {shown} 不支持{zh}", f"{name} does not take {shown}{en}")


def _check_extension(node: Node, name: str, above_space: str, above: str, report: Report) -> bool:
    where = elements.EXTENSIONS.get(name)
    host = above
    if above_space == BPMN and above == "extensionElements":
        holder = node.getparent()
        owner = holder.getparent() if holder is not None else None
        host = split_name(str(owner.tag))[1] if owner is not None else ""
    if where is None or not (host in where[0] or ("*" in where[0] and above == "extensionElements")):
        report.problem(
            node,
            "unknown-extension",
            f"「{host}」不支持扩展「{name}」",
            f"“{host}” does not take the extension “{name}”",
        )
        return False
    for key in node.attrib:
        if str(key) not in elements.EXTENSION_ATTRIBUTES.get(name, frozenset()):
            report.problem(
                node, "unknown-attribute", f"「{name}」不支持属性「{key!s}」", f"“{name}” has no attribute “{key!s}”"
            )
    if name == "property":
        _check_property(node, report)
    return name in ("properties", "serviceTaskOperator", "parameters") or _is_leaf(node, name, report)


def _check_property(node: Node, report: Report) -> None:
    holder = node.getparent()
    block = holder.getparent() if holder is not None else None
    owner = block.getparent() if block is not None else None
    host = split_name(str(owner.tag))[1] if owner is not None else ""
    name = node.get("name") or ""
    if not elements.property_allowed(name, host):
        report.problem(node, "unknown-property", f"「{host}」没有属性「{name}」", f"“{host}” has no property “{name}”")
    elif holder is not None and sum(1 for each in holder if each.get("name") == name) > 1:
        report.problem(node, "duplicate-property", f"属性「{name}」写了两次", f"The property “{name}” is given twice")


def _check_id(node: Node, ids: dict[str, Node], report: Report) -> None:
    name = node.get("id")
    space, kind = split_name(str(node.tag))
    if name is None:
        if space == BPMN and kind in (*FLOW_NODES, "process", "sequenceFlow"):
            report.problem(node, "id-missing", f"{kind} 没有编号（id）", f"{kind} has no id")
        return
    if space == SPIFF:  # ids of operations and parameters are names of another kind
        return
    if kind not in _VARIABLES:
        if name in ids:
            report.problem(node, "id-duplicate", f"编号「{name}」重复", f"The id “{name}” is used twice")
        ids[name] = node
    if space != BPMN:
        return
    if name in RESERVED or name.endswith(_RESERVED_ENDS):
        report.problem(
            node,
            "id-reserved",
            f"编号「{name}」与执行库冲突，请改名",
            f"The id “{name}” collides with the library; choose another",
        )
    elif kind in (*FLOW_NODES, "process", "sequenceFlow", "dataInput", "dataOutput") and not _ID.match(name):
        report.problem(
            node,
            "id-form",
            f"编号「{name}」须由文字、数字、下划线、点和连字符组成，不超过 100 个字",
            f"The id “{name}” must consist of letters, digits, underscores, dots and hyphens, 100 at most",
        )


def _check_drawing(root: Node, report: Report) -> None:
    """A picture is optional (a note), but its numbers are numbers and it shows what there is."""
    shapes = [node for node in root.iter() if isinstance(node.tag, str) and split_name(node.tag)[0] in DRAWING]
    if not shapes:
        report.note(
            root,
            "no-drawing",
            "文件没有图形信息，显示时自动排版",
            "The file has no drawing; it is laid out for display",
        )
        return
    known = {node.get("id") for node in root.iter() if isinstance(node.tag, str) and split_name(node.tag)[0] == BPMN}
    for node in shapes:
        shown = node.get("bpmnElement")
        if shown is not None and shown.rpartition(":")[2] not in known:
            report.note(
                node,
                "drawing-stray",
                f"图形指向不存在的「{shown}」",
                f"The drawing shows “{shown}”, which does not exist",
            )
        for name in ("x", "y", "width", "height"):
            value = node.get(name)
            if value is not None and not _is_number(value):
                report.problem(
                    node, "drawing-number", f"图形的 {name} 不是数字", f"The drawing's {name} is not a number"
                )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
