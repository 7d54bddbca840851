"""What the system does itself after approval: reminders, comparing what was published, effects, dispatching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine import OperationContext, Operations
from processes.content_review.screening import LOCAL
from processes.content_review.versions import same_text
from processes.publish_followup.live import operations as live
from processes.registers.account import ACCOUNT
from processes.registers.content import CONTENT, INTERACTION
from processes.registers.phrase import PHRASE, taken_from

WINDOW = timedelta(minutes=30)
CHECKS = (  # when a published post is looked at
    (timedelta(hours=24), "24 小时", "24 hours"),
    (timedelta(hours=72), "72 小时", "72 hours"),
    (timedelta(days=7), "7 日", "7 days"),
)
GRACE = timedelta(days=3)  # for the last check, before the follow-up ends without it
Record = Mapping[str, Any]
operations = Operations().merged(live)


@operations.local(
    "publish_followup.remind",
    parameters=("title", "targets", "publications"),
    required=("targets",),
    title={"zh-CN": "提醒发布人", "en": "Remind the publisher"},
)
def remind(
    ctx: OperationContext,
    *,
    targets: Mapping[str, Record],
    title: str | None = None,
    publications: Mapping[str, Record] | None = None,
) -> dict[str, Any]:
    """{"told"}: whoever has not published by the end of the window; 48 hours after the planned time it lapses."""
    left = [target["publisher"] for key, target in targets.items() if key not in (publications or {})]
    zh = f"「{title}」计划发布时间已过 30 分钟，尚未登记发布；满 48 小时即失效"
    en = f"“{title}” is 30 minutes past its planned time and not recorded as published; after 48 hours it lapses"
    return {"told": ctx.notify(left, {"zh-CN": zh, "en": en})}


@operations.local(
    "publish_followup.verify",
    parameters=[
        "content_no",
        "title",
        "body",
        "version",
        "sha256",
        "targets",
        "publications",
        "publication",
        "planned_at",
        "valid_until",
        "authors",
        "closed",
    ],
    required=("title", "body", "targets", "planned_at", "valid_until"),
    title={"zh-CN": "发布文本与批准版本比对", "en": "Compare what was published with what was approved"},
)
def verify(
    ctx: OperationContext,
    *,
    title: str,
    body: str,
    targets: Mapping[str, Record],
    planned_at: str,
    valid_until: str,
    content_no: str | None = None,
    version: int | None = None,
    sha256: str | None = None,
    publications: Mapping[str, Record] | None = None,
    publication: Record | None = None,
    authors: Sequence[str] | None = None,
    closed: bool | None = None,
) -> dict[str, Any]:
    """{"outcome", "posts", "left", "mismatches", "checks", "last_check", "comment"}.

    Outcome: "published", "retry" (some account failed), "edit" (the approval is to be voided), "expired" (48 hours
    without publishing), "lapsed" (30 days since approval). Without the published text a post counts as not compared.
    """
    posts: dict[str, Any] = dict((publication or {}).get("posts") or {})
    for key, result in (publications or {}).items():
        if result.get("outcome") == "done":
            posts[key] = _post(ctx, result, targets[key], title, body, planned_at)
    left = {key: target for key, target in targets.items() if key not in posts}
    edits = [result for result in (publications or {}).values() if result.get("outcome") == "edit"]
    if edits:
        outcome = "edit"
    elif left and not closed:
        outcome = "retry"
    elif posts:
        outcome = "published"
    else:
        outcome = "lapsed" if ctx.now >= datetime.fromisoformat(valid_until) else "expired"
    began = min((datetime.fromisoformat(post["at"]) for post in posts.values()), default=ctx.now)
    checks = _checks(began)
    found = {
        "outcome": outcome,
        "posts": posts,
        "left": left,
        "mismatches": [key for key, post in posts.items() if post["compared"] == "mismatch"],
        "checks": checks,
        "last_check": checks[-1]["at"],
        "comment": edits[0].get("comment") if edits else None,
        "sha256": sha256,
        "version": version,
    }
    if posts and content_no:
        _record(ctx, content_no, posts, outcome)
        _tell_odd(ctx, title, posts, authors or ())
    return found


def _post(
    ctx: OperationContext, result: Record, target: Record, title: str, body: str, planned_at: str
) -> dict[str, Any]:
    at = datetime.fromisoformat(str(result.get("published_at") or result["at"]))
    at = at if at.tzinfo else at.replace(tzinfo=LOCAL)
    text = result.get("published_text")
    compared = "unchecked" if not text else "match" if same_text(str(text), title, body) else "mismatch"
    return {
        "account_id": target["account_id"],
        "name": target["name"],
        "publisher": target["publisher"],
        "by": result.get("by"),
        "at": at.isoformat(),
        "url": result.get("url"),
        "screenshot": list(result.get("screenshot") or ()),
        "compared": compared,
        "in_window": abs(at - datetime.fromisoformat(planned_at)) <= WINDOW,
    }


def _checks(began: datetime) -> list[dict[str, Any]]:
    times = [began + after for after, _, _ in CHECKS]
    ends = [*times[1:], times[-1] + GRACE]
    return [
        {"at": at.isoformat(), "until": end.isoformat(), "told": {"zh-CN": f"发布后 {zh}", "en": f"{en} after"}}
        for at, end, (_, zh, en) in zip(times, ends, CHECKS, strict=True)
    ]


def _record(ctx: OperationContext, content_no: str, posts: Mapping[str, Record], outcome: str) -> None:
    first = min(posts.values(), key=lambda post: str(post["at"]))
    states = {str(post["compared"]) for post in posts.values()}
    fields = {
        "posts": dict(posts),
        "published_at": first["at"],
        "published_by": first["by"],
        "url": first["url"],
        "compared": next(state for state in ("mismatch", "unchecked", "match") if state in states),
    }
    if outcome == "published":
        fields["status"] = "published"
    ctx.registers.put(CONTENT, content_no, fields)
    row = ctx.registers.get(CONTENT, content_no) or {}
    if row.get("content_type") == "phrase":
        kept = {name: row.get(name) for name in ("title", "approved_by", "case_no")}
        use = {"text": row.get("body"), "account_ids": sorted(posts), "in_use_since": first["at"], "status": "active"}
        ctx.registers.put(PHRASE, content_no, {**kept, **use})


def _tell_odd(ctx: OperationContext, title: str, posts: Mapping[str, Record], authors: Sequence[str]) -> None:
    """Tell the monitor of posts nobody compared, and Marketing of posts outside their window."""
    unchecked = [post["name"] for post in posts.values() if post["compared"] == "unchecked"]
    if unchecked:
        zh = f"「{title}」发布后未粘贴文本比对：{'、'.join(unchecked)}，请核对"
        ctx.notify(["monitor"], {"zh-CN": zh, "en": f"“{title}” was not compared with the approved text; please check"})
    early = [post["name"] for post in posts.values() if not post["in_window"]]
    if early:
        zh = f"「{title}」未在计划时间前后 30 分钟内发布：{'、'.join(early)}"
        en = f"“{title}” was not published within 30 minutes of its planned time"
        ctx.notify([*authors, "t1_reviewer"], {"zh-CN": zh, "en": en})


@operations.local(
    "publish_followup.order_takedown",
    parameters=("content_no", "title", "publication", "authors"),
    required=("publication",),
    title={"zh-CN": "与批准不一致，启动下架评估", "en": "Not as approved: start a takedown review"},
)
def order_takedown(
    ctx: OperationContext,
    *,
    publication: Record,
    content_no: str | None = None,
    title: str | None = None,
    authors: Sequence[str] | None = None,
) -> dict[str, Any]:
    """{"accounts"}: one takedown review for every post that differs from what was approved."""
    keys = list(publication.get("mismatches") or ())
    for key in keys:
        text = f"「{title}」已发布的文本与批准版本（{publication.get('sha256')}）不一致"
        _start_takedown(ctx, key, content_no, publication["posts"][key].get("url"), "mismatch", text, f"mismatch {key}")
    told = ["t1_reviewer", "legal_reviewer", *(authors or ())]
    zh, en = f"「{title}」发布内容与批准不一致，已启动下架评估", f"“{title}” differs from what was approved"
    ctx.notify(told, {"zh-CN": zh, "en": en})
    return {"accounts": keys}


def _start_takedown(
    ctx: OperationContext, account: str, content_no: str | None, url: str | None, reason: str, text: str, key: str
) -> None:
    order = {"account_id": account, "content_no": content_no, "url": url, "reason": reason, "description": text[:2000]}
    variables = {name: value for name, value in order.items() if value}
    ctx.start_case("takedown", variables, key=key, in_own_name=True)


@operations.local(
    "publish_followup.effect",
    parameters=("content_no", "title", "body", "checkpoint", "metrics", "publication"),
    required=("checkpoint", "publication"),
    title={"zh-CN": "登记发布效果", "en": "Record the effect"},
)
def effect(
    ctx: OperationContext,
    *,
    checkpoint: Record,
    publication: Record,
    content_no: str | None = None,
    title: str | None = None,
    body: str | None = None,
    metrics: Mapping[str, Record] | None = None,
) -> dict[str, Any]:
    """{"issues", "missed"}: figures go into the register; a problem or a difference found starts a takedown review."""
    mark = checkpoint["told"]["zh-CN"]
    row = ctx.registers.get(CONTENT, content_no or "") or {}
    effects, posts = list(row.get("effects") or ()), dict(row.get("posts") or publication["posts"])
    issues: list[str] = []
    for key, result in (metrics or {}).items():
        text = result.get("published_text")
        differs = bool(text) and not same_text(str(text), title or "", body or "")
        if text and key in posts:
            posts[key] = {**posts[key], "compared": "mismatch" if differs else "match"}
        if differs or result.get("outcome") == "issue":
            issues.append(key)
            why = str(result.get("comment") or "已发布的文本与批准版本不一致")
            url = publication["posts"].get(key, {}).get("url")
            _start_takedown(ctx, key, content_no, url, "mismatch" if differs else "effect", why, f"{mark} {key}")
        kept = {name: value for name, value in result.items() if name not in ("published_text", "outcome")}
        effects.append({"account_id": key, "mark": mark, **kept})
    missed = [key for key in publication["posts"] if key not in (metrics or {})]
    if content_no:
        ctx.registers.put(CONTENT, content_no, {"effects": effects, "posts": posts})
    if missed:
        zh, en = f"「{title}」{mark}的效果检查未完成", f"The effect check of “{title}” was missed"
        publishers = [publication["posts"][key]["publisher"] for key in missed]
        ctx.notify(["t1_reviewer", *publishers], {"zh-CN": zh, "en": en})
    return {"issues": issues, "missed": missed}


@operations.local(
    "publish_followup.dispatch",
    parameters=[
        "content_no",
        "interact",
        "kind",
        "viral",
        "owner",
        "first_reply_minutes",
        "resolve_hours",
        "template_allowed",
        "escalate_to",
        "publication",
    ],
    required=("interact", "kind", "publication"),
    title={"zh-CN": "登记、分派互动", "en": "Record and dispatch an interaction"},
)
def dispatch(
    ctx: OperationContext,
    *,
    interact: Record,
    kind: str,
    publication: Record,
    content_no: str | None = None,
    viral: bool | None = None,
    owner: str | None = None,
    template_allowed: bool | None = None,
    **limits: Any,
) -> dict[str, Any]:
    """{"number", "passed_on", "phrase"}: answered it is recorded; anything else becomes a case with an owner.

    `phrase`: the number of the approved phrase the reply is, None for one in the agent's own words.

    Complaints, media, safety and privacy are never answered by one person alone (`template_allowed`).
    """
    account = next(iter(publication["posts"]))
    number = f"{content_no}-H{ctx.next_number(f'interaction {content_no}'):02d}"
    if interact.get("outcome") == "escalate" or not template_allowed:
        text = interact.get("text") or interact.get("comment") or kind
        variables = {"account_id": account, "kind": kind, "viral": bool(viral), "text": text, "content_no": content_no}
        if interact.get("link"):
            variables["link"] = interact["link"]
        ctx.start_case("interaction", variables, key=number, in_own_name=True)
        return {"number": number, "passed_on": True, "phrase": None}
    row = ctx.registers.get(ACCOUNT, account) or {}
    fields = {
        "account_id": account,
        "content_no": content_no,
        "kind": kind,
        "viral": bool(viral),
        "text": interact.get("text"),
        "link": interact.get("link"),
        "owner": owner,
        "owners": [name for name in [row.get("responsible")] if name],
        "reply": interact.get("reply"),
        "phrase": (phrase := taken_from(ctx.registers.all(PHRASE), account, ctx.open(interact.get("reply")))),
        "replied_by": interact.get("by"),
        "replied_at": interact.get("at"),
        "received_at": ctx.now.isoformat(),
        "status": "resolved",
        **limits,
    }
    ctx.registers.put(INTERACTION, number, fields)
    return {"number": number, "passed_on": False, "phrase": phrase}
