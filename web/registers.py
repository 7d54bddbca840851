"""What procedures leave behind: the account register 账号台账 and each account's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from engine import queries
from web import formview
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("registers", __name__, url_prefix="/registers")
PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Status:
    """A register row's status by colour, word and icon."""

    tone: str
    icon: str
    words: str


@bp.get("/account")
def accounts() -> str:
    """The accounts, searched and filtered."""
    search, status = request.args.get("search", "").strip()[:100], request.args.get("status", "")
    cursor = request.args.get("cursor") or None
    found = queries.register(engine(), "account", actor=user(), search=search, status=status, cursor=cursor, limit=PAGE)
    whole = "accounts_rows.html" if request.headers.get("HX-Request") else "accounts.html"
    return render_template(
        whole, page=found, search=search, status=status, statuses=statuses(), status_of=status_of, names=_names()
    )


@bp.get("/account/<key>")
def account(key: str) -> str:
    """One account with everyone who was ever responsible for it, and every change."""
    row = queries.register_row(engine(), "account", key, actor=user())
    return render_template(
        "account.html",
        row=row,
        titles=titles(),
        holders=holders(row),
        status_of=status_of,
        names=_names(),
        shown=value_shown,
    )


def statuses() -> dict[str, str]:
    """Status → word, in the order of an account's life."""
    return {
        "draft": _("未启用"),
        "active": _("在用"),
        "suspended": _("已冻结"),
        "dormant": _("停更"),
        "orphaned": _("无人负责"),
        "closed": _("已注销"),
    }


def status_of(value: object) -> Status:
    """How a status looks."""
    word = str(value or "")
    tones = {
        "active": ("good", "check-circle"),
        "draft": ("wait", "pencil-square"),
        "suspended": ("soon", "minus-circle"),
    }
    tone, icon = tones.get(word, ("late", "exclamation-triangle") if word == "orphaned" else ("", "archive-box"))
    return Status(tone=tone, icon=icon, words=statuses().get(word, word or "—"))


def titles() -> dict[str, str]:
    """Field → title, in the order an account is described; fields not named here follow as they are."""
    return {
        "account_id": _("账号编号"),
        "platform": _("平台"),
        "account_type": _("账号类型"),
        "name": _("名称"),
        "uid": _("平台账号 ID"),
        "platform_uid": _("平台账号 ID"),
        "subject": _("认证主体"),
        "purpose": _("用途"),
        "dept": _("使用部门"),
        "using_dept": _("使用部门"),
        "responsible": _("账号负责人"),
        "backup": _("备份负责人"),
        "authorised_users": _("授权使用人"),
        "third_party": _("代运营机构"),
        "third_party_operator": _("代运营机构"),
        "vault_ref": _("密码库条目"),
        "mfa": _("多因素认证"),
        "phone_owner": _("绑定手机归属"),
        "binding_phone_owner": _("绑定手机归属"),
        "email_owner": _("绑定邮箱"),
        "binding_email": _("绑定邮箱"),
        "risk": _("风险等级"),
        "followers": _("粉丝量"),
        "has_payment": _("开通支付或橱窗"),
        "incident_12m": _("近 12 个月事件"),
        "last_rotation": _("上次改密"),
        "rotation_due": _("下次改密"),
        "review_due": _("下次复核"),
        "cert_expiry": _("认证到期"),
        "launch_date": _("启用日期"),
        "status": _("状态"),
        "case_no": _("注册案件"),
        "case": _("注册案件"),
        "resolution_no": _("决议编号"),
        "conditions": _("附带条件"),
    }


def value_shown(name: str, value: Any) -> str:
    """A field's value in words."""
    if value in (None, "", []):
        return "—"
    if name == "status":
        return statuses().get(str(value), str(value))
    if name == "risk":
        return {"low": _("低"), "medium": _("中"), "high": _("高")}.get(str(value), str(value))
    if isinstance(value, bool) or (name in ("has_payment", "third_party") and value in (0, 1, "0", "1")):
        return _("是") if value in (True, 1, "1") else _("否")
    if isinstance(value, list):
        return _("、").join(_names().get(str(one), str(one)) for one in value)
    return _names().get(str(value), str(value))


def holders(row: queries.RegisterView) -> list[tuple[str, Any, Any]]:
    """(username, from, until) of everyone who was responsible, newest first; until is None for who is now."""
    found: list[tuple[str, Any, Any]] = []
    until = None
    for change in row.changes:
        if "responsible" in change.changes:
            told = change.changes["responsible"]
            who = told.get("to") if isinstance(told, dict) else told
            if who:
                found.append((str(who), change.at, until))
            until = change.at
    return found


def _names() -> dict[str, str]:
    known = {key: name for key, name, _hint in formview.choices("departments")}
    return known | {key: name for key, name, _hint in formview.choices("people")}
