"""What the system does itself when an account is registered: checks, the next name, the register row, notices."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from engine import OperationContext, Operations
from processes import term_rules
from processes.account_registration import checks
from processes.organisation import account_holders_superior
from processes.registers.account import ACCOUNT

APPLICATIONS = "registration"  # open applications, so that two of them cannot ask for one name
operations = Operations()


@operations.local(
    "account_registration.validate",
    parameters=[
        "platform",
        "account_type",
        "proposed_name",
        "alt_names",
        "responsible",
        "backup",
        "real_name_admin",
        "binding_phone_owner",
        "binding_email",
        "interactive_features",
        "third_party_operator",
    ],
    required=("platform", "account_type", "proposed_name", "responsible"),
    title={"zh-CN": "注册申请：查重、资格、名称扫描", "en": "Registration: duplicates, eligibility, name scan"},
)
def validate(
    ctx: OperationContext,
    *,
    platform: str,
    account_type: str,
    proposed_name: str,
    responsible: str,
    alt_names: Sequence[str] | None = None,
    backup: str | None = None,
    real_name_admin: str | None = None,
    binding_phone_owner: str | None = None,
    binding_email: str | None = None,
    interactive_features: Sequence[str] | None = None,
    third_party_operator: str | None = None,
) -> dict[str, Any]:
    """{"result": "ok" | "warn" | "fail", "findings": [...], "new_platform", "has_payment", "legal_reasons", "summary"}.

    Keeps the application's names in the register of open applications, for the next one's duplicate check.
    """
    names = [("proposed_name", proposed_name), *(("alt_names", name) for name in alt_names or ())]
    accounts = {key: row for key, row in ctx.registers.all(ACCOUNT).items() if row.get("status") != "closed"}
    own = [key for key, row in accounts.items() if row.get("case_no") == ctx.business_key]
    for key in own:
        del accounts[key]
    phone, mail = ctx.open([binding_phone_owner or "", binding_email or ""])
    people = {name: ctx.directory.person(name) for name in (responsible, backup, real_name_admin) if name}
    findings = [
        *checks.check_names(names, term_rules.of(ctx.tables)[0]),
        *checks.check_duplicates(platform, names, accounts, _open_applications(ctx)),
        *checks.check_people(responsible, backup, real_name_admin, people, _today(ctx)),
        *checks.check_ownership(account_type, phone, mail, ctx.setting("company_mail_domains", [])),
    ]
    new_platform = not any(row.get("platform") == platform for row in accounts.values())
    features = list(interactive_features or ())
    if ctx.business_key:
        row = {"platform": platform, "names": [name for _, name in names], "status": "open"}
        ctx.registers.put(APPLICATIONS, ctx.business_key, row)
    reasons = checks.reasons_for_legal(features, third_party_operator, new_platform=new_platform)
    return {
        "result": checks.verdict(findings),
        "findings": findings,
        "new_platform": new_platform,
        "has_payment": bool(checks.PAYMENT_FEATURES.intersection(features)),
        "legal_reasons": reasons,
        "summary": checks.summary(findings, reasons),
    }


def _open_applications(ctx: OperationContext) -> dict[str, dict[str, Any]]:
    """Other applications still under way. A withdrawn case runs no operation any more, so its case is asked."""
    rows = ctx.registers.find(APPLICATIONS, status="open")
    return {key: row for key, row in rows.items() if key != ctx.business_key and ctx.case_open(key)}


@operations.local(
    "account_registration.escalate",
    parameters=("element", "dept", "excluded"),
    required=("element", "dept"),
    title={"zh-CN": "超时升级：上级可代为办理", "en": "Escalate: the superior may act too"},
)
def escalate(
    ctx: OperationContext, *, element: str, dept: str, excluded: Sequence[str] | None = None
) -> dict[str, Any]:
    """Let the superior of the department's head do the open task as well; the head keeps it."""
    superiors = account_holders_superior(ctx.directory, dept, excluded or ())
    ctx.escalate(element, superiors)
    number = ctx.business_key or ""
    ctx.notify(
        superiors,
        {
            "zh-CN": f"{number} 的部门确认已超过 8 工作小时，请代为确认",
            "en": f"{number}: the department has not confirmed within 8 working hours; please do so in its place",
        },
    )
    return {"to": superiors}


@operations.local(
    "account_registration.next_name",
    parameters=("platform", "alt_names", "used"),
    required=("platform",),
    title={"zh-CN": "取下一个已批准备选名", "en": "Take the next approved alternative name"},
)
def next_name(
    ctx: OperationContext, *, platform: str, alt_names: Sequence[str] | None = None, used: Sequence[str] | None = None
) -> dict[str, Any]:
    """{"result": "has" | "none", "name", "used"}: the next alternative not used and not registered meanwhile."""
    taken = {row["name"] for row in ctx.registers.find(ACCOUNT, platform=platform).values()}
    tried = list(used or ())
    for name in alt_names or ():
        if name not in tried and name not in taken:
            return {"result": "has", "name": name, "used": [*tried, name]}
    return {"result": "none", "name": None, "used": tried}


@operations.local(
    "account_registration.register_draft",
    parameters=[
        "platform",
        "account_type",
        "purpose",
        "audience",
        "content_scope",
        "using_dept",
        "responsible",
        "backup",
        "binding_phone_owner",
        "binding_email",
        "real_name_admin",
        "interactive_features",
        "third_party_operator",
        "launch_date",
        "name",
        "registration",
        "custody",
        "resolution_no",
        "conditions",
        "account_id",
    ],
    required=("platform", "account_type", "name", "using_dept", "responsible"),
    title={"zh-CN": "台账登记（未启用）", "en": "Enter in the register, not yet enabled"},
)
def register_draft(
    ctx: OperationContext,
    *,
    name: str,
    platform: str,
    account_type: str,
    using_dept: str,
    responsible: str,
    registration: Mapping[str, Any] | None = None,
    custody: Mapping[str, Any] | None = None,
    account_id: str | None = None,
    third_party_operator: str | None = None,
    interactive_features: Sequence[str] | None = None,
    **stated: Any,
) -> dict[str, Any]:
    """{"account_id", "name", "vault_ref"}: a row with status "draft". Only the vault's reference, never a password."""
    registration, custody = registration or {}, custody or {}
    key = account_id or _next_account(ctx)
    vault_ref = custody.get("vault_ref") or f"vault://accounts/{ctx.business_key}"
    row = {
        **{field: value for field, value in stated.items() if value is not None},
        "platform": platform,
        "account_type": account_type,
        "name": name,
        "dept": using_dept,
        "responsible": responsible,
        "features": list(interactive_features or ()),
        "third_party": bool(third_party_operator),
        "third_party_operator": third_party_operator,
        "platform_uid": registration.get("platform_uid"),
        "subject": registration.get("account_subject"),
        "cert_expiry": registration.get("cert_expiry"),
        "evidence": registration.get("evidence"),
        "vault_ref": vault_ref,
        "mfa": custody.get("mfa_enabled", True),
        "binding_phone_owner": custody.get("phone_owner") or stated.get("binding_phone_owner"),
        "binding_email": custody.get("recovery_mailbox") or stated.get("binding_email"),
        "authorised_users": custody.get("authorised_users", []),
        "case_no": ctx.business_key,
        "status": "draft",
    }
    ctx.registers.put(ACCOUNT, key, row)
    return {"account_id": key, "name": name, "vault_ref": vault_ref}


def _next_account(ctx: OperationContext) -> str:
    """The next free account number; numbers that came in with the imported register are skipped."""
    while True:
        key = f"A{ctx.next_number('account'):03d}"
        if ctx.registers.get(ACCOUNT, key) is None:
            return key


@operations.local(
    "account_registration.undertaking_overdue",
    parameters=("responsible", "applicant", "dept", "draft"),
    required=("responsible",),
    title={"zh-CN": "告知账号仍未启用", "en": "Tell that the account stays not enabled"},
)
def undertaking_overdue(
    ctx: OperationContext,
    *,
    responsible: str,
    applicant: str | None = None,
    dept: str | None = None,
    draft: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Tell the responsible person, the applicant, the head and the registrar. Nothing is enabled by waiting."""
    name = (draft or {}).get("name", "")
    head = ctx.directory.department(dept) if dept else None
    told = [responsible, applicant, head.head if head else None, "account_registrar"]
    text = {
        "zh-CN": f"账号「{name}」的承诺已逾 2 个工作日未签署，账号保持「未启用」",
        "en": f"The undertaking for “{name}” is more than 2 working days late; the account stays not enabled",
    }
    return {"told": ctx.notify([each for each in told if each], text)}


@operations.local(
    "account_registration.activate",
    parameters=[
        "draft",
        "pledge",
        "risk",
        "rotation_days",
        "review_months",
        "mfa_required",
        "asked_review_months",
        "has_payment",
        "followers",
        "applicant",
    ],
    required=("draft", "risk", "rotation_days", "review_months"),
    title={"zh-CN": "启用账号、写入台账", "en": "Activate the account in the register"},
)
def activate(
    ctx: OperationContext,
    *,
    draft: Mapping[str, Any],
    risk: str,
    rotation_days: int,
    review_months: int,
    mfa_required: bool = True,
    pledge: Mapping[str, Any] | None = None,
    asked_review_months: int | None = None,
    has_payment: bool | None = None,
    followers: int | None = None,
    applicant: str | None = None,
) -> dict[str, Any]:
    """{"account_id", "rotation_due", "review_due"}: the row becomes active, with when to rotate and review."""
    key, today = draft["account_id"], _today(ctx)
    row = ctx.registers.get(ACCOUNT, key) or {}
    months = min(review_months, asked_review_months or review_months)
    dates = {
        "rotation_due": (today + timedelta(days=rotation_days)).isoformat(),
        "review_due": _months_later(today, months).isoformat(),
    }
    history = [*row.get("responsible_history", []), _tenure(row.get("responsible"), today, ctx.business_key)]
    fields = {
        "status": "active",
        "activated_on": today.isoformat(),
        "risk": risk,
        "followers": followers or 0,
        "has_payment": bool(has_payment),
        "incident_12m": False,
        "mfa_required": mfa_required,
        "rotation_days": rotation_days,
        "review_months": months,
        "last_rotation": today.isoformat(),
        "undertaking_signed_on": today.isoformat(),
        "undertaking_signed_by": (pledge or {}).get("by"),
        "responsible_history": history,
        **dates,
    }
    ctx.registers.put(ACCOUNT, key, fields)
    _settle_application(ctx, "active")
    name = row.get("name", "")
    text = {"zh-CN": f"账号「{name}」（{key}）已启用", "en": f"Account “{name}” ({key}) is active"}
    dept = ctx.directory.department(row["dept"]) if row.get("dept") else None
    told = [row.get("responsible"), row.get("backup"), applicant, dept.head if dept else None, "monitor", "it"]
    ctx.notify([each for each in told if each], text)
    return {"account_id": key, **dates}


@operations.local(
    "account_registration.close",
    parameters=("outcome", "reason", "confirmation", "precheck", "opinion", "voted", "draft", "applicant", "dept"),
    required=("outcome",),
    title={"zh-CN": "了结未通过的申请", "en": "Close an application that did not pass"},
)
def close(
    ctx: OperationContext,
    *,
    outcome: str,
    reason: str | None = None,
    confirmation: Mapping[str, Any] | None = None,
    precheck: Mapping[str, Any] | None = None,
    opinion: Mapping[str, Any] | None = None,
    voted: Mapping[str, Any] | None = None,
    draft: Mapping[str, Any] | None = None,
    applicant: str | None = None,
    dept: str | None = None,
) -> dict[str, Any]:
    """{"outcome", "reason": {"zh-CN", "en"}}: tell applicant and head why, free the names, close a row not yet enabled.

    A rejection gives the answers of the steps that may have ended it; otherwise `reason` is what the applicant said.
    """
    if draft:
        ctx.registers.put(ACCOUNT, draft["account_id"], {"status": "closed", "closed_on": _today(ctx).isoformat()})
    _settle_application(ctx, outcome)
    zh = {"rejected": "已驳回", "withdrawn": "已撤回", "expired": "逾期未补正，已关闭"}[outcome]
    en = {"rejected": "was rejected", "withdrawn": "was withdrawn", "expired": "expired without correction"}[outcome]
    head = ctx.directory.department(dept) if dept else None
    why = {"zh-CN": reason or "", "en": reason or ""}
    if outcome == "rejected":
        why = _why_rejected(confirmation or {}, precheck or {}, opinion or {}, voted or {})
    text = {
        "zh-CN": f"注册申请 {ctx.business_key} {zh}" + (f"：{why['zh-CN']}" if why["zh-CN"] else ""),
        "en": f"Registration {ctx.business_key} {en}" + (f": {why['en']}" if why["en"] else ""),
    }
    ctx.notify([each for each in (applicant, head.head if head else None) if each], text)
    return {"outcome": outcome, "reason": why}


def _why_rejected(
    confirmation: Mapping[str, Any], precheck: Mapping[str, Any], opinion: Mapping[str, Any], voted: Mapping[str, Any]
) -> dict[str, str]:
    """The reason of whoever ended it: the last step whose answer leads to a rejection."""
    if confirmation.get("outcome") == "reject":
        comment, zh, en = confirmation.get("comment"), "使用部门不同意", "the department does not agree"
    elif precheck.get("outcome") == "return":
        comment = precheck.get("comment")
        zh, en = "补正已满三次，仍不合格", "still not complete after three corrections"
    elif opinion.get("outcome") == "illegal":
        comment, zh, en = opinion.get("comment"), "法务认定违法", "Legal finds it unlawful"
    else:
        told = voted.get("told") or {}
        return {"zh-CN": told.get("zh-CN", ""), "en": told.get("en", "")}
    return {"zh-CN": f"{zh}：{comment}" if comment else zh, "en": f"{en}: {comment}" if comment else en}


def _settle_application(ctx: OperationContext, status: str) -> None:
    if ctx.business_key:
        ctx.registers.put(APPLICATIONS, ctx.business_key, {"status": status})


def _tenure(responsible: str | None, since: date, case: str | None) -> dict[str, Any]:
    return {"responsible": responsible, "from": since.isoformat(), "to": None, "case_no": case}


def _today(ctx: OperationContext) -> date:
    return ctx.calendar.today(ctx.now)


def _months_later(day: date, months: int) -> date:
    """The same day `months` later, or the last of a shorter month."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
