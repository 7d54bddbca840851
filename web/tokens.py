"""One's own tokens for the API: see them, make one, end one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.errors import Invalid, Text
from web import bearer, sessions
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("tokens", __name__, url_prefix="/tokens")


@bp.get("")
def page() -> str:
    """The tokens somebody has, and the form for a new one."""
    return _page()


@bp.post("")
def issue() -> Any:
    """Make a token; the password is asked for again, so that an open screen is not enough."""
    form = request.form
    name, scopes, days = form.get("name", ""), form.getlist("scopes"), form.get("days", "")
    entered = {"name": name[:100], "scopes": scopes, "days": days}
    if not sessions.check_password(engine().db, user(), form.get("password", "")[:256]):
        wrong: Text = {"zh-CN": "密码不对", "en": "Wrong password"}
        return _page(entered, {"password": wrong}), 422
    try:
        secret = bearer.issue(
            engine().db,
            user(),
            name=name,
            scopes=scopes,
            days=int(days) if days.isdigit() else 0,
            now=engine().now(),
        )
    except Invalid as refused:
        return _page(entered, refused.fields), 422
    return _page(secret=secret)


@bp.post("/<token_id>/revoke")
def revoke(token_id: str) -> Response:
    """End a token of one's own."""
    bearer.revoke(engine().db, user(), token_id, engine().now())
    flash(_("令牌已撤销"))
    return redirect(url_for("tokens.page"), 303)


def _page(
    entered: dict[str, Any] | None = None, problems: dict[str, Text] | None = None, secret: str | None = None
) -> str:
    tokens = bearer.listed(engine().db, user())
    return render_template(
        "tokens.html",
        tokens=tokens,
        entered=entered or {"name": "", "scopes": ["read"], "days": "30"},
        problems=problems or {},
        secret=secret,
        scopes=bearer.SCOPES,
        days=bearer.DAYS,
        now=engine().now(),
    )
