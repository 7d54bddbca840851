"""What procedures leave behind: the account register 账号台账 and each account's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from engine import queries
from processes.registers.account import ACCOUNT, STATUSES, TITLES
from web import formview
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("registers", __name__, url_prefix="/registers")
PAGE = 50
TOLD_APART = ("name", "responsible_history")  # shown as heading and as a list of their own
PERSONS = ("responsible", "backup", "real_name_admin", "undertaking_signed_by", "authorised_users")
TONES = {
    "active": ("good", "check-circle"),
    "draft": ("wait", "pencil-square"),
    "suspended": ("soon", "minus-circle"),
    "orphaned": ("late", "exclamation-triangle"),
}


@dataclass(frozen=True, kw_only=True)
class Status:
    """A register row's status by colour, word and icon."""

    tone: str
    icon: str
    words: str


@bp.get("/account")
def accounts() -> str:
    """The accounts, searched and filtered; the rows alone for the page's own searches."""
    search, status = request.args.get("search", "").strip()[:100], request.args.get("status", "")
    cursor = request.args.get("cursor") or None
    found = queries.register(engine(), ACCOUNT, actor=user(), search=search, status=status, cursor=cursor, limit=PAGE)
    return render_template(
        "accounts_rows.html" if request.headers.get("HX-Request") else "accounts.html",
        page=found,
        search=search,
        status=status,
        statuses=STATUSES,
        status_of=status_of,
        names=_names(),
    )


@bp.get("/account/<key>")
def account(key: str) -> str:
    """One account with everyone who was ever responsible for it, and every change."""
    row = queries.register_row(engine(), ACCOUNT, key, actor=user())
    filled = [name for name in TITLES if name not in TOLD_APART and row.data.get(name) not in (None, "", [])]
    known = [(TITLES[name], shown(name, row.data[name])) for name in filled]
    return render_template(
        "account.html",
        row=row,
        known=known,
        titles=TITLES,
        holders=list(reversed(row.data.get("responsible_history") or [])),
        status_of=status_of,
        names=_names(),
    )


def status_of(value: object) -> Status:
    """How a status looks."""
    word = str(value or "")
    tone, icon = TONES.get(word, ("", "archive-box"))
    return Status(tone=tone, icon=icon, words=text(STATUSES.get(word)) or word or "—")


def shown(name: str, value: Any) -> str:
    """A field's value in words."""
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(shown(name, one) for one in value)
    if name == "status":
        return text(STATUSES.get(str(value))) or str(value)
    if name == "risk":
        return {"low": _("低"), "medium": _("中"), "high": _("高")}.get(str(value), str(value))
    if name == "features":
        return str(value)
    return _names()[str(value)] if name in PERSONS else _names().get(str(value), str(value))


class _Names(dict[str, str]):
    """Id → name of departments and people; someone who has left is looked up when asked for."""

    def __missing__(self, key: str) -> str:
        self[key] = formview.name_of("people", key)
        return self[key]


def _names() -> _Names:
    known = {key: name for key, name, _hint in formview.choices("departments")}
    return _Names(known | {key: name for key, name, _hint in formview.choices("people")})
