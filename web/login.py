"""Logging in and out, and choosing a language."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from web import sessions
from web.current import config, engine, public
from web.languages import LANGUAGES, remember
from web.languages import gettext as _

bp = Blueprint("login", __name__)


@bp.get("/login")
@public
def page() -> Any:
    """The login page; in the demo it lists who can log in."""
    return _page()


@bp.post("/login")
@public
def enter() -> Any:
    """Check the password and open a session under a new token."""
    username = request.form.get("username", "").strip()[:64]
    right = sessions.check_password(engine().db, username, request.form.get("password", "")[:256])
    if not right:
        return _page(username=username, wrong=True), 422
    sessions.begin(engine().db, config(), username, engine().now())
    return redirect(own_path(request.form.get("next")), 303)


@bp.post("/logout")
def leave() -> Any:
    """End the session, in the table too."""
    sessions.end(engine().db)
    flash(_("已退出登录"))
    return redirect(url_for("login.page"), 303)


@bp.post("/language")
@public
def language() -> Any:
    """Remember the language and go back to where the reader was."""
    response = redirect(own_path(request.form.get("next")), 303)
    chosen = request.form.get("lang", "")
    if chosen in LANGUAGES:
        remember(response, chosen)
    return response


def own_path(path: str | None) -> str:
    """A path of this site, or the inbox: never another host."""
    if path and path.startswith("/") and not path.startswith("//") and not set(path) & set("\\\r\n\t"):
        return path
    return url_for("inbox.page")


def _page(username: str = "", wrong: bool = False) -> str:
    people = g.setdefault("demo_people", _demo_people() if config().demo else [])
    back = request.values.get("next", "")
    return render_template(
        "login.html", username=username, wrong=wrong, people=people, back=back, password=_demo_password()
    )


def _demo_people() -> list[tuple[str, dict[str, str], dict[str, str]]]:
    import processes

    return list(getattr(processes, "DEMO_LOGINS", ()))


def _demo_password() -> str:
    import processes

    return str(getattr(processes, "DEMO_PASSWORD", sessions.DEMO_PASSWORD)) if config().demo else ""
