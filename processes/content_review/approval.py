"""What the system does when a version is approved: freezing it, voiding it, ratifying the urgent ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine import OperationContext, Operations
from engine.errors import Text
from processes.content_review import screening, versions
from processes.content_review.ledger import at_work, note, note_version, tell
from processes.registers.account import ACCOUNT
from processes.registers.content import CONTENT

WINDOW = timedelta(minutes=30)
GIVE_UP = timedelta(hours=48)
VALID = timedelta(days=30)
Record = Mapping[str, Any]
operations = Operations()


@operations.local(
    "content_review.freeze",
    parameters=[
        "title",
        "body",
        "media",
        "media_notes",
        "account_ids",
        "content_type",
        "ad_mark",
        "ai_mark",
        "host_brief",
        "banned_words",
        "version",
        "authors",
        "tier",
        "flags",
        "requirement",
        "planned_at",
        "urgent_until",
        "blocked",
        "first",
        "legal",
        "vote",
        "urgent",
    ],
    required=("title", "body", "account_ids", "authors", "tier", "planned_at", "urgent_until"),
    title={"zh-CN": "锁定批准版本", "en": "Freeze the approved version"},
)
def freeze(
    ctx: OperationContext,
    *,
    title: str,
    body: str,
    account_ids: Sequence[str],
    authors: Sequence[str],
    tier: str,
    planned_at: str,
    urgent_until: str,
    version: int | None = None,
    blocked: bool | None = None,
    first: Record | None = None,
    legal: Record | None = None,
    vote: Record | None = None,
    urgent: Sequence[Record] | None = None,
    flags: Sequence[str] | None = None,
    requirement: Sequence[str] | None = None,
    content_type: str | None = None,
    **content: Any,
) -> dict[str, Any]:
    """{"result": "frozen" | "expired" | "blocked" | "unfit", "because", …}; nothing but "frozen" goes on to publishing.

    Frozen: "sha256", "body_sha256", "version", "at", "approvers", "conditions", "targets" (account → who publishes),
    "valid_until", "late_at", "give_up_at", "ratify_until", "sole_approver" (a list of one, or empty: X04).
    """
    planned = datetime.fromisoformat(planned_at)
    deadline = datetime.fromisoformat(urgent_until) if tier == "T2_URGENT" else planned
    accounts = {key: ctx.registers.get(ACCOUNT, key) for key in account_ids}
    approvers = versions.approvers(first=first, legal=legal, vote=vote, urgent=urgent)
    problems = screening.account_problems(account_ids, accounts)
    targets = versions.publishers(accounts, approvers, lambda name: at_work(ctx, name))
    problems += versions.unstaffed(account_ids, targets)
    refused = _refusal(late=ctx.now > deadline, blocked=bool(blocked), problems=problems)
    if refused:
        tell(ctx, authors, title, refused["because"])
        return refused
    base = max(planned, ctx.now)
    valid = ctx.now + VALID
    hashes = versions.hashes(title=title, body=body, **content)
    conditions = versions.conditions(first=first, legal=legal, vote=vote)
    frozen = {
        "sha256": hashes["sha256"],
        "body_sha256": hashes["body_sha256"],
        "version": version or 1,
        "conditions": conditions,
        "valid_until": valid.isoformat(),
    }
    row = {
        **frozen,
        "body": body,
        "content_type": content_type,
        "flags": list(flags or ()),
        "requirement": list(requirement or ()),
        "tier": tier,
        "status": "approved",
        "status_reason": None,
        "approved_by": approvers,
        "approved_at": ctx.now.isoformat(),
        "planned_at": planned_at,
        "resolution_no": (vote or {}).get("resolution_no"),
        "ratified": False if tier == "T2_URGENT" else None,
    }
    note(ctx, title, authors, account_ids, **row)
    note_version(ctx, version or 1, hashes["sha256"], "approved")
    names = [target["publisher"] for target in targets.values()]
    said = {"zh-CN": "已批准，待按计划发布", "en": "approved, to be published as planned"}
    tell(ctx, [*authors, *names], title, said)
    return {
        "result": "frozen",
        "because": None,
        **frozen,
        "at": ctx.now.isoformat(),
        "approvers": approvers,
        "sole_approver": approvers if len(approvers) == 1 else [],
        "targets": targets,
        "late_at": (base + WINDOW).isoformat(),
        "give_up_at": min(base + GIVE_UP, valid).isoformat(),
        "ratify_until": (ctx.calendar.add(ctx.now, "1wd") + timedelta(minutes=1)).isoformat(),
    }


def _refusal(*, late: bool, blocked: bool, problems: Sequence[Text]) -> dict[str, Any] | None:
    """Why an approved version is not frozen after all."""
    if late:
        said = {"zh-CN": "批准时计划时间已过，不予发布；请改期", "en": "Approved after the planned time; not published"}
        return {"result": "expired", "because": said}
    if blocked:
        zh, en = "仍有未消除、未说明的阻断词，不得发布", "Blocking terms are still there without a reason"
        return {"result": "blocked", "because": {"zh-CN": zh, "en": en}}
    if problems:
        said = {lang: "；".join(each[lang] for each in problems) for lang in ("zh-CN", "en")}
        return {"result": "unfit", "because": said}
    return None


@operations.local(
    "content_review.void",
    parameters=("title", "authors", "account_ids", "version", "publication"),
    required=("title", "authors", "publication"),
    title={"zh-CN": "批准作废或失效", "en": "Void or lapsed"},
)
def void(
    ctx: OperationContext,
    *,
    title: str,
    authors: Sequence[str],
    publication: Record,
    version: int | None = None,
    account_ids: Sequence[str] | None = None,
) -> dict[str, Any]:
    """{"because"}: the approval of this version counts no more; its hash stays on record (K-03).

    Where it was published already on some accounts, a takedown review decides whether that stays.
    """
    outcome = str(publication.get("outcome"))
    asked = str(publication.get("comment") or "")
    because = {
        "edit": {"zh-CN": f"发布人要求修改，批准作废：{asked}", "en": f"To be changed, the approval is void: {asked}"},
        "lapsed": {"zh-CN": "批准已满 30 日，须重新审核", "en": "30 days after approval: to be reviewed again"},
    }.get(outcome, {"zh-CN": "计划时间后 48 小时未发布，批准失效", "en": "Not published within 48 hours: lapsed"})
    for key, post in (publication.get("posts") or {}).items():  # what stands online by an approval that counts no more
        order = {"account_id": key, "content_no": ctx.business_key, "reason": "other", "url": post.get("url")}
        order["description"] = f"「{title}」在其他账号要求修改，批准作废；本账号已按旧版本发布，请评估是否保留"
        given = {name: value for name, value in order.items() if value}
        ctx.start_case("takedown", given, key=f"voided {version or 1} {key}", in_own_name=True)
    status = "expired" if outcome == "expired" else "voided"
    note(ctx, title, authors, account_ids, status=status, status_reason=because["zh-CN"])
    note_version(ctx, version or 1, None, status)
    tell(ctx, authors, title, because)
    return {"because": because}


@operations.local(
    "content_review.ratified",
    parameters=("title", "vote"),
    required=("vote",),
    title={"zh-CN": "登记追认", "en": "Record the ratification"},
)
def ratified(ctx: OperationContext, *, vote: Record, title: str | None = None) -> dict[str, Any]:
    """{"ratified": True, "resolution_no"}."""
    number = vote.get("resolution_no")
    if ctx.business_key:
        ctx.registers.put(CONTENT, ctx.business_key, {"ratified": True, "ratification_no": number})
    return {"ratified": True, "resolution_no": number}


@operations.local(
    "content_review.not_ratified",
    parameters=("title", "account_ids", "authors", "vote"),
    required=("title", "account_ids", "authors"),
    title={"zh-CN": "未获追认，启动下架评估", "en": "Not ratified: start a takedown review"},
)
def not_ratified(
    ctx: OperationContext,
    *,
    title: str,
    account_ids: Sequence[str],
    authors: Sequence[str],
    vote: Record | None = None,
) -> dict[str, Any]:
    """{"accounts"}: one takedown review per account; the content counts as not approved from now on."""
    row = ctx.registers.get(CONTENT, ctx.business_key or "") or {}
    why = str((vote or {}).get("summary") or "1 个工作日内未完成追认")
    posts = row.get("posts") or {}
    for key in account_ids:
        order = {
            "account_id": key,
            "content_no": ctx.business_key,
            "url": (posts.get(key) or {}).get("url"),
            "reason": "not_ratified",
            "description": f"紧急发布「{title}」未获追认：{why}",
            "urgent": True,
        }
        given = {name: value for name, value in order.items() if value}
        ctx.start_case("takedown", given, key=f"not ratified {key}", in_own_name=True)
    note(ctx, title, authors, account_ids, status="not_ratified", ratified=False, status_reason=why)
    said = {"zh-CN": "紧急发布未获追认，已启动下架评估", "en": "not ratified; a takedown review has started"}
    tell(ctx, [*authors, "group_chair", "group_deputy_chair", "legal_head"], title, said)
    return {"accounts": list(account_ids)}
