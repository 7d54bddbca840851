"""A diagram on paper, drawn as lines and letters: what the case went through in walnut, the rest grey."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from engine.spiff.picture import Line, Picture, Shape

WALNUT, WASH, GREY, INK, PAPER = (HexColor(c) for c in ("#7A4E2D", "#F3E9DF", "#9AA0A6", "#1F2328", "#FFFFFF"))
WAIT, WAIT_WASH = HexColor("#1F5FA8"), HexColor("#E3EEF9")
TEXT = 12.0  # px in the diagram
FRAMES = ("participant", "lane")

Write = Callable[[Canvas, float, float, str, float], None]  # centred text at x, y, of a size


class Drawing(Flowable):  # type: ignore[misc]  # untyped library
    """The picture scaled into a width and at most a height, in points."""

    def __init__(
        self,
        picture: Picture,
        *,
        width: float,
        height: float,
        font: str,
        done: set[str],
        active: set[str],
        flows: set[str],
        visits: dict[str, int],
    ) -> None:
        super().__init__()
        self.picture, self.font = picture, font
        self.done, self.active, self.flows, self.visits = done, active, flows, visits
        _, _, box_width, box_height = picture.box
        self.scale = min(width / box_width, height / box_height, 0.8)
        self.width, self.height = box_width * self.scale, box_height * self.scale

    def wrap(self, *_: Any) -> tuple[float, float]:
        """Its size in points."""
        return self.width, self.height

    def draw(self) -> None:
        """Frames first, then lines, then shapes over them."""
        canvas: Canvas = self.canv
        x, y, _, height = self.picture.box
        canvas.saveState()
        canvas.scale(self.scale, self.scale)
        canvas.translate(-x, y + height)  # from here on y grows upwards: everything is drawn at -y
        for shape in self.picture.shapes:
            if shape.kind in FRAMES:
                self._pool(canvas, shape)
        for line in self.picture.lines:
            self._line(canvas, line)
        for shape in self.picture.shapes:
            if shape.kind not in FRAMES:
                self._shape(canvas, shape)
        canvas.restoreState()

    def _pool(self, canvas: Canvas, shape: Shape) -> None:
        canvas.setStrokeColor(HexColor("#C9C2B8"))
        canvas.setLineWidth(1)
        canvas.rect(shape.x, -shape.y - shape.height, shape.width, shape.height, stroke=1, fill=0)
        canvas.saveState()
        canvas.translate(shape.x + 19, -shape.y - shape.height / 2)
        canvas.rotate(90)
        canvas.setFillColor(INK)
        canvas.setFont(self.font, TEXT)
        canvas.drawCentredString(0, 0, _cut(canvas, self.font, shape.name, shape.height - 8))
        canvas.restoreState()

    def _line(self, canvas: Canvas, line: Line) -> None:
        taken = line.id in self.flows
        color: Color = WALNUT if taken else GREY
        canvas.setStrokeColor(color)
        canvas.setFillColor(color)
        canvas.setLineWidth(2.2 if taken else 1)
        canvas.setDash([] if line.kind == "sequenceFlow" else [3, 3])
        path = canvas.beginPath()
        path.moveTo(line.points[0][0], -line.points[0][1])
        for x, y in line.points[1:]:
            path.lineTo(x, -y)
        canvas.drawPath(path)
        canvas.setDash([])
        if line.kind == "sequenceFlow":
            self._arrow(canvas, line.points[-2], line.points[-1])
        if line.name:
            x, y = _middle(line)
            canvas.setFillColor(INK)
            self._words(canvas, line.name, x, y, 90, 2)

    def _arrow(self, canvas: Canvas, before: tuple[float, float], end: tuple[float, float]) -> None:
        dx, dy = end[0] - before[0], end[1] - before[1]
        length = (dx * dx + dy * dy) ** 0.5 or 1.0
        ux, uy = dx / length, dy / length
        path = canvas.beginPath()
        path.moveTo(end[0], -end[1])
        path.lineTo(end[0] - 9 * ux + 4 * uy, -(end[1] - 9 * uy - 4 * ux))
        path.lineTo(end[0] - 9 * ux - 4 * uy, -(end[1] - 9 * uy + 4 * ux))
        path.close()
        canvas.drawPath(path, stroke=0, fill=1)

    def _shape(self, canvas: Canvas, shape: Shape) -> None:
        active, done = shape.id in self.active, shape.id in self.done
        canvas.setStrokeColor(WAIT if active else WALNUT if done else GREY)
        canvas.setFillColor(WAIT_WASH if active else WASH if done else PAPER)
        canvas.setLineWidth(3 if active or shape.kind in ("endEvent", "callActivity") else 1.4)
        x, y, w, h = shape.x, -shape.y - shape.height, shape.width, shape.height
        below = False
        if shape.kind.endswith("Event"):
            canvas.circle(x + w / 2, y + h / 2, w / 2, stroke=1, fill=1)
            if shape.kind in ("boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"):
                canvas.setLineWidth(1)
                canvas.circle(x + w / 2, y + h / 2, w / 2 - 3, stroke=1, fill=0)
            if shape.mark == "timer":
                canvas.line(x + w / 2, y + h / 2, x + w / 2, y + h / 2 + w / 4)
                canvas.line(x + w / 2, y + h / 2, x + w / 2 + w / 5, y + h / 2)
            elif shape.mark == "terminate":
                canvas.setFillColor(WALNUT if done else GREY)
                canvas.circle(x + w / 2, y + h / 2, w / 4, stroke=0, fill=1)
            below = True
        elif shape.kind.endswith("Gateway"):
            self._diamond(canvas, shape)
            below = True
        elif shape.kind == "textAnnotation":
            canvas.line(x, y, x, y + h)
        else:
            canvas.roundRect(x, y, w, h, 8, stroke=1, fill=0 if shape.kind == "subProcess" and shape.expanded else 1)
            if shape.mark == "multi":
                for place in (-5, 0, 5):
                    canvas.line(x + w / 2 + place, y + 4, x + w / 2 + place, y + 13)
        canvas.setFillColor(INK)
        if below and shape.label:
            lx, ly, label_width, _ = shape.label
            self._words(canvas, shape.name, lx + label_width / 2, ly + TEXT - 1, max(label_width + 8, 76), 2)
        elif below:
            self._words(canvas, shape.name, shape.x + w / 2, shape.y + h + 14, 100, 2)
        elif shape.kind == "subProcess" and shape.expanded:
            self._words(canvas, shape.name, shape.x + w / 2, shape.y + 16, w - 8, 1)
        else:
            self._words(canvas, shape.name, shape.x + w / 2, shape.y + h / 2 + 4, w - 8, 3, centred=True)
        if (times := self.visits.get(shape.id, 0)) > 1:
            canvas.setFillColor(WALNUT)
            canvas.setFont(self.font, 11)
            canvas.drawRightString(shape.x + w + 4, -shape.y + 3, f"×{times}")

    def _diamond(self, canvas: Canvas, shape: Shape) -> None:
        x, y, w, h = shape.x, -shape.y, shape.width, shape.height
        path = canvas.beginPath()
        path.moveTo(x + w / 2, y)
        for px, py in ((x + w, y - h / 2), (x + w / 2, y - h), (x, y - h / 2)):
            path.lineTo(px, py)
        path.close()
        canvas.drawPath(path, stroke=1, fill=1)
        cx, cy = x + w / 2, y - h / 2
        if shape.kind == "parallelGateway":
            canvas.line(cx - 9, cy, cx + 9, cy)
            canvas.line(cx, cy - 9, cx, cy + 9)
        elif shape.kind == "inclusiveGateway":
            canvas.circle(cx, cy, 9, stroke=1, fill=0)
        elif shape.kind == "exclusiveGateway":
            canvas.line(cx - 6, cy - 6, cx + 6, cy + 6)
            canvas.line(cx - 6, cy + 6, cx + 6, cy - 6)

    def _words(
        self, canvas: Canvas, text: str, x: float, y: float, width: float, most: int, *, centred: bool = False
    ) -> None:
        lines = _lines(canvas, self.font, " ".join(text.split()), width, most)
        top = y - (len(lines) - 1) * (TEXT + 2) / 2 if centred else y
        canvas.setFont(self.font, TEXT)
        for place, line in enumerate(lines):
            canvas.drawCentredString(x, -(top + place * (TEXT + 2)), line)


def _middle(line: Line) -> tuple[float, float]:
    if line.label:
        x, y, width, _ = line.label
        return x + width / 2, y + TEXT
    (x1, y1), (x2, y2) = line.points[0], line.points[1]
    if abs(x1 - x2) < abs(y1 - y2):  # beside an upright line, over a level one
        return x1 + 16, y1 + (24 if y2 > y1 else -14)
    return x1 + (22 if x2 > x1 else -22), y1 - 5


def _cut(canvas: Canvas, font: str, text: str, width: float) -> str:
    while text and canvas.stringWidth(text, font, TEXT) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text


def _lines(canvas: Canvas, font: str, text: str, width: float, most: int) -> list[str]:
    """Lines no wider than `width`, broken at spaces, or anywhere in Chinese; the last one cut when there is more."""
    lines, line = list[str](), ""
    words = [piece for word in text.split(" ") for piece in _pieces(word)]
    for word in words:
        joined = f"{line}{word}"
        if line and canvas.stringWidth(joined.strip(), font, TEXT) > width:
            lines.append(line.strip())
            line = word.lstrip()
        else:
            line = joined
    if line.strip():
        lines.append(line.strip())
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(canvas, font, lines[most - 1] + "…", width)]
    return lines


def _pieces(word: str) -> list[str]:
    """A word as it may be broken: each Han character for itself, a space before what is not."""
    found, latin = list[str](), " "
    for char in word:
        if ord(char) > 0x2E7F:
            if latin.strip():
                found.append(latin)
            latin = ""
            found.append(char)
        else:
            latin += char
    if latin.strip():
        found.append(latin)
    return found
