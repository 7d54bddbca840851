"""Erasing personal data of one case: asked for by one person, approved by another, when the time to keep it is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine import OperationContext, Operations, erasing
from engine.errors import Text
from engine.identity import LOCAL, barred_of
from engine.moments import moment, stamp
from processes import retention
from processes.complaint.seal import destroy
from processes.complaint.tables import instances, messages, threads
from processes.organisation import first_staffed

Record = Mapping[str, Any]
operations = Operations()
APPROVERS = ("legal_head", "internal_audit", "hr_head", "group_deputy_chair", "group_chair")
RULES: Mapping[str, Text] = {
    "retention": {"zh-CN": "保存期满", "en": "the time to keep it is over"},
    "pipl_47": {"zh-CN": "个人信息保护法 47（本人要求）", "en": "PIPL 47, at the person's request"},
}
PROBLEMS: Mapping[str, Text] = {
    "none": {"zh-CN": "没有可销毁的个人信息", "en": "There is no personal data to erase"},
    "open": {"zh-CN": "案件尚未结束", "en": "The case has not ended"},
    "hold": {"zh-CN": "法律保全期间不得销毁", "en": "Nothing is erased while a legal hold stands"},
    "keep": {"zh-CN": "保存期未满：", "en": "It must still be kept: "},
    "lent": {"zh-CN": "其附件仍为另一案件所用", "en": "Another case still uses its files"},
    "nobody": {"zh-CN": "没有无关的批准人", "en": "There is nobody without a part in it to approve"},
}


@operations.local(
    "personal_erasure.check",
    parameters=("case_no", "about", "rule"),
    required=("case_no", "rule"),
    title={"zh-CN": "核对能否销毁", "en": "Check whether it may be erased"},
)
def check(ctx: OperationContext, *, case_no: str, rule: str, about: str | None = None) -> dict[str, Any]:
    """{"allowed", "problem", "instance_id", "rule", "told", "approver", "barred"}.

    Whoever the case is kept from is answered as if it held nothing.
    """
    case = ctx.case_of(case_no.strip())
    instance_id = case["instance_id"] if case else None
    barred = sorted(barred_of(ctx.connection, instance_id)) if instance_id else []
    if instance_id is None or ctx.by in barred:
        return _refused(PROBLEMS["none"])
    found = problem_of(ctx, instance_id, about)
    whom = erasing.live(ctx.connection, instance_id, about)
    named = first_staffed(ctx.directory, APPROVERS, [ctx.by, ctx.initiator, *barred, *whom])[:1]
    if found is None and not named:
        found = PROBLEMS["nobody"]
    if found is not None:
        return {**_refused(found), "barred": barred}
    kept = _kept(ctx, instance_id)
    applied = "；".join(f"{each.rule.id} {each.rule.basis['zh-CN']}" for each in kept)
    name = f"{RULES[rule]['zh-CN']}（{applied}）" if applied else RULES[rule]["zh-CN"]
    whose = "、".join(_named(ctx, each) for each in whom)
    told = {
        "zh-CN": f"将销毁 {case_no} 中{whose}的个人信息，不可恢复；哈希、结论和时间仍在，回放处显示销毁说明。",
        "en": f"The personal data in {case_no} about {', '.join(whom)} goes for good; hashes, outcomes and times stay.",
    }
    return {
        "allowed": True,
        "problem": None,
        "instance_id": instance_id,
        "rule": name[:100],
        "told": told,
        "approver": named[0],
        "barred": barred,
    }


@operations.local(
    "personal_erasure.carry_out",
    parameters=("checked", "approve", "reason", "about"),
    required=("checked", "approve", "reason"),
    title={"zh-CN": "销毁密钥", "en": "Destroy the keys"},
)
def carry_out(
    ctx: OperationContext, *, checked: Record, approve: Record, reason: str, about: str | None = None
) -> dict[str, Any]:
    """{"allowed", "keys", "problem", "at"}: everything is checked once more, a hold may have been set meanwhile."""
    instance_id = str(checked["instance_id"])
    found = problem_of(ctx, instance_id, about)
    outsider = approve["by"] not in (ctx.initiator, *barred_of(ctx.connection, instance_id))
    if found is None and (not outsider or approve["by"] in erasing.live(ctx.connection, instance_id, about)):
        found = PROBLEMS["nobody"]
    if found is not None:
        return {"allowed": False, "keys": 0, "problem": found, "at": None}
    at = stamp(ctx.now)
    keys = erasing.erase(
        ctx.connection,
        instance_id,
        subject=about or None,
        rule=str(checked["rule"]),
        reason=reason,
        requested_by=ctx.initiator or "",
        approved_by=[str(approve["by"])],
        request=ctx.instance_id,
        by=ctx.by,
        at=at,
    )
    if not about:
        _forget_letters(ctx, instance_id, at)
    text = {"zh-CN": f"{ctx.business_key} 已销毁，共 {keys} 把密钥", "en": f"{ctx.business_key}: {keys} keys destroyed"}
    ctx.notify([ctx.initiator or ""], text)
    return {"allowed": True, "keys": keys, "problem": None, "at": at}


@operations.local(
    "personal_erasure.refuse",
    parameters=("checked", "done", "approve"),
    title={"zh-CN": "告知不予销毁", "en": "Tell that it is refused"},
)
def refuse(
    ctx: OperationContext, *, checked: Record | None = None, done: Record | None = None, approve: Record | None = None
) -> dict[str, Any]:
    """{"reason"}: tells who asked."""
    nobody: Text = {"zh-CN": "未获批准", "en": "It was not approved"}
    problem = (done or {}).get("problem") or (checked or {}).get("problem") or nobody
    if ctx.initiator:
        zh = f"{ctx.business_key} 不予销毁：{problem['zh-CN']}"
        ctx.notify([ctx.initiator], {"zh-CN": zh, "en": f"{ctx.business_key}: {problem['en']}"})
    return {"reason": problem, "outcome": (approve or {}).get("outcome")}


def problem_of(ctx: Any, instance_id: str, about: str | None) -> Text | None:
    """Why the personal data of a case may not be erased now; None when it may. `ctx` has connection, registers,
    directory and now."""
    connection = ctx.connection
    row = connection.execute(sa.select(instances.c.end).where(instances.c.instance_id == instance_id)).first()
    if row is None or not erasing.live(connection, instance_id, about):
        return PROBLEMS["none"]
    if ended_of(connection, instance_id) is None:
        return PROBLEMS["open"]
    if erasing.holds(connection, instance_id, about):
        return PROBLEMS["hold"]
    today = ctx.now.astimezone(LOCAL).date()
    for each in _kept(ctx, instance_id):
        if each.until is None:
            return {lang: PROBLEMS["keep"][lang] + (each.waits or {}).get(lang, "") for lang in PROBLEMS["keep"]}
        if each.until >= today:
            said = {"zh-CN": f"至 {each.until}（{each.rule.id}）", "en": f"until {each.until} ({each.rule.id})"}
            return {lang: PROBLEMS["keep"][lang] + said[lang] for lang in said}
    return PROBLEMS["lent"] if erasing.lent(connection, instance_id) else None


def ended_of(connection: sa.Connection, instance_id: str) -> datetime | None:
    """When the case ended."""
    found = connection.scalar(sa.text("SELECT ended_at FROM instances WHERE instance_id = :id"), {"id": instance_id})
    return moment(found) if found else None


def _kept(ctx: Any, instance_id: str) -> tuple[retention.Kept, ...]:
    query = sa.select(instances.c.process, instances.c.business_key).where(instances.c.instance_id == instance_id)
    row = ctx.connection.execute(query).one()
    ended = ended_of(ctx.connection, instance_id)
    day = ended.astimezone(LOCAL).date() if ended else None
    return retention.of_case(ctx, row.process, row.business_key, day)


def _refused(problem: Text) -> dict[str, Any]:
    nothing = dict.fromkeys(("instance_id", "rule", "told", "approver"))
    return {"allowed": False, "problem": problem, "barred": [], **nothing}


def _named(ctx: OperationContext, subject: str) -> str:
    person = ctx.directory.person(subject)
    return person.names["zh-CN"] if person else "其他相关人员"


def _forget_letters(ctx: OperationContext, instance_id: str, at: str) -> None:
    """What a complaint keeps beside the case: sealed identities, and the mailbox with what was written in it."""
    destroy(ctx.connection, instance_id, at)
    mine = sa.select(threads.c.thread_id).where(threads.c.instance_id == instance_id)
    ctx.connection.execute(
        sa.update(messages).where(messages.c.thread_id.in_(mine)).values(text=sa.null(), sealed=sa.null())
    )
