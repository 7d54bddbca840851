"""Reporting without logging in: who is involved, the report, the receipt, the mailbox. Nothing says who it was.

These pages never look at a login session, count tries under a random key that dies with the process, and put the
receipt neither into an address nor into a cookie: an open mailbox carries a signed mark in the page's own form.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from engine import forms, queries
from engine.attachments import CAP
from engine.errors import Invalid, NotFound, Text
from processes.complaint import correspondence, mailbox
from processes.complaint.cleaning import cleaned
from processes.complaint.words import CATEGORIES, SCOPES
from processes.registers.complaint import STATUSES
from web import formview
from web.current import anonymous, config, engine

bp = Blueprint("intake", __name__, url_prefix="/report")
OPEN_FOR = 30 * 60  # seconds a mailbox stays open in a page before the receipt is asked for again
HIDDEN = ("respondent_scope", "channel", "receipt_code", "related_case")
FILES = 5  # a report may bring
_PEPPER = secrets.token_bytes(32)  # of this process: what is counted below is no address and cannot become one
_window = MovingWindowRateLimiter(MemoryStorage())
View = TypeVar("View", bound=Callable[..., Any])


def slowly(what: str) -> Callable[[View], View]:
    """Let one source do this only so often. Others are not slowed by it."""

    def slowed(view: View) -> View:
        @wraps(view)
        def limited(**arguments: Any) -> Any:
            source = hmac.digest(_PEPPER, (request.remote_addr or "").encode(), "sha256").hex()
            tries = [_window.hit(rate, what, source) for rate in parse_many(config().report_rate)]
            if not all(tries):
                raise TooManyRequests
            return view(**arguments)

        return limited  # type: ignore[return-value]

    return slowed


@bp.get("")
@anonymous
def page() -> str:
    """Ask first who may be involved; or enter a receipt."""
    return render_template("report.html", scopes=SCOPES)


@bp.post("/form")
@anonymous
def form() -> Any:
    """The report itself, once it is said who may be involved."""
    scope = request.form.get("respondent_scope", "")
    if scope not in SCOPES:
        return render_template("report.html", scopes=SCOPES, missing=True), 422
    return _form(scope)


@bp.post("/send")
@anonymous
@slowly("send")
def send() -> Any:
    """File the report and show its receipt, once."""
    scope, schema = request.form.get("respondent_scope", ""), _schema()
    if scope not in SCOPES:
        return render_template("report.html", scopes=SCOPES, missing=True), 422
    values = forms.coerce_submission(schema, request.form)
    g.form_page = lambda errors: _form(scope, values=values, errors=errors)
    stated = {**values, "evidence": _evidence(), "respondent_scope": scope, "channel": "网页"}
    key = request.form.get("key", "")[:64] or secrets.token_hex(16)
    result, code = correspondence.file(engine(), stated, by=None, key=key)
    return _receipt(result.business_key, code, staff=False)


@bp.get("/receipt")
@anonymous
def receipt() -> str:
    """Where to enter a receipt."""
    return render_template("report_open.html")


@bp.post("/receipt")
@anonymous
@slowly("receipt")
def open_mailbox() -> Any:
    """Open the mailbox of a receipt. A wrong one says so, and nothing else."""
    thread = correspondence.thread_by(engine(), mailbox.digits(request.form.get("code", "")))
    if thread is None:
        return render_template("report_open.html", wrong=True), 422
    return _mailbox(thread)


@bp.post("/message")
@anonymous
@slowly("message")
def message() -> Any:
    """Leave a message, or ask for a review."""
    try:
        thread = str(_signer().loads(request.form.get("mark", ""), max_age=OPEN_FOR))
    except BadSignature:
        return render_template("report_open.html", expired=True), 422
    text, key = request.form.get("text", ""), request.form.get("key", "")[:36]
    problem = _problem(text)
    if problem:
        return _mailbox(thread, text=text, problem=problem), 422
    kind = "review" if request.form.get("kind") == "review" else "received"
    taken = correspondence.write_in(engine(), thread, text.strip(), kind=kind, key=key or secrets.token_hex(16))
    return _mailbox(thread, sent=taken)


def _evidence() -> list[str]:
    """The ids of the files that came with the report, cleaned and kept in nobody's name. Raises Invalid."""
    found = [file for file in request.files.getlist("evidence") if file.filename]
    if len(found) > FILES:
        raise Invalid(
            {"evidence": {"zh-CN": f"「证据」最多 {FILES} 个文件", "en": f"“Evidence” takes {FILES} files at most"}}
        )
    kept = []
    for number, file in enumerate(found, 1):
        with file.stream as stream:
            content = stream.read(CAP + 1)
        try:
            name, plain = cleaned(content, number)
            kept.append(engine().attach(None, name, plain, by=None))
        except Invalid as error:
            said = error.message
            named = {
                "zh-CN": f"「证据」第 {number} 个文件{said['zh-CN']}",
                "en": f"“Evidence”, file {number}: {said['en']}",
            }
            raise Invalid({"evidence": named}) from error
    return kept


def _problem(text: str) -> Text | None:
    """Why a message cannot be taken, or None: what no form may carry, no message may."""
    field: dict[str, Any] = {
        "type": "string",
        "title": {"zh-CN": "消息", "en": "Message"},
        "maxLength": mailbox.LONGEST,
    }
    schema = {"type": "object", "properties": {"text": field}, "required": ["text"]}
    try:
        forms.validate(schema, {"text": text}, lookup=lambda *_: True, today=engine().now().date(), working_days=_none)
    except Invalid as error:
        return next(iter(error.fields.values()))
    return None


def _none(*_days: Any) -> int:
    return 0


def _schema() -> Mapping[str, Any]:
    """The start form without what the page itself knows, its category as a choice."""
    schema = queries.start_form(engine(), correspondence.PROCESS, actor=None).schema
    if schema is None:
        raise NotFound(id=correspondence.PROCESS)
    properties = {name: part for name, part in schema["properties"].items() if name not in HIDDEN}
    properties["category"] = {
        **{name: value for name, value in properties["category"].items() if name != "x-suggestions"},
        "enum": list(CATEGORIES),
        "x-enum-titles": CATEGORIES,
    }
    return {**schema, "properties": properties}


def _form(scope: str, values: Mapping[str, Any] | None = None, errors: Mapping[str, Text] | None = None) -> str:
    return render_template(
        "report_form.html",
        scope=scope,
        scope_title=SCOPES[scope],
        fields=formview.fields(_schema(), {**(values or {}), "evidence": []}, errors or {}),
        errors=errors or {},
        key=secrets.token_hex(16) if not values else request.form.get("key", "")[:64],
    )


def _receipt(number: str | None, code: str, *, staff: bool) -> str:
    groups = [code[place : place + 4] for place in range(0, len(code), 4)]
    return render_template("report_receipt.html", groups=groups, number=number, staff=staff)


def _mailbox(thread: str, *, sent: bool | None = None, text: str = "", problem: Text | None = None) -> str:
    status, reviewable, messages = correspondence.state_of(engine(), thread)
    return render_template(
        "report_mailbox.html",
        status=STATUSES[status],
        closed=status in ("closed", "closed_insufficient", "transferred"),
        reopens=status == "closed_insufficient",
        reviewable=reviewable,
        messages=list(reversed(messages)),
        mark=_signer().dumps(thread),
        key=secrets.token_hex(16),
        sent=sent,
        text=text,
        problem=problem,
        longest=mailbox.LONGEST,
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="report mailbox")
