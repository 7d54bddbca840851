"""Opening the sealed identity of one who reported: who may ask, who approves, and for how long it opens (X09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from engine import OperationContext, Operations
from engine.identity import barred_of
from engine.moments import stamp
from processes.complaint.tables import grants, sealed_values
from processes.organisation import first_staffed
from processes.registers.complaint import COMPLAINT

Record = Mapping[str, Any]
operations = Operations()
OPEN_FOR = timedelta(hours=24)
APPROVERS = ("legal_head", "internal_audit", "hr_head", "group_deputy_chair", "group_chair", "union")


@operations.local(
    "identity_access.check",
    parameters=("case_no",),
    required=("case_no",),
    title={"zh-CN": "核对案件与申请人", "en": "Check case and applicant"},
)
def check(ctx: OperationContext, *, case_no: str) -> dict[str, Any]:
    """{"allowed", "problem", "instance_id", "approvers", "barred"}: two approvers who have no part in the complaint.

    Whoever the complaint is kept from is refused in the same words as a number that does not exist.
    """
    case = ctx.case_of(case_no.strip())
    found = case is not None and case["process"] == "complaint"
    instance_id = case["instance_id"] if case and found else None
    barred = sorted(barred_of(ctx.connection, instance_id)) if instance_id else []
    kept = sa.and_(sealed_values.c.instance_id == instance_id, sealed_values.c.sealed.is_not(None))
    sealed = instance_id and ctx.connection.execute(sa.select(sealed_values.c.name).where(kept)).first() is not None
    if not instance_id or not sealed or ctx.by in barred:
        text = {"zh-CN": "没有可查看的封存身份", "en": "There is no sealed identity to open"}
        return {"allowed": False, "problem": text, "instance_id": None, "approvers": [], "barred": []}
    row = ctx.registers.get(COMPLAINT, case_no.strip()) or {}
    out = [ctx.by, *barred, row.get("lead"), row.get("second")]
    named: list[str] = []
    for group in APPROVERS:
        named += [name for name in first_staffed(ctx.directory, [group], [*out, *named])[:1] if len(named) < 2]
    text = {"zh-CN": "没有两位无关的批准人", "en": "There are not two approvers who have no part in it"}
    enough = len(named) == 2
    return {
        "allowed": enough,
        "problem": None if enough else text,
        "instance_id": instance_id,
        "approvers": named if enough else [],
        "barred": barred,
    }


@operations.local(
    "identity_access.grant",
    parameters=("checked", "approvals", "reason"),
    required=("checked", "approvals", "reason"),
    title={"zh-CN": "开放 24 小时", "en": "Open for 24 hours"},
)
def grant(ctx: OperationContext, *, checked: Record, approvals: Sequence[Record], reason: str) -> dict[str, Any]:
    """{"allowed", "until"}: nothing opens unless two different people approved, neither of them who asked."""
    people = sorted({str(each["by"]) for each in approvals if each["outcome"] == "approve"} - {ctx.initiator})
    if len(people) < 2 or ctx.initiator is None:
        return {"allowed": False, "until": None}
    until = stamp(ctx.now + OPEN_FOR)
    row = {
        "instance_id": checked["instance_id"],
        "grant_id": str(uuid4()),
        "username": ctx.initiator,
        "reason": reason,
        "approved_by": people,
        "request_no": ctx.business_key,
        "from_at": stamp(ctx.now),
        "until": until,
    }
    ctx.connection.execute(sa.insert(grants).values(**row))
    text = {
        "zh-CN": f"{ctx.business_key} 已获两人批准，24 小时内可以查看，每次查看都留痕",
        "en": f"{ctx.business_key} was approved by two; it is open for 24 hours, and every opening is recorded",
    }
    ctx.notify([ctx.initiator], text)
    return {"allowed": True, "until": until}


@operations.local(
    "identity_access.refuse",
    parameters=("checked", "approvals"),
    title={"zh-CN": "告知不予批准", "en": "Tell that it is refused"},
)
def refuse(
    ctx: OperationContext, *, checked: Record | None = None, approvals: Sequence[Record] | None = None
) -> dict[str, Any]:
    """{"reason"}: tells who asked."""
    problem = (checked or {}).get("problem") or {"zh-CN": "未获两人批准", "en": "It was not approved by two"}
    if ctx.initiator:
        text = {
            "zh-CN": f"{ctx.business_key} 不予查看：{problem['zh-CN']}",
            "en": f"{ctx.business_key}: {problem['en']}",
        }
        ctx.notify([ctx.initiator], text)
    return {"reason": problem}
