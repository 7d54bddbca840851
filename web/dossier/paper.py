"""The dossier on paper: A4, the font inside, case number and page on each page, the JSON dossier embedded."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A3, A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    KeepTogether,
    LongTable,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from engine.checkpoints import read as read_checkpoint
from engine.spiff.picture import picture
from processes.discipline.letter_pdf import FONT, fonts, marked
from web.dossier import texts
from web.dossier.contents import Contents, Form
from web.dossier.drawing import Drawing
from web.dossier.said import Words

MARGIN = 20 * mm
WIDE = A4[0] - 2 * MARGIN
LINE, SOFT, WALNUT = HexColor("#D9D3C9"), HexColor("#5B6067"), HexColor("#7A4E2D")
PAGES = {"lying": landscape(A4), "wide": landscape(A3)}
LEGIBLE = 1750  # px: a wider diagram is too small to read on A4
ATTACHED = "dossier.json"
CELL, LINES = 1000, 30  # characters and lines of one cell: a row taller than a page cannot be set


def pdf(contents: Contents, *, json_file: bytes, evidence: dict[str, Any], sha256: str, at: str) -> bytes:
    """The PDF, not signed yet. `json_file` is embedded; `evidence` is what it says, `sha256` its digest; `at`: made."""
    fonts()
    out = io.BytesIO()
    w = contents.words
    name = w("卷宗", "Case dossier")
    document = BaseDocTemplate(
        out, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=20 * mm, bottomMargin=20 * mm,
        title=f"{name} {contents.number}", author=w("规矩", "Guiju"), lang=w.language, invariant=1,
    )  # fmt: skip
    upright = Frame(MARGIN, 20 * mm, WIDE, A4[1] - 40 * mm, id="upright", leftPadding=0, rightPadding=0)
    document.addPageTemplates(
        [PageTemplate(id="upright", frames=[upright]), *(_lying(name, page) for name, page in PAGES.items())]
    )
    styles = _styles(w)
    story: list[Any] = [
        *_cover(contents, styles, evidence, sha256, at),
        *_timeline(contents, styles),
        *_forms(contents, styles),
        *_votes(contents, styles),
        *_files(contents, styles),
        *_diagrams(contents, styles),
        *_proofs(contents, styles, evidence),
    ]
    document.build(story, canvasmaker=_canvas(contents, json_file, name))
    return out.getvalue()


def _lying(name: str, page: tuple[float, float]) -> PageTemplate:
    frame = Frame(15 * mm, 18 * mm, page[0] - 30 * mm, page[1] - 34 * mm, id=name, leftPadding=0, rightPadding=0)
    return PageTemplate(id=name, frames=[frame], pagesize=page)


def _styles(w: Words) -> dict[str, ParagraphStyle]:
    wrap = {"wordWrap": "CJK"} if w.language == "zh-CN" else {"splitLongWords": 1}
    base = ParagraphStyle("base", fontName=FONT, fontSize=9.5, leading=14.5, **wrap)
    return {
        "base": base,
        "title": ParagraphStyle("title", parent=base, fontSize=22, leading=30, spaceAfter=2 * mm),
        "subtitle": ParagraphStyle("subtitle", parent=base, fontSize=12, leading=18, textColor=SOFT),
        "head": ParagraphStyle(
            "head", parent=base, fontSize=14, leading=20, spaceBefore=5 * mm, spaceAfter=2 * mm, textColor=WALNUT
        ),
        "small": ParagraphStyle("small", parent=base, fontSize=8, leading=11.5),
        "soft": ParagraphStyle("soft", parent=base, fontSize=8, leading=11.5, textColor=SOFT),
        "code": ParagraphStyle("code", parent=base, fontSize=7.2, leading=10, wordWrap="CJK", textColor=SOFT),
        "strong": ParagraphStyle("strong", parent=base, fontSize=10.5, leading=15),
    }  # fmt: skip


def _text(words: str, style: ParagraphStyle, most: int = CELL) -> Paragraph:
    """A paragraph of plain text: nothing in it is markup; one that a table's row cannot hold ends in an ellipsis."""
    lines = words[:most].split("\n")
    more = len(words) > most or len(lines) > LINES
    return Paragraph("<br/>".join(marked(line) for line in lines[:LINES]) + ("…" if more else ""), style)


def _long(words: str, style: ParagraphStyle) -> list[Paragraph]:
    """All of a text however long, in pieces that fit on pages."""
    lines = words.split("\n")
    blocks = ["\n".join(lines[place : place + LINES]) for place in range(0, len(lines), LINES)]
    return [_text(block[place : place + CELL], style) for block in blocks for place in range(0, len(block) or 1, CELL)]


def _cover(
    contents: Contents, styles: dict[str, ParagraphStyle], evidence: dict[str, Any], sha256: str, at: str
) -> list[Any]:
    w, checkpoint = contents.words, read_checkpoint(evidence["checkpoint"])
    key = str(evidence["key"])
    who = w.person(evidence["made"]["by"]) if evidence["made"]["by"] else w("命令行", "command line")
    made = [
        (w("制作", "Made"), f"{at} · {who}"),
        (w("事件", "Events"), str(contents.events)),
        (w("历史末尾", "Head of the history"), contents.head),
        (w("检查点", "Checkpoint"), f"{checkpoint.origin} · {checkpoint.size} · {w.at(checkpoint.at)}"),
        (w("签名公钥", "Public key"), key),
        (w("内附卷宗 SHA-256", "SHA-256 of the embedded dossier"), sha256),
    ]  # fmt: skip
    steps = [w(*texts.GET), w(*texts.RUN).format(number=contents.number), w(*texts.CHECKS)]
    return [
        Spacer(1, 18 * mm),
        _text(w("卷宗", "Case dossier"), styles["subtitle"]),
        _text(contents.title, styles["title"]),
        _text(contents.number, styles["subtitle"]),
        Spacer(1, 6 * mm),
        _pairs(contents.facts, styles),
        _text(w("存证", "Evidence"), styles["head"]),
        _pairs(made, styles),
        _text(w("如何校验", "How to verify"), styles["head"]),
        *[_text(f"{place}. {step}", styles["base"]) for place, step in enumerate(steps, 1)],
        PageBreak(),
    ]


def _pairs(pairs: Iterable[tuple[str, str]], styles: dict[str, ParagraphStyle]) -> Table:
    rows = [[_text(label, styles["soft"]), _text(value, styles["small"])] for label, value in pairs]
    table = LongTable(rows or [["", ""]], colWidths=[WIDE * 0.24, WIDE * 0.76])
    table.setStyle(_ruled())
    return table


def _ruled(*, head: bool = False) -> TableStyle:
    said: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    return TableStyle([*said, ("LINEBELOW", (0, 0), (-1, 0), 0.9, WALNUT)] if head else said)


def _table(heads: list[str], rows: list[list[Any]], parts: list[float], styles: dict[str, ParagraphStyle]) -> Table:
    body = [[_text(head, styles["soft"]) for head in heads], *rows]
    table = LongTable(body, colWidths=[WIDE * part for part in parts], repeatRows=1)
    table.setStyle(_ruled(head=True))
    return table


def _timeline(contents: Contents, styles: dict[str, ParagraphStyle]) -> list[Any]:
    w, small = contents.words, styles["small"]
    rows = [
        [
            _text(str(row.seq), styles["soft"]),
            _text(row.at, styles["soft"]),
            _text(row.who, small, 200),
            [_text(row.says, small, 300), *([_text(row.said, styles["soft"], 400)] if row.said else [])],
            _text(row.hash[:12], styles["code"]),
        ]
        for row in contents.timeline
    ]
    heads = [w("序号", "No."), w("时间", "Time"), w("人员", "Who"), w("经过", "What happened"), w("哈希", "Hash")]
    note = w(*texts.TIMES)
    return [
        _text(w("经过", "Timeline"), styles["head"]),
        _text(note, styles["soft"]),
        Spacer(1, 2 * mm),
        _table(heads, rows, [0.06, 0.19, 0.21, 0.42, 0.12], styles),
    ]


def _forms(contents: Contents, styles: dict[str, ParagraphStyle]) -> list[Any]:
    w = contents.words
    story: list[Any] = [PageBreak(), _text(w("表单与意见", "Forms and opinions"), styles["head"])]
    for form in contents.forms:
        story += _form(form, w, styles)
    return story


def _form(form: Form, w: Words, styles: dict[str, ParagraphStyle]) -> list[Any]:
    title = form.title if form.title == form.step else f"{form.step} · {form.title}"
    top = [_text(title, styles["strong"]), _text(f"{form.who} · {form.at} · #{form.seq}", styles["soft"])]
    if form.pairs is None:
        kept = _text(w(*texts.WITHHELD), styles["base"])
        return [KeepTogether([*top, kept]), Spacer(1, 4 * mm)]
    short = [pair for pair in form.pairs if _fits(pair[1])]
    long = [pair for pair in form.pairs if not _fits(pair[1])]
    table = [_pairs(short, styles)] if short else []
    story: list[Any] = [KeepTogether([*top, *table])] if len(short) <= 12 else [*top, *table]
    for label, value in long:
        story += [_text(label, styles["soft"]), *_long(value, styles["small"])]
    return [*story, Spacer(1, 5 * mm)]


def _fits(value: str) -> bool:
    return len(value) <= CELL and value.count("\n") < LINES


def _votes(contents: Contents, styles: dict[str, ParagraphStyle]) -> list[Any]:
    w, small = contents.words, styles["small"]
    story: list[Any] = []
    for vote in contents.votes:
        rows = [
            [_text(cell, small, most) for cell, most in zip(ballot, (200, 60, 600, 40), strict=True)]
            for ballot in vote.ballots
        ]
        heads = [w("人员", "Who"), w("意见", "Vote"), w("理由", "Reason"), w("时间", "Time")]
        story.append(
            KeepTogether(
                [
                    _text(f"{w('表决：', 'Vote: ')}{vote.step}", styles["head"], 200),
                    _table(heads, rows, [0.26, 0.16, 0.38, 0.2], styles),
                ]
            )
        )
    return story


def _files(contents: Contents, styles: dict[str, ParagraphStyle]) -> list[Any]:
    w, small = contents.words, styles["small"]
    if not contents.files:
        return [_text(w("附件", "Attachments"), styles["head"]), _text(w("没有附件。", "None."), styles["base"])]
    rows = [
        [
            _text(one.name, small),
            _text(one.step, small),
            _text(f"{one.size:,}", small),
            _text(one.sha256, styles["code"]),
        ]
        for one in contents.files
    ]
    heads = [w("文件", "File"), w("环节", "Step"), w("字节", "Bytes"), "SHA-256"]
    return [_text(w("附件", "Attachments"), styles["head"]), _table(heads, rows, [0.32, 0.2, 0.12, 0.36], styles)]


def _diagrams(contents: Contents, styles: dict[str, ParagraphStyle]) -> list[Any]:
    w = contents.words
    story: list[Any] = []
    for view in contents.diagrams:
        if not view.visits and view.process != contents.diagrams[0].process:
            continue  # a called process that this case never came to
        found = picture(view.xml, file=view.process, language=w.language)
        size = "lying" if found is None or found.box[2] <= LEGIBLE else "wide"  # a large diagram on a larger page
        page = PAGES[size]
        legend = w(*texts.LEGEND)
        story += [
            NextPageTemplate(size),
            PageBreak(),
            _text(f"{w('流程图：', 'Diagram: ')}{w.of(view.name)}", styles["head"]),
            _text(legend, styles["soft"]),
        ]
        if found is None:
            story.append(_text(w("该流程图没有图形信息。", "The diagram has no drawing."), styles["base"]))
        else:
            story.append(
                Drawing(
                    found, width=page[0] - 32 * mm, height=page[1] - 62 * mm, font=FONT, done=set(view.done),
                    active=set(view.active), flows=set(view.flows), visits=view.visits,
                )
            )  # fmt: skip
    return [*story, NextPageTemplate("upright"), PageBreak()]


def _proofs(contents: Contents, styles: dict[str, ParagraphStyle], evidence: dict[str, Any]) -> list[Any]:
    w, events = contents.words, evidence["events"]
    rows = [
        [_text(str(event["seq"]), styles["soft"]), _text(str(event["place"]), styles["soft"]),
         _text(event["hash"], styles["code"]), _text(str(len(event["proof"])), styles["soft"])]
        for event in events
    ]  # fmt: skip
    heads = [w("序号", "No."), w("树中位置", "Place"), w("事件哈希", "Hash of the event"), w("路径长", "Path")]
    explain = w(*texts.PROOFS)
    story: list[Any] = [
        _text(w("存证与证明", "Evidence and proofs"), styles["head"]),
        _text(explain, styles["base"]),
        _text(w("检查点", "Checkpoint"), styles["strong"]),
        _text(evidence["checkpoint"].strip(), styles["code"]),
    ]
    for event in dict.fromkeys([0, len(events) - 1]) if events else ():
        one = events[event]
        story += [
            _text(w(f"事件 {one['seq']} 的路径", f"Path of event {one['seq']}"), styles["strong"]),
            _text("\n".join(one["proof"]) or w("（树中只有这一片叶子）", "(it is the only leaf)"), styles["code"]),
        ]
    return [*story, Spacer(1, 3 * mm), _table(heads, rows, [0.1, 0.16, 0.62, 0.12], styles)]


def _canvas(contents: Contents, json_file: bytes, name: str) -> type[Canvas]:
    """A canvas that knows how many pages there are when it writes the first, and carries the JSON dossier."""
    w = contents.words

    class Numbered(Canvas):  # type: ignore[misc]  # untyped library
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802  # the library's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._pages, 1):
                self.__dict__.update(state)
                self._edges(number, len(self._pages))
                super().showPage()
            _embed(self, json_file)
            super().save()

        def _edges(self, number: int, pages: int) -> None:
            width = self._pagesize[0]
            self.setFont(FONT, 8)
            self.setFillColor(SOFT)
            self.drawString(MARGIN, 11 * mm, f"{name} · {contents.number}")
            self.drawRightString(
                width - MARGIN, 11 * mm, w(f"第 {number} 页，共 {pages} 页", f"Page {number} of {pages}")
            )
            self.setStrokeColor(LINE)
            self.line(MARGIN, 15 * mm, width - MARGIN, 15 * mm)

    return Numbered


def _embed(canvas: Canvas, content: bytes) -> None:
    """Attach the file to the document, as PDF 1.4 knows it (ISO 32000-1, 7.11.4)."""
    document = canvas._doc
    described = {
        "Type": pdfdoc.PDFName("EmbeddedFile"),
        "Subtype": pdfdoc.PDFName("application/json"),
        "Params": pdfdoc.PDFDictionary({"Size": len(content)}),
    }
    stream = pdfdoc.PDFStream(pdfdoc.PDFDictionary(described), content, filters=[pdfdoc.PDFZCompress])
    file = pdfdoc.PDFDictionary(
        {
            "Type": pdfdoc.PDFName("Filespec"),
            "F": pdfdoc.PDFString(ATTACHED),
            "UF": pdfdoc.PDFString(ATTACHED),
            "EF": pdfdoc.PDFDictionary({"F": document.Reference(stream)}),
        }
    )
    names = pdfdoc.PDFArray([pdfdoc.PDFString(ATTACHED), document.Reference(file)])
    tree = pdfdoc.PDFDictionary({"EmbeddedFiles": pdfdoc.PDFDictionary({"Names": names})})
    document.Catalog.Names = tree
