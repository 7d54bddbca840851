"""Rights and personal data: what auditors may audit, what is erased or held, who read what."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import queries, scopes
from engine.errors import Invalid, Text
from engine.identity import LOCAL
from engine.queries import readings
from processes.personal_erasure import holds
from web import formview
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("privacy", __name__)
audit_bp = Blueprint("audit_privacy", __name__, url_prefix="/audit")
NOT_A_DAY: Text = {"zh-CN": "日期须如 2026-12-31", "en": "A date looks like 2026-12-31"}


@bp.get("/admin/auditors")
def auditors() -> str:
    """What each auditor may audit."""
    return _auditors({"processes": ["*"]}, {})


@bp.post("/admin/auditors")
def set_scope() -> Any:
    """Set a scope."""
    form = request.form
    said: dict[str, Any] = {name: form.get(name, "").strip()[:500] for name in ("username", "reason")}
    said["processes"] = form.getlist("processes")
    problems: dict[str, Text] = {}
    days: dict[str, datetime | None] = {}
    for name, after in (("cases_from", 0), ("cases_until", 1), ("expires_at", 1)):  # the last day counts whole
        said[name] = form.get(name, "").strip()[:10]
        try:
            day = datetime.fromisoformat(said[name]).date() if said[name] else None
        except ValueError:
            day, problems[name] = None, NOT_A_DAY
        days[name] = datetime.combine(day + timedelta(days=after), time(), LOCAL) if day else None
    if not problems:
        try:
            username = said["username"]
            scopes.set_scope(engine(), username, by=user(), reason=said["reason"], processes=said["processes"], **days)
            flash(_("审计范围已设定，并记入历史"))
            return redirect(url_for("privacy.auditors"), 303)
        except Invalid as refused:
            problems = refused.fields
    return _auditors(said, problems), 422


@bp.post("/admin/auditors/<scope_id>/revoke")
def revoke_scope(scope_id: str) -> Response:
    """End a scope at once."""
    scopes.revoke_scope(engine(), scope_id, by=user())
    flash(_("审计范围已收回"))
    return redirect(url_for("privacy.auditors"), 303)


@bp.get("/erasures")
def erasures() -> str:
    """What could be erased today, and the legal holds."""
    return _erasures({}, {})


@bp.post("/erasures/holds")
def hold() -> Any:
    """Set a legal hold."""
    said = {name: request.form.get(name, "").strip()[:500] for name in ("case", "username", "reason")}
    try:
        holds.set_hold(engine(), by=user(), **said)
    except Invalid as refused:
        return _erasures(said, refused.fields), 422
    flash(_("法律保全已设定"))
    return redirect(url_for("privacy.erasures"), 303)


@bp.post("/erasures/holds/<hold_id>/lift")
def lift(hold_id: str) -> Any:
    """Lift a legal hold."""
    try:
        holds.lift_hold(engine(), hold_id, by=user(), reason=request.form.get("reason", "")[:500])
    except Invalid as refused:
        return _erasures({}, {f"lift-{hold_id}": refused.fields["reason"]}), 422
    flash(_("法律保全已解除"))
    return redirect(url_for("privacy.erasures"), 303)


@audit_bp.get("/erasures")
def erased() -> str:
    """What was erased, and the holds."""
    gone, standing = readings.erased(engine(), actor=user())
    return render_template("audit_erasures.html", gone=gone, standing=standing)


@audit_bp.get("/readings")
def read() -> str:
    """Who read what, and who was refused."""
    said = {name: request.args.get(name, "").strip()[:64] for name in ("person", "case")}
    found = readings.readings(engine(), actor=user(), **said)
    return render_template("audit_readings.html", found=found, said=said, limit=readings.LIMIT)


def _auditors(said: dict[str, Any], problems: dict[str, Text]) -> str:
    listed = scopes.scopes(engine(), actor=user())
    return render_template(
        "auditors.html",
        scopes=listed,
        people=scopes.auditors(engine()),
        processes=queries.procedures_of(engine()),
        said=said,
        problems=problems,
        now=engine().now(),
        last_day=lambda moment: (moment.astimezone(LOCAL) - timedelta(days=1)).date().isoformat(),
        first_day=lambda moment: moment.astimezone(LOCAL).date().isoformat(),
        may_set="sysadmin" in queries.groups_of(engine(), user()),
    )


def _erasures(said: dict[str, str], problems: dict[str, Text]) -> str:
    names = dict(queries.procedures_of(engine()))
    return render_template(
        "erasures.html",
        due=holds.due(engine(), actor=user()),
        holds=holds.holds(engine(), actor=user()),
        names=names,
        name_of=lambda username: formview.name_of("people", username),
        said=said,
        problems=problems,
        may_hold=holds.keeps(engine(), user()),
    )
