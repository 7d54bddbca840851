"""What the system does itself in a takedown: who is concerned, escalation, the register, notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations
from processes.registers.account import ACCOUNT
from processes.registers.content import CONTENT, TAKEDOWN
from processes.registers.phrase import PHRASE

Record = Mapping[str, Any]
operations = Operations()


@operations.local(
    "takedown.open",
    parameters=("account_id", "content_no", "url", "reason", "description", "urgent", "initiator"),
    required=("account_id", "reason", "description"),
    title={"zh-CN": "下架：查内容台账与责任人", "en": "Takedown: find content and people"},
)
def open_case(
    ctx: OperationContext,
    *,
    account_id: str,
    reason: str,
    description: str,
    content_no: str | None = None,
    url: str | None = None,
    urgent: bool | None = None,
    initiator: str | None = None,
) -> dict[str, Any]:
    """{"content_no", "authors", "capturers", "removers", "text"}.

    `authors`: who wrote or published it, recused from the assessment. The content is found by its number, else by its
    address in the register.
    """
    number, row = _content(ctx, content_no, url)
    account = ctx.registers.get(ACCOUNT, account_id) or {}
    holders = [name for name in (account.get("responsible"), account.get("backup")) if name and _at_work(ctx, name)]
    post = (row.get("posts") or {}).get(account_id) or {}
    concerned = [*(row.get("authors") or ()), post.get("by")]
    fields = {
        "account_id": account_id,
        "content_no": number,
        "url": url or post.get("url"),
        "reason": reason,
        "description": description,
        "received_at": ctx.now.isoformat(),
        "status": "open",
        "case_no": ctx.business_key,
    }
    ctx.registers.put(TAKEDOWN, ctx.business_key or ctx.instance_id, fields)
    name = account.get("name") or account_id
    zh = [f"账号：{name}（{account_id}）", f"情况：{description}"]
    en = [f"Account: {name} ({account_id})", f"What is wrong: {description}"]
    if number:
        zh.insert(1, f"送审：{number}「{row.get('title', '')}」，批准版本 {row.get('sha256') or '无'}")
        en.insert(1, f"Submission: {number} “{row.get('title', '')}”, approved {row.get('sha256') or 'never'}")
    else:
        zh.insert(1, "没有对应的审核记录")
        en.insert(1, "There is no review record")
    return {
        "content_no": number,
        "authors": list(dict.fromkeys(name for name in concerned if name)),
        "capturers": ["monitor", "account_registrar", *holders[:1]],
        "removers": holders or ["account_registrar"],
        "text": {"zh-CN": "\n".join(zh), "en": "\n".join(en)},
    }


def _content(ctx: OperationContext, number: str | None, url: str | None) -> tuple[str | None, dict[str, Any]]:
    if number and (row := ctx.registers.get(CONTENT, number)):
        return number, row
    for key, row in ctx.registers.all(CONTENT).items() if url else ():
        if any(post.get("url") == url for post in (row.get("posts") or {}).values()):
            return key, row
    return None, {}


@operations.local(
    "takedown.escalate",
    parameters=("element", "authors"),
    required=("element",),
    title={"zh-CN": "下架超时升级", "en": "Takedown late: escalate"},
)
def escalate(ctx: OperationContext, *, element: str, authors: Sequence[str] | None = None) -> dict[str, Any]:
    """{"to"}: the chairs may assess, the registrar may carry it out; never somebody recused."""
    to = ["group_chair", "group_deputy_chair"] if element == "assess" else ["account_registrar"]
    ctx.escalate(element, to)
    zh, en = f"下架更正 {ctx.business_key} 超过时限，可代为办理", f"{ctx.business_key} is late; you may do it"
    ctx.notify(to, {"zh-CN": zh, "en": en})
    return {"to": to}


@operations.local(
    "takedown.record",
    parameters=("account_id", "reason", "decision", "removal", "verified", "evidence", "case_told"),
    required=("account_id", "decision", "case_told"),
    title={"zh-CN": "登记下架更正", "en": "Record a takedown or correction"},
)
def record(
    ctx: OperationContext,
    *,
    account_id: str,
    decision: Record,
    case_told: Record,
    reason: str | None = None,
    removal: Record | None = None,
    verified: Record | None = None,
    evidence: Record | None = None,
) -> dict[str, Any]:
    """{"status"}: "taken_down", "corrected" or "kept", here and with the content; those concerned are told."""
    status = {"takedown": "taken_down", "correct": "corrected"}.get(str(decision.get("outcome")), "kept")
    fields = {
        "status": status,
        "decision": decision.get("outcome"),
        "decided_by": decision.get("by"),
        "basis": decision.get("comment"),
        "corrected_text": decision.get("corrected_text") if status == "corrected" else None,
        "removed_by": (removal or {}).get("by"),
        "removed_at": (removal or {}).get("done_at") or (removal or {}).get("at"),
        "verified_by": (verified or {}).get("by"),
        "evidence": list((evidence or {}).get("files") or ()),
    }
    ctx.registers.put(TAKEDOWN, ctx.business_key or ctx.instance_id, fields)
    number = case_told.get("content_no")
    if number and status != "kept":
        ctx.registers.put(CONTENT, number, {"status": status, "status_reason": decision.get("comment") or reason})
        if ctx.registers.get(PHRASE, number):  # a corrected phrase is submitted anew before it is used again
            ctx.registers.put(PHRASE, number, {"status": "withdrawn"})
    zh = {"taken_down": "已下架", "corrected": "已更正", "kept": "经评估保留"}[status]
    en = {"taken_down": "was taken down", "corrected": "was corrected", "kept": "stays after assessment"}[status]
    told = [*case_told.get("authors", ()), "t1_reviewer", "legal_reviewer"]
    said = f"下架更正 {ctx.business_key}：账号 {account_id} 的内容{zh}"
    ctx.notify(told, {"zh-CN": said, "en": f"{ctx.business_key}: content on {account_id} {en}"})
    return {"status": status}


def _at_work(ctx: OperationContext, username: str) -> bool:
    person = ctx.directory.person(username)
    return person is not None and person.active
