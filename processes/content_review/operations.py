"""What the system does itself in a content review until a version is approved: scan, returns, expiry, the leak lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from engine import OperationContext, Operations
from processes import term_rules
from processes.content_review import screening, versions
from processes.content_review.approval import operations as approval
from processes.content_review.former import former_submissions, remember
from processes.content_review.ledger import members, names_of, note, tell
from processes.organisation import CHAIR, DEPUTY
from processes.registers.account import ACCOUNT

URGENT_FOR = timedelta(hours=2)  # what two approvers of an urgent statement are given, whatever the planned time
REVIEWERS = ("t1_reviewer", "t1_alternate", DEPUTY, CHAIR)  # X03: who reviews when the one before may not or does not
Record = Mapping[str, Any]
operations = Operations().merged(approval)


@operations.local(
    "content_review.prescan",
    parameters=[
        "title",
        "body",
        "account_ids",
        "content_type",
        "planned_publish_at",
        "declared_flags",
        "media_notes",
        "exemptions",
        "author",
        "co_authors",
        "editor",
        "initiator",
        "before",
        "hosts",
        "host_brief",
        "live_monitors",
    ],
    required=("title", "body", "account_ids", "content_type", "planned_publish_at"),
    title={"zh-CN": "送审内容：规范化与词库扫描", "en": "Content: normalise and scan"},
)
def prescan(
    ctx: OperationContext,
    *,
    title: str,
    body: str,
    account_ids: Sequence[str],
    content_type: str,
    planned_publish_at: str,
    declared_flags: Sequence[str] | None = None,
    media_notes: Sequence[Record] | None = None,
    exemptions: Sequence[Record] | None = None,
    hosts: Sequence[str] | None = None,
    host_brief: str | None = None,
    live_monitors: Sequence[str] | None = None,
    **people: Any,
) -> dict[str, Any]:
    """{"flags", "hits", "blocked", "unfit", "problems", "summary", "because", "authors", "stand_ins", "former_tier",
    "author_is_t1_reviewer", "planned_at", "urgent_until", "term_table", "legal_mode"}.

    `blocked`: a blocking term is unresolved. `unfit`: nobody need read it before it is corrected. `authors` are all who
    ever wrote or edited it in this case, `stand_ins` who stands in for one of them in everything: none of them approves
    it (X02, X15). `former_tier`: the same text was important content in another case. `term_table` is the SHA-256 of
    the terms it was scanned for.
    """
    shown = "\n".join(str(note.get("shows") or "") for note in media_notes or ())
    rules, table = term_rules.of(ctx.tables)
    read = [("title", title), ("body", body), ("media", shown), ("host_brief", host_brief or "")]
    hits = screening.hits_in(read, exemptions or (), rules)
    former = former_submissions(ctx, body)
    flags = screening.all_flags([*(declared_flags or ()), *former.flags], content_type, hits)
    remember(ctx, body, flags)
    accounts = {key: ctx.registers.get(ACCOUNT, key) for key in account_ids}
    problems = screening.account_problems(account_ids, accounts)
    authors = _authors(people)
    watching = {name: names_of(ctx, name) for name in live_monitors or ()}
    problems += screening.live_problems(content_type, hosts or (), host_brief, watching, authors)
    planned, notes = screening.planned(planned_publish_at), list(former.notes)
    if planned is None:
        problems.append({"zh-CN": "计划发布时间不是有效的时间", "en": "The planned time is no time"})
    elif planned <= ctx.now and "crisis" not in flags:
        problems.append({"zh-CN": "计划发布时间已过，请改期", "en": "The planned time has passed; choose another"})
    elif planned < ctx.calendar.add(ctx.now, "4wh") and "crisis" not in flags:
        zh, en = "距计划时间不足 4 个工作小时，到点未批不会发布", "Less than 4 working hours to the planned time"
        notes.append({"zh-CN": zh, "en": en})
    planned = planned or ctx.now
    reviewers = members(ctx, REVIEWERS[0])
    _tell_named(ctx, title, authors, people)
    blocked = [hit for hit in hits if hit["severity"] == "block"]
    told = screening.summary(hits, problems, notes)
    return {
        "flags": flags,
        "hits": hits,
        "blocked": bool(blocked),
        "unfit": bool(problems),
        "problems": problems,
        "summary": told,
        "because": screening.summary(blocked, problems, []),
        "authors": authors,
        "stand_ins": ctx.directory.stand_ins(authors, ctx.now),
        "former_tier": former.tier,
        "author_is_t1_reviewer": any(name in reviewers for name in authors),
        "planned_at": planned.isoformat(),
        "urgent_until": max(planned, ctx.now + URGENT_FOR).isoformat(),
        "term_table": table,
        "legal_mode": str(ctx.setting("legal_review_mode", "flagged")),
    }


def _authors(people: Mapping[str, Any]) -> list[str]:
    """Everybody who ever wrote or edited it: whoever wrote an earlier version stays an author of the later ones."""
    named = [people.get("initiator"), people.get("author"), *(people.get("co_authors") or ()), people.get("editor")]
    return list(dict.fromkeys(str(name) for name in [*named, *(people.get("before") or ())] if name))


def _tell_named(ctx: OperationContext, title: str, authors: Sequence[str], people: Mapping[str, Any]) -> None:
    """Whoever is named as an author is recused by it, so they hear of it and may object."""
    own = (people.get("initiator"), people.get("editor"), *(people.get("before") or ()))
    said = {
        "zh-CN": "把你列为作者或编辑，因此不能由你审核、表决；如有不符，请告知审核人",
        "en": "names you as an author or editor, so you do not review it; tell the reviewer if that is wrong",
    }
    tell(ctx, [name for name in authors if name not in own], title, said)


@operations.local(
    "content_review.incident",
    parameters=("title", "account_ids", "authors", "version", "hits", "media"),
    required=("title", "authors"),
    title={"zh-CN": "转泄密线索", "en": "Open a leak lead"},
)
def incident(
    ctx: OperationContext,
    *,
    title: str,
    authors: Sequence[str],
    account_ids: Sequence[str] | None = None,
    version: int | None = None,
    hits: Sequence[Record] | None = None,
    media: Any = None,
) -> dict[str, Any]:
    """{"because", "told", "version"}: a complaint case is started as the system's own lead; Administration and Legal
    are told.

    The lead never carries the secret itself, only where it was met.
    """
    number = ctx.business_key or ""
    rules = "、".join(sorted({str(hit["rule"]) for hit in hits or () if hit["flag"] == "discloses_secret"})) or "自报"
    lead = {
        "respondent_scope": "不清楚",
        "channel": "网页",
        "reporter_mode": "匿名",
        "category": "泄露公司信息",
        "target": f"送审 {number}（{'、'.join(account_ids or ())}）",
        "description": f"送审 {number} 第 {version or 1} 版含涉密内容（规则 {rules}），已退回，未发布。"
        "原文与附件留在送审案件内。",
        "pi_exposed": False,
        "safe_followup": False,
    }
    ctx.start_case("complaint", lead, key="leak", in_own_name=True)
    zh = f"送审 {number} 涉密，已退回并转泄密线索；请限制原始资料与附件的访问"
    en = f"{number} holds a secret: returned, a leak lead opened; restrict access to the sources and files"
    told = ctx.notify(["admin", "legal"], {"zh-CN": zh, "en": en})
    because = {
        "zh-CN": "含商业秘密或内部资料，不得发布；已转泄密线索。请删去后重新送审，或撤回",
        "en": "It holds a trade secret or internal material and must not be published. Remove it or withdraw",
    }
    tell(ctx, authors, title, because)
    note(ctx, title, authors, account_ids, status="blocked", tier="BLOCK", version=version or 1)
    return {"because": because, "told": told, "files": bool(media), "version": version or 1}


@operations.local(
    "content_review.escalate",
    parameters=("element", "title", "authors", "before"),
    required=("element", "authors"),
    title={"zh-CN": "审核超时：下一审核人可代审", "en": "Late review: the next reviewer may act too"},
)
def escalate(
    ctx: OperationContext,
    *,
    element: str,
    authors: Sequence[str],
    title: str | None = None,
    before: Record | None = None,
) -> dict[str, Any]:
    """{"to", "steps"}: first the alternate, next time the deputy chair, then the chair; never an author (X02, X03)."""
    staffed = [group for group in REVIEWERS if any(name not in authors for name in members(ctx, group))]
    steps = int((before or {}).get("steps") or 0) + 1
    to = staffed[min(steps, len(staffed) - 1)] if staffed else CHAIR
    ctx.escalate(element, [to])
    zh = f"「{title}」（{ctx.business_key}）一级审核超时，可代为审核"
    ctx.notify([to], {"zh-CN": zh, "en": f"The tier-1 review of “{title}” ({ctx.business_key}) is late; you may do it"})
    return {"to": to, "steps": steps}


@operations.local(
    "content_review.expire",
    parameters=("title", "account_ids", "authors", "version", "tier", "planned_at"),
    required=("title", "authors"),
    title={"zh-CN": "到点未批", "en": "Not approved in time"},
)
def expire(
    ctx: OperationContext,
    *,
    title: str,
    authors: Sequence[str],
    account_ids: Sequence[str] | None = None,
    version: int | None = None,
    tier: str | None = None,
    planned_at: str | None = None,
) -> dict[str, Any]:
    """{"status": "EXPIRED", "because"}: nothing is published; author, reviewer and alternate are told."""
    because = {
        "zh-CN": "计划时间已到而未获批准，不予发布；请改期后重新送审",
        "en": "The planned time came without approval; it is not published. Choose another time and resubmit",
    }
    tell(ctx, [*authors, *REVIEWERS[:2]], title, because)
    note(ctx, title, authors, account_ids, status="expired", tier=tier, version=version or 1, planned_at=planned_at)
    return {"status": "EXPIRED", "because": because}


@operations.local(
    "content_review.returned",
    parameters=("before", "title", "account_ids", "authors", "version", "tier", "first", "legal", "vote", "urgent"),
    required=("title", "authors"),
    title={"zh-CN": "登记退回、告知作者", "en": "Record a return, tell the author"},
)
def returned(
    ctx: OperationContext,
    *,
    title: str,
    authors: Sequence[str],
    account_ids: Sequence[str] | None = None,
    version: int | None = None,
    tier: str | None = None,
    before: int | None = None,
    first: Record | None = None,
    legal: Record | None = None,
    vote: Record | None = None,
    urgent: Sequence[Record] | None = None,
) -> dict[str, Any]:
    """{"count", "because", "limit_reason", "secret"}: the reasons item by item; the third return ends the case.

    `secret`: a reviewer saw a trade secret that no scan could see, in a picture for example. It opens a leak lead and
    does not count as a return.
    """
    secret = any((said or {}).get("outcome") == "secret" for said in (first, legal, *(urgent or ())))
    because = versions.reasons(first=first, legal=legal, vote=vote, urgent=urgent)
    tell(ctx, authors, title, {"zh-CN": f"已退回：{because}", "en": f"returned: {because}"})
    note(ctx, title, authors, account_ids, status="returned", tier=tier, version=version or 1, status_reason=because)
    count = int(before or 0) + (not secret)
    limit = f"第 {count} 次退回，送审结束：{because}"
    return {"count": count, "because": because, "limit_reason": limit, "secret": secret}


@operations.local(
    "content_review.close",
    parameters=("outcome", "reason", "title", "account_ids", "authors", "version", "tier"),
    required=("outcome", "title"),
    title={"zh-CN": "了结未发布的送审", "en": "Close a submission that is not published"},
)
def close(
    ctx: OperationContext,
    *,
    outcome: str,
    title: str,
    reason: Any = None,
    account_ids: Sequence[str] | None = None,
    authors: Sequence[str] | None = None,
    version: int | None = None,
    tier: str | None = None,
) -> dict[str, Any]:
    """{"outcome", "reason"}: the register row is closed and the author told why."""
    zh = {"rejected": "已驳回", "withdrawn": "已撤回", "expired": "逾期未修改，已结束"}[outcome]
    en = {"rejected": "was rejected", "withdrawn": "was withdrawn", "expired": "ended without a correction"}[outcome]
    why = reason.get("zh-CN") if isinstance(reason, Mapping) else reason
    note(ctx, title, authors or (), account_ids, status=outcome, status_reason=why, tier=tier, version=version or 1)
    tail = f"：{why}" if why else ""
    tell(ctx, authors or (), title, {"zh-CN": zh + tail, "en": en + (f": {why}" if why else "")})
    return {"outcome": outcome, "reason": why}
