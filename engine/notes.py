"""What the policy writes into a case's history without moving it on, and whom it tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.command import Unit
from engine.errors import Text
from engine.identity import Directory, barred_of
from engine.models import task_access, tasks
from engine.moments import stamp
from engine.operations import notify
from engine.tasks import raise_incident

if TYPE_CHECKING:
    from engine.runtime import Engine


def note(
    engine: Engine,
    instance_id: str,
    type_: str,
    *,
    by: str | None,
    tell: Text | None = None,
    incident: Text | None = None,
    **data: Any,
) -> None:
    """Write an event into a case's history; `tell` reaches whoever may do an open task of it, `incident` the
    administrators. Raises NotFound."""

    def work(connection: Connection) -> None:
        unit = Unit.on_instance(engine, connection, instance_id, name="note", by=by)
        unit.say(type_, **data)
        if incident:
            raise_incident(unit, kind="note", element="start", error={"code": type_, "message": incident})
        unit.finish()
        if tell:
            users = handlers_of(connection, instance_id)
            notify(connection, users, tell, instance_id=instance_id, at=stamp(unit.now), new_id=uuid4)

    engine.db.write(work)


_ADMINISTERED: dict[str, Text] = {
    "suspend": {
        "zh-CN": "系统管理员挂起了案件 {number}：{reason}",
        "en": "An administrator suspended case {number}: {reason}",
    },
    "resume": {"zh-CN": "系统管理员恢复了案件 {number}", "en": "An administrator resumed case {number}"},
    "cancel": {
        "zh-CN": "系统管理员终止了案件 {number}：{reason}",
        "en": "An administrator cancelled case {number}: {reason}",
    },
}


def tell_administered(unit: Unit, name: str, reason: str, handlers: list[str]) -> None:
    """Tell whoever started the case and whoever had something to do in it what an administrator did with it."""
    starter = unit.row.initiator
    users = {*handlers, *([starter] if starter else [])} - barred_of(unit.connection, unit.row.instance_id)
    number = unit.row.business_key or unit.row.instance_id
    text = {lang: said.format(number=number, reason=reason) for lang, said in _ADMINISTERED[name].items()}
    notify(
        unit.connection,
        sorted(users),
        text,
        instance_id=unit.row.instance_id,
        at=stamp(unit.now),
        new_id=uuid4,
    )


def handlers_of(connection: Connection, instance_id: str) -> list[str]:
    """Usernames of those who may do an open task of the case: its holder once somebody holds it."""
    query = (
        sa.select(tasks.c.task_id, tasks.c.assignee, task_access.c.principal, task_access.c.rule)
        .join(
            task_access,
            sa.and_(task_access.c.instance_id == tasks.c.instance_id, task_access.c.task_id == tasks.c.task_id),
        )
        .where(tasks.c.instance_id == instance_id, tasks.c.status == "open")
    )
    rows = connection.execute(query).all()
    directory, found = Directory(connection), set[str]()
    for task_id in {row.task_id for row in rows}:
        mine = [row for row in rows if row.task_id == task_id]
        held = mine[0].assignee
        may = [f"u:{held}"] if held else [row.principal for row in mine if row.rule == "may"]
        out = {row.principal[2:] for row in mine if row.rule == "recused"}
        found |= set(directory.usernames(may)) - out
    return sorted(found - barred_of(connection, instance_id))
