"""What several procedures do with an account: find it, stop and allow posting, say who answers for it and until when.

The account register's row is the truth; nothing here keeps anything elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Protocol

from engine import Directory, OperationContext, Registers
from engine.errors import Text
from processes.registers.account import ACCOUNT
from processes.registers.credential import CREDENTIAL

GONE = ("closed",)  # an account that is no more
LEAST_ROTATION, HIGH_ROTATION, ROTATION = 30, 60, 90  # days after an incident, of high risk, else (account_control)
ADMIN_HEAD = "admin"
LEAVER = "离职交接"  # why a password changes when somebody who knew it is gone
NAMING = ("account_id", "account_ids", "account", "target", "case_source")  # where other procedures name an account


class Reading(Protocol):
    """What can be looked up, in an operation, a schedule or a command alike."""

    @property
    def registers(self) -> Registers: ...
    @property
    def directory(self) -> Directory: ...


def account(ctx: Reading, account_id: str | None) -> dict[str, Any]:
    """The account's row, {} when there is none."""
    return (ctx.registers.get(ACCOUNT, account_id) if account_id else None) or {}


def named(account_id: str, row: Mapping[str, Any]) -> str:
    """What a notice calls it: 「样木家居」（A001）."""
    return f"「{row.get('name') or account_id}」（{account_id}）"


def today(ctx: OperationContext) -> date:
    """The local date."""
    return ctx.calendar.today(ctx.now)


def head_of(ctx: Reading, dept: str | None) -> str | None:
    """The head of a department."""
    unit = ctx.directory.department(dept) if dept else None
    return unit.head if unit else None


def at_work(ctx: Reading, username: str | None) -> bool:
    """Whether somebody works here now."""
    person = ctx.directory.person(username) if username else None
    return person is not None and person.active


def eligible(ctx: Reading, username: str | None) -> list[Text]:
    """Why somebody may not answer for an account: left, not a regular employee, untrained, unsigned. Empty: they may.

    Source: clause 四.1 with P16: course and signature block becoming a responsible person.
    """
    person = ctx.directory.person(username) if username else None
    if person is None or not person.active:
        return [{"zh-CN": f"「{username or ''}」不是在职人员", "en": f"“{username or ''}” does not work here"}]
    name = person.names
    found: list[Text] = []
    if person.employment_type != "regular":
        found.append({"zh-CN": f"{name['zh-CN']}不是正式员工", "en": f"{name['en']} is not a regular employee"})
    if not person.training_valid:
        found.append({"zh-CN": f"{name['zh-CN']}的培训未完成或已过期", "en": f"{name['en']} has no valid training"})
    if not person.policy_signed_on:
        found.append({"zh-CN": f"{name['zh-CN']}尚未签收制度", "en": f"{name['en']} has not signed the policy"})
    return found


def lock_posting(ctx: OperationContext, account_id: str, reason: Text) -> None:
    """No more posts on the account until `unlock_posting`; the case that locked it is kept beside the reason."""
    fields = {"posting_locked": True, "posting_lock_reason": reason, "posting_lock_case": ctx.business_key}
    ctx.registers.put(ACCOUNT, account_id, fields)


def unlock_posting(ctx: OperationContext, account_id: str, *, whoever: bool = False) -> bool:
    """Allow posting again when this case locked it (or, with `whoever`, whichever did). Whether it did."""
    row = account(ctx, account_id)
    if not row.get("posting_locked") or not (whoever or row.get("posting_lock_case") == ctx.business_key):
        return False
    fields = {"posting_locked": False, "posting_lock_reason": None, "posting_lock_case": None}
    ctx.registers.put(ACCOUNT, account_id, fields)
    return True


def rotation_days(row: Mapping[str, Any]) -> int:
    """How often the password changes: as judged at the last change, else as `account_control` would by risk."""
    if row.get("rotation_days"):
        return int(row["rotation_days"])
    if row.get("incident_12m"):
        return LEAST_ROTATION
    return HIGH_ROTATION if row.get("risk") == "high" else ROTATION


def rotation_due(row: Mapping[str, Any]) -> date | None:
    """When the account's password is to be changed next; None for one that is closed or was never told when."""
    if row.get("status") in GONE or row.get("status") == "draft":
        return None
    if row.get("rotation_due"):
        return date.fromisoformat(row["rotation_due"])
    if not row.get("last_rotation"):
        return None
    return date.fromisoformat(row["last_rotation"]) + timedelta(days=rotation_days(row))


def told(ctx: OperationContext, principals: Iterable[str | None], zh: str, en: str) -> list[str]:
    """Notify everybody named; None is skipped. Returns usernames."""
    return ctx.notify([each for each in dict.fromkeys(principals) if each], {"zh-CN": zh, "en": en})


def cases_about(ctx: OperationContext, account_id: str, processes: Iterable[str]) -> list[dict[str, Any]]:
    """Open cases of these procedures, but this one, that name the account: alone, in a list, or within a text."""
    named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(account_id)}(?![A-Za-z0-9])")

    def about(variables: Mapping[str, Any]) -> bool:
        told = ctx.open({field: variables.get(field) for field in NAMING})  # a complaint seals what it is about
        return any(_mentions(value, named) for value in told.values())

    found = [case for process in processes for case in ctx.open_cases(process, about)]
    return [case for case in found if case["instance_id"] != ctx.instance_id]


def _mentions(value: Any, named: re.Pattern[str]) -> bool:
    if isinstance(value, list):
        return any(_mentions(each, named) for each in value)
    return isinstance(value, str) and named.search(value) is not None


def ended(history: Iterable[Mapping[str, Any]] | None, day: date) -> list[dict[str, Any]]:
    """Tenures with the open one ended on `day`."""
    return [{**each, "to": each.get("to") or day.isoformat()} for each in history or ()]


def witness_for(ctx: Reading, parties: Iterable[str | None]) -> str | None:
    """Who of Administration may witness a handover: a registrar, else anybody there, never one of the parties (X05)."""
    out = set(parties)
    for group_id in ("account_registrar", "admin"):
        group = ctx.directory.group(group_id)
        for member in group.members if group else ():
            if member not in out:
                return member
    return None


def handover_parties(ctx: Reading, account_id: str, *, outgoing: str | None = None) -> dict[str, str | None]:
    """{"outgoing", "incoming", "witness"}: takes over for now the backup, else the head of the account's department,
    else the head of Marketing; whoever confirms the successor may name another."""
    row = account(ctx, account_id)
    outgoing = outgoing or row.get("responsible")
    able = (row.get("backup"), head_of(ctx, row.get("dept")), head_of(ctx, "marketing"))
    incoming = next((each for each in able if each and each != outgoing and not eligible(ctx, each)), None)
    return {"outgoing": outgoing, "incoming": incoming, "witness": witness_for(ctx, (outgoing, incoming))}


def start_handover(
    ctx: OperationContext, account_id: str, *, trigger: str, key: str, outgoing: str | None = None
) -> dict[str, Any]:
    """Have a handover of the account started between `handover_parties`; told to Administration when nobody is able."""
    row, parties = account(ctx, account_id), handover_parties(ctx, account_id, outgoing=outgoing)
    if parties["incoming"] is None or parties["witness"] is None:
        text = f"账号{named(account_id, row)}须交接，但没有可接收或监交的人，请指定"
        told(ctx, ["account_registrar", head_of(ctx, ADMIN_HEAD)], text, f"Account {account_id} needs a successor")
        return parties
    effective = ctx.calendar.add(ctx.now, "5wd").isoformat()
    variables = {"account_id": account_id, "trigger": trigger, "effective_at": effective, **parties}
    ctx.start_case("account_handover", {name: value for name, value in variables.items() if value}, key=key)
    return parties


def put_credential(
    ctx: OperationContext, account_id: str, rotated: Mapping[str, Any], *, reason: str, next_due: str | None
) -> None:
    """Enter a change of password in the credential register: the vault's reference, who and when, never a secret."""
    row = account(ctx, account_id)
    fields = {
        "account_id": account_id,
        "name": row.get("name"),
        "platform": row.get("platform"),
        "responsible": row.get("responsible"),
        "status": "current" if next_due else "destroyed",
        "vault_ref": rotated.get("vault_ref") or row.get("vault_ref"),
        "rotated_on": today(ctx).isoformat(),
        "rotated_by": rotated.get("by"),
        "mfa": rotated.get("mfa_rebound", row.get("mfa")),
        "reason": reason,
        "next_due": next_due,
        "late_days": 0,
        "case_no": ctx.business_key,
    }
    ctx.registers.put(CREDENTIAL, account_id, fields)


def raise_lead(ctx: OperationContext, *, target: str, category: str, description: str, key: str) -> None:
    """Hand a lead to the complaint procedure, in the name of whoever started this case."""
    variables = {
        "channel": "当面",
        "reporter_mode": "公开实名",
        "respondent_scope": "官方账号",
        "category": category,
        "target": target,
        "description": f"{description}（{ctx.business_key}）",
        "pi_exposed": False,
        "safe_followup": False,
    }
    ctx.start_case("complaint", variables, key=key)
