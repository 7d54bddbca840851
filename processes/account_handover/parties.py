"""Who takes part in a handover: whether they may, who witnesses, which way it goes and until when.

Clauses 四.1.3d–e; X05: the witness is neither party; the successor works here, is trained and has signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine import OperationContext, Operations
from engine.errors import Text
from processes import care
from processes.account_handover import checklist
from processes.registers.account import ACCOUNT

QUIET = ("调查停权", "调查期间停权")  # the outgoing person is told only once the password is changed
URGENT = (*QUIET, "紧急接管")
MAY_ORDER = ("dept_head", "hr", "admin", "legal_head", "internal_audit", "group_chair", "group_deputy_chair")
LEAVING = "离职"
TEMPORARY = ("长期休假", *QUIET)
LIST_PERIOD, CLOSING_HOUR = "5wd", 18
operations = Operations()


@operations.local(
    "account_handover.examine",
    parameters=(
        "account_id",
        "trigger",
        "outgoing",
        "incoming",
        "witness",
        "until",
        "initiator",
        "opinion",
        "training",
        "effective_at",
    ),
    required=("account_id", "trigger"),
    title={"zh-CN": "交接：核对双方、监交人", "en": "Handover: check parties and witness"},
)
def examine(
    ctx: OperationContext,
    *,
    account_id: str,
    trigger: str,
    outgoing: str | None = None,
    incoming: str | None = None,
    witness: str | None = None,
    until: str | None = None,
    initiator: str | None = None,
    opinion: str | None = None,
    training: Mapping[str, Any] | None = None,
    effective_at: str | None = None,
) -> dict[str, Any]:
    """Who takes part, which way it goes (`route`: normal, emergency, refused) and what is `next` for the successor:
    prepare, train, confirm (choose another) or cancel; `list_due`: until when the list is to be filled in. A witness
    who is a party is replaced (X05)."""
    row = care.account(ctx, account_id)
    if witness in (outgoing, incoming, None) or not care.at_work(ctx, witness):
        witness = care.witness_for(ctx, (outgoing, incoming))
    present = care.at_work(ctx, outgoing)
    refused = _refusal(ctx, account_id, row, trigger, outgoing, initiator)
    trained = bool(training and training.get("person") == incoming and training.get("outcome") == "signed")
    found = [] if trained else care.eligible(ctx, incoming)
    same: list[Text] = [{"zh-CN": "接收人不得为移交人", "en": "the successor is the outgoing person"}]
    findings = [*(same if incoming == outgoing else []), *found]
    registrars = ctx.directory.group("account_registrar")
    if not refused and trigger == LEAVING:
        ctx.registers.put(ACCOUNT, account_id, {"handover_open": ctx.business_key})
    able = [*([outgoing] if present else []), *(registrars.members if registrars else ())]
    return {
        "route": "refused" if refused else "emergency" if trigger in URGENT else "normal",
        "next": _next(ctx, incoming, opinion, training, same=incoming == outgoing, found=bool(found)),
        "quiet": trigger in QUIET,
        "temporary": trigger in TEMPORARY or bool(until),
        "refused": refused["zh-CN"] if refused else None,
        "outgoing": outgoing,
        "incoming": incoming,
        "witness": witness,
        "present": present,
        "signers": [each for each in (outgoing if present else None, incoming) if each],
        "preparers": [outgoing] if present and trigger not in URGENT else (able or ["admin"]),
        "resolvers": [each for each in (outgoing if present else None, witness) if each],
        "list_due": _list_due(ctx, trigger, effective_at),
        "summary": checklist.sentence(findings) or {"zh-CN": "接收人合格", "en": "the successor is fit"},
        "dept": row.get("dept"),
        "head": care.head_of(ctx, row.get("dept")),
        "name": row.get("name"),
        "platform": row.get("platform"),
        "vault_ref": row.get("vault_ref") or f"vault://accounts/{account_id}",
    }


def _list_due(ctx: OperationContext, trigger: str, effective_at: str | None) -> str:
    """Five working days, and for a leaver no later than the end of the last working day, unless that is over."""
    due = ctx.calendar.add(ctx.now, LIST_PERIOD)
    if trigger == LEAVING and effective_at:
        last = datetime.fromisoformat(effective_at.replace("Z", "+00:00"))
        if len(effective_at) == 10:
            last = last.replace(hour=CLOSING_HOUR)
        last = last if last.tzinfo else last.replace(tzinfo=ctx.calendar.zone)
        if ctx.now < last < due:
            due = last.astimezone(UTC)
    return due.isoformat()


def _refusal(
    ctx: OperationContext,
    account_id: str,
    row: Mapping[str, Any],
    trigger: str,
    outgoing: str | None,
    initiator: str | None,
) -> Text | None:
    if not row or row.get("status") in care.GONE:
        return {"zh-CN": f"账号 {account_id} 已注销或不在台账", "en": f"account {account_id} is closed or unknown"}
    if [case for case in ctx.open_cases(ctx.process, account_id=account_id) if case["instance_id"] != ctx.instance_id]:
        return {"zh-CN": "该账号已有交接在办", "en": "a handover of this account is under way"}
    if outgoing and row.get("responsible") and outgoing != row["responsible"]:
        return {"zh-CN": "移交人不是该账号的负责人", "en": "the outgoing person is not responsible for it"}
    if trigger in URGENT and initiator and ctx.directory.person(initiator):
        groups = (ctx.directory.group(each) for each in MAY_ORDER)
        if not any(group and initiator in group.members for group in groups):
            return {"zh-CN": "无权发起调查停权或紧急接管", "en": "may not order an investigation or emergency takeover"}
    return None


def _next(
    ctx: OperationContext,
    incoming: str | None,
    opinion: str | None,
    training: Mapping[str, Any] | None,
    *,
    same: bool,
    found: bool,
) -> str:
    """What follows for the successor. Whoever refused the training once is not sent there again: choose another."""
    if opinion == "cancel":
        return "cancel"
    tried = (training or {}).get("outcome") if (training or {}).get("person") == incoming else None
    person = ctx.directory.person(incoming) if incoming else None
    if same or person is None or not person.active or person.employment_type != "regular" or tried == "refused":
        return "confirm"
    if tried != "signed" and (found or opinion == "not_trained"):
        return "train"
    return "prepare"
