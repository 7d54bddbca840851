"""Every error becomes an answer here and nowhere else: a page in the reader's language, or problem+json in the API."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from flask import Flask, Response, g, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError, TooManyRequests

from engine import queries
from engine.errors import Conflict, Denied, GuijuError, Invalid, Text
from engine.moments import moment
from web import current, words
from web.current import LoginNeeded
from web.languages import text

# What the title of an HTTP error's page says, and what to do about it.
PAGES: dict[int, tuple[Text, Text]] = {
    400: (
        {"zh-CN": "请求无法识别", "en": "The request could not be understood"},
        {
            "zh-CN": "页面可能停留过久。返回上一页刷新后重试。",
            "en": "The page may have been open too long. Go back, reload and try again.",
        },
    ),
    403: (
        {"zh-CN": "没有权限", "en": "Not permitted"},
        {
            "zh-CN": "这一页不对当前登录的人开放。如有疑问请联系流程负责人。",
            "en": "This page is not open to you. Ask the owner of the procedure if in doubt.",
        },
    ),
    404: (
        {"zh-CN": "没有这一页", "en": "There is no such page"},
        {"zh-CN": "内容不存在，或不对当前登录的人开放。", "en": "It does not exist, or it is not open to you."},
    ),
    405: (
        {"zh-CN": "不支持这种操作", "en": "That cannot be done here"},
        {"zh-CN": "请从页面上的按钮操作。", "en": "Use the buttons on the pages."},
    ),
    409: (
        {"zh-CN": "情况已经变化", "en": "This has changed meanwhile"},
        {"zh-CN": "回到待办看最新情况。", "en": "See the latest in your inbox."},
    ),
    413: (
        {"zh-CN": "提交的内容太大", "en": "Too much was sent"},
        {
            "zh-CN": "没有保存任何内容。每个文件不超过 20 MB，合计不超过 120 MB；返回上一页，减少内容后重试。",
            "en": "Nothing was stored. A file may have 20 MB, all of them together 120 MB; go back and send less.",
        },
    ),
    422: (
        {"zh-CN": "填写有误", "en": "Some entries need correcting"},
        {"zh-CN": "返回上一页改正后重新提交。", "en": "Go back, correct them and submit again."},
    ),
    429: (
        {"zh-CN": "尝试过于频繁", "en": "Too many attempts"},
        {"zh-CN": "请等一分钟再试。", "en": "Wait a minute, then try again."},
    ),
    500: (
        {"zh-CN": "系统出错", "en": "Something went wrong"},
        {
            "zh-CN": "操作没有保存。请稍后重试；仍不成功时把下面的编号告诉管理员。",
            "en": "Nothing was saved. Try again later; if it still fails, tell the administrator the number below.",
        },
    ),
    503: (
        {"zh-CN": "暂时无法保存", "en": "Cannot save right now"},
        {
            "zh-CN": "操作没有执行。返回上一页，填写的内容还在，稍后重试。",
            "en": "Nothing was done. Go back, what was filled in is still there, and try again shortly.",
        },
    ),
}
ICONS = {403: "lock-closed", 404: "map", 409: "arrow-path", 429: "clock", 503: "signal-slash"}


def log() -> Any:
    """The log, imported when there is something to say: structlog brings rich along, a third of a second a start."""
    import structlog

    return structlog.get_logger("guiju.web")


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(GuijuError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _http)
    app.register_error_handler(Exception, _unforeseen)


def wants_problem() -> bool:
    """Whether a script is asking."""
    return request.path.startswith("/api/")


def _ours(error: GuijuError) -> Any:
    if isinstance(error, LoginNeeded) and not wants_problem():
        return redirect(url_for("login.page"), 303)
    if wants_problem():
        return problem(error.status, error.code, error.message, **_details(error))
    if (
        isinstance(error, Invalid) and "form_page" in g
    ):  # the page of the form itself, input kept, each complaint beside its field
        return g.form_page(errors=error.fields), 422
    if error.status >= 500:
        log().error("command_failed", code=error.code, path=request.path, error=str(error))
    recused = isinstance(error, Denied) and error.recused
    title = {"zh-CN": "已回避", "en": "Recused"} if recused else None
    advice = (
        {
            "zh-CN": "回避的人看不到也不能办理这项事务，内容已隐去。",
            "en": "Whoever is recused can neither see nor do this; its content is withheld.",
        }
        if recused
        else None
    )
    return page(error.status, title=title, said=told(error), advice=advice, recused=recused, error=error)


def told(error: GuijuError) -> str:
    """The error's sentence, with people by name and moments as the clock on the wall shows them."""
    said = text(error.message)
    who, at = error.args_.get("who"), error.args_.get("at")
    if isinstance(at, str):
        with suppress(ValueError):
            said = said.replace(at, words.day(moment(at)))
    if isinstance(who, str) and (person := queries.person(current.engine(), who)):
        said = said.replace(who, text(person.names))
    return said


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    if isinstance(error, SecurityError):  # asked by a name that is not ours: no address can be made for a page's links
        return Response("请求的主机名不对 · Unknown host name\n", 400, content_type="text/plain; charset=utf-8")
    status = error.code or 500
    if isinstance(error, TooManyRequests):
        status = 429
    elif isinstance(error, RequestEntityTooLarge):
        status = 413
    title, _advice = PAGES.get(status, PAGES[400 if status < 500 else 500])
    if wants_problem():
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 429: "too_many"}.get(
            status, "bad_request"
        )
        return problem(status, code, title)
    return page(status)


def _unforeseen(error: Exception) -> Any:
    number = f"{id(error) & 0xFFFFFF:06x}"
    log().exception("unforeseen", number=number, path=request.path, method=request.method)
    if wants_problem():
        return problem(500, "internal", PAGES[500][0], number=number)
    return page(500, number=number)


def page(
    status: int,
    *,
    title: Text | None = None,
    said: str = "",
    advice: Text | None = None,
    recused: bool = False,
    number: str = "",
    error: GuijuError | None = None,
) -> tuple[str, int]:
    """An error's own page: what happened, and what to do."""
    known_title, known_advice = PAGES.get(status, PAGES[400 if status < 500 else 500])
    shown = render_template(
        "failure.html",
        status=status,
        title=text(title or known_title),
        said=said,
        advice=text(advice or known_advice),
        icon_name="hand-raised" if recused else ICONS.get(status, "exclamation-triangle"),
        number=number,
        conflict=isinstance(error, Conflict),
    )
    return shown, status


def problem(status: int, code: str, title: Text, **more: Any) -> Response:
    """An RFC 9457 problem document; `title` in the reader's language, `titles` in both."""
    body = {"type": f"urn:guiju:{code}", "title": text(title), "titles": title, "status": status, "code": code, **more}
    return Response(orjson.dumps(body, default=str), status, content_type="application/problem+json")


def _details(error: GuijuError) -> dict[str, Any]:
    if isinstance(error, Invalid):
        return {"fields": {name: {"text": text(said), "texts": said} for name, said in error.fields.items()}}
    if isinstance(error, Denied):
        return {"recused": error.recused}
    return {"about": {name: value for name, value in error.args_.items() if isinstance(value, str | int)}}


__all__ = ["install", "page", "problem", "wants_problem"]
