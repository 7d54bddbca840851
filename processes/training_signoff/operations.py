"""What the system does itself around training and signature: enrol, remind the head, record, keep the directory right.

Clauses 三.5c, 5.1d, 7.2b: yearly and within 7 days of joining; without it nobody becomes responsible for an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from engine import OperationContext, Operations, save_directory
from processes import care
from processes.organisation import superior
from processes.registers.training import COURSE, POLICY_VERSION, TRAINING, VALID_DAYS

PERIODS = {"onboarding": "P7D", "handover": "P2D", "annual": "P30D", "revision": "P14D"}
operations = Operations()


def set_training(ctx: OperationContext, username: str, *, valid: bool, signed_on: str | None = None) -> None:
    """Keep the directory's `training_valid` and `policy_signed_on` as the register has it."""
    person = ctx.directory.person(username)
    if person is not None:
        changed = {"training_valid": valid, "policy_signed_on": signed_on or person.policy_signed_on}
        save_directory(ctx.connection, persons=[asdict(person) | changed])


@operations.local(
    "training_signoff.enrol",
    parameters=("person", "reason"),
    required=("person",),
    title={"zh-CN": "培训报名", "en": "Enrol for training"},
)
def enrol(ctx: OperationContext, *, person: str, reason: str | None = None) -> dict[str, Any]:
    """{"course", "policy_version", "period", "until", "name"}: what to take and by when. The person is told."""
    who = ctx.directory.person(person)
    period = PERIODS.get(reason or "annual", "P14D")
    until = ctx.calendar.today(ctx.calendar.add(ctx.now, period)).isoformat()
    version = ctx.setting("policy_version", POLICY_VERSION)
    if ctx.registers.get(TRAINING, person) is None or reason != "annual":
        dept = who.department if who else None
        row = {"person": person, "department": dept, "status": "pending", "reason": reason, "case_no": ctx.business_key}
        ctx.registers.put(TRAINING, person, row)
    care.told(
        ctx,
        [person],
        f"请于 {until} 前完成「{COURSE['zh-CN']}」培训并签收制度",
        f"Please take “{COURSE['en']}” and sign the policy by {until}",
    )
    return {
        "course": COURSE,
        "policy_version": version,
        "period": period,
        "until": until,
        "name": who.names["zh-CN"] if who else person,
    }


@operations.local(
    "training_signoff.overdue",
    parameters=("person", "enrolled", "reason"),
    required=("person",),
    title={"zh-CN": "培训签收逾期", "en": "Training is overdue"},
)
def overdue(
    ctx: OperationContext, *, person: str, enrolled: Mapping[str, Any] | None = None, reason: str | None = None
) -> dict[str, Any]:
    """{"told"}: the head is told; once the last signature is out of date the person's training holds no more."""
    row, day = ctx.registers.get(TRAINING, person) or {}, care.today(ctx)
    valid = date.fromisoformat(row["valid_until"]) >= day if row.get("valid_until") else False
    fields = {"status": "overdue", "overdue_since": row.get("overdue_since") or day.isoformat()}
    ctx.registers.put(TRAINING, person, fields)
    set_training(ctx, person, valid=valid)
    head = superior(ctx.directory, person)
    who = ctx.directory.person(person)
    name = who.names if who else {"zh-CN": person, "en": person}
    zh = f"{name['zh-CN']}的培训签收已逾期，未完成前不得担任账号负责人"
    return {"told": care.told(ctx, [head, person, "hr"], zh, f"{name['en']}'s training is overdue")}


@operations.local(
    "training_signoff.record",
    parameters=("person", "reason", "enrolled", "course", "sign_off"),
    required=("person",),
    title={"zh-CN": "登记培训与签收", "en": "Record training and signature"},
)
def record(
    ctx: OperationContext,
    *,
    person: str,
    reason: str | None = None,
    enrolled: Mapping[str, Any] | None = None,
    course: Mapping[str, Any] | None = None,
    sign_off: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """{"outcome": "signed", "person", "valid_until"}: the row, and the directory, for a year."""
    day, row = care.today(ctx), ctx.registers.get(TRAINING, person) or {}
    until = (day + timedelta(days=VALID_DAYS)).isoformat()
    who, version = ctx.directory.person(person), (enrolled or {}).get("policy_version")
    earlier = {name: row.get(name) for name in ("signed_on", "policy_version", "case_no")}
    ctx.registers.put(
        TRAINING,
        person,
        {
            "person": person,
            "department": who.department if who else None,
            "status": "signed",
            "course": COURSE["zh-CN"],
            "score": (course or {}).get("score"),
            "completed_on": day.isoformat(),
            "valid_until": until,
            "policy_version": version,
            "signed_on": day.isoformat(),
            "reason": reason,
            "overdue_since": None,
            "refusal": None,
            "history": [*row.get("history", []), *([earlier] if row.get("signed_on") else [])],
            "case_no": ctx.business_key,
        },
    )
    set_training(ctx, person, valid=True, signed_on=day.isoformat())
    return {"outcome": "signed", "person": person, "valid_until": until, "policy_version": version}


@operations.local(
    "training_signoff.record_refusal",
    parameters=("person", "reason", "enrolled", "comment", "talk"),
    required=("person",),
    title={"zh-CN": "登记未签收", "en": "Record that it is unsigned"},
)
def record_refusal(
    ctx: OperationContext,
    *,
    person: str,
    reason: str | None = None,
    enrolled: Mapping[str, Any] | None = None,
    comment: str | None = None,
    talk: str | None = None,
) -> dict[str, Any]:
    """{"outcome": "refused", "person"}: on record with the reason; the person cannot be responsible for an account."""
    day = care.today(ctx).isoformat()
    words = "；".join(text for text in (comment, talk) if text)
    ctx.registers.put(
        TRAINING,
        person,
        {"person": person, "status": "refused", "refused_on": day, "refusal": words, "case_no": ctx.business_key},
    )
    set_training(ctx, person, valid=False)
    care.told(ctx, ["hr"], f"{person} 未签收制度：{words}", f"{person} did not sign the policy: {words}")
    return {"outcome": "refused", "person": person, "valid_until": None}
