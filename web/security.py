"""What every answer carries and every request is held to: headers, same origin, CSRF tokens, sizes, host names."""

from __future__ import annotations

from functools import cache, wraps
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import TooManyRequests

from engine.errors import Denied, Text
from web.config import Config

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SAFE = ("GET", "HEAD", "OPTIONS")
csrf = CSRFProtect()


class CrossSite(Denied):
    """Another site's page sent this request."""

    code = "cross_site"
    text: ClassVar[Text] = {
        "zh-CN": "请求来自其他网站，已拒绝",
        "en": "Refused: the request came from another site",
    }


def install(app: Flask, config: Config) -> None:
    """Set what Flask leaves unset, and check and dress every request and answer."""
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="__Host-guiju" if config.https else "guiju",
        SESSION_COOKIE_SECURE=config.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=config.max_body,
        MAX_FORM_MEMORY_SIZE=config.max_body,
        MAX_FORM_PARTS=2_000,
        TRUSTED_HOSTS=list(config.trusted_hosts),
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session does
        WTF_CSRF_SSL_STRICT=False,  # the origin check below does that job, for http too
    )
    csrf.init_app(app)
    app.before_request(refuse_other_sites)

    @app.after_request
    def _dress(response: Response) -> Response:
        response.headers.extend(HEADERS)
        if config.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if "Cache-Control" not in response.headers and request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"  # pages show what only their reader may see
        return response


def slow_down(app: Flask, config: Config, endpoints: tuple[str, ...]) -> None:
    """Limit how often one source may try these endpoints, on all nodes together (`web.rates`)."""

    @cache
    def counted() -> tuple[Any, list[Any]]:
        """Made at the first login, not at the start: the import takes a tenth of a second."""
        from limits import parse_many

        from web.rates import Rates

        return Rates(engine=app.extensions["guiju"], key=config.secret_key.encode()), parse_many(config.login_rate)

    def limited(view: Any) -> Any:
        @wraps(view)
        def slowed(**arguments: Any) -> Any:
            rates, allowed = counted()
            source = request.remote_addr or ""
            if not rates.hit(allowed, "login", source):
                raise TooManyRequests
            answer = app.make_response(view(**arguments))
            if answer.status_code < 400:  # whoever knows their password is not kept out by their own coming and going
                rates.forgive(allowed, "login", source)
            return answer

        return slowed

    for endpoint in endpoints:
        app.view_functions[endpoint] = limited(app.view_functions[endpoint])


def refuse_other_sites() -> None:
    """A request that changes something must come from a page of ours, as far as the browser says."""
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise CrossSite
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise CrossSite
