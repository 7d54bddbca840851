"""Cases as files: XES, OCEL and CSV, of one case or of all that answer a question; streamed as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, abort, current_app

from engine import Signer
from engine.dossier import dossier_bytes
from engine.errors import Conflict
from engine.exports import chosen, table
from engine.exports.ocel import ocel
from engine.exports.trail import Trail
from engine.exports.xes import xes
from engine.identity import LOCAL
from engine.indexing import kept_back
from engine.queries.auditing import audited
from web import export
from web.audit_search import question_asked
from web.current import engine, user
from web.languages import gettext as _
from web.languages import language

bp = Blueprint("audit_export", __name__, url_prefix="/audit")
MIME = {"xes": "application/xml", "ocel": "application/json", "csv": "text/csv; charset=utf-8"}
DOSSIER = {"pdf": "application/pdf", "json": "application/json"}
NO_KEY = {
    "zh-CN": "存证尚未签名：请管理员设置 GUIJU_SIGNING_KEY",
    "en": "Nothing is signed: ask an administrator to set GUIJU_SIGNING_KEY",
}
KEPT = {
    "zh-CN": "案件中有暂不对审计公开的内容（如尚未结束的表决），公开之后才能制作卷宗",
    "en": "The case holds entries that are not open to auditors yet (a vote that goes on); the dossier waits for them",
}
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


@bp.get("/<instance_id>/dossier.<kind>")
def dossier(instance_id: str, kind: str) -> Response:
    """The signed dossier as PDF, in the reader's language, or as JSON; what is new is signed for first."""
    if kind not in DOSSIER:
        abort(404)
    signer: Signer | None = current_app.extensions["guiju_signer"]
    if signer is None:
        raise Conflict("nothing_signed", text=NO_KEY)
    signer.run()
    with audited(engine(), instance_id, user(), "dossier") as case:
        if kept_back(case.connection, instance_id):
            raise Conflict(
                "entries_kept", text=KEPT
            )  # its events would tell, word for word, what is kept from auditors
        if kind == "json":
            content = dossier_bytes(engine(), instance_id, key=signer.key, by=user())
        else:
            from web.dossier import make  # the page layout is loaded when somebody wants paper

            content = make(engine(), case.connection, case.row, key=signer.key, language=language(), by=user())
        name = case.row.business_key or instance_id
    answer = Response(content, content_type=DOSSIER[kind])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return answer


def _download(kind: str, trails: Iterable[Trail], name: str) -> Response:
    answer = Response(pieces(kind, trails, language=language(), name=name), mimetype=None, content_type=MIME[kind])
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.{SUFFIX[kind]}")
    return answer
