"""For administrators: what gave up and can be tried again, and cases by their number alone. Never their content."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import queries
from engine.errors import Text
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("admin", __name__, url_prefix="/admin")
NO_REASON: Text = {
    "zh-CN": "请写明理由，会告知有关人员并记入历史",
    "en": "Say why; those concerned are told, and it is on record",
}
NOT_THE_NUMBER: Text = {"zh-CN": "与案件编号不一致", "en": "This is not the number of the case"}


@bp.get("/incidents")
def incidents() -> str:
    """What gave up, oldest first."""
    return render_template("incidents.html", items=queries.open_incidents(engine(), actor=user()))


@bp.post("/incidents/<incident_id>/retry")
def retry(incident_id: str) -> Response:
    """Try it again."""
    engine().retry(incident_id, by=user())
    flash(_("已重试，案件继续"))
    return redirect(url_for("admin.incidents"), 303)


@bp.get("/cases")
def cases() -> str:
    """Running cases, or those whose number begins as searched for."""
    search, cursor = request.args.get("search", "").strip()[:64], request.args.get("cursor")
    page = queries.administered(engine(), actor=user(), search=search, cursor=cursor)
    return render_template("admin_cases.html", page=page, search=search)


@bp.get("/cases/<instance_id>")
def case(instance_id: str) -> str:
    """One case by its number, and what may be done with it."""
    return _case(instance_id)


@bp.post("/cases/<instance_id>/suspend")
def suspend(instance_id: str) -> Any:
    """Freeze the case."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        return _case(instance_id, {"suspend": NO_REASON}), 422
    engine().suspend(instance_id, by=user(), reason=reason)
    flash(_("案件已挂起，已告知有关人员"))
    return redirect(url_for("admin.case", instance_id=instance_id), 303)


@bp.post("/cases/<instance_id>/resume")
def resume(instance_id: str) -> Response:
    """Let it go on."""
    engine().resume(instance_id, by=user())
    flash(_("案件已恢复，已告知有关人员"))
    return redirect(url_for("admin.case", instance_id=instance_id), 303)


@bp.post("/cases/<instance_id>/cancel")
def cancel(instance_id: str) -> Any:
    """Stop it for good, once its number has been typed and a reason given."""
    row = queries.administered_case(engine(), instance_id, actor=user())
    reason = request.form.get("reason", "").strip()
    problems: dict[str, Text] = {}
    if not reason:
        problems["cancel"] = NO_REASON
    if request.form.get("number", "").strip() != (row.business_key or row.instance_id):
        problems["number"] = NOT_THE_NUMBER
    if problems:
        return _case(instance_id, problems, reason=reason), 422
    engine().cancel(instance_id, by=user(), reason=reason)
    flash(_("案件已终止，已告知有关人员"))
    return redirect(url_for("admin.case", instance_id=instance_id), 303)


def _case(instance_id: str, problems: dict[str, Text] | None = None, reason: str = "") -> str:
    row = queries.administered_case(engine(), instance_id, actor=user())
    return render_template("admin_case.html", case=row, problems=problems or {}, reason=reason)
