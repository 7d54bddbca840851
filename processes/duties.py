"""The recurring duties of official accounts and of staff: what the clock starts for each row of a register.

Each provider says from data alone when something is due first; the engine keeps what it has started.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from engine import Planning, Schedule
from processes import care
from processes.registers.account import ACCOUNT
from processes.registers.training import TRAINING, VALID_DAYS

OPENING = time(9)
ROTATION_AHEAD = timedelta(days=7)
TRAINING_AHEAD = timedelta(days=30)
FIRST_PATROL = date(2026, 1, 5)  # a Monday
IN_FORCE = date(2026, 1, 5)  # the policy: whoever never signed is due since then
HARDLY_AGAIN = "P10Y"  # a date that comes once; the row that it follows from changes by then


def _at(planning: Planning, day: date) -> datetime:
    return datetime.combine(day, OPENING, planning.calendar.zone)


def patrols(planning: Planning) -> Iterator[Schedule]:
    """The weekly patrol of the official accounts (六.1.1c)."""
    yield Schedule(
        name="official_monitor",
        process="official_monitor",
        every="P1W",
        first=_at(planning, FIRST_PATROL),
        title={"zh-CN": "官方账号巡查", "en": "Official account patrol"},
        viewers=("monitor", "t1_reviewer", "account_registrar"),
    )


def rotations(planning: Planning) -> Iterator[Schedule]:
    """Each account's next change of password, begun 7 days before it is due (四.1.2b); at once when somebody who knows
    it has left, a suspended account's too."""
    for key, row in planning.registers.all(ACCOUNT).items():
        if left := _known_by_leaver(planning, row):
            yield Schedule(
                name=f"rotation/{key}",
                process="credential_rotation",
                every=f"P{care.rotation_days(row)}D",
                first=_at(planning, left),
                variables={"account_id": key, "reason": care.LEAVER, "due": left.isoformat()},
                title={"zh-CN": f"人员离开，更新密码 {row.get('name')}", "en": f"Somebody left: rotate {key}"},
                viewers=("vault_admin", "account_registrar"),
                overdue=True,
            )
            continue
        due = care.rotation_due(row)
        if due is None or row.get("status") == "suspended":
            continue
        holders = [each for each in (row.get("responsible"), row.get("backup")) if each]
        yield Schedule(
            name=f"rotation/{key}",
            process="credential_rotation",
            every=f"P{care.rotation_days(row)}D",
            first=_at(planning, due - ROTATION_AHEAD),
            variables={"account_id": key, "reason": "到期", "due": due.isoformat()},
            title={"zh-CN": f"更新密码 {row.get('name')}", "en": f"Rotate the password of {key}"},
            viewers=(*holders, "vault_admin", "account_registrar"),
            overdue=True,
        )


def trainings(planning: Planning) -> Iterator[Schedule]:
    """Everybody's next course and signature: a month before a year is over, at once for who never signed (七.2b)."""
    rows = planning.registers.all(TRAINING)
    for person in planning.directory.people():
        if not person.active:
            continue
        row = rows.get(person.username, {})
        signed: str | None = row.get("signed_on") or person.policy_signed_on
        known, first = False, IN_FORCE
        if signed and (person.training_valid or row):
            known, first = True, date.fromisoformat(signed) + timedelta(days=VALID_DAYS) - TRAINING_AHEAD
        yield Schedule(
            name=f"training/{person.username}",
            process="training_signoff",
            every="P1Y",
            first=_at(planning, first),
            variables={"person": person.username, "reason": "annual" if known else "onboarding"},
            title={
                "zh-CN": f"培训签收 {person.names['zh-CN']}",
                "en": f"Training of {person.names['en']}",
            },
            viewers=(person.username, "hr"),
            overdue=True,
        )


def handovers(planning: Planning) -> Iterator[Schedule]:
    """Accounts whose responsible person is gone, and temporary ones that go back (四.1.3d)."""
    for key, row in planning.registers.all(ACCOUNT).items():
        if row.get("status") in care.GONE:
            continue
        if row.get("temporary_until") and row.get("hand_back_to"):
            parties = care.handover_parties(planning, key)
            back = {"incoming": row["hand_back_to"], "outgoing": row.get("responsible")}
            if parties["witness"] and care.at_work(planning, row["hand_back_to"]):
                since = date.fromisoformat(row["temporary_until"])
                yield _handover(planning, key, row, since, {**parties, **back}, trigger="岗位调整")
        elif (since_left := _left(planning, row)) and not row.get("handover_open"):
            yield _handover(planning, key, row, since_left, care.handover_parties(planning, key), trigger="离职")


def _known_by_leaver(planning: Planning, row: dict[str, Any]) -> date | None:
    """Since when somebody who knew the account's password has been gone, unless it was changed since."""
    if row.get("status") in (*care.GONE, "draft"):
        return None
    found = [date.fromisoformat(row["leaver_on"])] if row.get("leaver_on") else []
    rotated = str(row.get("last_rotation") or "")
    known = (row.get("responsible"), row.get("backup"), *(row.get("authorised_users") or ()))
    for username in known:
        gone = _gone_since(planning, username)
        if gone is not None and rotated < gone.isoformat():
            found.append(gone)
    return min(found) if found else None


def _left(planning: Planning, row: dict[str, Any]) -> date | None:
    """Since when the account's responsible person has not worked here any more (status `left 2026-10-30`)."""
    return _gone_since(planning, row.get("responsible"))


def _gone_since(planning: Planning, username: str | None) -> date | None:
    person = planning.directory.person(username) if username else None
    if person is None or person.active:
        return None
    word = person.status.rpartition(" ")[2]
    try:
        return date.fromisoformat(word)
    except ValueError:
        return IN_FORCE


def _handover(
    planning: Planning, key: str, row: dict[str, Any], since: date, parties: dict[str, Any], *, trigger: str
) -> Schedule:
    at = _at(planning, since)
    stated = {name: value for name, value in parties.items() if value}
    return Schedule(
        name=f"handover/{key}",
        process="account_handover",
        every=HARDLY_AGAIN,
        first=at,
        variables={"account_id": key, "trigger": trigger, "effective_at": at.date().isoformat(), **stated},
        title={"zh-CN": f"交接 {row.get('name')}", "en": f"Handover of {key}"},
        viewers=("account_registrar", *[parties[name] for name in ("incoming",) if parties.get(name)]),
        overdue=True,
    )
