"""Who answers a comment or message and by when, from the table `interaction_sla`; and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import OperationContext, Operations
from engine.errors import Text
from processes.registers.account import ACCOUNT
from processes.registers.content import INTERACTION
from processes.registers.phrase import PHRASE, taken_from, usable

Record = Mapping[str, Any]
OWNERS = {"customer_service": "customer_service", "marketing_head": "t1_reviewer", "admin": "admin"}
ESCALATIONS: dict[str, tuple[str, ...]] = {  # the table's word → who is told; "" and unknown words: Marketing's head
    "major_event": ("group_chair", "group_deputy_chair", "legal_head", "t1_reviewer"),
    "legal": ("legal_reviewer", "legal_head"),
    "group": ("mgmt_group",),
    "marketing_head": ("t1_reviewer",),
    "employee_support": ("admin", "hr_head"),
    "customer_service": ("customer_service",),
}
SECOND = ("t1_reviewer", "t1_alternate", "customer_service", "interaction_agent")
operations = Operations()


@operations.local(
    "interaction.assign",
    parameters=[
        "account_id",
        "kind",
        "viral",
        "text",
        "link",
        "content_no",
        "owner",
        "first_reply_minutes",
        "resolve_hours",
        "template_allowed",
        "escalate_to",
    ],
    required=("account_id", "kind", "owner", "first_reply_minutes", "resolve_hours", "template_allowed"),
    title={"zh-CN": "互动：定责任人与时限", "en": "Interaction: owner and limits"},
)
def assign(
    ctx: OperationContext,
    *,
    account_id: str,
    kind: str,
    owner: str,
    first_reply_minutes: int,
    resolve_hours: int,
    template_allowed: bool,
    escalate_to: str | None = None,
    **said: Any,
) -> dict[str, Any]:
    """{"owners", "checkers", "first_due", "resolve_due", "template_allowed", "escalate_to", "told", "phrases"}.

    The first reply runs in service hours (working time), the rest on the clock.
    """
    row = ctx.registers.get(ACCOUNT, account_id) or {}
    responsible = [name for name in (row.get("responsible"),) if name and _at_work(ctx, name)]
    backup = [name for name in (row.get("backup"),) if name and _at_work(ctx, name)]
    owners = [OWNERS[owner]] if owner in OWNERS else responsible or backup or ["interaction_agent"]
    fields = {
        "account_id": account_id,
        "kind": kind,
        **said,
        "owner": owner,
        "owners": owners,
        "first_reply_minutes": first_reply_minutes,
        "resolve_hours": resolve_hours,
        "escalate_to": escalate_to,
        "received_at": ctx.now.isoformat(),
        "status": "open",
        "case_no": ctx.business_key,
    }
    ctx.registers.put(INTERACTION, ctx.business_key or ctx.instance_id, fields)
    zh = f"首次响应 {first_reply_minutes} 分钟（服务时段内），{resolve_hours} 小时内办结"
    en = f"First reply within {first_reply_minutes} minutes of service time, resolved within {resolve_hours} hours"
    if not template_allowed:
        zh, en = f"{zh}；不得单独用话术库答复", f"{en}; never answered from the library alone"
    return {
        "owners": owners,
        "checkers": list(SECOND),
        "first_due": f"{first_reply_minutes / 60:g}wh",
        "resolve_due": f"PT{resolve_hours}H",
        "template_allowed": template_allowed,
        "escalate_to": escalate_to or "",
        "told": {"zh-CN": zh, "en": en},
        "phrases": [f"{key}：{text}" for key, text in sorted(usable(ctx.registers.all(PHRASE), account_id).items())][
            :50
        ],
    }


@operations.local(
    "interaction.overdue",
    parameters=("account_id", "assigned"),
    required=("assigned",),
    title={"zh-CN": "首次响应超时，升级", "en": "First reply late: escalate"},
)
def overdue(ctx: OperationContext, *, assigned: Record, account_id: str | None = None) -> dict[str, Any]:
    """{"to"}: whom the table names may answer as well; the owner keeps it."""
    to = _next(assigned)
    ctx.escalate("reply", to)
    zh = f"互动 {ctx.business_key}（{account_id}）首次响应超时，可代为回复"
    ctx.notify(to, {"zh-CN": zh, "en": f"{ctx.business_key} ({account_id}): the first reply is late; you may answer"})
    return {"to": to}


@operations.local(
    "interaction.close",
    parameters=("outcome", "assigned", "reply", "resolve", "second_check", "account_id", "kind"),
    required=("outcome", "assigned"),
    title={"zh-CN": "登记互动结果", "en": "Record how an interaction ended"},
)
def close(
    ctx: OperationContext,
    *,
    outcome: str,
    assigned: Record,
    reply: Record | None = None,
    resolve: Record | None = None,
    second_check: Record | None = None,
    account_id: str | None = None,
    kind: str | None = None,
) -> dict[str, Any]:
    """{"status", "to"}: the register row, and notice to whom it is escalated."""
    said, checked = reply or {}, second_check or {}
    fields = {
        "status": outcome,
        "reply": said.get("reply"),
        "phrase": taken_from(ctx.registers.all(PHRASE), account_id or "", ctx.open(said.get("reply"))),
        "replied_by": said.get("by"),
        "replied_at": said.get("at"),
        "checked_by": checked.get("by") if checked.get("outcome") == "approve" else None,
        "status_reason": (resolve or {}).get("result") or (resolve or {}).get("comment") or said.get("comment"),
    }
    ctx.registers.put(INTERACTION, ctx.business_key or ctx.instance_id, fields)
    to = _next(assigned) if outcome == "escalated" else []
    if to:
        text: Text = {
            "zh-CN": f"互动 {ctx.business_key}（{account_id}，{kind}）已升级，请接手",
            "en": f"{ctx.business_key} ({account_id}, {kind}) was escalated to you",
        }
        ctx.notify(to, text)
    return {"status": outcome, "to": to}


def _next(assigned: Record) -> list[str]:
    return list(ESCALATIONS.get(str(assigned.get("escalate_to")), ("t1_reviewer",)))


def _at_work(ctx: OperationContext, username: str) -> bool:
    person = ctx.directory.person(username)
    return person is not None and person.active
