"""Until when a register row or a case is kept, by which rule, and from what the time runs. Nothing is erased here.

`retention.csv` holds the rules. A rule whose time has not begun (an open case, an account in use, somebody who works
here) gives no date. A row or case under several rules is kept until the latest; what another rule covers in it, such as
the reporter's identity, goes by that rule's own date.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from engine import Directory, Registers
from engine.errors import Text
from processes.care import Reading
from processes.registers.account import ACCOUNT
from processes.registers.complaint import COMPLAINT
from processes.registers.content import CONTENT, INTERACTION, TAKEDOWN
from processes.registers.credential import CREDENTIAL
from processes.registers.phrase import PHRASE
from processes.registers.sanction import SANCTION
from processes.registers.training import TRAINING

CONTENT_RULE, ACCOUNT_RULE, UNFOUNDED, FOUNDED, IDENTITY = "T02", "T03", "T04", "T05", "T06"
SANCTION_RULE, DEDUCTION_RULE, TRAINING_RULE = "T08", "T09", "T11"
PROVEN = ("substantiated", "partial", "malicious", "referred")
STILL_RUNNING = (
    "published",
    "active",
    "approved",
    "scheduled",
    "open",
    "corrected",
    "escalated",
)  # of content: not over
ACCOUNT_CASES = (
    "account_registration",
    "account_deregistration",
    "account_handover",
    "credential_rotation",
    "official_monitor",
)
NAMED_BY = ("case_no", "handover_case", "rotation_case", "closing_case", "suspended_case")  # where an account names one
BY_REGISTER = {"content_review": CONTENT, "interaction": INTERACTION, "takedown": TAKEDOWN}

_RUNS: Mapping[str, Text] = {
    "in_use": {"zh-CN": "账号尚未注销", "en": "the account is not closed"},
    "employed": {"zh-CN": "本人在职", "en": "the person works here"},
    "open": {"zh-CN": "案件未结", "en": "the case is open"},
    "online": {"zh-CN": "尚在发布或待发布", "en": "still published or to be"},
    "hold": {"zh-CN": "证据保全中，不得删除", "en": "under legal hold, not to be erased"},
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of record: how many months after what, why, and what happens then."""

    id: str
    what: Text
    months: int
    since: Text
    basis: Text
    sure: str
    then: Text
    absent: Text | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a rule means for a row or case: the last day it is kept, or why none can be named yet."""

    rule: Rule
    until: date | None
    waits: Text | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Looking:
    """What the rules look at, on one connection."""

    registers: Registers
    directory: Directory


def looking(connection: Connection, now: datetime) -> Looking:
    """To read with, outside any case."""
    return Looking(registers=Registers(connection, now=now), directory=Directory(connection))


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule, by id."""
    with (Path(__file__).parent / "retention.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Rule(
                id=row["id"],
                months=int(row["keep"].removeprefix("P").removesuffix("M")),
                sure=row["sure"],
                absent={"zh-CN": row["absent_zh"], "en": row["absent_en"]} if row["absent_zh"] else None,
                **{
                    name: {"zh-CN": row[f"{column}_zh"], "en": row[f"{column}_en"]}
                    for name, column in (("what", "what"), ("since", "from"), ("basis", "basis"), ("then", "then"))
                },
            )
            for row in csv.DictReader(file)
        }


def months_on(day: date, months: int) -> date:
    """The same day `months` later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(day)


def of_row(reading: Reading, register: str, row: Mapping[str, Any], changed: date) -> tuple[Kept, ...]:
    """The rules for a register row, the latest date first. `changed` is when the row was last changed."""
    found = _of_row(reading, register, row, changed)
    if row.get("legal_hold"):
        return tuple(Kept(rule=each.rule, until=None, waits=_RUNS["hold"]) for each in found)
    return tuple(sorted(found, key=lambda each: each.until or date.max, reverse=True))


def _of_row(reading: Reading, register: str, row: Mapping[str, Any], changed: date) -> list[Kept]:
    status = row.get("status")
    if register in (CONTENT, INTERACTION, TAKEDOWN, PHRASE):
        ended = None if status in STILL_RUNNING else _day(row.get("removed_at")) or changed
        return [_after(CONTENT_RULE, ended, "online" if register in (CONTENT, PHRASE) else "open")]
    if register == ACCOUNT:
        return [_of_account(row)]
    if register == CREDENTIAL:
        return [_of_account(reading.registers.get(ACCOUNT, str(row.get("account_id"))) or {})]
    if register == COMPLAINT:
        closed = _day(row.get("closed_on")) or (changed if status in ("merged", "transferred", "closed") else None)
        about = FOUNDED if row.get("finding") in PROVEN else UNFOUNDED
        return [_after(about, closed, "open"), _after(IDENTITY, closed, "open")]
    if register == SANCTION:
        found = [_of_person(reading, row.get("respondent"), SANCTION_RULE)]
        if months := [str(each.get("month")) for each in row.get("instalments") or () if each.get("month")]:
            found.append(_after(DEDUCTION_RULE, months_on(date.fromisoformat(f"{max(months)[:7]}-01"), 1), "open"))
        return found
    return [_of_person(reading, row.get("person"), TRAINING_RULE)] if register == TRAINING else []


def of_case(reading: Reading, process: str, business_key: str | None, ended: date | None) -> tuple[Kept, ...]:
    """The rules for a case, by its number and the day it ended. What it left in a register goes by that row's rule; a
    case that left nothing, by the rule for what came to nothing."""
    key = str(business_key)
    if process in BY_REGISTER:
        row = reading.registers.get(BY_REGISTER[process], key)
        return of_row(reading, BY_REGISTER[process], row, ended) if row and ended else (_open(CONTENT_RULE, ended),)
    if process in ACCOUNT_CASES:
        rows = reading.registers.all(ACCOUNT).values()
        named = [row for row in rows if key in [row.get(field) for field in NAMED_BY]]
        return (_of_account(named[0]),) if named else (_open(ACCOUNT_RULE, ended),)
    if process == "complaint":
        if ended is None:  # which of the two it will be is not for the page to say
            return tuple(_open(rule, None) for rule in (FOUNDED, UNFOUNDED, IDENTITY))
        return of_row(reading, COMPLAINT, reading.registers.get(COMPLAINT, key) or {"closed_on": str(ended)}, ended)
    if process == "identity_access":
        return (_open(FOUNDED, ended),)
    if process in ("discipline", "warning_expiry"):
        row = reading.registers.get(SANCTION, key)
        if ended is None:
            return (_open(SANCTION_RULE, None),)
        return of_row(reading, SANCTION, row, ended) if row else (_open(UNFOUNDED, ended),)
    if process == "training_signoff":
        rows = reading.registers.find(TRAINING, case_no=key).values()
        return tuple(_of_person(reading, row.get("person"), TRAINING_RULE) for row in rows) or (
            _open(TRAINING_RULE, ended),
        )
    return ()


def _open(rule: str, ended: date | None) -> Kept:
    return _after(rule, ended, "open")


def _after(rule: str, day: date | None, waits: str) -> Kept:
    found = rules()[rule]
    if day is None:
        return Kept(rule=found, until=None, waits=_RUNS[waits])
    return Kept(rule=found, until=months_on(day, found.months))


def _of_account(row: Mapping[str, Any]) -> Kept:
    if row.get("legal_hold"):
        return Kept(rule=rules()[ACCOUNT_RULE], until=None, waits=_RUNS["hold"])
    return _after(ACCOUNT_RULE, _day(row.get("closed_on")), "in_use")


def _of_person(reading: Reading, username: str | None, rule: str) -> Kept:
    person = reading.directory.person(username) if username else None
    if person is None or person.active:
        return Kept(rule=rules()[rule], until=None, waits=_RUNS["employed"])
    return _after(rule, _day(person.status.rpartition(" ")[2]), "employed")


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
