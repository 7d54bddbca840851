"""What procedures leave behind: the registers 台账, each row with its history, and their export."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request, send_file
from werkzeug.wrappers import Response

from engine import queries
from engine.identity import LOCAL
from processes.registers.books import BOOKS, Book
from web import export, formview, keeping, words
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("registers", __name__, url_prefix="/registers")
PAGE = 50
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?([+-]\d\d:\d\d|Z)$")
TOLD_APART = ("responsible_history", "retain_until")  # shown as parts of their own
TONES = {
    **dict.fromkeys(
        ("active", "signed", "current", "effective", "published", "closed", "settled", "resolved", "corrected"), "good"
    ),
    **dict.fromkeys(
        ("draft", "pending", "received", "asking", "investigating", "issued", "watching", "approved", "open"), "wait"
    ),
    **dict.fromkeys(("suspended", "due", "refused", "decided", "scheduled"), "soon"),
    **dict.fromkeys(("orphaned", "overdue", "blocked"), "late"),
}
ICONS = {"good": "check-circle", "wait": "pencil-square", "soon": "minus-circle", "late": "exclamation-triangle"}


@dataclass(frozen=True, kw_only=True)
class Status:
    """A register row's status by colour, word and icon."""

    tone: str
    icon: str
    words: str


@bp.get("/<name>")
def rows(name: str) -> str:
    """A register, searched and filtered; the rows alone for the page's own searches."""
    book, asked = _book(name), _asked()
    found = queries.register(
        engine(), name, actor=user(), cursor=request.args.get("cursor") or None, limit=PAGE, **asked
    )
    return render_template(
        "register_rows.html" if request.headers.get("HX-Request") else "register.html",
        book=book,
        books=[each for each in BOOKS.values() if queries.may_open_register(engine(), each.name, actor=user())],
        page=found,
        kinds=export.KINDS,
        status_of=status_of,
        shown=shown,
        **asked,
    )


@bp.get("/<name>/<key>")
def row(name: str, key: str) -> str:
    """One row: what is registered, and every change with the case that made it."""
    book = _book(name)
    found = queries.register_row(engine(), name, key, actor=user())
    filled = [each for each in book.titles if each not in TOLD_APART and found.data.get(each) not in (None, "", [])]
    return render_template(
        "register_row.html",
        book=book,
        row=found,
        known=[(book.titles[each], shown(book, each, found.data[each])) for each in filled if each != "status"],
        holders=list(reversed(found.data.get("responsible_history") or [])),
        status_of=status_of,
        shown=shown,
        name_of=lambda key: formview.name_of("people", key),
        kept=keeping.of_rows(name, [found])[0],
        keeping=keeping,
    )


@bp.get("/<name>/export/<kind>")
def download(name: str, kind: str) -> Response:
    """What the reader may see of a register, as searched and filtered, as a file in the reader's language."""
    book, asked = _book(name), _asked()
    if kind not in export.KINDS:
        abort(404)
    header, lines = _table(
        book, queries.register_export(engine(), name, actor=user(), search=asked["search"], status=asked["status"])
    )
    now = engine().now()
    if kind == "csv":
        content = export.csv_file(header, lines)
    else:
        content = export.xlsx_file(text(book.title), header, lines, at=now)
    file = f"{text(book.title)}-{now.astimezone(LOCAL):%Y-%m-%d}.{kind}"
    sent = send_file(io.BytesIO(content), mimetype=export.KINDS[kind], as_attachment=True, download_name=file)
    sent.headers["Cache-Control"] = "no-store"
    return sent


def _table(book: Book, found: list[queries.RegisterRow]) -> tuple[list[str], list[list[export.Cell]]]:
    """The header and a line for each row: its key, every field in words, and when it was last changed."""
    fields = [field for field in book.titles if field != "retain_until"]  # said for every row at the end
    titles = [text(book.titles[field]) for field in fields]
    header = [_("编号"), *titles, _("更新时间"), _("保存至"), _("保存依据")]
    return header, [
        [
            each.key,
            *(_cell(book, field, each.data.get(field)) for field in fields),
            words.exact(each.updated_at),
            keeping.said(kept[0]) if kept else None,
            _("；").join(f"{text(one.rule.what)} {keeping.period(one)} {text(one.rule.basis)}" for one in kept),
        ]
        for each, kept in zip(found, keeping.of_rows(book.name, found), strict=True)
    ]


def _cell(book: Book, field: str, value: Any) -> export.Cell:
    if value in (None, "", []):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return shown(book, field, value)


def _book(name: str) -> Book:
    if name not in BOOKS:
        abort(404)
    return BOOKS[name]


def _asked() -> dict[str, str]:
    return {"search": request.args.get("search", "").strip()[:100], "status": request.args.get("status", "")}


def status_of(book: Book, value: object) -> Status:
    """How a status looks."""
    word = str(value or "")
    tone = TONES.get(word, "")
    said = text(book.statuses.get(word)) or word or "—"
    return Status(tone=tone, icon=ICONS.get(tone, "archive-box"), words=said)


def shown(book: Book, field: str, value: Any) -> str:
    """A field's value in words."""
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(shown(book, field, one) for one in value)
    if isinstance(value, Mapping):
        if isinstance(value.get("erased"), Mapping):
            return formview.tombstone(value["erased"])
        if "zh-CN" in value:
            return text(value)
        inner = [(name, one) for name, one in value.items() if one not in (None, "", [])]
        return " ".join(f"{text(book.titles.get(name)) or name} {shown(book, name, one)}" for name, one in inner)
    said = str(value)
    if isinstance(value, str) and _MOMENT.match(value):
        return words.exact(datetime.fromisoformat(value))
    if field == "status":
        return text(book.statuses.get(said)) or said
    if field in book.words:
        return text(book.words[field].get(said)) or said
    if field in book.persons:
        return formview.name_of("people", said)
    return formview.name_of("departments", said) if field in book.departments else said
