"""Where a day starts: what waits for me, what my groups may claim, what I did, what I started; and what I was told."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from engine import queries
from web.current import engine, user, waiting

bp = Blueprint("inbox", __name__)
TABS = ("mine", "claimable", "done", "started")


@bp.get("/")
def home() -> Any:
    """The inbox is the first page."""
    return redirect(url_for("inbox.page"), 302)


@bp.get("/inbox")
def page() -> str:
    """One tab of the inbox, a page at a time."""
    return render_template("inbox.html", **_listing())


@bp.get("/inbox/rows")
def rows() -> Any:
    """The list alone, for polling. 204 while it still says what the browser has (`seen`), so nothing is swapped."""
    listing = _listing()
    if request.args.get("seen") == listing["seen"]:
        return "", 204
    return render_template("inbox_rows.html", live=True, **listing)


@bp.get("/notifications")
def told() -> str:
    """What the engine told me."""
    return render_template("notifications.html", items=queries.told(engine(), actor=user()))


@bp.post("/notifications/read")
def read() -> Any:
    """Mark them all as read."""
    queries.mark_read(engine(), actor=user())
    return redirect(url_for("inbox.told"), 303)


def _listing() -> dict[str, Any]:
    tab = request.args.get("tab", "mine")
    tab = tab if tab in TABS else "mine"
    cursor = request.args.get("cursor") or None
    seen: list[Any]
    if tab in ("mine", "claimable"):
        found = queries.inbox(engine(), actor=user(), tab=tab, cursor=cursor)
        seen = [(item.task_id, item.assignee and item.assignee.username) for item in found.items]
    elif tab == "done":
        found = queries.done(engine(), actor=user(), cursor=cursor)
        seen = [item.task_id for item in found.items]
    else:
        found = queries.started(engine(), actor=user(), cursor=cursor)
        seen = [
            (item.instance_id, item.status, item.suspended, [name["zh-CN"] for name, _who in item.open])
            for item in found.items
        ]
    counts = waiting()
    digest = hashlib.sha256(repr((seen, counts)).encode()).hexdigest()[:16]
    return {"tab": tab, "page": found, "counts": counts, "cursor": cursor, "seen": digest}
