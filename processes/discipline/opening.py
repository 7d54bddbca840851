"""What the system does before a sanction is proposed: the source, the facts it knows itself, who must stay out."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from engine import OperationContext, Operations
from engine.errors import Text
from processes.discipline import ladder
from processes.organisation import superior
from processes.registers.account import ACCOUNT
from processes.registers.sanction import SANCTION, SETTLED, effective_warnings
from processes.registers.training import POLICY_VERSION, TRAINING

COMPLAINT, CONTENT = "complaint", "content"
INVESTIGATIONS = ("investigate", "secure")  # steps of a complaint whose actors investigated (X10)
REVIEWS = ("t1_review", "legal_review", "urgent")  # steps of a content case whose actors reviewed it
SUBSTANTIATED = ("substantiated", "partial")
TARGET_DAYS, NOTICE_DAYS = 60, 30  # calendar days: the aim from learning of it to the end; warning before the red line
RED_LINE_MONTHS: Mapping[str, int] = {"浙江": 5}
RED_LINE_ELSEWHERE = 12
operations = Operations()

_REFUSALS: dict[str, tuple[str, str]] = {
    "anonymous": (
        "匿名线索不得直接立案处分，请先按投诉举报调查核实",
        "An anonymous lead is no ground for discipline; have it investigated as a complaint first",
    ),
    "not_substantiated": (
        "来源案件尚未查实，不得立案处分",
        "The source case has not been found substantiated",
    ),
    "dispatched": (
        "派遣或外包人员由其用工单位处理，请退回派遣单位并附事实材料",
        "Dispatched and agency staff are referred back to their employer, with the facts",
    ),
    "not_at_work": ("当事人不在职，不再作处分", "The employee has left; there is nothing to sanction"),
}


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months on, or that month's last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@operations.local(
    "discipline.open",
    parameters=[
        "case_source",
        "respondent",
        "province",
        "conduct_on",
        "known_on",
        "priors_12m",
        "evidence",
        "excluded",
        "investigators",
        "official_account",
        "content_case",
    ],
    required=("case_source", "respondent"),
    title={"zh-CN": "立案核查：来源、签收、前科、回避、时限", "en": "Open: source, sign-off, priors, recusals, time"},
)
def open_case(
    ctx: OperationContext,
    *,
    case_source: str,
    respondent: str,
    province: str | None = None,
    conduct_on: str | None = None,
    known_on: str | None = None,
    priors_12m: int | None = None,
    evidence: Any = None,
    excluded: Sequence[str] | None = None,
    investigators: Sequence[str] | None = None,
    official_account: str | None = None,
    content_case: str | None = None,
) -> dict[str, Any]:
    """Everything the case takes from the company's own records, and whether it may be opened at all.

    {"admitted", "reason", "employment_type", "policy_signed_on", "policy_version", "signed_before", "province",
    "conduct_on", "known_on", "priors", "barred", "line", "investigators", "responsible", "target_at", "warn_at",
    "red_line", "summary"}. Dates are ISO; `barred` may do nothing in the case, `line` is the respondent's superior.
    """
    today = ctx.calendar.today(ctx.now)
    person = ctx.directory.person(respondent)
    above = superior(ctx.directory, respondent)
    conduct = date.fromisoformat(conduct_on) if conduct_on else today
    known = date.fromisoformat(known_on) if known_on else today
    signed_on, version = _signature(ctx, respondent, conduct)
    place = province or str(ctx.setting("province", "广东"))
    counted = len(effective_warnings(ctx.registers.all(SANCTION), respondent, today))
    source = _source(ctx, case_source)
    refused = _refusal(case_source, source, person)
    red_line = months_later(known, RED_LINE_MONTHS.get(place, RED_LINE_ELSEWHERE))
    answer: dict[str, Any] = {
        "admitted": refused is None,
        "reason": dict(zip(("zh-CN", "en"), _REFUSALS[refused], strict=True)) if refused else None,
        "employment_type": person.employment_type if person else None,
        "policy_signed_on": signed_on.isoformat() if signed_on else None,
        "policy_version": version,
        "signed_before": signed_on is not None and signed_on <= conduct,
        "province": place,
        "conduct_on": conduct.isoformat(),
        "known_on": known.isoformat(),
        "priors": max(counted, priors_12m or 0),
        "barred": list(dict.fromkeys([respondent, *(excluded or ())])),
        "line": [above] if above else [],
        "investigators": _investigators(ctx, source, investigators or ()),
        "responsible": _responsible(ctx, official_account, content_case, conduct),
        "target_at": _noon(ctx, known + timedelta(days=TARGET_DAYS)),
        "warn_at": _noon(ctx, red_line - timedelta(days=NOTICE_DAYS)),
        "red_line": red_line.isoformat(),
    }
    stated = {"conduct": bool(conduct_on), "known": bool(known_on), "evidence": bool(evidence), "priors": priors_12m}
    return answer | {"summary": _summary(ctx, answer, counted, stated, source)}


def _signature(ctx: OperationContext, respondent: str, conduct: date) -> tuple[date | None, str]:
    """When the rules in force at the conduct were signed, and their version: the last signature before the conduct, or,
    when there is none, the first after it. Who signs again every year has signed before, so earlier ones count too."""
    row, person = ctx.registers.get(TRAINING, respondent) or {}, ctx.directory.person(respondent)
    current = str(ctx.setting("policy_version", POLICY_VERSION))
    found = [(each.get("signed_on"), each.get("policy_version")) for each in (row, *row.get("history", []))]
    found.append((person.policy_signed_on if person else None, None))
    signed = sorted((date.fromisoformat(str(on)[:10]), str(version or current)) for on, version in found if on)
    before = [each for each in signed if each[0] <= conduct]
    return before[-1] if before else signed[0] if signed else (None, current)


def officers(ctx: OperationContext) -> list[str]:
    """Whoever opened the case, and the discipline officers; a case that another one started was opened by nobody."""
    opener = ctx.initiator if ctx.initiator and ctx.directory.person(ctx.initiator) else None
    return [*([opener] if opener else []), "discipline_officer"]


def _noon(ctx: OperationContext, day: date) -> str:
    """Nine in the morning of that day, as an aware ISO time."""
    local = ctx.now.astimezone(ctx.calendar.zone)
    return local.replace(
        year=day.year, month=day.month, day=day.day, hour=9, minute=0, second=0, microsecond=0
    ).isoformat()


def _source(ctx: OperationContext, case_source: str) -> dict[str, Any] | None:
    """The case or register row the source names, if we have it: {"instance_id", "is_complaint", "finding"}."""
    key = case_source.strip()
    found = ctx.case_of(key)
    row = ctx.registers.get(COMPLAINT, key) or {}
    if found is None and not row:
        return None
    return {
        "instance_id": found["instance_id"] if found else None,
        "finding": row.get("finding"),
        "is_complaint": bool(row) or (found is not None and found["process"] == COMPLAINT),
    }


def _refusal(case_source: str, source: Mapping[str, Any] | None, person: Any) -> str | None:
    if source is None and ("匿名" in case_source or "anonym" in case_source.lower()):
        return "anonymous"
    if source is not None and source["is_complaint"] and source["finding"] not in SUBSTANTIATED:
        return "not_substantiated"
    if person is None or not person.active:
        return "not_at_work"
    if person.employment_type in ("dispatched", "agency"):
        return "dispatched"
    return None


def _investigators(ctx: OperationContext, source: Mapping[str, Any] | None, stated: Sequence[str]) -> list[str]:
    """Who investigated: as stated, and whoever completed an investigating step of the source case."""
    found = list(stated)
    if source and source["instance_id"]:
        for element in INVESTIGATIONS:
            found += [str(done["by"]) for done in ctx.completed_in(source["instance_id"], element) if done.get("by")]
    return list(dict.fromkeys(found))


def _responsible(
    ctx: OperationContext, account: str | None, content_case: str | None, conduct: date
) -> list[dict[str, Any]]:
    """相关责任人 for an official account, from history: {"role", "username", "source"} each.

    Author, reviewers and publisher of the content case, and who answered for the account on the day of the conduct.
    """
    found: list[dict[str, Any]] = []
    if content_case:
        found += _from_content(ctx, content_case.strip())
    row = ctx.registers.get(ACCOUNT, account) if account else None
    for tenure in (row or {}).get("responsible_history", []):
        since, until = tenure.get("from"), tenure.get("to")
        if (not since or since <= conduct.isoformat()) and (not until or conduct.isoformat() <= until):
            found.append({"role": "account_responsible", "username": tenure["responsible"], "source": account})
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _from_content(ctx: OperationContext, number: str) -> list[dict[str, Any]]:
    """Author, reviewers and publisher of a content case: from its register row and from who completed its steps."""
    row = ctx.registers.get(CONTENT, number) or {}
    people: list[tuple[str, Any]] = [("author", name) for name in row.get("authors") or ()]
    people += [("reviewer", name) for name in row.get("approved_by") or ()]
    people += [("publisher", post.get("by")) for post in (row.get("posts") or {}).values()]
    case = ctx.case_of(number)
    if case:
        for element in REVIEWS:
            people += [("reviewer", done.get("by")) for done in ctx.completed_in(case["instance_id"], element)]
    known = [(role, name) for role, name in people if name and ctx.directory.person(str(name))]
    return [{"role": role, "username": name, "source": number} for role, name in known]


_ROLES: dict[str, Text] = {
    "author": {"zh-CN": "作者", "en": "author"},
    "reviewer": {"zh-CN": "审核人", "en": "reviewer"},
    "publisher": {"zh-CN": "发布人", "en": "publisher"},
    "account_responsible": {"zh-CN": "账号负责人", "en": "responsible for the account"},
}


def responsible_text(ctx: OperationContext, each: Mapping[str, Any]) -> dict[str, str]:
    """A responsible person in words: who, as what, known from where."""
    person = ctx.directory.person(each["username"])
    names = person.names if person else {"zh-CN": each["username"], "en": each["username"]}
    role = _ROLES[each["role"]]
    return {
        "zh-CN": f"{names['zh-CN']}（{role['zh-CN']}，{each['source']}）",
        "en": f"{names['en']} ({role['en']}, {each['source']})",
    }


def _summary(
    ctx: OperationContext,
    answer: Mapping[str, Any],
    counted: int,
    stated: Mapping[str, Any],
    source: Mapping[str, Any] | None,
) -> Text:
    """What the system found, line by line, for Legal's check."""
    signed = answer["policy_signed_on"]
    zh = [
        f"制度版本：{answer['policy_version']}；签收日：{signed or '未签收'}；行为日：{answer['conduct_on']}"
        + ("（行为前已签收）" if answer["signed_before"] else "（行为前未签收，不得据此处罚）"),
        f"12 个月内有效警告：{answer['priors']} 次（台账 {counted} 次）",
        f"知悉日：{answer['known_on']}；处理红线：{answer['red_line']}",
    ]
    en = [
        f"Rules of version {answer['policy_version']}, signed on: {signed or 'never'}; "
        + f"conduct on {answer['conduct_on']}"
        + (" (signed before)" if answer["signed_before"] else " (not signed before: no ground for a sanction)"),
        f"Effective warnings within 12 months: {answer['priors']} ({counted} in the register)",
        f"Known since {answer['known_on']}; red line {answer['red_line']}",
    ]
    if not stated["conduct"] or not stated["known"]:
        zh.append("行为日或知悉日未填，暂按立案日计，请核对")
        en.append("Day of conduct or of learning not given, taken as today; please check")
    if not stated["evidence"]:
        zh.append("未列证据清单：解除、减薪等决定由单位举证（法释〔2020〕26 号 44，未核原文，L15）")
        en.append("No evidence listed: the employer must prove its decision (Interpretation 2020 No. 26, 44; L15)")
    if source is None:
        zh.append("来源不在本系统，请法务核对查实材料")
        en.append("The source is not in this system; Legal checks the papers")
    for each in answer["responsible"]:
        said = responsible_text(ctx, each)
        zh.append(f"相关责任人：{said['zh-CN']}")
        en.append(f"Responsible: {said['en']}")
    return {"zh-CN": "\n".join(zh), "en": "\n".join(en)}


@operations.local(
    "discipline.warn",
    parameters=("kind", "red_line"),
    required=("kind", "red_line"),
    title={"zh-CN": "处理时限预警", "en": "Warn of the time limit"},
)
def warn(ctx: OperationContext, *, kind: str, red_line: str) -> dict[str, Any]:
    """Tell the officer, HR's and Legal's heads that the aim of 60 days is past ("target") or the red line is near."""
    texts = {
        "target": (
            f"违规处理 {ctx.business_key} 已超过知悉起 60 日的目标，处理红线 {red_line}",
            f"Discipline {ctx.business_key} is past its aim of 60 days; the red line is {red_line}",
        ),
        "red_line": (
            f"违规处理 {ctx.business_key} 距处理红线 {red_line} 不足 30 日，逾期将难以解除",
            f"Discipline {ctx.business_key}: fewer than 30 days to the red line {red_line}",
        ),
    }
    zh, en = texts[kind]
    return {"told": ctx.notify(["discipline_officer", "hr_head", "legal_head"], {"zh-CN": zh, "en": en})}


@operations.local(
    "discipline.coach_or_close",
    parameters=("respondent", "max_sanction", "protected_speech", "signed_before", "reason", "failed", "stated"),
    required=("respondent", "max_sanction"),
    title={"zh-CN": "谈话提醒补课，或结案", "en": "Coach and retrain, or close"},
)
def coach_or_close(
    ctx: OperationContext,
    *,
    respondent: str,
    max_sanction: str,
    protected_speech: bool | None = None,
    signed_before: bool | None = None,
    reason: str | None = None,
    failed: Sequence[str] | None = None,
    stated: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"outcome": "COACHING" | "NONE", "reason"}: a case that did not pass Legal's check ends without a sanction.

    Protected speech, unproven facts and a time bar end it; otherwise the superior holds a coaching talk, a case of
    training and sign-off makes up for what is missing, and the register keeps the talk, which is no sanction.
    """
    ended = protected_speech or max_sanction == "NONE" or "time_barred" in (failed or ())
    told = officers(ctx)
    if ended:
        zh, en = "不予处分，已结案", "closed without a sanction"
        if protected_speech:
            zh += "。依法举报、维权受保护，不得以调岗、降薪等方式打击报复（劳动法 88、劳动合同法 79，未核原文，L19）"
            en += ". Lawful reports are protected; no transfer, pay cut or other retaliation (Labour Law 88; L19)"
            told += ["hr_head", "internal_audit"]
        ctx.notify(told, {"zh-CN": f"违规处理 {ctx.business_key} {zh}", "en": f"Discipline {ctx.business_key}: {en}"})
        return {"outcome": "NONE", "reason": reason}
    record = {
        **(stated or {}),
        "respondent": respondent,
        "sanction": "COACHING",
        "status": SETTLED,
        "case_no": ctx.business_key,
        "decided_on": ctx.calendar.today(ctx.now).isoformat(),
        "reasons": reason,
    }
    ctx.registers.put(SANCTION, ctx.business_key or ctx.instance_id, record)
    head = superior(ctx.directory, respondent)
    missing = signed_before is not True
    if missing:
        person = ctx.directory.person(respondent)
        reason_of_training = "revision" if person and person.policy_signed_on else "onboarding"
        wanted = {"person": respondent, "reason": reason_of_training}
        ctx.start_case("training_signoff", wanted, key="training")
    zh = "谈话提醒" + ("，并补训、补签制度" if missing else "")
    en = "a coaching talk" + (", and the missing training and sign-off" if missing else "")
    ctx.notify(
        [*told, head or "hr_head"],
        {
            "zh-CN": f"违规处理 {ctx.business_key} 不作处分，请安排{zh}",
            "en": f"Discipline {ctx.business_key}: no sanction; please arrange {en}",
        },
    )
    ctx.notify(
        [respondent],
        {"zh-CN": f"有一项事项不作处分：{zh}", "en": f"A matter ends without a sanction: {en}"},
        even_barred=True,
    )
    return {"outcome": "COACHING", "reason": reason}


@operations.local(
    "discipline.close",
    parameters=("respondent", "outcome", "reason"),
    required=("respondent", "outcome"),
    title={"zh-CN": "不予处分，结案", "en": "Close without a sanction"},
)
def close(ctx: OperationContext, *, respondent: str, outcome: str, reason: Text | str | None = None) -> dict[str, Any]:
    """{"outcome", "reason"}: tell the officer why it ended; the respondent only when they know of the case.

    A decision that a deciding body took back leaves its row as revoked; otherwise nothing is recorded.
    """
    row = ctx.registers.get(SANCTION, ctx.business_key or ctx.instance_id)
    if row and row.get("status") == "issued":
        ctx.registers.put(SANCTION, ctx.business_key or ctx.instance_id, {"status": "revoked"})
    said = reason if isinstance(reason, Mapping) else {"zh-CN": reason or "", "en": reason or ""}
    text = {
        "zh-CN": f"违规处理 {ctx.business_key} 已结案，不予处分" + (f"：{said['zh-CN']}" if said["zh-CN"] else ""),
        "en": f"Discipline {ctx.business_key} closed without a sanction" + (f": {said['en']}" if said["en"] else ""),
    }
    ctx.notify(officers(ctx), text)
    if ctx.completed("statement"):
        ctx.notify(
            [respondent],
            {"zh-CN": "与你有关的违规处理已结案，不予处分", "en": "The case about you is closed without a sanction"},
            even_barred=True,
        )
    return {"outcome": outcome, "reason": dict(said), "title": ladder.TITLES["NONE"]}
