"""What the tables `discipline_range` and `sanction_legality` are asked, and their answers in words.

The tables decide; here is only what has to be reckoned for them (months, instalments, who decides) and said afterwards
(why it cannot be done, on what article, how sure we are of it, and what may be done instead).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from engine.errors import Text
from processes.discipline import instalments, ladder
from processes.discipline.people import LEFT
from processes.law import cite

OPINION = "legal_opinion_then_group_two_thirds"
BY_VOTE = ("group_majority", "group_two_thirds", OPINION)
CURED_BY_OPINION = ("negotiate_or_legal_opinion", "legal_opinion_time_bar")
NOTICE_FIRST = "notify_union_first"

_ACTIONS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "block_use_warning_or_compensation": (
        "罚款在广东不能执行",
        "A fine cannot be carried out in Guangdong",
        ("L04", "L05"),
    ),
    "block_legal_override_two_person": (
        "罚款没有明文依据，本流程不执行罚款",
        "A fine has no express basis in law; this procedure carries none out",
        ("L05",),
    ),
    "negotiate_or_legal_opinion": (
        "降职须本人书面同意；没有同意的，先取得法务书面意见",
        "A demotion needs the employee's written agreement; without it, a written legal opinion first",
        ("L08", "L10"),
    ),
    NOTICE_FIRST: (
        "辞退须先将理由书面通知工会",
        "Before a dismissal the union is told the reasons in writing",
        ("L11", "L16"),
    ),
    "legal_opinion_time_bar": (
        "知悉至今已超过处理时限，须法务书面意见",
        "Too long since the breach became known; a written legal opinion is needed",
        ("L18", "L13"),
    ),
    "no_basis": (
        "赔偿扣款没有劳动合同或依法制度的约定，不能从工资扣",
        "Neither contract nor lawful rules provide for compensation, so nothing can be taken from wages",
        ("L01",),
    ),
    "serve_written_notice_first": (
        "扣赔偿前须先书面告知本人原因及数额",
        "The employee must first be told reason and amount of the compensation in writing",
        ("L03",),
    ),
    "reschedule_instalments": (
        "每月扣款超过当月工资 20% 或扣后低于最低工资，请改分期",
        "The monthly deduction exceeds 20% of the wage or leaves less than the minimum wage; change the instalments",
        ("L01",),
    ),
}
_OWN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "out_of_range": (
        "拟处分不在本案幅度内",
        "What is proposed lies outside the range of this case",
        (),
    ),
    "opinion_needed": (
        "所依据的制度未经本人签收，只能依据法定事由处理：须先取得法务书面意见",
        "The employee had not signed the rules, so only statutory grounds remain: a written legal opinion first",
        ("L07",),
    ),
    "over_loss": (
        "赔偿额超过已证实的直接损失",
        "The compensation exceeds the proven direct loss",
        ("L01",),
    ),
    "no_wage": (
        "要求赔偿的，请填写月工资，以便计算分期",
        "To claim compensation, give the monthly wage so that instalments can be worked out",
        ("L01",),
    ),
    "nothing_deductible": (
        "月工资不高于最低工资，不能从工资扣；请另行协商或通过仲裁、诉讼追偿",
        "The wage does not exceed the minimum wage, so nothing can be taken from it; settle or claim it otherwise",
        ("L01",),
    ),
    "too_many_instalments": (
        "按法定上限须扣十年以上，请另行协商或通过仲裁、诉讼追偿",
        "At the legal limit it would take more than ten years; settle or claim it otherwise",
        ("L01",),
    ),
    "left": (
        LEFT["zh-CN"] + "。请选「不予处分」结案",
        LEFT["en"] + ". Choose “no sanction” to close",
        (),
    ),
    "nobody_decides": (
        "没有可以批准的人：有权批准者均须回避，请报执行董事",
        "Nobody may approve: all who could are recused; refer it to the executive director",
        (),
    ),
}


def months_since(known_on: date, today: date) -> float:
    """Months from one date to another: whole ones, and a half when some days are over, so `> 5` means past five."""
    months = (today.year - known_on.year) * 12 + today.month - known_on.month
    if today.day < known_on.day:
        return max(0, months - 1) + 0.5
    return max(0, months) + (0.5 if today.day > known_on.day else 0)


def deduction(claim: Mapping[str, Any], *, loss: float, minimum: int, first_month: date) -> dict[str, Any]:
    """What is to be taken from wages: `{"total", "plan", "ratio", "wage_after", "problem"}`.

    `claim` is the proposal's `compensation` (yuan); `minimum` is cents, `total` and the plan's amounts are cents,
    `wage_after` is yuan, as the table compares it. `problem` is a code of `_OWN` or None.
    """
    nothing: dict[str, Any] = {"total": 0, "plan": [], "ratio": 0.0, "wage_after": 0.0, "problem": None}
    total = instalments.cents(claim.get("amount_cny") or 0)
    if total <= 0:
        return nothing
    if total > instalments.cents(loss):
        return nothing | {"total": total, "problem": "over_loss"}
    wage = instalments.cents(claim.get("month_wage_cny") or 0)
    if wage <= 0:
        return nothing | {"total": total, "problem": "no_wage"}
    wanted = instalments.cents(claim.get("monthly_cny") or 0)
    try:
        plan = instalments.plan(total, wage=wage, minimum=minimum, first_month=first_month, wanted=wanted or None)
    except instalments.NothingDeductible:
        return nothing | {"total": total, "problem": "nothing_deductible"}
    except instalments.TooManyInstalments:
        return nothing | {"total": total, "problem": "too_many_instalments"}
    asked = wanted or plan[0].amount  # the table judges what was asked for, the plan shows what is allowed
    return {
        "total": total,
        "plan": [asdict(each) for each in plan],
        "ratio": asked / wage,
        "wage_after": (wage - asked) / 100,
        "problem": None,
    }


def plan_text(plan: Sequence[Mapping[str, Any]]) -> Text:
    """The instalments in words, in both languages; empty texts for none."""
    if not plan:
        return {"zh-CN": "", "en": ""}
    total = sum(each["amount"] for each in plan)
    zh = [f"合计 {instalments.yuan(total)} 元，分 {len(plan)} 期"]
    en = [f"{instalments.yuan(total)} yuan in {len(plan)} instalments"]
    for each in plan:
        amount, left, rest = (instalments.yuan(each[name]) for name in ("amount", "wage_after", "remaining"))
        zh.append(f"{each['month']}：扣 {amount} 元，扣后工资 {left} 元，尚余 {rest} 元")
        en.append(f"{each['month']}: {amount} yuan, wage left {left} yuan, still owed {rest} yuan")
    return {"zh-CN": "\n".join(zh), "en": "\n".join(en)}


def findings(
    *,
    sanction: str,
    floor: str,
    ceiling: str,
    approval: str,
    allowed: bool,
    action: str,
    deduct_allowed: bool,
    deduct_action: str,
    deduct_problem: str | None,
    opinion: bool,
    anybody: bool,
    present: bool = True,
) -> list[str]:
    """Codes of everything in the way of the proposal; a dismissal that only lacks the union's notice has none."""
    if not present:
        return ["left"]
    found: list[str] = []
    cured = action == NOTICE_FIRST or (action in CURED_BY_OPINION and opinion)
    if not allowed and not cured:
        found.append(action)
    elif sanction == "NONE" or not ladder.within(sanction, floor, ceiling):
        found.append("out_of_range")
    elif approval == OPINION and sanction != "COACHING" and not opinion:
        found.append("opinion_needed")
    if deduct_problem:
        found.append(deduct_problem)
    elif not deduct_allowed:
        found.append(deduct_action)
    if not found and not anybody:
        found.append("nobody_decides")
    return found


def explanation(found: Sequence[str], *, sanction: str, floor: str, ceiling: str, law: str) -> Text:
    """Why it can or cannot go on, the articles with how sure we are, and what may be done instead."""
    if not found:
        return {
            "zh-CN": f"合法性审查通过（依据：{law}）",
            "en": f"Passes the legality gate (basis: {law})",
        }
    zh: list[str] = []
    en: list[str] = []
    for code in found:
        words, english, articles = (_ACTIONS | _OWN)[code]
        zh.append(f"{words}。")
        en.append(f"{english}.")
        if articles:
            zh.append(cite(articles, "zh-CN"))
            en.append(cite(articles, "en"))
    choices = ladder.between(floor, ceiling)
    listed_zh = "、".join(ladder.title(each, "zh-CN") for each in choices) or ladder.title("NONE", "zh-CN")
    listed_en = ", ".join(ladder.title(each, "en").lower() for each in choices) or "no sanction"
    zh.append(f"本案幅度内可选：{listed_zh}。")
    en.append(f"Within the range of this case: {listed_en}.")
    if sanction == ladder.FINE:
        zh.append("罚款的合法替代：书面警告、改进计划；确有直接损失的，按约定要求赔偿并分期扣款。")
        zh.append("制度文本含罚款条款本身即有被责令改正的风险，建议提请修订。")
        en.append(
            "Lawful instead of a fine: a written warning, an improvement plan; for proven direct loss, compensation as "
            "agreed, in instalments."
        )
        en.append("That the policy names fines is itself a risk; propose to revise it.")
    return {"zh-CN": "\n".join(zh), "en": "\n".join(en)}
