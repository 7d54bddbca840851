"""Reporting without logging in: who is involved, the report, the receipt, the mailbox. Nothing says who it was.

These pages never look at a login session, keep no address (`web.rates`), and put the receipt neither into an address
nor into a cookie: an open mailbox carries a signed mark in the page's own form.

Guessing a receipt is hopeless. A guess is right with probability n/10¹⁶ for n receipts: a million guesses at 10,000
receipts find one with 10⁻⁶. One source gets 60 wrong guesses an hour; all 2²⁰ buckets of sources together wait for
the slow hash, about 120 a second on a node: a year of that finds one of 10,000 with a chance under 0.4 %.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, current_app, g, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from limits import RateLimitItem, parse_many
from werkzeug.exceptions import TooManyRequests

from engine import forms, queries
from engine.errors import Invalid, NotFound, Text
from processes.complaint import correspondence, mailbox
from processes.complaint.words import CATEGORIES, SCOPES
from processes.registers.complaint import STATUSES
from web import evidence, formview
from web.current import anonymous, config, engine
from web.rates import Rates

bp = Blueprint("intake", __name__, url_prefix="/report")
OPEN_FOR = 30 * 60  # seconds a mailbox stays open in a page before the receipt is asked for again
HIDDEN = ("respondent_scope", "channel", "receipt_code", "related_case")
SECOND_CHANCE = parse_many("5 per hour")  # tries at receipts that may exist, from a source that used up its own
View = TypeVar("View", bound=Callable[..., Any])


def slowly(what: str) -> Callable[[View], View]:
    """Let one source do this only so often. Others are not slowed by it."""

    def slowed(view: View) -> View:
        @wraps(view)
        def limited(**arguments: Any) -> Any:
            if not _rates().hit(_allowed(), what, request.remote_addr or ""):
                raise TooManyRequests
            return view(**arguments)

        return limited  # type: ignore[return-value]

    return slowed


def _rates() -> Rates:
    return Rates(engine=engine(), key=str(current_app.config["SECRET_KEY"]).encode())


def _allowed() -> list[RateLimitItem]:
    return parse_many(config().report_rate)


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
    stated = {**values, "evidence": evidence.taken_in(None), "respondent_scope": scope, "channel": "网页"}
    key = request.form.get("key", "")[:64] or secrets.token_hex(16)
    result, code = correspondence.file(engine(), stated, by=None, key=key)
    return receipt_page(result.business_key, code, staff=False)


@bp.get("/receipt")
@anonymous
def receipt() -> str:
    """Where to enter a receipt."""
    return render_template("report_open.html")


@bp.post("/receipt")
@anonymous
def open_mailbox() -> Any:
    """Open the mailbox of a receipt. A wrong one says so, and nothing else."""
    code = mailbox.digits(request.form.get("code", ""))
    thread = _thread_by(code)
    if thread is None:
        return render_template("report_open.html", wrong=True), 422
    return _mailbox(thread, drawn=correspondence.exchanged(engine(), thread, code))


def _thread_by(code: str) -> str | None:
    """The thread a receipt opens, or None. Only wrong tries count. Raises TooManyRequests.

    Who holds a receipt is not kept out by whoever guesses beside them, behind the same address: a source that used up
    its tries still has its guess looked at when a receipt with the same keyed mark exists, five times an hour for each
    mark. All this tells a guesser is that one of some 10¹¹ codes is somebody's, and it adds under 0.3 % a year to
    their chance when there are 10,000 receipts.
    """
    rates, source = _rates(), request.remote_addr or ""
    within = rates.hit(_allowed(), "receipt", source)
    if not within:
        mark = correspondence.mark_of(engine(), code)
        if mark is None or not rates.hit(SECOND_CHANCE, "mark", mark):
            raise TooManyRequests
    thread = correspondence.thread_by(engine(), code)
    if thread is None and not within:
        raise TooManyRequests
    if thread is not None and within:
        rates.forgive(_allowed(), "receipt", source)
    elif thread is not None:
        rates.forgive(SECOND_CHANCE, "mark", mark or "")
    return thread


@bp.post("/message")
@anonymous
def message() -> Any:
    """Leave a message, or ask for a review."""
    try:
        thread = str(_signer().loads(request.form.get("mark", ""), max_age=OPEN_FOR))
    except BadSignature:
        return render_template("report_open.html", expired=True), 422
    text, key = request.form.get("text", ""), request.form.get("key", "")[:36]
    if not _rates().hit(_allowed(), "message", thread):  # by mailbox: nothing of the sender is looked at
        raise TooManyRequests
    problem = _problem(text)
    if problem:
        return _mailbox(thread, text=text, problem=problem), 422
    kind = "review" if request.form.get("kind") == "review" else "received"
    taken = correspondence.write_in(engine(), thread, text.strip(), kind=kind, key=key or secrets.token_hex(16))
    return _mailbox(thread, sent=taken)


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
    properties["category"] = choice(properties["category"], CATEGORIES)
    return {**schema, "properties": properties}


def choice(field: Mapping[str, Any], titles: Mapping[str, Text]) -> dict[str, Any]:
    """A field of free text with suggestions, as a choice among what has a title in both languages."""
    kept = {name: value for name, value in field.items() if name != "x-suggestions"}
    return {**kept, "enum": list(titles), "x-enum-titles": dict(titles)}


def _form(scope: str, values: Mapping[str, Any] | None = None, errors: Mapping[str, Text] | None = None) -> str:
    return render_template(
        "report_form.html",
        scope=scope,
        scope_title=SCOPES[scope],
        fields=formview.fields(_schema(), {**(values or {}), "evidence": []}, errors or {}),
        errors=errors or {},
        key=secrets.token_hex(16) if not values else request.form.get("key", "")[:64],
    )


def receipt_page(number: str | None, code: str, *, staff: bool) -> str:
    """The page that shows a receipt, once: to who reported, or to who entered it for them."""
    return render_template("report_receipt.html", groups=_grouped(code), number=number, staff=staff, address=address())


def address() -> str:
    """Where a receipt is entered, as it is written down."""
    return config().public_url + url_for("intake.receipt")


def _grouped(code: str) -> list[str]:
    return [code[place : place + 4] for place in range(0, len(code), 4)]


def _mailbox(
    thread: str, *, sent: bool | None = None, text: str = "", problem: Text | None = None, drawn: str | None = None
) -> str:
    """The mailbox's page. `drawn`: a new receipt in the place of one that came by mail, shown this once."""
    status, reviewable, messages = correspondence.state_of(engine(), thread)
    return render_template(
        "report_mailbox.html",
        groups=_grouped(drawn) if drawn else [],
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
