"""Staff's side of complaints: entering a report that came by telephone or letter, and writing to the reporter."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from engine import forms, queries
from engine.errors import Text
from engine.moments import moment
from processes.complaint import correspondence, mailbox
from processes.complaint import identity as sealed
from processes.complaint.words import CATEGORIES, SCOPES
from web import evidence, formview, intake
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("casework", __name__, url_prefix="/complaints")


@bp.get("/enter")
def form() -> str:
    """The form for a report that reached staff another way."""
    return _form()


@bp.post("/enter")
def enter() -> Any:
    """File it and show the receipt, to be told to whoever reported."""
    view = queries.start_form(engine(), correspondence.PROCESS, actor=user())
    values = forms.coerce_submission(view.schema or {}, request.form)
    g.form_page = lambda errors: _form(values=values, errors=errors)
    values["evidence"] = [*(values.get("evidence") or []), *evidence.taken_in(user())]  # what reporters hand over
    key = request.form.get("key", "")[:64] or secrets.token_hex(16)
    result, code = correspondence.file(engine(), values, by=user(), key=key)
    return intake.receipt_page(result.business_key, code, staff=True)


@bp.get("/<instance_id>/messages")
def messages(instance_id: str) -> str:
    """What was written to and fro with the reporter."""
    return _messages(instance_id)


@bp.post("/<instance_id>/messages")
def write(instance_id: str) -> Any:
    """Leave a message for the reporter."""
    text = request.form.get("text", "").strip()
    if not text:
        return _messages(instance_id, missing=True), 422
    correspondence.write_out(engine(), instance_id, text, by=user())
    flash(_("已发到匿名信箱，举报人凭查询码可见"))
    return redirect(url_for("casework.messages", instance_id=instance_id), 303)


@bp.get("/<instance_id>/identity")
def identity(instance_id: str) -> str:
    """Whether a sealed identity is open to the reader, and how to ask."""
    return _identity(instance_id, None)


@bp.post("/<instance_id>/identity")
def open_identity(instance_id: str) -> str:
    """Open it; that goes into the case's history."""
    return _identity(instance_id, sealed.open_identity(engine(), instance_id, by=user()))


def _identity(instance_id: str, opened: Mapping[str, str] | None) -> str:
    grant = sealed.granted(engine(), instance_id, actor=user())
    number = queries.case(engine(), instance_id, actor=user()).business_key if grant is None else None
    until = moment(grant.until) if grant else None
    return render_template("case_identity.html", instance_id=instance_id, until=until, opened=opened, number=number)


def _messages(instance_id: str, missing: bool = False) -> str:
    found, may_write = correspondence.letters(engine(), instance_id, actor=user())
    view = queries.case(engine(), instance_id, actor=user())
    shown = list(reversed(found))
    return render_template(
        "case_messages.html", case=view, messages=shown, may_write=may_write, missing=missing, longest=mailbox.LONGEST
    )


def _form(values: Mapping[str, Any] | None = None, errors: Mapping[str, Text] | None = None) -> str:
    view = queries.start_form(engine(), correspondence.PROCESS, actor=user())
    schema = view.schema or {}
    properties = {name: part for name, part in schema.get("properties", {}).items() if name != "receipt_code"}
    made = {
        "respondent_scope": intake.choice(properties["respondent_scope"], SCOPES),
        "channel": {**properties["channel"], "default": "电话"},
        "category": intake.choice(properties["category"], CATEGORIES),
    }
    shown = {**schema, "properties": {**properties, **made}}
    return render_template(
        "report_enter.html",
        fields=formview.fields(shown, values or {}, errors or {}),
        errors=errors or {},
        key=secrets.token_hex(16),
    )
