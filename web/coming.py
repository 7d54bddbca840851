"""What the clock will start, and when."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from engine import queries
from web.current import engine, user

bp = Blueprint("coming", __name__, url_prefix="/coming")


@bp.get("")
def page() -> str:
    """The recurring cases to come, soonest first, as far as they concern the reader."""
    found = queries.coming(engine(), actor=user(), cursor=request.args.get("cursor") or None)
    return render_template("coming.html", page=found)
