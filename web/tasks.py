"""One task: its page, and the verbs that change it. Each view makes one engine call and says what happened."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import forms, queries
from engine.errors import Text
from engine.queries import TaskView
from processes import law
from web import attachments, formview
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("tasks", __name__, url_prefix="/tasks")


@bp.get("/<task_id>")
def page(task_id: str) -> str:
    """What is asked, what was decided before, the form, the buttons."""
    return _page(queries.task(engine(), task_id, actor=user()))


@bp.post("/<task_id>/claim")
def claim(task_id: str) -> Response:
    """Take it."""
    engine().claim(task_id, by=user())
    flash(_("已认领，可以办理"))
    return redirect(url_for("tasks.page", task_id=task_id), 303)


@bp.post("/<task_id>/release")
def release(task_id: str) -> Response:
    """Give it back to the group."""
    engine().release(task_id, by=user())
    flash(_("已退领，同组的人可以认领"))
    return redirect(url_for("inbox.page", tab="claimable"), 303)


@bp.post("/<task_id>/draft")
def draft(task_id: str) -> Response:
    """Keep what is filled in so far."""
    view = queries.task(engine(), task_id, actor=user())
    values = forms.coerce_submission(view.schema, request.form)
    _come_back(view, values)
    attachments.take_in(view.schema, values, task_id)
    engine().save_draft(task_id, values, by=user())
    flash(_("草稿已保存"))
    return redirect(url_for("tasks.page", task_id=task_id), 303)


@bp.post("/<task_id>/complete")
def complete(task_id: str) -> Response:
    """End it with the outcome of the button pressed. The form's one-time key makes a second click do nothing."""
    view = queries.task(engine(), task_id, actor=user())
    values = forms.coerce_submission(view.schema, request.form)
    _come_back(view, values)
    attachments.take_in(view.schema, values, task_id)
    engine().complete(task_id, values, by=user(), key=request.form.get("key") or None)
    flash(_("「%(step)s」已办完", step=text(view.name)))
    return redirect(url_for("inbox.page"), 303)


@bp.post("/<task_id>/reassign")
def reassign(task_id: str) -> Response:
    """Hand it over to a colleague who may do it."""
    engine().reassign(task_id, to=request.form.get("to", ""), by=user(), reason=request.form.get("reason", ""))
    flash(_("已转办"))
    return redirect(url_for("inbox.page"), 303)


@bp.post("/<task_id>/recuse")
def recuse(task_id: str) -> Response:
    """Declare oneself recused."""
    engine().recuse(task_id, by=user(), reason=request.form.get("reason", ""))
    flash(_("已回避，该事项不再显示"))
    return redirect(url_for("inbox.page"), 303)


def _come_back(view: TaskView, values: Mapping[str, Any]) -> None:
    """Should the engine refuse the form, show this page again with what was typed."""
    g.form_page = lambda errors: _page(view, values=values, errors=errors)


def _page(view: TaskView, values: Mapping[str, Any] | None = None, errors: Mapping[str, Text] | None = None) -> str:
    errors = errors or {}
    filled = {**view.prefill, **(view.draft or {})} if values is None else {**view.prefill, **values}
    return render_template(
        "task.html",
        task=view,
        fields=formview.fields(view.schema, filled, errors),
        outcomes=formview.outcomes(view.schema, view.prefill),
        errors=errors,
        key=secrets.token_hex(16),
        people=formview.choices("people") if "reassign" in view.may else [],
        laws=law.bearing(view.process, view.element),
        sure=law.SURE,
    )
