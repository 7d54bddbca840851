"""Starting: which procedures I may start, and the form that starts one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from engine import forms, queries
from engine.errors import Text
from engine.queries import StartView
from processes.complaint import correspondence
from web import attachments, formview
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("procedures", __name__, url_prefix="/start")


@bp.get("")
def page() -> str:
    """What I may start."""
    return render_template("start.html", procedures=queries.startable(engine(), actor=user()))


@bp.get("/<process>")
def form(process: str) -> Any:
    """The start form; complaints have a page of their own, which shows the receipt."""
    if process == correspondence.PROCESS:
        return redirect(url_for("casework.form"), 303)
    return _page(queries.start_form(engine(), process, actor=user()))


@bp.post("/<process>")
def start(process: str) -> Any:
    """Start a case. The form's one-time key makes a second click or a reload start nothing more."""
    if process == correspondence.PROCESS:
        return redirect(url_for("casework.form"), 303)
    view = queries.start_form(engine(), process, actor=user())
    values = forms.coerce_submission(view.schema or {}, request.form)
    g.form_page = lambda errors: _page(view, values=values, errors=errors)
    attachments.take_in(view.schema, values, None)
    result = engine().start(process, values, by=user(), key=request.form.get("key") or None)
    flash(_("已提交，编号 %(number)s", number=result.business_key or "—"))
    return redirect(url_for("cases.page", instance_id=result.instance_id), 303)


def _page(view: StartView, values: Mapping[str, Any] | None = None, errors: Mapping[str, Text] | None = None) -> str:
    filled = {**view.prefill, **(values or {})}
    return render_template(
        "start_form.html",
        view=view,
        fields=formview.fields(view.schema or {}, filled, errors or {}),
        outcomes=formview.outcomes(view.schema or {}),
        errors=errors or {},
        key=secrets.token_hex(16),
    )
