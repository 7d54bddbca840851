"""Who only audits reads, and nothing else: every route that could change something is closed to them, here, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, current_app, request

from engine import accesses, queries
from engine.errors import Denied
from web import current

if TYPE_CHECKING:
    from engine import Engine

READS = ("GET", "HEAD", "OPTIONS")
THEIR_OWN = frozenset({"login.leave", "login.language", "api.log_out"})  # and what is open to everybody anyway
EVERYBODY = "employee"


def install(app: Flask) -> None:
    """Ask before every request that is not a plain read."""
    app.before_request(refuse)


def only_audits(engine: Engine, username: str) -> bool:
    """Whether somebody is in an auditors' group and in no other."""
    groups = queries.groups_of(engine, username) - {EVERYBODY}
    return bool(groups) and groups <= engine.auditors


def refuse() -> None:
    """Raise Denied when somebody who only audits would write; the refusal is recorded."""
    if request.method in READS or request.endpoint is None or request.endpoint in THEIR_OWN:
        return
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "is_public", False):
        return
    username = current.actor()
    if username is None or not only_audits(current.engine(), username):
        return
    text = {"zh-CN": "审计员只能查阅，不能办理", "en": "Auditors read only; they change nothing"}
    refusal = Denied("auditors_read_only", text=text)
    accesses.refused(current.engine(), username, request.endpoint, refusal)
    raise refusal
