"""When somebody leaves: their status, a handover of every account of theirs, and who does their open tasks.

`leave` is called by whoever learns of it: the directory, an administrator, `guiju leave`. What each account needs then
happens in its own handover case (P03).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from engine import Directory, Engine, Registers, set_status
from engine.errors import Conflict, GuijuError, Invalid, NotFound
from processes import care
from processes.registers.account import ACCOUNT


@dataclass(frozen=True, kw_only=True)
class Left:
    """What came of it: started handovers by account, and accounts for which nobody could be found."""

    username: str
    handovers: Mapping[str, str]
    unassigned: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    registers: Registers
    directory: Directory


def leave(engine: Engine, username: str, *, by: str, on: date | None = None) -> Left:
    """Mark `username` as having left and start a handover for each account they answer for.

    `by` is whoever says so (human resources, a department head, Administration) and starts the handovers. `on` is the
    last working day, by default today: one still to come only starts the handovers, so that they are done by then, and
    `leave` is called again on the day. Raises NotFound, or Invalid when the person has left already.
    """
    now = engine.now()

    def read(connection: Connection) -> tuple[date, dict[str, dict[str, Any]]]:
        day = engine.calendar(connection).today(now)
        reading = _Reading(registers=Registers(connection, now=now), directory=Directory(connection))
        person = reading.directory.person(username)
        if person is None:
            raise NotFound(id=username)
        if not person.active:
            text = {"zh-CN": "此人已离职", "en": "This person has left already"}
            raise Invalid({"username": text})
        held = reading.registers.find(ACCOUNT, responsible=username)
        last = (on or day).isoformat()
        wanted = {
            key: _handover(reading, key, username, last)
            for key, row in held.items()
            if row.get("status") not in care.GONE
        }
        if on is None or on <= day:
            set_status(connection, username, f"left {last}")
            for key, row in reading.registers.all(ACCOUNT).items():
                if row.get("status") not in care.GONE and (fields := _without(row, username)):
                    reading.registers.put(ACCOUNT, key, {**fields, "leaver_on": last})
        return day, wanted

    _, wanted = engine.db.write(read)
    started: dict[str, str] = {}
    unassigned: list[str] = []
    for key, variables in wanted.items():
        if not variables.get("incoming") or not variables.get("witness"):
            unassigned.append(key)
            continue
        try:
            result = engine.start("account_handover", variables, by=by, key=f"leave {username} {key}")
        except Conflict:
            continue
        except GuijuError:
            unassigned.append(key)
            continue
        started[key] = str(result.business_key)
    return Left(username=username, handovers=started, unassigned=tuple(unassigned))


def _without(row: Mapping[str, Any], username: str) -> dict[str, Any]:
    """What changes in an account's row when somebody who knew its password goes; {} when they did not. Who answers for
    it stays until the handover; the password is changed at once (`duties.rotations`)."""
    users = list(row.get("authorised_users") or ())
    fields: dict[str, Any] = {"responsible": username} if row.get("responsible") == username else {}
    if row.get("backup") == username:
        fields["backup"] = None
    if username in users:
        fields["authorised_users"] = [each for each in users if each != username]
    return fields


def _handover(reading: _Reading, account_id: str, username: str, last: str) -> dict[str, Any]:
    parties = care.handover_parties(reading, account_id, outgoing=username)
    return {"account_id": account_id, "trigger": "离职", "effective_at": last, **parties}
