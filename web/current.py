"""What a view has at hand: the engine, the settings, and who is asking. Nothing below `web` knows a current user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from flask import current_app, g, redirect, request, url_for

from engine import queries
from engine.errors import GuijuError, Text
from web import bearer, sessions
from web.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine import Engine

    View = TypeVar("View", bound=Callable[..., Any])


class LoginNeeded(GuijuError):
    """Nobody is logged in, and the page is not for everybody."""

    status = 401
    code = "login_needed"
    text: ClassVar[Text] = {"zh-CN": "请先登录", "en": "Log in first"}


def engine() -> Engine:
    """The engine this application serves."""
    return cast("Engine", current_app.extensions["guiju"])


def config() -> Config:
    """How this server runs."""
    return cast(Config, current_app.extensions["guiju_config"])


def actor() -> str | None:
    """Who is asking, read once a request; nobody on pages that do not want to know."""
    if "actor" not in g and getattr(current_app.view_functions.get(request.endpoint or ""), "is_anonymous", False):
        g.actor = None
    if "actor" not in g:
        g.actor = _program() if programmed() else sessions.whoever(engine().db, config(), engine().now())
    return cast("str | None", g.actor)


def programmed() -> bool:
    """Whether a program asks, with a token. Then the token alone counts: a cookie that came along is not looked at."""
    return request.blueprint == "api" and "Authorization" in request.headers


def scopes() -> tuple[str, ...] | None:
    """What the token of this request may do; None when a person is logged in."""
    return cast("tuple[str, ...]", g.scopes) if programmed() and actor() is not None else None


def _program() -> str | None:
    token = bearer.whose(engine().db, request.headers["Authorization"], engine().now())
    g.scopes = token.scopes if token else ()
    return token.username if token else None


def user() -> str:
    """Who is asking; raises LoginNeeded."""
    username = actor()
    if username is None:
        raise LoginNeeded
    return username


def waiting() -> dict[str, int]:
    """How much waits for whoever is asking, counted once a request."""
    if "waiting" not in g:
        g.waiting = queries.counts(engine(), actor=user())
    return cast("dict[str, int]", g.waiting)


def public(view: View) -> View:
    """Mark a view that answers people who are not logged in. Every other one does not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def anonymous(view: View) -> View:
    """Mark a public view that never looks at who is logged in, not even to note that their session is in use."""
    view.is_anonymous = True  # type: ignore[attr-defined]
    return public(view)


def require_login() -> Any:
    """Before every request: only views marked `public` and static files answer strangers."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "is_public", False) or actor() is not None:
        return None
    if request.blueprint == "api" or request.headers.get("HX-Request"):
        raise LoginNeeded
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("login.page", next=back), 303)


__all__ = [
    "LoginNeeded",
    "actor",
    "anonymous",
    "config",
    "engine",
    "public",
    "require_login",
    "scopes",
    "user",
    "waiting",
]
