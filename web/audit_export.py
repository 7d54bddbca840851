"""Cases as files: XES, OCEL and CSV, of one case or of all that answer a question; streamed as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, abort

from engine.exports import chosen, table
from engine.exports.ocel import ocel
from engine.exports.trail import Trail
from engine.exports.xes import xes
from engine.identity import LOCAL
from web import export
from web.audit_search import question_asked
from web.current import engine, user
from web.languages import gettext as _
from web.languages import language

bp = Blueprint("audit_export", __name__, url_prefix="/audit")
MIME = {"xes": "application/xml", "ocel": "application/json", "csv": "text/csv; charset=utf-8"}
SUFFIX = {"xes": "xes", "ocel": "ocel.json", "csv": "csv"}


def pieces(kind: str, trails: Iterable[Trail], *, language: str, name: str) -> Iterator[bytes]:
    """The file of that kind, piece by piece."""
    if kind == "csv":
        return export.csv_lines(table.COLUMNS, table.rows(trails, language=language))
    if kind == "xes":
        return (piece.encode() for piece in xes(trails, language=language, name=name))
    return (piece.encode() for piece in ocel(trails, language=language))


@bp.get("/export.<kind>")
def many(kind: str) -> Response:
    """Every case that answers the question in the URL."""
    if kind not in MIME:
        abort(404)
    trails = chosen.many(engine(), question_asked(), actor=user())
    day = f"{engine().now().astimezone(LOCAL):%Y-%m-%d}"
    return _download(kind, trails, f"{_('审计查询')}-{day}")


@bp.get("/<instance_id>/export.<kind>")
def one(instance_id: str, kind: str) -> Response:
    """One case."""
    if kind not in MIME:
        abort(404)
    trail = chosen.one(engine(), instance_id, actor=user())
    return _download(kind, [trail], trail.called)


def _download(kind: str, trails: Iterable[Trail], name: str) -> Response:
    answer = Response(pieces(kind, trails, language=language(), name=name), mimetype=None, content_type=MIME[kind])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{SUFFIX[kind]}")
    return answer
