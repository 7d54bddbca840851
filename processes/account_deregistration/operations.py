"""What the system does itself when an account is closed: the check that blocks, the notice, the archive, the register.

Rules: 四.1.3; 《社交媒体账号注销申请表》； notice of 7 days, 15 from 10,000 followers on or with payment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine import OperationContext, Operations
from engine.errors import Text
from processes import care, retention
from processes.registers.account import ACCOUNT

CLOSABLE = ("active", "suspended", "dormant", "orphaned")
SHORT_NOTICE, LONG_NOTICE = 7, 15  # days
MANY_FOLLOWERS = 10_000
WATCH_MONTHS_DAYS = 183  # squatting on the name is watched for six months
BLOCKING = ("content_review", "publish_followup", "takedown", "interaction", "account_handover")
CONFIDENTIAL = ("complaint", "discipline")  # block as well, but whom they concern must not learn of them here
INTERESTED = ("marketing", "customer_service", "finance", "legal")
operations = Operations()


@operations.local(
    "account_deregistration.precheck",
    parameters=[
        "account_id",
        "applicant",
        "proxy_reason",
        "open_cases",
        "legal_hold",
        "open_orders",
        "ad_balance_cny",
        "followers",
        "notice_days",
    ],
    required=("account_id",),
    title={"zh-CN": "注销核查：未结案件、保全、订单、余额", "en": "Closing: open cases, holds, orders, balances"},
)
def precheck(
    ctx: OperationContext,
    *,
    account_id: str,
    applicant: str | None = None,
    proxy_reason: str | None = None,
    open_cases: bool | None = None,
    legal_hold: bool | None = None,
    open_orders: int | None = None,
    ad_balance_cny: float | None = None,
    followers: int | None = None,
    notice_days: int | None = None,
) -> dict[str, Any]:
    """{"result": "clear" | "blocked" | "refused", "blocks", "refused", "summary", "notice_days", and who and what}.

    What the applicant declares blocks as well as what the registers show; neither can clear the other.
    """
    row = care.account(ctx, account_id)
    refused = _refusal(ctx, account_id, row, applicant, proxy_reason)
    cases = [str(case["business_key"]) for case in care.cases_about(ctx, account_id, BLOCKING)]
    others = bool(care.cases_about(ctx, account_id, CONFIDENTIAL)) or open_cases
    blocks = _blocks(row, cases, others, legal_hold, open_orders or 0, ad_balance_cny or 0)
    days, least = notice_days or SHORT_NOTICE, _least_notice(row, followers or 0)
    remarks: list[Text] = []
    if days < least:
        remarks.append(
            {"zh-CN": f"账号有交易或粉丝较多，公示期按 {least} 天", "en": f"payment or many followers: {least} days"}
        )
    return {
        "result": "refused" if refused else "blocked" if blocks else "clear",
        "blocks": blocks,
        "cases": cases,
        "refused": refused["zh-CN"] if refused else None,
        "summary": _summary([*([refused] if refused else []), *blocks, *remarks]),
        "notice_days": max(days, least),
        "name": row.get("name"),
        "platform": row.get("platform"),
        "dept": row.get("dept"),
        "responsible": row.get("responsible"),
        "backup": row.get("backup"),
        "status": row.get("status"),
    }


def _refusal(
    ctx: OperationContext, account_id: str, row: Mapping[str, Any], applicant: str | None, proxy_reason: str | None
) -> Text | None:
    """Why the application cannot be taken at all."""
    if row.get("status") not in CLOSABLE:
        return {"zh-CN": f"账号 {account_id} 不在可注销之列", "en": f"account {account_id} cannot be closed"}
    other = next((c for c in ctx.open_cases(ctx.process, account_id=account_id) if _other(ctx, c)), None)
    if other:
        number = other["business_key"]
        return {"zh-CN": f"账号已在注销（{number}）", "en": f"the account is being closed already ({number})"}
    holders = (row.get("responsible"), row.get("backup"), care.head_of(ctx, row.get("dept")))
    if applicant in holders:
        return None
    registrars = ctx.directory.group("account_registrar")
    if registrars and applicant in registrars.members:
        if care.at_work(ctx, row.get("responsible")) and not proxy_reason:
            return {"zh-CN": "负责人在职，代填须说明原因", "en": "its responsible person is here: say why you file"}
        return None
    return {"zh-CN": "申请人不是该账号的负责人", "en": "the applicant is not responsible for this account"}


def _other(ctx: OperationContext, case: Mapping[str, Any]) -> bool:
    return bool(case["instance_id"] != ctx.instance_id)


def _least_notice(row: Mapping[str, Any], declared: int) -> int:
    many = max(declared, row.get("followers") or 0) >= MANY_FOLLOWERS
    return LONG_NOTICE if many or row.get("has_payment") else SHORT_NOTICE


def _blocks(
    row: Mapping[str, Any],
    cases: list[str],
    others: bool | None,
    declared_hold: bool | None,
    orders: int,
    balance: float,
) -> list[Text]:
    found: list[Text] = []
    if cases:
        numbers = "、".join(cases)
        found.append({"zh-CN": f"有未结事项：{numbers}", "en": f"open cases: {', '.join(cases)}"})
    elif others:
        found.append({"zh-CN": "有未结事项，由行政部掌握", "en": "open cases, known to Administration"})
    if row.get("legal_hold") or declared_hold:
        found.append({"zh-CN": "有证据保全", "en": "evidence is under a hold"})
    if orders > 0:
        found.append({"zh-CN": f"有 {orders} 项未履约订单、抽奖或承诺", "en": f"{orders} obligations are open"})
    if balance > 0:
        found.append({"zh-CN": f"有余额 {balance:g} 元，先由财务处理", "en": f"a balance of {balance:g} yuan is left"})
    return found


def _summary(found: list[Text]) -> Text:
    if not found:
        return {"zh-CN": "未发现阻断事项", "en": "nothing blocks it"}
    return {"zh-CN": "；".join(each["zh-CN"] for each in found), "en": "; ".join(each["en"] for each in found)}


@operations.local(
    "account_deregistration.suspend",
    parameters=("account_id", "applicant", "reason"),
    required=("account_id",),
    title={"zh-CN": "改为冻结", "en": "Suspend instead"},
)
def suspend(
    ctx: OperationContext, *, account_id: str, applicant: str | None = None, reason: str | None = None
) -> dict[str, Any]:
    """{"status"}: the account is suspended and posting stops; it stays in the register as it is."""
    row = care.account(ctx, account_id)
    fields = {"status": "suspended", "suspended_on": care.today(ctx).isoformat(), "suspended_case": ctx.business_key}
    ctx.registers.put(ACCOUNT, account_id, fields)
    care.lock_posting(ctx, account_id, {"zh-CN": reason or "账号已冻结", "en": reason or "the account is suspended"})
    care.told(
        ctx,
        [row.get("responsible"), row.get("backup"), applicant, care.head_of(ctx, row.get("dept")), "monitor"],
        f"账号{care.named(account_id, row)}未注销，已改为冻结",
        f"Account {account_id} was not closed but suspended",
    )
    return {"status": "suspended"}


@operations.local(
    "account_deregistration.announce",
    parameters=("account_id", "notice_days", "audience_notice", "applicant", "vote"),
    required=("account_id", "notice_days"),
    title={"zh-CN": "公示开始", "en": "Begin the notice period"},
)
def announce(
    ctx: OperationContext,
    *,
    account_id: str,
    notice_days: int,
    audience_notice: str | None = None,
    applicant: str | None = None,
    vote: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"period": "P7D", "from", "until"}: everybody concerned is told that it was approved and until when it runs.

    The notice itself goes through content review (P04) where the account may still post.
    """
    row, day = care.account(ctx, account_id), care.today(ctx)
    if audience_notice and row.get("status") == "active":
        submission = {
            "title": "账号注销公告",
            "account_ids": [account_id],
            "content_type": "announcement",
            "body": audience_notice,
            "planned_publish_at": ctx.calendar.add(ctx.now, "2wd").isoformat(),
        }
        ctx.start_case("content_review", submission, key="notice")
    until = (day + timedelta(days=notice_days)).isoformat()
    conditions = "；".join((vote or {}).get("conditions") or [])
    care.told(
        ctx,
        [row.get("responsible"), applicant, *INTERESTED],
        f"账号{care.named(account_id, row)}注销已获批准，公示至 {until}"
        + (f"；条件：{conditions}" if conditions else ""),
        f"Closing account {account_id} was approved; the notice runs until {until}",
    )
    return {"period": f"P{notice_days}D", "from": day.isoformat(), "until": until}


@operations.local(
    "account_deregistration.record_archive",
    parameters=("account_id", "archive"),
    required=("account_id",),
    title={"zh-CN": "登记归档", "en": "Enter the archive"},
)
def record_archive(
    ctx: OperationContext, *, account_id: str, archive: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """{"files"}: file names with their SHA-256 go into the register, posting stops from here on."""
    archive = archive or {}
    lines = [line.rsplit(None, 1) for line in archive.get("hashes") or ()]
    files = [{"name": name, "sha256": digest.lower()} for name, digest in lines]
    kept = {
        "files": files,
        "location": archive.get("location"),
        "personal_data_purged": archive.get("personal_data_purged"),
        "on": care.today(ctx).isoformat(),
        "by": archive.get("by"),
        "case_no": ctx.business_key,
    }
    ctx.registers.put(ACCOUNT, account_id, {"archive": kept})
    care.lock_posting(ctx, account_id, {"zh-CN": "账号正在注销", "en": "the account is being closed"})
    return {"files": len(files)}


@operations.local(
    "account_deregistration.cancel_overdue",
    parameters=("account_id",),
    required=("account_id",),
    title={"zh-CN": "平台注销逾期升级", "en": "Escalate an unconfirmed closing"},
)
def cancel_overdue(ctx: OperationContext, *, account_id: str) -> dict[str, Any]:
    """{"told"}: the head of Administration may finish the task too; the account stays frozen."""
    row, head = care.account(ctx, account_id), care.head_of(ctx, care.ADMIN_HEAD)
    ctx.escalate("platform_cancel", [head] if head else [])
    if row.get("status") != "suspended":
        ctx.registers.put(ACCOUNT, account_id, {"status": "suspended", "suspended_case": ctx.business_key})
    text = f"账号{care.named(account_id, row)}的平台注销已 30 日未确认，账号保持冻结"
    english = f"The platform has not confirmed closing account {account_id} for 30 days; it stays frozen"
    return {"told": care.told(ctx, [head, "account_registrar", row.get("responsible")], text, english)}


@operations.local(
    "account_deregistration.convert",
    parameters=("account_id", "applicant", "vote", "dept"),
    required=("account_id",),
    title={"zh-CN": "改办账号交接", "en": "Hand the account over instead"},
)
def convert(
    ctx: OperationContext,
    *,
    account_id: str,
    applicant: str | None = None,
    vote: Mapping[str, Any] | None = None,
    dept: str | None = None,
) -> dict[str, Any]:
    """{"incoming", "witness"}: a handover is started; the department's head confirms or changes who takes over."""
    started = care.start_handover(ctx, account_id, trigger="部门调整", key="convert")
    row = care.account(ctx, account_id)
    care.told(
        ctx,
        [row.get("responsible"), applicant, care.head_of(ctx, dept), *INTERESTED],
        f"管理小组决定账号{care.named(account_id, row)}不注销，改办交接",
        f"The Group decided to hand account {account_id} over instead of closing it",
    )
    return {**started, "resolution_no": (vote or {}).get("resolution_no")}


@operations.local(
    "account_deregistration.close_refused",
    parameters=("outcome", "reason", "account_id", "applicant", "dept", "voted"),
    required=("outcome", "account_id"),
    title={"zh-CN": "了结未注销的申请", "en": "Close an application that ended without closing"},
)
def close_refused(
    ctx: OperationContext,
    *,
    outcome: str,
    account_id: str,
    reason: str | None = None,
    applicant: str | None = None,
    dept: str | None = None,
    voted: str | None = None,
) -> dict[str, Any]:
    """{"outcome", "reason", "status"}: tell applicant and head, after a vote the Group too; the account stays as is."""
    row = care.account(ctx, account_id)
    care.unlock_posting(ctx, account_id)
    zh = {"rejected": "未予注销", "withdrawn": "的注销已撤回", "expired": "的注销申请逾期关闭"}[outcome]
    en = {"rejected": "is not closed", "withdrawn": "stays: withdrawn", "expired": "stays: expired"}[outcome]
    group = ["mgmt_group", *INTERESTED] if voted in ("passed", "passed_with_conditions") else []
    care.told(
        ctx,
        [applicant, row.get("responsible"), care.head_of(ctx, dept), *group],
        f"账号{care.named(account_id, row)}{zh}" + (f"：{reason}" if reason else ""),
        f"Account {account_id} {en}" + (f": {reason}" if reason else ""),
    )
    return {"outcome": outcome, "reason": reason, "status": row.get("status")}


@operations.local(
    "account_deregistration.close",
    parameters=[
        "account_id",
        "archive",
        "cancelled",
        "revoked",
        "name_protection",
        "resolution_no",
        "applicant",
    ],
    required=("account_id",),
    title={"zh-CN": "台账注销、停定时器", "en": "Close the account in the register"},
)
def close(
    ctx: OperationContext,
    *,
    account_id: str,
    archive: Mapping[str, Any] | None = None,
    cancelled: Mapping[str, Any] | None = None,
    revoked: Mapping[str, Any] | None = None,
    name_protection: str | None = None,
    resolution_no: str | None = None,
    applicant: str | None = None,
) -> dict[str, Any]:
    """{"closed_on", "retain_until"}: the row says closed and is kept; no rotation or review is due any more."""
    row, day = care.account(ctx, account_id), care.today(ctx)
    retain = retention.months_on(day, retention.rules()[retention.ACCOUNT_RULE].months).isoformat()
    ctx.registers.put(
        ACCOUNT,
        account_id,
        {
            "status": "closed",
            "closed_on": day.isoformat(),
            "closing_case": ctx.business_key,
            "closing_resolution": resolution_no,
            "closing_evidence": (cancelled or {}).get("evidence"),
            "closing_revoked_by": (revoked or {}).get("by"),
            "name_protection": name_protection,
            "name_watch_until": (day + timedelta(days=WATCH_MONTHS_DAYS)).isoformat(),
            "retain_until": retain,
            "rotation_due": None,
            "review_due": None,
            "authorised_users": [],
            "posting_locked": True,
            "responsible_history": care.ended(row.get("responsible_history"), day),
        },
    )
    care.put_credential(ctx, account_id, revoked or {}, reason="账号注销", next_due=None)
    care.told(
        ctx,
        [row.get("responsible"), applicant, "account_registrar", "monitor", *INTERESTED],
        f"账号{care.named(account_id, row)}已注销，台账保留",
        f"Account {account_id} is closed; its row in the register is kept",
    )
    return {"closed_on": day.isoformat(), "retain_until": retain}
