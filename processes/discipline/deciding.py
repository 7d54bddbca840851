"""What the system does around a proposal: reckon what the legality table is asked, and say what it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from engine import OperationContext, Operations
from processes.discipline import instalments, ladder, legality, people
from processes.discipline.opening import months_later

MINIMUM_WAGE = 2500  # yuan a month, for the demo only: the setting `min_wage_cny` holds the real one of the place
operations = Operations()


@operations.local(
    "discipline.prepare",
    parameters=[
        "proposed",
        "floor",
        "ceiling",
        "approval",
        "respondent",
        "opened",
        "proposal",
        "proposers",
        "loss_cny",
        "opinion",
        "rule_check",
    ],
    required=("proposed", "floor", "ceiling", "approval", "respondent", "opened", "proposal"),
    title={"zh-CN": "备齐合法性审查所需：时限、分期、批准人", "en": "Reckon time bar, instalments and who decides"},
)
def prepare(
    ctx: OperationContext,
    *,
    proposed: str,
    floor: str,
    ceiling: str,
    approval: str,
    respondent: str,
    opened: Mapping[str, Any],
    proposal: Mapping[str, Any],
    proposers: Sequence[str] | None = None,
    loss_cny: float | None = None,
    opinion: Mapping[str, Any] | None = None,
    rule_check: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The inputs of `sanction_legality` for the measure and for the deduction, the plan, and who is to decide.

    A written opinion counts for the measure it was given on; one written in Legal's first check counts for statutory
    grounds. Nothing here decides whether the measure is lawful: the table does.
    """
    today = ctx.calendar.today(ctx.now)
    claim = _claim(proposal.get("compensation"))
    minimum = instalments.cents(ctx.setting("min_wage_cny", MINIMUM_WAGE))
    deducted = legality.deduction(
        claim, loss=float(loss_cny or 0), minimum=minimum, first_month=months_later(today.replace(day=1), 1)
    )
    out = [*opened["barred"], *opened["investigators"], *(proposers or ())]
    if approval != "dept_head":
        out += opened["line"]
    votes = approval in legality.BY_VOTE
    approvers = [] if votes else people.deciders(ctx.directory, approval, respondent, out)
    given = bool(opinion and opinion.get("outcome") == "supported" and opinion.get("sanction") == proposed)
    written = bool(rule_check and rule_check.get("outcome") == "ok" and rule_check.get("comment"))
    return {
        "sanction": proposed,
        "deduct": "DEDUCT" if deducted["total"] else "NONE",
        "deduction": deducted,
        "plan_text": legality.plan_text(deducted["plan"]),
        "contract_clause": claim.get("contract_clause") is True,
        "written_notice": claim.get("written_notice") is True,
        "written_consent": proposal.get("written_consent") is True,
        "months_since_known": legality.months_since(date.fromisoformat(opened["known_on"]), today),
        "min_wage": minimum / 100,
        "opinion": given or (approval == legality.OPINION and written),
        "by_vote": votes,
        "matter": "dismissal" if approval.endswith("two_thirds") else "demotion",
        "approvers": approvers,
        "present": people.at_work(ctx.directory, respondent),
        "anybody": votes or len(approvers) == (1 if approval == "dept_head" else 2),
        "out": list(dict.fromkeys(out)),
    }


def _claim(stated: Any) -> Mapping[str, Any]:
    """The compensation part of a proposal; a bare number is the amount."""
    if isinstance(stated, Mapping):
        return stated
    return {"amount_cny": stated} if isinstance(stated, int | float) else {}


@operations.local(
    "discipline.explain",
    parameters=[
        "check",
        "floor",
        "ceiling",
        "approval",
        "allowed",
        "action",
        "law",
        "deduct_allowed",
        "deduct_action",
    ],
    required=("check", "floor", "ceiling", "approval", "allowed", "action", "law"),
    title={"zh-CN": "说明合法性结论与合法替代", "en": "Explain the result and the lawful alternatives"},
)
def explain(
    ctx: OperationContext,
    *,
    check: Mapping[str, Any],
    floor: str,
    ceiling: str,
    approval: str,
    allowed: bool,
    action: str,
    law: str,
    deduct_allowed: bool = True,
    deduct_action: str = "proceed",
) -> dict[str, Any]:
    """{"blocked", "codes", "text"}: whether it goes back to the officer, and why, with the law and how sure we are."""
    found = legality.findings(
        sanction=check["sanction"],
        floor=floor,
        ceiling=ceiling,
        approval=approval,
        allowed=allowed,
        action=action,
        deduct_allowed=deduct_allowed,
        deduct_action=deduct_action,
        deduct_problem=check["deduction"]["problem"],
        opinion=check["opinion"],
        anybody=check["anybody"],
        present=check["present"],
    )
    text = legality.explanation(found, sanction=check["sanction"], floor=floor, ceiling=ceiling, law=law)
    if found:
        title = ladder.TITLES[check["sanction"]]
        text = {
            "zh-CN": f"拟处分「{title['zh-CN']}」未通过：{text['zh-CN']}",
            "en": f"“{title['en']}” does not pass: {text['en']}",
        }
    return {"blocked": bool(found), "codes": found, "text": text}


@operations.local(
    "discipline.notify_union",
    parameters=("respondent", "proposed", "reasons"),
    required=("respondent", "proposed"),
    title={"zh-CN": "书面通知工会", "en": "Give the union written notice"},
)
def notify_union(ctx: OperationContext, *, respondent: str, proposed: str, reasons: Any = None) -> dict[str, Any]:
    """{"told", "on"}: the union is told who is to be dismissed and why, before anything is decided (劳动合同法 43)."""
    person = ctx.directory.person(respondent)
    names = person.names if person else {"zh-CN": respondent, "en": respondent}
    zh, en = ladder.title(proposed, "zh-CN"), ladder.title(proposed, "en").lower()
    why = ctx.open(reasons)
    why_zh, why_en = (f"，理由：{why}", f"; reasons: {why}") if why else ("", "")
    text = {
        "zh-CN": f"拟对{names['zh-CN']}{zh}，请工会提出意见{why_zh}",
        "en": f"{names['en']}: {en} is proposed; the union is asked for its opinion{why_en}",
    }
    said = ctx.seal("notice", text, about=respondent)
    return {"told": ctx.notify(["union"], said), "on": ctx.calendar.today(ctx.now).isoformat()}
