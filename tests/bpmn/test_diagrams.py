"""Every shipped diagram can be read: all of it is drawn, nothing overlaps, lanes hold their steps, both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

FOLDER = Path(__file__).resolve().parents[2] / "bpmn"
DIAGRAMS = sorted(FOLDER.glob("*.bpmn"))
NS = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "di": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "dd": "http://www.omg.org/spec/DD/20100524/DI",
    "spiff": "http://spiffworkflow.org/bpmn/schema/1.0/core",
}
NODES = ("Event", "Task", "task", "Gateway", "callActivity", "subProcess")
UNNAMED_FLOWS_FROM = ("Task", "Event", "callActivity")

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle of the drawing."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def holds(self, other: Box) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    def crossed(self, start: Point, end: Point) -> bool:
        """Whether an upright or level line runs through the inside."""
        low, high = (min(start[0], end[0]), min(start[1], end[1])), (max(start[0], end[0]), max(start[1], end[1]))
        inside_x = low[0] < self.x + self.width and high[0] > self.x
        return inside_x and low[1] < self.y + self.height and high[1] > self.y

    def touches(self, point: Point) -> bool:
        return self.x <= point[0] <= self.x + self.width and self.y <= point[1] <= self.y + self.height


@dataclass
class Drawing:
    """One diagram: its elements and where they are drawn."""

    root: Any
    nodes: dict[str, Any] = field(default_factory=dict)
    flows: dict[str, Any] = field(default_factory=dict)
    lanes: dict[str, Any] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, list[Point]] = field(default_factory=dict)

    @property
    def attached(self) -> dict[str, str]:
        return {name: node.get("attachedToRef") for name, node in self.nodes.items() if node.get("attachedToRef")}

    def segments(self, flow: str) -> Iterator[tuple[Point, Point]]:
        points = self.lines[flow]
        return pairwise(points)


def local(node: Any) -> str:
    return str(etree.QName(node).localname)


def draw(path: Path) -> Drawing:
    root: Any = etree.parse(path).getroot()
    drawing = Drawing(root=root)
    for node in root.iterfind(".//bpmn:process//*", NS):
        if not isinstance(node.tag, str) or etree.QName(node).namespace != NS["bpmn"] or node.get("id") is None:
            continue
        if local(node).endswith(NODES):
            drawing.nodes[node.get("id")] = node
        elif local(node) == "sequenceFlow":
            drawing.flows[node.get("id")] = node
        elif local(node) == "lane":
            drawing.lanes[node.get("id")] = node
    for shape in root.iterfind(".//di:BPMNShape", NS):
        drawing.boxes[shape.get("bpmnElement")] = box(shape.find("dc:Bounds", NS))
    for edge in root.iterfind(".//di:BPMNEdge", NS):
        points = [(float(p.get("x")), float(p.get("y"))) for p in edge.iterfind("dd:waypoint", NS)]
        drawing.lines[edge.get("bpmnElement")] = points
    for label in root.iterfind(".//di:BPMNLabel/dc:Bounds", NS):
        drawing.labels[label.getparent().getparent().get("bpmnElement")] = box(label)
    return drawing


def box(bounds: Any) -> Box:
    return Box(*(float(bounds.get(name)) for name in ("x", "y", "width", "height")))


@pytest.fixture(params=DIAGRAMS, ids=lambda path: path.stem)
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return draw(request.param)


def test_there_are_diagrams() -> None:
    assert {"account_registration", "group_vote"} <= {path.stem for path in DIAGRAMS}


def test_every_node_and_flow_is_drawn(drawing: Drawing) -> None:
    assert set(drawing.nodes) | set(drawing.lanes) <= set(drawing.boxes)
    assert set(drawing.flows) == set(drawing.lines)


def test_no_two_nodes_overlap(drawing: Drawing) -> None:
    pairs = combinations(sorted(drawing.nodes), 2)
    on_edge = {frozenset(pair) for pair in drawing.attached.items()}
    found = [p for p in pairs if frozenset(p) not in on_edge and drawing.boxes[p[0]].overlaps(drawing.boxes[p[1]])]
    assert found == []


def test_boundary_events_sit_on_the_edge_of_their_activity(drawing: Drawing) -> None:
    for event, host in drawing.attached.items():
        assert drawing.boxes[event].overlaps(drawing.boxes[host]), event
        assert not drawing.boxes[host].holds(drawing.boxes[event]), event


def test_lines_are_orthogonal_and_join_what_they_connect(drawing: Drawing) -> None:
    for name, flow in drawing.flows.items():
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in drawing.segments(name)), name
        assert drawing.boxes[flow.get("sourceRef")].touches(drawing.lines[name][0]), name
        assert drawing.boxes[flow.get("targetRef")].touches(drawing.lines[name][-1]), name


def test_no_line_runs_through_a_node(drawing: Drawing) -> None:
    found = [
        (name, node)
        for name in drawing.flows
        for node in drawing.nodes
        for start, end in drawing.segments(name)
        if drawing.boxes[node].crossed(start, end) and not _starts_on(drawing, name, node)
    ]
    assert found == []


def _starts_on(drawing: Drawing, flow: str, node: str) -> bool:
    """An event on the edge of an activity lies half inside it, so its flow begins there."""
    return drawing.attached.get(drawing.flows[flow].get("sourceRef")) == node


def test_lanes_hold_their_nodes(drawing: Drawing) -> None:
    placed = {ref.text: name for name, lane in drawing.lanes.items() for ref in lane.iterfind("bpmn:flowNodeRef", NS)}
    assert set(placed) == set(drawing.nodes)
    for node, lane in placed.items():
        assert drawing.boxes[lane].holds(drawing.boxes[node]), node


def test_labels_lie_on_nothing(drawing: Drawing) -> None:
    for name, label in drawing.labels.items():
        assert [node for node in drawing.nodes if drawing.boxes[node].overlaps(label)] == [], name
        crossing = [flow for flow in drawing.flows for line in drawing.segments(flow) if label.crossed(*line)]
        assert crossing == [], name
    both = [pair for pair in combinations(sorted(drawing.labels), 2) if _overlap(drawing, pair)]
    assert both == []


def _overlap(drawing: Drawing, pair: tuple[str, str]) -> bool:
    return drawing.labels[pair[0]].overlaps(drawing.labels[pair[1]])


def test_everything_named_is_named_in_both_languages(drawing: Drawing) -> None:
    named = [*drawing.nodes.values(), *drawing.lanes.values(), *drawing.flows.values()]
    named += drawing.root.findall("bpmn:process", NS)
    for element in named:
        if not element.get("name"):
            assert local(element) == "sequenceFlow", element.get("id")
            continue
        english = element.find("bpmn:extensionElements/spiff:properties/spiff:property[@name='name:en']", NS)
        assert english is not None and english.get("value"), element.get("id")
        assert any("一" <= char <= "鿿" for char in element.get("name")), element.get("id")


def test_every_way_out_of_a_choice_is_labelled(drawing: Drawing) -> None:
    sources = [flow.get("sourceRef") for flow in drawing.flows.values()]
    for name, flow in drawing.flows.items():
        source = flow.get("sourceRef")
        if local(drawing.nodes[source]) == "exclusiveGateway" and sources.count(source) > 1:
            assert flow.get("name") and name in drawing.labels, name


def test_user_tasks_say_what_to_do_in_both_languages(drawing: Drawing) -> None:
    for name, node in drawing.nodes.items():
        if local(node) == "userTask":
            inside = node.find("bpmn:extensionElements", NS)
            assert inside.findtext("spiff:instructionsForEndUser", namespaces=NS), name
            assert inside.find("spiff:properties/spiff:property[@name='instructions:en']", NS) is not None, name


def test_chinese_texts_use_full_width_punctuation(drawing: Drawing) -> None:
    texts = [node.get("name") or "" for node in drawing.root.iter() if isinstance(node.tag, str)]
    texts += [node.text or "" for node in drawing.root.iterfind(".//spiff:instructionsForEndUser", NS)]
    assert [text for text in texts if "您" in text or any(mark in text for mark in "!,;?！")] == []
