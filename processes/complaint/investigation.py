"""What the system does itself while a complaint is investigated: appoint, watch the times, secure the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from engine import OperationContext, Operations
from engine.moments import moment, stamp
from processes.complaint import involved
from processes.complaint.operations import put, tell

Record = Mapping[str, Any]
operations = Operations()


@operations.local(
    "complaint.appoint",
    parameters=[
        "routing",
        "assign",
        "appointed",
        "contain",
        "plan",
        "findings",
        "review",
        "lead",
        "second",
        "investigate_workdays",
        "triager",
    ],
    required=("routing", "assign", "lead", "second"),
    title={"zh-CN": "核对主办与协办", "en": "Check the appointment"},
)
def appoint(
    ctx: OperationContext,
    *,
    routing: Record,
    assign: Record,
    lead: str,
    second: str,
    appointed: Record | None = None,
    contain: Record | None = None,
    plan: Record | None = None,
    findings: Sequence[Record] | None = None,
    review: Record | None = None,
    investigate_workdays: int | None = None,
    triager: str | None = None,
) -> dict[str, Any]:
    """{"stands", "problem", "lead", "second", "investigators", "deadline", "declined", "suggested_…"}.

    Both must be at work, from different departments, and excluded by nothing; who triaged does not lead (X08). Whoever
    declared a conflict, or is to be replaced after a review, is not appointed again.
    """
    before = appointed or {}
    declined = [*before.get("declined", []), *_declined(before, plan, findings, review)]
    out = [*routing["out"], *declined, routing["head"]]
    suggested = involved.suggest(ctx.directory, lead, second, out=[*out, triager])
    named = (assign.get("lead") or suggested[0], assign.get("second") or suggested[1])
    if assign["outcome"] == "conflict":
        declined += [name for name in named if name]
        problem: dict[str, str] | None = {
            "zh-CN": "所列人员有利害关系",
            "en": "Those named have a conflict of interest",
        }
    else:
        problem = _problem(ctx, named, out, triager)
    choice = involved.suggest(ctx.directory, lead, second, out=[*out, *declined, triager])
    deadline = stamp(ctx.calendar.add(ctx.now, f"{int(investigate_workdays or 20)}wd"))
    kept = {"declined": list(dict.fromkeys(declined)), "suggested_lead": choice[0], "suggested_second": choice[1]}
    if problem:
        return {**kept, "stands": False, "problem": problem, "lead": None, "second": None, "investigators": []}
    people = [name for name in named if name]
    put(ctx, status="investigating", lead=named[0], second=named[1])
    text = {"zh-CN": f"投诉 {ctx.business_key} 已立案，由你承办", "en": f"You investigate complaint {ctx.business_key}"}
    ctx.notify(people, text)
    standing = {"stands": True, "problem": None, "lead": named[0], "second": named[1], "investigators": people}
    return {**kept, **standing, "deadline": deadline}


def _declined(
    before: Record, plan: Record | None, findings: Sequence[Record] | None, review: Record | None
) -> list[str]:
    entries = [*([plan] if plan else []), *(findings or ())]
    names = [str(each["by"]) for each in entries if each.get("outcome") == "conflict"]
    if review and review.get("outcome") == "reopen":
        names += [name for name in (before.get("lead"), before.get("second")) if name]
    return names


def _problem(
    ctx: OperationContext, named: tuple[str | None, str | None], out: Sequence[str | None], triager: str | None
) -> dict[str, str] | None:
    people = [ctx.directory.person(name) if name else None for name in named]
    if not all(person and person.active for person in people):
        return {"zh-CN": "主办或协办空缺", "en": "Lead or second is missing"}
    if set(named) & set(out):
        return {"zh-CN": "所列人员应当回避", "en": "Somebody named must be recused"}
    if named[0] == triager:
        return {"zh-CN": "受理人不得同时主办", "en": "Who took it in may not lead"}
    first, other = people
    if first and other and first.department == other.department:
        return {"zh-CN": "主办与协办须来自不同部门", "en": "Lead and second must be from different departments"}
    return None


@operations.local(
    "complaint.escalate",
    parameters=("element", "routing"),
    required=("element", "routing"),
    title={"zh-CN": "逾期上报决定机构", "en": "Tell the decision body that it is late"},
)
def escalate(ctx: OperationContext, *, element: str, routing: Record) -> dict[str, Any]:
    """{"told"}: a deadline passed. Nothing is decided by waiting."""
    what = {"contain": ("止损与固证", "containment"), "investigate": ("调查", "the investigation")}[element]
    told = [name for name in (routing["presider"],) if name]
    text = {"zh-CN": f"投诉 {ctx.business_key} 的{what[0]}已逾期", "en": f"{ctx.business_key}: {what[1]} is overdue"}
    return {"told": ctx.notify(told, text)}


@operations.local(
    "complaint.extend",
    parameters=("appointed", "extension", "findings"),
    required=("appointed",),
    title={"zh-CN": "延期一次并告知举报人", "en": "Extend once and tell the reporter"},
)
def extend(
    ctx: OperationContext,
    *,
    appointed: Record,
    extension: Record | None = None,
    findings: Sequence[Record] | None = None,
) -> dict[str, Any]:
    """{"granted", "until", "reason"}: 10 working days more, once; asked again it stays as it was."""
    if extension and extension.get("until"):
        return {**extension, "granted": False}
    reasons = [each.get("comment") for each in findings or () if each.get("outcome") == "extend"]
    until = stamp(ctx.calendar.add(max(ctx.now, moment(appointed["deadline"])), "10wd"))
    day = ctx.calendar.today(moment(until)).isoformat()
    tell(
        ctx,
        f"调查需要延长，至 {day} 前完成（仅延一次）。",
        f"The investigation needs more time, until {day} (once only).",
    )
    put(ctx, extended_until=day)
    return {"granted": True, "until": until, "reason": next((text for text in reasons if text), None)}


@operations.local(
    "complaint.secure",
    parameters=("contain", "plan", "findings", "secured", "respondent", "category"),
    required=("findings",),
    title={"zh-CN": "固定证据、告知陈述权", "en": "Secure the evidence, invite a statement"},
)
def secure(
    ctx: OperationContext,
    *,
    findings: Sequence[Record],
    contain: Record | None = None,
    plan: Record | None = None,
    secured: Record | None = None,
    respondent: str | None = None,
    category: str | None = None,
) -> dict[str, Any]:
    """{"count", "digest", "witnesses", "allegations", "at"}: what there is, with a hash over all of it, before the
    respondent hears of anything (K-06)."""
    given = [{name: each.get(name) or [] for name in ("evidence", "files")} for each in [contain or {}, *findings]]
    count = sum(len(pieces) for each in ctx.open(given) for pieces in each.values())
    witnesses = [name for each in [plan or {}, secured or {}, *findings] for name in each.get("witnesses") or ()]
    told = next((each["allegations"] for each in findings if each.get("allegations")), None)
    allegations = {"zh-CN": f"被反映事项：{category}", "en": f"Reported matter: {category}"}
    if told:
        allegations = ctx.seal("allegations", dict.fromkeys(allegations, ctx.open(told)), about=respondent or "case")
    if respondent:
        text = {
            "zh-CN": "有一项事项请你陈述申辩，请在待办中办理，3 个工作日内有效",
            "en": "You are asked for a statement; see your inbox, within 3 working days",
        }
        ctx.notify([respondent], text, even_barred=True)
    return {
        "count": count,
        "digest": hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS)).hexdigest(),  # of what is sealed
        "witnesses": list(dict.fromkeys(witnesses)),
        "allegations": allegations,
        "at": stamp(ctx.now),
    }
