"""What the system does itself once a complaint can be decided: who decides, what follows, feedback, review, watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from engine import OperationContext, Operations
from engine.moments import moment, stamp
from processes.complaint import mailbox
from processes.complaint.operations import put, tell, today
from processes.complaint.seal import destroy
from processes.complaint.tables import definitions
from processes.registers.complaint import COMPLAINT, FINDINGS

Record = Mapping[str, Any]
operations = Operations()
WINDOW, WATCHED = timedelta(days=15), (timedelta(days=30), timedelta(days=90))
HELD = ("substantiated", "partial")
BODIES = {
    "group": ("管理小组", "the Management Group"),
    "group_deputy_presides": ("管理小组（副组长主持）", "the Management Group, the deputy presiding"),
    "admin_head": ("行政部负责人", "the head of Administration"),
    "legal_head": ("法务部负责人", "the head of Legal"),
}


@operations.local(
    "complaint.decider",
    parameters=("routing", "appointed", "report", "secured", "decision_body", "category"),
    required=("routing", "appointed", "report", "decision_body"),
    title={"zh-CN": "确定决定机构", "en": "Settle who decides"},
)
def decider(
    ctx: OperationContext,
    *,
    routing: Record,
    appointed: Record,
    report: Record,
    decision_body: str,
    secured: Record | None = None,
    category: str | None = None,
) -> dict[str, Any]:
    """{"mode": "person" | "group", "decider", "recused", "proposal", "proposed", "subject"}.

    A head decides alone where the table says so and nothing keeps them from it; else the Group, without the respondent,
    their line, the witnesses and the investigators.
    """
    out = [*routing["out"], *(secured or {}).get("witnesses", []), appointed["lead"], appointed["second"]]
    head = routing["head"] if routing["head"] not in out else None
    proposal = report.get("finding") or "substantiated"
    words = FINDINGS[proposal]
    return {
        "mode": "person" if head else "group",
        "body": decision_body if head or decision_body.startswith("group") else "group",
        "decider": head,
        "recused": list(dict.fromkeys(out)),
        "proposal": proposal,
        "proposed": words,
        "subject": f"{ctx.business_key} {category}：建议认定「{words['zh-CN']}」",
    }


@operations.local(
    "complaint.conclude",
    parameters=[
        "routing",
        "deciding",
        "report",
        "decide",
        "vote",
        "appointed",
        "respondent",
        "category",
        "identified",
    ],
    required=("deciding", "report"),
    title={"zh-CN": "登记认定、发起后续流程", "en": "Record the finding and start what follows"},
)
def conclude(
    ctx: OperationContext,
    *,
    deciding: Record,
    report: Record,
    routing: Record | None = None,
    decide: Record | None = None,
    vote: Record | None = None,
    appointed: Record | None = None,
    respondent: str | None = None,
    category: str | None = None,
    identified: Record | None = None,
) -> dict[str, Any]:
    """{"finding", "measures", "started", "told"}: only what is substantiated leaves anything about the respondent."""
    finding = _finding(deciding, report, decide, vote)
    stated = (decide or {}).get("measures") if deciding["mode"] == "person" else None
    measures = list(stated or report.get("measures") or (["improvement"] if finding in HELD else []))
    if finding not in HELD:
        measures = []
    started = _start(ctx, measures, report, respondent, appointed or {}, category)
    started += _take_down(ctx, measures, report, (identified or {}).get("account"))
    role = (identified or {}).get("role")
    put(
        ctx,
        status="decided",
        finding=finding,
        measures=measures,
        decided_by=deciding["body"],
        decided_on=today(ctx),
        resolution_no=(vote or {}).get("resolution_no") if deciding["mode"] == "group" else None,
        respondent=respondent if finding in HELD else None,
        reported_to="executive_director" if role == "chair" or finding == "referred" else None,
    )
    words = FINDINGS[finding]
    if respondent:
        text = {
            "zh-CN": f"请你陈述申辩的事项已有认定：{words['zh-CN']}",
            "en": f"The matter you were heard on was found: {words['en'].lower()}",
        }
        ctx.notify([respondent], text, even_barred=True)
    return {"finding": finding, "measures": measures, "started": started, "told": words}


def _finding(deciding: Record, report: Record, decide: Record | None, vote: Record | None) -> str:
    """What was decided. “Malicious” stands only with proof of knowing falsehood, else it is unsubstantiated."""
    if deciding["mode"] == "person":
        found = str((decide or {}).get("outcome") or "not")
        proof = (decide or {}).get("proof") or report.get("proof")
    else:
        outcome = (vote or {}).get("outcome")
        passed = outcome in ("passed", "passed_with_conditions")
        found = "referred" if (vote or {}).get("referred") else (deciding["proposal"] if passed else "not")
        proof = report.get("proof")
    return "not" if found == "malicious" and not proof else found


def _start(
    ctx: OperationContext,
    measures: list[str],
    report: Record,
    respondent: str | None,
    appointed: Record,
    category: str | None,
) -> list[str]:
    """Start discipline, in nobody's name: whoever took the complaint in has no part in what follows."""
    nobody = replace(ctx, initiator=None)
    number, started = ctx.business_key or "", []
    told = ctx.open({name: report.get(name) for name in ("facts", "comment")})
    facts = "；".join(item.get("fact") or "" for item in told["facts"] or ()) or told["comment"] or category
    if "discipline" in measures and respondent and _deployed(ctx, "discipline"):
        people = [name for name in (appointed.get("lead"), appointed.get("second")) if name]
        order = {
            "case_source": number,
            "respondent": respondent,
            "clauses": report.get("clauses") or ["四.3"],
            "facts": ctx.seal("facts", facts, about=respondent),
            "severity": report.get("severity") or 1,
            "intentional": bool(report.get("intentional")),
            "conduct_on": report.get("conduct_on"),
            "investigators": people,
        }
        nobody.start_case(
            "discipline", {key: value for key, value in order.items() if value is not None}, key="discipline"
        )
        started.append("discipline")
    return started


def _take_down(ctx: OperationContext, measures: list[str], report: Record, account: str | None) -> list[str]:
    """Start the takedown or correction of what an official account published."""
    if "takedown" not in measures or account is None or not _deployed(ctx, "takedown"):
        return []
    order = {
        "account_id": account,
        "url": report.get("content_url"),
        "reason": "complaint",
        "description": f"{ctx.business_key}：经投诉调查认定须下架或更正",
    }
    known = {key: value for key, value in order.items() if value}
    replace(ctx, initiator=None).start_case("takedown", known, key="takedown")
    return ["takedown"]


def _deployed(ctx: OperationContext, process: str) -> bool:
    found = ctx.connection.scalar(sa.select(definitions.c.process).where(definitions.c.process == process).limit(1))
    return found is not None


@operations.local(
    "complaint.tell",
    parameters=("feedback", "conclusion"),
    required=("conclusion",),
    title={"zh-CN": "投递结果", "en": "Deliver the feedback"},
)
def deliver(ctx: OperationContext, *, conclusion: Record, feedback: Record | None = None) -> dict[str, Any]:
    """{"at", "window_until", "watch_30", "watch_90", "threads"}: to the reporter and to those of merged complaints."""
    words, text = conclusion["told"], ctx.open((feedback or {}).get("message"))
    closing = "对结果有异议的，15 日内可凭本查询码申请复核；如遭打击报复，请随时写来。"
    zh = (text or f"经调查，认定：{words['zh-CN']}。") + closing
    en = (text or f"After investigation the finding is: {words['en'].lower()}.") + (
        " Within 15 days you may ask for a review here; write at once should anybody retaliate."
    )
    number = ctx.business_key or ""
    cases = [ctx.instance_id]
    for key in ctx.registers.find(COMPLAINT, merged_into=number):
        other = ctx.case_of(key)
        cases += [other["instance_id"]] if other else []
    for case in cases:
        tell(ctx, zh, en, instance_id=case)
    put(ctx, status="watching", fed_back_on=today(ctx))
    return {
        "at": stamp(ctx.now),
        "window_until": stamp(ctx.now + WINDOW),
        "watch_30": stamp(ctx.now + WATCHED[0]),
        "watch_90": stamp(ctx.now + WATCHED[1]),
        "mailboxes": len(cases),
    }


@operations.local(
    "complaint.look",
    parameters=("told",),
    required=("told",),
    title={"zh-CN": "有无复核申请", "en": "Any request for review"},
)
def look(ctx: OperationContext, *, told: Record) -> dict[str, Any]:
    """{"requested", "over", "text"}: what reporters of this and merged complaints asked for since the feedback."""
    asked = 0
    for case in [ctx.instance_id, *_merged(ctx)]:
        thread = mailbox.thread_of(ctx.connection, case)
        asked += len(mailbox.since(ctx.connection, thread, told["at"], ("review",))) if thread else 0
    text = {"zh-CN": f"收到 {asked} 份复核申请，内容见往来消息", "en": f"{asked} asked for; see the messages"}
    return {"requested": asked > 0, "over": ctx.now >= moment(told["window_until"]), "text": text if asked else None}


def _merged(ctx: OperationContext) -> list[str]:
    found = [ctx.case_of(key) for key in ctx.registers.find(COMPLAINT, merged_into=ctx.business_key)]
    return [case["instance_id"] for case in found if case]


@operations.local(
    "complaint.answer_review",
    parameters=("review",),
    required=("review",),
    title={"zh-CN": "凭码答复复核", "en": "Answer the review"},
)
def answer_review(ctx: OperationContext, *, review: Record) -> dict[str, Any]:
    """{"outcome"}: tells the reporter what the review came to."""
    reason = review.get("comment") or ""
    again = review["outcome"] == "reopen"
    zh = "复核结果：重新调查，由其他人员承办。" if again else "复核结果：维持原认定。"
    en = "Review: others investigate anew. " if again else "Review: the finding is upheld. "
    tell(ctx, zh + reason, en + reason)
    put(ctx, review=review["outcome"], status="investigating" if again else "watching")
    return {"outcome": review["outcome"]}


@operations.local(
    "complaint.note_watch",
    parameters=("watch", "watched", "category", "respondent_scope", "target"),
    required=("watch",),
    title={"zh-CN": "登记观察结果", "en": "Record the watch"},
)
def note_watch(
    ctx: OperationContext,
    *,
    watch: Record,
    watched: Record | None = None,
    category: str | None = None,
    respondent_scope: str | None = None,
    target: Any = None,
) -> dict[str, Any]:
    """{"rounds", "signals", "done"}: a sign opens a new complaint; after the second round the case closes and what was
    sealed is destroyed."""
    rounds = int((watched or {}).get("rounds") or 0) + 1
    signals = int((watched or {}).get("signals") or 0) + (watch["outcome"] == "signal")
    if watch["outcome"] == "signal":
        said = watch.get("comment")
        order = {
            "channel": "当面",
            "reporter_mode": "匿名",
            "category": "打击报复/滥用检查",
            "respondent_scope": respondent_scope or "不清楚",
            "target": target or "不明",
            "description": ctx.seal("description", f"{ctx.business_key} 报复观察发现：{ctx.open(said) or ''}"),
            "pi_exposed": False,
            "safe_followup": False,
            "related_case": ctx.business_key,
        }
        replace(ctx, initiator=None).start_case("complaint", order, key=f"retaliation {rounds}")
    done = rounds >= len(WATCHED)
    if done:
        destroyed = destroy(ctx.connection, ctx.instance_id, stamp(ctx.now))
        put(ctx, status="closed", watch="signal" if signals else "none", closed_on=today(ctx))
        ctx.events.append(
            ("register.changed", {"register": "sealed_values", "destroyed": destroyed})
        ) if destroyed else None
    else:
        tell(
            ctx,
            "回访：反映之后有没有遇到打击报复或异常对待？有的话请直接回复。",
            "Checking in: has anything like retaliation happened since? If so, just reply.",
        )
    return {"rounds": rounds, "signals": signals, "done": done}
