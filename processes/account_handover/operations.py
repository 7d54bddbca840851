"""What the system does itself in a handover: who may take over, late deadlines, the register, the follow-up.

Clauses 四.1.3d–f; X05: the witness is neither party; the successor works here, is trained and has signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from engine import OperationContext, Operations, save_directory
from processes import care
from processes.account_handover import checklist
from processes.account_handover.parties import LEAVING
from processes.account_handover.parties import operations as examining
from processes.registers.account import ACCOUNT
from processes.registers.credential import CREDENTIAL

FOLLOW_UP_DAYS = 14
PROCEDURES = ("content_review", "publish_followup", "takedown", "interaction", "credential_rotation")
operations = Operations()


@operations.local(
    "account_handover.close_refused",
    parameters=("account_id", "parties", "reason"),
    required=("account_id", "parties"),
    title={"zh-CN": "了结未办的交接", "en": "Close a handover that did not take place"},
)
def close_refused(
    ctx: OperationContext, *, account_id: str, parties: Mapping[str, Any], reason: str | None = None
) -> dict[str, Any]:
    """{"reason"}: whoever started it is told why; the outgoing person is not, when it was to be kept quiet."""
    why = reason or parties.get("refused") or ""
    row = care.account(ctx, account_id)
    quiet = parties.get("quiet")
    if row.get("handover_open") == ctx.business_key:
        ctx.registers.put(ACCOUNT, account_id, {"handover_open": None})
    care.told(
        ctx,
        [ctx.initiator, parties.get("head"), None if quiet else parties.get("outgoing")],
        f"账号{care.named(account_id, row)}未办理交接：{why}",
        f"Account {account_id} was not handed over: {why}",
    )
    return {"reason": why}


@operations.local(
    "account_handover.rotation_late",
    parameters=("account_id", "element", "outgoing"),
    required=("account_id", "element"),
    title={"zh-CN": "紧急换密逾时升级", "en": "Escalate a late emergency rotation"},
)
def rotation_late(
    ctx: OperationContext, *, account_id: str, element: str, outgoing: str | None = None
) -> dict[str, Any]:
    """{"told"}: the heads of IT and Administration may do it too, and posting stops meanwhile."""
    heads = [head for dept in ("it", "admin") if (head := care.head_of(ctx, dept)) and head != outgoing]
    ctx.escalate(element, heads)
    care.lock_posting(ctx, account_id, {"zh-CN": "紧急换密逾时", "en": "the emergency rotation is late"})
    return {
        "told": care.told(ctx, heads, f"账号 {account_id} 的紧急换密已逾 4 小时", f"{account_id}: rotation is late")
    }


@operations.local(
    "account_handover.takeover",
    parameters=("account_id", "parties"),
    required=("account_id", "parties"),
    title={"zh-CN": "交接逾期，行政部接管", "en": "Administration takes over a late list"},
)
def takeover(ctx: OperationContext, *, account_id: str, parties: Mapping[str, Any]) -> dict[str, Any]:
    """{"told"}: Administration may fill in the list too; the outgoing person still may."""
    ctx.escalate("prepare", ["account_registrar"])
    told = ["account_registrar", parties.get("outgoing"), parties.get("head")]
    zh = f"账号 {account_id} 的交接清单已逾 5 个工作日，行政部可代为填写"
    return {"told": care.told(ctx, told, zh, f"The handover list of {account_id} is more than 5 working days late")}


@operations.local(
    "account_handover.tally_list",
    parameters=("prepare", "check", "resolve"),
    title={"zh-CN": "汇总交接清单", "en": "Sum up the handover list"},
)
def tally_list(
    ctx: OperationContext,
    *,
    prepare: Mapping[str, Any] | None = None,
    check: Mapping[str, Any] | None = None,
    resolve: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"missing", "open", "balance", "disputes", "summary"} (`checklist.state`)."""
    disputes = sum(each.get("outcome") == "dispute" for each in ctx.completed("check"))
    return checklist.state(prepare or {}, check or {}, resolve or {}) | {"disputes": disputes}


@operations.local(
    "account_handover.conditional",
    parameters=("account_id", "list_state", "prepare", "check", "resolve"),
    required=("list_state",),
    title={"zh-CN": "遗留项转整改任务", "en": "Leftovers to dated tasks"},
)
def conditional(
    ctx: OperationContext,
    *,
    list_state: Mapping[str, Any],
    account_id: str | None = None,
    prepare: Mapping[str, Any] | None = None,
    check: Mapping[str, Any] | None = None,
    resolve: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"items": [{"item", "title", "remark", "due", "period"}], "period", "summary"}: each leftover with its date."""
    latest = care.today(ctx) + timedelta(days=FOLLOW_UP_DAYS)
    due = (resolve or {}).get("leftover_due") or latest.isoformat()
    days = max((date.fromisoformat(due) - care.today(ctx)).days, FOLLOW_UP_DAYS)
    items = checklist.leftovers(list_state, prepare or {}, check or {}, resolve or {}, due=due, period=f"P{days}D")
    titles = "、".join(each["title"]["zh-CN"] for each in items)
    english = ", ".join(each["title"]["en"] for each in items)
    summary = {"zh-CN": f"{titles}（{due} 前）", "en": f"{english} (by {due})"}
    return {"items": items, "period": f"P{days}D", "summary": summary}


@operations.local(
    "account_handover.lock",
    parameters=("account_id",),
    required=("account_id",),
    title={"zh-CN": "未轮换凭证，锁定发布", "en": "Lock posting until the rotation"},
)
def lock(ctx: OperationContext, *, account_id: str) -> dict[str, Any]:
    """{"locked"}: nothing is posted on the account until the register changes hands."""
    care.lock_posting(ctx, account_id, {"zh-CN": "交接后凭证未轮换", "en": "credentials not rotated at the handover"})
    heads = [care.head_of(ctx, "it"), care.head_of(ctx, "admin"), "vault_admin"]
    zh = f"账号 {account_id} 交接后 24 小时未轮换凭证，已锁定发布"
    care.told(ctx, heads, zh, f"{account_id}: not rotated within 24 hours, posting is locked")
    return {"locked": True}


@operations.local(
    "account_handover.reassign",
    parameters=("account_id", "outgoing", "incoming", "trigger"),
    required=("account_id", "incoming"),
    title={"zh-CN": "改派在办任务", "en": "Reassign open tasks"},
)
def reassign(
    ctx: OperationContext,
    *,
    account_id: str,
    incoming: str,
    outgoing: str | None = None,
    trigger: str | None = None,
) -> dict[str, Any]:
    """{"tasks", "cases"}: a leaver's tasks all go to the successor, else those of the account's own cases."""
    if not outgoing:
        return {"tasks": 0, "cases": []}
    cases = care.cases_about(ctx, account_id, PROCEDURES)
    numbers = [case["business_key"] for case in cases]
    if trigger == LEAVING:
        return {"tasks": ctx.reassign_open(outgoing, incoming), "cases": numbers}
    ids = [case["instance_id"] for case in cases]
    return {"tasks": ctx.reassign_open(outgoing, incoming, cases=ids), "cases": numbers}


@operations.local(
    "account_handover.update_register",
    parameters=(
        "account_id",
        "parties",
        "trigger",
        "until",
        "rotated",
        "conditions",
        "witnessed",
        "signatures",
        "statement",
    ),
    required=("account_id", "parties"),
    title={"zh-CN": "台账换负责人", "en": "Register: new responsible person"},
)
def update_register(
    ctx: OperationContext,
    *,
    account_id: str,
    parties: Mapping[str, Any],
    trigger: str | None = None,
    until: str | None = None,
    rotated: Mapping[str, Any] | None = None,
    conditions: Mapping[str, Any] | None = None,
    witnessed: Mapping[str, Any] | None = None,
    signatures: Sequence[Mapping[str, Any]] | None = None,
    statement: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"from", "to", "on", "reversible"}: tenure ends and begins on this day; a temporary one says to whom it goes
    back."""
    row, day = care.account(ctx, account_id), care.today(ctx)
    outgoing, incoming = parties.get("outgoing"), str(parties["incoming"])
    reversible = bool(parties.get("temporary")) and bool(outgoing)
    ended = care.ended(row.get("responsible_history"), day)
    tenure = {"responsible": incoming, "from": day.isoformat(), "to": None, "case_no": ctx.business_key}
    next_due = (day + timedelta(days=care.rotation_days(row))).isoformat()
    vault_ref = (rotated or {}).get("vault_ref") or parties.get("vault_ref")
    ctx.registers.put(
        ACCOUNT,
        account_id,
        {
            "responsible": incoming,
            "backup": None if row.get("backup") == incoming else row.get("backup"),
            "responsible_history": [*ended, tenure | ({"temporary": True} if reversible else {})],
            "status": "active" if row.get("status") == "orphaned" else row.get("status"),
            "authorised_users": [each for each in row.get("authorised_users") or () if each != outgoing],
            "vault_ref": vault_ref,
            "last_rotation": day.isoformat(),
            "rotation_due": next_due,
            "temporary_until": until if reversible else None,
            "hand_back_to": outgoing if reversible else None,
            "handover_case": ctx.business_key,
            "handover_open": None,
            "handover_conditions": list((conditions or {}).get("items") or ()),
        },
    )
    care.put_credential(ctx, account_id, rotated or {}, reason=trigger or "交接", next_due=next_due)
    care.unlock_posting(ctx, account_id)
    save_directory(ctx.connection, members=[(incoming, "account_responsible")])
    refused = [each.get("by") for each in signatures or () if each.get("outcome") == "refused"]
    return {
        "from": outgoing,
        "to": incoming,
        "on": day.isoformat(),
        "reversible": reversible,
        "signed_by": [each.get("by") for each in signatures or () if each.get("outcome") == "signed"],
        "witnessed_by": (witnessed or {}).get("by"),
        "refused_by": refused,
        "statement": (statement or {}).get("statement"),
        "credential": bool(ctx.registers.get(CREDENTIAL, account_id)),
    }


@operations.local(
    "account_handover.raise_lead",
    parameters=("account_id", "conditions", "results", "incoming"),
    required=("account_id", "conditions"),
    title={"zh-CN": "遗留项逾期转线索", "en": "Raise a lead for overdue leftovers"},
)
def raise_lead(
    ctx: OperationContext,
    *,
    account_id: str,
    conditions: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]] | None = None,
    incoming: str | None = None,
) -> dict[str, Any]:
    """{"open"}: leftovers not made good by their date become a lead for the complaint procedure."""
    left = max(len(conditions.get("items") or ()) - len(results or ()), 0)
    what = f"账号 {account_id} 的交接遗留项到期未处理（{left} 项）：{conditions['summary']['zh-CN']}"
    care.raise_lead(ctx, target=account_id, category="账号转借或密码管理", description=what, key="leftovers")
    care.told(ctx, [incoming, "account_registrar"], what, f"{account_id}: {left} leftovers are overdue")
    return {"open": left}


@operations.local(
    "account_handover.complete",
    parameters=("account_id", "parties", "results", "lead"),
    required=("account_id", "parties"),
    title={"zh-CN": "交接完成", "en": "Handover completed"},
)
def complete(
    ctx: OperationContext,
    *,
    account_id: str,
    parties: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]] | None = None,
    lead: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"leftovers_open"}: both sides, the witness, the heads and the Group (a copy) are told."""
    row = care.account(ctx, account_id)
    left = int((lead or {}).get("open") or 0)
    if not left:
        ctx.registers.put(ACCOUNT, account_id, {"handover_conditions": []})
    told = [parties.get(name) for name in ("outgoing", "incoming", "witness", "head")]
    care.told(
        ctx,
        [*told, "mgmt_group"],
        f"账号{care.named(account_id, row)}交接已完成" + (f"，{left} 项遗留已转线索" if left else ""),
        f"The handover of account {account_id} is completed" + (f", {left} leftovers became a lead" if left else ""),
    )
    return {"leftovers_open": left}


operations = operations.merged(examining)
