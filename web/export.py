"""Tables as files: CSV that a spreadsheet opens without running anything in it, and XLSX."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

Cell = str | int | float | None
KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CELL_CAP = 32_000  # characters a spreadsheet takes in one cell
WIDEST = 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a mark, so that Excel reads Chinese; text that a spreadsheet would take for a formula gets a `'`."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in [header, *rows]:
        writer.writerow([_plain(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The same a line at a time, for tables too long to hold."""
    out = io.StringIO()
    writer = csv.writer(out)
    mark = "\ufeff"
    for row in itertools.chain([header], rows):
        writer.writerow([_plain(cell) for cell in row])
        yield (mark + out.getvalue()).encode()
        mark = ""
        out.seek(0)
        out.truncate()


def xlsx_file(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, at: datetime) -> bytes:
    """One sheet, its first row fixed and filterable. Text stays text: nothing in it is a formula."""
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = at.replace(tzinfo=None)
    sheet = book.active
    assert sheet is not None
    sheet.title = re.sub(r"[\[\]:*?/\\]", " ", title)[:31]
    widths = [0] * len(header)
    for number, row in enumerate([header, *rows], 1):
        for place, value in enumerate(row, 1):
            cell = sheet.cell(row=number, column=place)
            if isinstance(value, str):
                cell.value = _CONTROL.sub("", value)[:CELL_CAP]
                cell.data_type = "s"  # never a formula
                cell.alignment = Alignment(vertical="top", wrap_text="\n" in value or len(value) > WIDEST)
            else:
                cell.value = value
            widths[place - 1] = max(widths[place - 1], _width(value))
            if number == 1:
                cell.font = Font(bold=True)
    for place, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(place)].width = min(width, WIDEST) + 2
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub("", cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _width(value: Cell) -> int:
    """How wide a text is, Chinese characters counting twice; the longest line of several."""
    lines = str("" if value is None else value).splitlines() or [""]
    return max(sum(2 if ord(char) > 0x2E7F else 1 for char in line) for line in lines)
