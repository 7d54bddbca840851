"""The API's routes. Each makes one engine call."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Flask, request

from engine import queries
from engine.errors import Invalid, Text
from engine.queries import CaseRow, CaseView, ProcessRow, StartView, TaskRow, TaskView
from engine.runtime import Result
from processes.complaint import correspondence
from web import sessions
from web.api import openapi
from web.api.endpoint import bp, endpoint, idempotency_key
from web.current import config, engine, user


def _says(zh: str, en: str) -> Text:
    return {"zh-CN": zh, "en": en}


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """Who logs in."""

    username: str
    password: str


class Who(msgspec.Struct):
    """Who is logged in."""

    username: str


class Variables(msgspec.Struct, forbid_unknown_fields=True):
    """A filled-in form."""

    variables: dict[str, Any] = {}


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why, in words; may be empty."""

    reason: str = ""


class Handover(msgspec.Struct, forbid_unknown_fields=True):
    """To whom, and why."""

    to: str
    reason: str = ""


class Upload(msgspec.Struct, forbid_unknown_fields=True):
    """A file; its content in base64, at most 20 MB. Without a task it is for a start form."""

    name: str
    content: bytes
    task_id: str | None = None


class Stored(msgspec.Struct):
    """The id that the form's field names."""

    id: str


class Tasks(msgspec.Struct):
    """A page of tasks; `next` is the cursor of the following page."""

    items: list[TaskRow]
    next: str | None


class Cases(msgspec.Struct):
    """A page of cases."""

    items: list[CaseRow]
    next: str | None


LIMIT = {"cursor": "next of the page before", "limit": "1…100, default 30"}


@endpoint("POST", "/session", _says("登录", "Log in"), body=Credentials, answer=Who, public=True, errors=(422, 429))
def log_in(body: Credentials) -> Who:
    """Open a session; the cookie of the answer belongs to it."""
    if not sessions.check_password(engine().db, body.username, body.password):
        raise Invalid({"password": _says("用户名或密码不对", "Wrong username or password")})
    sessions.begin(engine().db, config(), body.username, engine().now())
    return Who(username=body.username)


@endpoint("DELETE", "/session", _says("退出登录", "Log out"), status=204)
def log_out() -> None:
    """End the session."""
    sessions.end(engine().db)


@endpoint("GET", "/processes", _says("可以发起的流程", "Procedures I may start"), answer=list[ProcessRow])
def processes() -> list[ProcessRow]:
    """What I may start."""
    return queries.startable(engine(), actor=user())


@endpoint("GET", "/processes/<process>", _says("发起表单", "The start form"), answer=StartView, errors=(403, 404))
def process_form(process: str) -> StartView:
    """The start form's schema and prefilled values."""
    return queries.start_form(engine(), process, actor=user())


@endpoint(
    "POST",
    "/processes/<process>/instances",
    _says("发起案件", "Start a case"),
    scope="start",
    body=Variables,
    answer=Result,
    status=201,
    keyed=True,
    errors=(403, 404, 409, 422, 503),
)
def start(body: Variables, process: str) -> Result:
    """Start a case with its start form filled in. A complaint's files are cleaned; receipts are told on pages only."""
    if process == correspondence.PROCESS:
        return correspondence.start(engine(), body.variables, by=user(), key=idempotency_key())
    return engine().start(process, body.variables, by=user(), key=idempotency_key())


@endpoint(
    "GET",
    "/tasks",
    _says("待办、可认领或已办的任务", "Tasks to do, to claim, or done"),
    answer=Tasks,
    query={"tab": "mine | claimable | done", **LIMIT},
)
def tasks() -> Any:
    """A page of my tasks."""
    tab, cursor, limit = request.args.get("tab", "mine"), request.args.get("cursor"), _limit()
    if tab == "done":
        return queries.done(engine(), actor=user(), cursor=cursor, limit=limit)
    tab = "claimable" if tab == "claimable" else "mine"
    return queries.inbox(engine(), actor=user(), tab=tab, cursor=cursor, limit=limit)


@endpoint("GET", "/tasks/<task_id>", _says("一项任务", "One task"), answer=TaskView, errors=(403, 404, 409))
def task(task_id: str) -> TaskView:
    """The task with its form and what was decided before."""
    return queries.task(engine(), task_id, actor=user())


@endpoint(
    "POST", "/tasks/<task_id>/claim", _says("认领", "Claim"), scope="tasks", answer=Result, errors=(403, 404, 409)
)
def claim(task_id: str) -> Result:
    """Take it."""
    return engine().claim(task_id, by=user())


@endpoint(
    "POST", "/tasks/<task_id>/release", _says("退领", "Release"), scope="tasks", answer=Result, errors=(403, 404, 409)
)
def release(task_id: str) -> Result:
    """Give it back."""
    return engine().release(task_id, by=user())


@endpoint(
    "POST",
    "/tasks/<task_id>/draft",
    _says("保存草稿", "Save a draft"),
    scope="tasks",
    body=Variables,
    status=204,
    errors=(403, 404, 409, 422),
)
def save_draft(body: Variables, task_id: str) -> None:
    """Keep what is filled in so far."""
    engine().save_draft(task_id, body.variables, by=user())


@endpoint(
    "POST",
    "/tasks/<task_id>/complete",
    _says("办结", "Complete"),
    scope="tasks",
    body=Variables,
    answer=Result,
    keyed=True,
    errors=(403, 404, 409, 422, 503),
)
def complete(body: Variables, task_id: str) -> Result:
    """Complete it with its form filled in; an unclaimed task is claimed by that."""
    return engine().complete(task_id, body.variables, by=user(), key=idempotency_key())


@endpoint(
    "POST",
    "/tasks/<task_id>/recuse",
    _says("申请回避", "Recuse myself"),
    scope="tasks",
    body=Reason,
    answer=Result,
    errors=(403, 404, 409),
)
def recuse(body: Reason, task_id: str) -> Result:
    """Declare oneself recused."""
    return engine().recuse(task_id, by=user(), reason=body.reason)


@endpoint(
    "POST",
    "/tasks/<task_id>/reassign",
    _says("转办", "Hand over"),
    scope="tasks",
    body=Handover,
    answer=Result,
    errors=(403, 404, 409, 422),
)
def reassign(body: Handover, task_id: str) -> Result:
    """Hand it over to a colleague who may do it."""
    return engine().reassign(task_id, to=body.to, by=user(), reason=body.reason)


@endpoint(
    "POST",
    "/attachments",
    _says("上传附件", "Upload a file"),
    scope="start",
    body=Upload,
    answer=Stored,
    status=201,
    errors=(403, 404, 409, 413, 422),
)
def attach(body: Upload) -> Stored:
    """Store a file for a form's field of attachments; its content comes from `/attachments/<id>` again."""
    return Stored(id=engine().attach(body.task_id, body.name, body.content, by=user()))


@endpoint("GET", "/instances", _says("我发起的案件", "Cases I started"), answer=Cases, query=LIMIT)
def instances() -> Any:
    """A page of the cases I started."""
    return queries.started(engine(), actor=user(), cursor=request.args.get("cursor"), limit=_limit())


@endpoint("GET", "/instances/<instance_id>", _says("一个案件", "One case"), answer=CaseView, errors=(403, 404))
def instance(instance_id: str) -> CaseView:
    """The case with its timeline."""
    return queries.case(engine(), instance_id, actor=user())


@endpoint(
    "POST",
    "/instances/<instance_id>/withdraw",
    _says("撤回案件", "Withdraw a case"),
    scope="start",
    body=Reason,
    answer=Result,
    errors=(403, 404, 409),
)
def withdraw(body: Reason, instance_id: str) -> Result:
    """Take back a case one started."""
    return engine().withdraw(instance_id, by=user(), reason=body.reason)


@endpoint("GET", "/openapi.json", _says("本文档", "This document"), answer=dict[str, Any], public=True)
def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, made from these declarations."""
    return openapi.document()


def install(app: Flask) -> None:
    """Register the API."""
    app.register_blueprint(bp)


def _limit() -> int:
    given = request.args.get("limit", "30")
    return max(1, min(100, int(given))) if given.isdigit() else 30
