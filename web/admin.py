"""For administrators: what gave up and can be tried again. Never the content of a case."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from engine import queries
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("admin", __name__, url_prefix="/admin")


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
