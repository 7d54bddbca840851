"""The Chinese letter of a decision as a PDF with its font embedded.

The font is a subset of Noto Sans SC (OFL 1.1, licence beside it): the 8,105 characters of the general standard list, GB
2312, Latin and signs. A character it lacks is set in the viewer's own Song face, so that a rare name still shows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from processes.discipline.letter import sections

FONT_FILE = Path(__file__).parent / "fonts" / "NotoSansSC-Letter.ttf"
FONT, FALLBACK = "NotoSansSC-Letter", "STSong-Light"


def pdf(facts: Mapping[str, Any], *, company: str, number: str, name: str, on: str) -> bytes:
    """The Chinese letter, A4, with its font embedded and page numbers. The same facts give the same bytes."""
    fonts()
    base = ParagraphStyle("base", fontName=FONT, fontSize=10.5, leading=17, wordWrap="CJK")
    title = ParagraphStyle("title", parent=base, fontSize=16, leading=24, alignment=TA_CENTER)
    heading = ParagraphStyle("heading", parent=base, fontSize=11.5, leading=20, spaceBefore=6)
    right = ParagraphStyle("right", parent=base, alignment=TA_RIGHT)
    kind = "谈话提醒记录" if facts["sanction"] == "COACHING" else "违规处理决定书"
    story: list[Any] = [
        Paragraph(marked(company), right),
        Paragraph(kind, title),
        Paragraph(marked(number), right),
        Spacer(1, 4 * mm),
        Paragraph(marked(f"{name}："), base),
    ]
    for head, said in sections(facts):
        story.append(Paragraph(marked(head["zh-CN"]), heading))
        story += [Paragraph(marked(line), base) for line in said["zh-CN"].split("\n") if line]
    story += [Spacer(1, 8 * mm), Paragraph(marked(company), right), Paragraph(marked(on), right)]
    story += [Spacer(1, 10 * mm), Paragraph("签收人：________________　签收日期：________________", base)]
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=25 * mm, rightMargin=25 * mm, topMargin=22 * mm, bottomMargin=22 * mm,
        title=f"{kind} {number}", author=company, lang="zh-CN", invariant=1,
    )  # fmt: skip

    def footer(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(FONT, 8.5)
        canvas.drawCentredString(A4[0] / 2, 12 * mm, f"{number}　第 {canvas.getPageNumber()} 页")

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


@cache
def fonts() -> frozenset[int]:
    """Register the embedded font, and the viewer's own for what it lacks; return the characters it has."""
    font = TTFont(FONT, str(FONT_FILE))
    pdfmetrics.registerFont(font)
    pdfmetrics.registerFont(UnicodeCIDFont(FALLBACK))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=FONT, italic=FONT, boldItalic=FONT)
    return frozenset(font.face.charToGlyph)


def marked(words: str) -> str:
    """Text safe for a paragraph, rare characters in the fallback font."""
    known = fonts()
    found: list[str] = []
    for char in words:
        safe = escape(char)
        found.append(safe if ord(char) in known or char.isspace() else f'<font name="{FALLBACK}">{safe}</font>')
    return "".join(found)
