"""A diagram's drawing information (BPMN DI) as plain shapes and lines, for those who draw it outside a browser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from engine.spiff.parse import BPMN, SPIFF, safe_xml

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DDI = "http://www.omg.org/spec/DD/20100524/DI"
FARTHEST = 100_000.0  # px: a coordinate beyond it is a mistake
MOST = 2_000  # shapes and lines drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """An element's box in px; `kind` is its BPMN name, `mark` what is drawn inside (timer, terminate, multi …)."""

    id: str
    kind: str
    name: str
    x: float
    y: float
    width: float
    height: float
    mark: str = ""
    expanded: bool = True
    label: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A flow or an association through its points, in px."""

    id: str
    kind: str
    name: str
    points: tuple[tuple[float, float], ...]
    label: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The whole drawing; `box` is x, y, width, height around everything."""

    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]
    box: tuple[float, float, float, float]


def picture(content: bytes, *, file: str, language: str = "zh-CN") -> Picture | None:
    """What a diagram's file draws, named in `language` where it says how; None when it draws nothing."""
    root = safe_xml(content, file)
    elements = {node.get("id"): node for node in root.iter() if isinstance(node.tag, str) and node.get("id")}
    shapes, lines = list[Shape](), list[Line]()
    for node in root.iter(f"{{{DI}}}BPMNShape"):
        shape = _shape(node, elements, language)
        if shape and len(shapes) < MOST:
            shapes.append(shape)
    for node in root.iter(f"{{{DI}}}BPMNEdge"):
        line = _line(node, elements, language)
        if line and len(lines) < MOST:
            lines.append(line)
    if not shapes:
        return None
    return Picture(shapes=tuple(shapes), lines=tuple(lines), box=_box(shapes, lines))


def _shape(node: Any, elements: Mapping[str, Any], language: str) -> Shape | None:
    element = elements.get(node.get("bpmnElement"))
    bounds = _bounds(node.find(f"{{{DC}}}Bounds"))
    if element is None or bounds is None:
        return None
    id = element.get("id")
    return Shape(
        id=id,
        kind=etree.QName(element).localname,
        name=_called(element, language) or _note(element),
        x=bounds[0],
        y=bounds[1],
        width=bounds[2],
        height=bounds[3],
        mark=_mark(element),
        expanded=node.get("isExpanded") != "false",
        label=_bounds(node.find(f"{{{DI}}}BPMNLabel/{{{DC}}}Bounds")),
    )


def _line(node: Any, elements: Mapping[str, Any], language: str) -> Line | None:
    element = elements.get(node.get("bpmnElement"))
    points = [_point(each) for each in node.iterfind(f"{{{DDI}}}waypoint")]
    if element is None or len(points) < 2 or None in points:
        return None
    id = element.get("id")
    return Line(
        id=id,
        kind=etree.QName(element).localname,
        name=_called(element, language),
        points=tuple(point for point in points if point is not None),
        label=_bounds(node.find(f"{{{DI}}}BPMNLabel/{{{DC}}}Bounds")),
    )


def _called(element: Any, language: str) -> str:
    """The element's name: the property `name:<language>`, else the attribute, which is Chinese."""
    for extension in element.iterfind(f"{{{BPMN}}}extensionElements"):
        for each in extension.iter(f"{{{SPIFF}}}property"):
            if each.get("name") == f"name:{language}" and each.get("value"):
                return str(each.get("value"))
    return str(element.get("name") or "")


def _bounds(node: Any) -> tuple[float, float, float, float] | None:
    if node is None:
        return None
    found = [_number(node.get(name)) for name in ("x", "y", "width", "height")]
    if None in found:
        return None
    x, y, width, height = (each or 0.0 for each in found)
    return x, y, max(width, 1.0), max(height, 1.0)


def _point(node: Any) -> tuple[float, float] | None:
    x, y = _number(node.get("x")), _number(node.get("y"))
    return None if x is None or y is None else (x, y)


def _number(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= FARTHEST else None


def _note(element: Any) -> str:
    return (element.findtext(f"{{{BPMN}}}text") or "").strip()


def _mark(element: Any) -> str:
    for tag, mark in (
        ("timerEventDefinition", "timer"),
        ("terminateEventDefinition", "terminate"),
        ("errorEventDefinition", "error"),
        ("messageEventDefinition", "message"),
        ("multiInstanceLoopCharacteristics", "multi"),
        ("standardLoopCharacteristics", "loop"),
    ):
        if element.find(f"{{{BPMN}}}{tag}") is not None:
            return mark
    return "quiet" if element.get("cancelActivity") == "false" else ""


def _box(shapes: list[Shape], lines: list[Line]) -> tuple[float, float, float, float]:
    xs = [x for shape in shapes for x in (shape.x, shape.x + shape.width)] + [
        x for line in lines for x, _ in line.points
    ]
    ys = [y for shape in shapes for y in (shape.y, shape.y + shape.height)] + [
        y for line in lines for _, y in line.points
    ]
    for shape in shapes:
        if shape.kind.endswith("Event"):  # its name stands below it
            ys.append(shape.y + shape.height + 34)
    return min(xs) - 10, min(ys) - 10, max(xs) - min(xs) + 20, max(ys) - min(ys) + 20
