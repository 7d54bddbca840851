"""What the system does with a decision: the letter, its service, the register row, revocation, expiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine import OperationContext, Operations
from processes.discipline import instalments, ladder, letter, people
from processes.discipline.opening import months_later, officers, responsible_text
from processes.registers.sanction import EFFECTIVE, EXPIRED, ISSUED, PURGED, REVOKED, SANCTION, SETTLED

APPEAL_DAYS = 7  # calendar days from service
WARNING_MONTHS = 12
COMPANY = "样木家居有限公司"  # unless the setting `company_name` says otherwise
operations = Operations()
_STATED = ("facts", "clauses", "policy_version", "evidence", "reasons", "basis", "statement", "heard")


@operations.local(
    "discipline.letter",
    parameters=[
        "respondent",
        "case_source",
        "sanction",
        "severity",
        "facts",
        "clauses",
        "evidence",
        "reasons",
        "basis",
        "statement",
        "heard",
        "check",
        "approvals",
        "vote",
        "responsible",
        "added",
        "policy_version",
    ],
    required=("respondent", "sanction", "facts", "check"),
    title={"zh-CN": "制作决定书，登记台账（未生效）", "en": "Draw up the decision, enter it as not yet in effect"},
)
def draw_up(
    ctx: OperationContext,
    *,
    respondent: str,
    sanction: str,
    facts: Any,
    check: Mapping[str, Any],
    case_source: str | None = None,
    severity: int | None = None,
    clauses: Any = None,
    approvals: Sequence[Mapping[str, Any]] | None = None,
    vote: Mapping[str, Any] | None = None,
    responsible: Sequence[Mapping[str, Any]] | None = None,
    added: Sequence[str | None] | None = None,
    **stated: Any,
) -> dict[str, Any]:
    """{"decision_no", "text", "attachment", "file"}: the decision in both languages' data and its Chinese letter.

    Nothing is drawn up for somebody who left while it was being decided: {"left": True, "reason"}. A decision lowered
    after an appeal gets a number of its own; the register keeps both in the row's history.
    """
    if not people.at_work(ctx.directory, respondent):
        return {"left": True, "reason": dict(people.LEFT)}
    today = ctx.calendar.today(ctx.now)
    number = f"CF-{today.year}-{ctx.next_number(f'discipline {today.year}'):04d}"
    person = ctx.directory.person(respondent)
    name = person.names["zh-CN"] if person else respondent
    told = {
        "sanction": sanction,
        "facts": facts,
        "clauses": clauses,
        "plan_text": check["plan_text"],
        **{field: stated.get(field) for field in _STATED if field in stated},
    }
    told = ctx.open(told)  # the letter says what the case keeps sealed, and is sealed itself
    pieces = [evidence_text(told.get("evidence")), *(ctx.open(added) or ())]
    told["evidence"] = "；".join(each for each in pieces if each)
    on = f"{today.year} 年 {today.month} 月 {today.day} 日"
    from processes.discipline import letter_pdf  # a fifth of a second of imports that only this needs

    company = str(ctx.setting("company_name", COMPANY))
    content = letter_pdf.pdf(told, company=company, number=number, name=name, on=on)
    file = f"{number}.pdf"
    attachment = ctx.attach(file, content, about=respondent)
    row = {
        "respondent": respondent,
        "dept": person.department if person else None,
        "case_no": ctx.business_key,
        "decision_no": number,
        "case_source": case_source,
        "clauses": clauses,
        "policy_version": stated.get("policy_version"),
        "severity": severity,
        "sanction": sanction,
        "basis": stated.get("basis"),
        "reasons": stated.get("reasons") or facts,
        "approved_by": _approved_by(ctx, check, approvals),
        "resolution_no": vote.get("resolution_no") if vote and check["by_vote"] else None,
        "decided_on": today.isoformat(),
        "compensation_cny": instalments.yuan(check["deduction"]["total"]) if check["deduction"]["total"] else None,
        "instalments": check["plan_text"] if check["deduction"]["plan"] else None,
        "responsible_persons": [responsible_text(ctx, each) for each in responsible or ()],
        "letter": file,
        "status": ISSUED,
    }
    ctx.registers.put(SANCTION, ctx.business_key or ctx.instance_id, row)
    text = ctx.seal("text", letter.text(told), about=respondent)
    return {
        "decision_no": number,
        "text": text,
        "attachment": attachment,
        "file": file,
        "left": False,
        "reason": None,
    }


def evidence_text(evidence: Any) -> str:
    """A list of evidence, one piece after the other, as a letter names it."""
    if isinstance(evidence, str):
        return evidence
    found: list[str] = []
    for each in evidence or ():
        if isinstance(each, Mapping):
            found.append("，".join(str(value) for value in each.values() if value not in (None, "")))
        else:
            found.append(str(each))
    return "；".join(found)


def _approved_by(
    ctx: OperationContext, check: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]] | None
) -> list[Any]:
    """Usernames, or the Group by its name."""
    if check["by_vote"]:
        group = ctx.directory.group(people.GROUP)
        return [dict(group.names)] if group else []
    return [str(each["by"]) for each in approvals or () if each.get("outcome") == "approved"]


@operations.local(
    "discipline.served",
    parameters=("respondent", "way", "check", "letter", "others"),
    required=("respondent", "way", "check", "letter"),
    title={"zh-CN": "登记送达，开始申诉期", "en": "Record service; the time for an appeal begins"},
)
def record_service(
    ctx: OperationContext,
    *,
    respondent: str,
    way: str,
    check: Mapping[str, Any],
    letter: Mapping[str, Any],
    others: Sequence[str | None] | None = None,
) -> dict[str, Any]:
    """{"on", "way", "appeal_until", "reviewers"}. The employee and HR are told, payroll when wages are touched, nobody
    else. Reviewers are those who had no part: not investigators, proposers, deciders or the respondent's line."""
    until = ctx.now + timedelta(days=APPEAL_DAYS)
    today, last = ctx.calendar.today(ctx.now), ctx.calendar.today(until)
    out = {*check["out"], *check["approvers"], *(name for name in others or () if name)}
    from_line = ctx.directory.person(respondent)
    if from_line and from_line.department:
        head = ctx.directory.department(from_line.department)
        out |= {head.head} if head and head.head else set()
    if check["by_vote"]:
        out |= set(people.members(ctx.directory, people.GROUP))
    number = letter["decision_no"]
    fields = {"served": way, "served_on": today.isoformat(), "appeal_until": last.isoformat()}
    ctx.registers.put(SANCTION, ctx.business_key or ctx.instance_id, fields)
    ctx.notify(
        [f"u:{respondent}"],
        {
            "zh-CN": f"决定书 {number} 已送达，可在 {last.isoformat()} 前申诉",
            "en": f"Decision {number} has been served; an appeal may be filed until {last.isoformat()}",
        },
        even_barred=True,
    )
    ctx.notify(["hr_head"], {"zh-CN": f"决定书 {number} 已送达本人", "en": f"Decision {number} has been served"})
    if check["deduction"]["plan"]:
        ctx.notify(
            ["payroll"],
            {
                "zh-CN": f"决定书 {number} 含扣款计划，申诉期满前不得扣款",
                "en": f"Decision {number} has a deduction plan; nothing may be deducted before the appeal time is over",
            },
        )
    return {
        "on": today.isoformat(),
        "way": way,
        "appeal_until": last.isoformat(),
        "until": until.isoformat(),
        "reviewers": people.reviewers(ctx.directory, out),
        "out": sorted(out),
    }


@operations.local(
    "discipline.revoke",
    parameters=("respondent", "reasons"),
    required=("respondent",),
    title={"zh-CN": "撤销决定，移出有效台账", "en": "Revoke; the row no longer counts"},
)
def revoke(ctx: OperationContext, *, respondent: str, reasons: Sequence[str | None] | None = None) -> dict[str, Any]:
    """{"outcome": "revoked"}: the row keeps that there was a decision and that it was revoked, and says nothing more of
    the person: not a prior, not in appraisals. What was decided and why stays in the case's own history alone."""
    row = ctx.registers.get(SANCTION, ctx.business_key or ctx.instance_id) or {}
    fields = {"status": REVOKED, "appeal": "revoke", "revoked_on": ctx.calendar.today(ctx.now).isoformat()}
    ctx.registers.put(SANCTION, ctx.business_key or ctx.instance_id, {**dict.fromkeys(PURGED), **fields})
    text = {
        "zh-CN": f"申诉成立，决定书 {row.get('decision_no')} 已撤销，不留记录",
        "en": f"The appeal succeeded: decision {row.get('decision_no')} is revoked and counts nowhere",
    }
    ctx.notify([f"u:{respondent}"], text, even_barred=True)
    ctx.notify([*officers(ctx), "hr_head"], text)
    return {"outcome": "revoked", "reasons": [each for each in reasons or () if each]}


@operations.local(
    "discipline.record",
    parameters=("respondent", "sanction", "appeal", "reviews"),
    required=("respondent", "sanction"),
    title={"zh-CN": "台账生效、警告失效日、绩效数据", "en": "The row takes effect; warning expiry; appraisals"},
)
def record(
    ctx: OperationContext,
    *,
    respondent: str,
    sanction: str,
    appeal: str | None = None,
    reviews: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """{"status", "warning_expires"}: the row takes effect. A warning starts the case that ends it after 12 months."""
    today = ctx.calendar.today(ctx.now)
    key = ctx.business_key or ctx.instance_id
    expires = months_later(today, WARNING_MONTHS).isoformat() if sanction == "WARNING" else None
    fields = {
        "status": SETTLED if sanction == "COACHING" else EFFECTIVE,
        "executed_on": today.isoformat(),
        "warning_expires": expires,
        "appeal": ("reduce" if appeal == "reduced" else "uphold") if reviews else "none",
    }
    row = ctx.registers.put(SANCTION, key, fields)
    if expires:
        at = datetime.fromisoformat(expires).replace(hour=9, tzinfo=ctx.calendar.zone).isoformat()
        wanted = {"case_no": key, "expires_at": at, "decision_no": row.get("decision_no"), "respondent": respondent}
        ctx.start_case("warning_expiry", wanted, key=f"expiry {row.get('decision_no')}")
    words = ladder.TITLES[sanction]
    text = {
        "zh-CN": f"决定书 {row.get('decision_no')}（{words['zh-CN']}）已执行",
        "en": f"Decision {row.get('decision_no')} ({words['en'].lower()}) has been carried out",
    }
    ctx.notify([f"u:{respondent}"], text, even_barred=True)
    ctx.notify([*officers(ctx), "hr_head"], text)
    return {"status": fields["status"], "warning_expires": expires, "decision_no": row.get("decision_no")}


@operations.local(
    "discipline.expire",
    parameters=("case_no", "decision_no"),
    required=("case_no",),
    title={"zh-CN": "警告失效", "en": "The warning expires"},
)
def expire(ctx: OperationContext, *, case_no: str, decision_no: str | None = None) -> dict[str, Any]:
    """{"expired"}: the warning leaves what counts; employee and HR are told. A row that was revoked stays revoked."""
    row = ctx.registers.get(SANCTION, case_no) or {}
    if row.get("status") != EFFECTIVE or row.get("decision_no") != decision_no:
        return {"expired": False}
    ctx.registers.put(SANCTION, case_no, {"status": EXPIRED})
    text = {
        "zh-CN": f"书面警告 {decision_no} 已满 12 个月失效，不再用于绩效",
        "en": f"Written warning {decision_no} has expired after 12 months and no longer counts in appraisals",
    }
    ctx.notify([f"u:{row['respondent']}"], text, even_barred=True)
    ctx.notify(["hr_head"], text)
    return {"expired": True}
