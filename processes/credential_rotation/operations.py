"""What the system does itself around a change of password: deadlines, reminders, the lock, the registers.

Clauses 四.1.2a–c; P09: 30/60/90 days by risk, T-7 and T-1, +1 day the head, +3 days Administration changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from engine import OperationContext, Operations
from processes import care
from processes.registers.account import ACCOUNT
from processes.registers.credential import CREDENTIAL

SCHEDULED = "到期"
INCIDENT = "安全事件"
CLOSING = time(18)  # a password that is due on a day is due at the end of it
operations = Operations()


@operations.local(
    "credential_rotation.plan",
    parameters=("account_id", "reason", "due"),
    required=("account_id", "reason"),
    title={"zh-CN": "密码更新：期限与负责人", "en": "Rotation: deadline and who"},
)
def plan(ctx: OperationContext, *, account_id: str, reason: str, due: str | None = None) -> dict[str, Any]:
    """When it is due, reminded, told and taken over (ISO instants), and who may do it.

    Anything but a rotation that is merely due is due within 24 hours; so is one that was late when it began.
    """
    row = care.account(ctx, account_id)
    stated = date.fromisoformat(due) if due else care.rotation_due(row)
    at = ctx.now + timedelta(days=1)
    if reason == SCHEDULED and stated:
        at = max(at, datetime.combine(stated, CLOSING, ctx.calendar.zone).astimezone(UTC))
    responsible = row.get("responsible")
    able = [each for each in (responsible, row.get("backup")) if care.at_work(ctx, each)]
    fields = {"status": "due", "due": ctx.calendar.today(at).isoformat(), "account_id": account_id}
    ctx.registers.put(CREDENTIAL, account_id, fields | {name: row.get(name) for name in ("name", "platform")})
    told = able or ["vault_admin"]
    zh = f"账号{care.named(account_id, row)}的密码须在 {fields['due']} 前更新（{reason}）"
    care.told(ctx, told, zh, f"The password of account {account_id} is due by {fields['due']}")
    return {
        "name": row.get("name"),
        "platform": row.get("platform"),
        "dept": row.get("dept"),
        "responsible": responsible,
        "backup": row.get("backup"),
        "candidates": told,
        "vault_ref": row.get("vault_ref") or f"vault://accounts/{account_id}",
        "due": fields["due"],
        "period": at.isoformat(),
        "remind_at": max(at - timedelta(days=1), ctx.now).isoformat(),
        "head_at": (at + timedelta(days=1)).isoformat(),
        "admin_at": (at + timedelta(days=3)).isoformat(),
        "followers": row.get("followers") or 0,
        "has_payment": bool(row.get("has_payment")),
        "third_party_operator": row.get("third_party_operator") or ("代运营" if row.get("third_party") else None),
        "incident_12m": bool(row.get("incident_12m")) or reason == INCIDENT,
    }


@operations.local(
    "credential_rotation.remind",
    parameters=("account_id", "plan"),
    required=("account_id", "plan"),
    title={"zh-CN": "到期前 1 日提醒", "en": "Remind a day before"},
)
def remind(ctx: OperationContext, *, account_id: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """{"told"}: the responsible person once more."""
    zh = f"账号 {account_id} 的密码明日（{plan['due']}）到期"
    return {"told": care.told(ctx, plan["candidates"], zh, f"The password of {account_id} is due {plan['due']}")}


@operations.local(
    "credential_rotation.tell_head",
    parameters=("account_id", "plan"),
    required=("account_id", "plan"),
    title={"zh-CN": "逾期告知部门负责人", "en": "Tell the department head it is late"},
)
def tell_head(ctx: OperationContext, *, account_id: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """{"told"}: the department's head, and the responsible person again."""
    ctx.registers.put(CREDENTIAL, account_id, {"status": "overdue", "late_days": 1})
    told = [care.head_of(ctx, plan.get("dept")), *plan["candidates"]]
    zh = f"账号 {account_id} 的密码已逾期 1 日未更新；逾期 3 日由行政部代换并锁定发布"
    return {"told": care.told(ctx, told, zh, f"The password of {account_id} is a day late")}


@operations.local(
    "credential_rotation.lock",
    parameters=("account_id", "plan"),
    required=("account_id", "plan"),
    title={"zh-CN": "逾期锁定发布", "en": "Lock posting"},
)
def lock(ctx: OperationContext, *, account_id: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    """{"told"}: nothing is posted until Administration changed the password."""
    ctx.registers.put(CREDENTIAL, account_id, {"status": "overdue", "late_days": 3})
    care.lock_posting(ctx, account_id, {"zh-CN": "密码逾期 3 日未更新", "en": "the password is three days late"})
    told = ["vault_admin", "account_registrar", care.head_of(ctx, plan.get("dept")), *plan["candidates"]]
    zh = f"账号 {account_id} 的密码逾期 3 日，由行政部代换，发布已锁定"
    return {"told": care.told(ctx, told, zh, f"{account_id}: Administration changes the password; posting is locked")}


@operations.local(
    "credential_rotation.record",
    parameters=("account_id", "reason", "plan", "done", "risk", "rotation_days", "mfa_required"),
    required=("account_id", "rotation_days"),
    title={"zh-CN": "登记密码更新", "en": "Record the rotation"},
)
def record(
    ctx: OperationContext,
    *,
    account_id: str,
    rotation_days: int,
    reason: str | None = None,
    plan: Mapping[str, Any] | None = None,
    done: Mapping[str, Any] | None = None,
    risk: str | None = None,
    mfa_required: bool | None = None,
) -> dict[str, Any]:
    """{"next_due", "by", "risk"}: both registers, and posting allowed again if this case had locked it."""
    row, done, day = care.account(ctx, account_id), done or {}, care.today(ctx)
    if row.get("status") in care.GONE:
        return {"next_due": None, "by": done.get("by"), "risk": row.get("risk")}
    next_due = (day + timedelta(days=rotation_days)).isoformat()
    ctx.registers.put(
        ACCOUNT,
        account_id,
        {
            "last_rotation": day.isoformat(),
            "rotation_due": next_due,
            "rotation_days": rotation_days,
            "rotation_case": ctx.business_key,
            "leaver_on": None,
            "risk": risk or row.get("risk"),
            "mfa_required": mfa_required if mfa_required is not None else row.get("mfa_required"),
            "incident_12m": bool((plan or {}).get("incident_12m")),
            "vault_ref": done.get("vault_ref") or (plan or {}).get("vault_ref") or row.get("vault_ref"),
        },
    )
    care.put_credential(ctx, account_id, done, reason=reason or SCHEDULED, next_due=next_due)
    care.unlock_posting(ctx, account_id)
    return {"next_due": next_due, "by": done.get("by"), "risk": risk}
