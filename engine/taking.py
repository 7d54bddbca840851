"""What people do with a task: hold it, give it back, complete it, recuse themselves, hand it over; and when a case may
be withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from engine import attachments, confiding, drafts, forms
from engine.command import Unit
from engine.errors import Conflict, Denied
from engine.identity import LOCAL, require_active
from engine.models import task_access, tasks
from engine.moments import stamp
from engine.task_forms import of_task
from engine.tasks import require_open, unstaffed

REASON_CAP = 2000


def form_of(unit: Unit) -> dict[str, Any]:
    """The form of the unit's task: the declared one or the default (`outcome`, `comment`), with a place for files."""
    info = unit.element(unit.task.process, unit.task.element)
    return of_task(unit.definitions.forms, info.form)


def form_values(
    unit: Unit, schema: Mapping[str, Any], variables: Mapping[str, Any], *, trusted: bool = False
) -> dict[str, Any]:
    """The variables as the form types them. Raises Invalid naming each field. `trusted`: the engine fills the form in
    and may hand in any stored file."""
    calendar = unit.engine.calendar(unit.connection)
    variables = unit.subjects.reveal(variables) if trusted else variables

    def exists(source: str, name: str) -> bool:
        if source == "accounts":
            return unit.registers.get("account", name) is not None
        if source == "drafts":
            return drafts.is_open(unit.connection, name)
        find = {
            "people": unit.directory.person,
            "departments": unit.directory.department,
            "groups": unit.directory.group,
        }
        return find[source](name) is not None

    today = unit.now.astimezone(LOCAL).date()
    values = forms.validate(schema, variables, lookup=exists, today=today, working_days=calendar.working_days_between)
    named = attachments.named_in(schema, values)
    unit.attached = attachments.require(
        unit.connection, named, instance_id=unit.row.instance_id, by=unit.by, trusted=trusted
    )
    return confiding.confide(unit, schema, values)


def hand_in(unit: Unit, task_id: str, element: str) -> dict[str, Any]:
    """Tie the files of the form just filled in to the case; return what the history says of them, `{}` for none."""
    if not unit.attached:
        return {}
    ids, at = [item["id"] for item in unit.attached], stamp(unit.now)
    attachments.use(unit.connection, ids, instance_id=unit.row.instance_id, task_id=task_id, element=element, at=at)
    confiding.confide_files(unit)
    return {"attachments": unit.attached}


def hold(unit: Unit, by: str) -> None:
    """Make `by` the holder of the task."""
    unit.given(task=unit.task.task_id)
    unit.say("task.claimed", element=unit.task.element, task=unit.task.task_id)
    _update(unit, assignee=by, claimed_at=stamp(unit.now))
    unit.finish()


def release(unit: Unit, by: str) -> None:
    """Give the task back to its candidates."""
    if unit.task.assignee != by or unit.task.claimed_at is None:
        raise Conflict(
            "not_claimed",
            text={"zh-CN": "该任务未被认领，无法退领", "en": "The task was not claimed, so it cannot be released"},
        )
    unit.given(task=unit.task.task_id)
    unit.say("task.released", element=unit.task.element, task=unit.task.task_id)
    _update(unit, assignee=None, claimed_at=None)
    unit.finish()


def complete(unit: Unit, variables: Mapping[str, Any], by: str) -> None:
    """Check who, check that nobody else holds it, type the form, advance the case."""
    grant = unit.require_grant()
    unit.task.require_free_for(grant.behalf if grant.behalf and unit.task.assignee == grant.behalf else by)
    values = form_values(unit, form_of(unit), variables)
    finish(unit, values, by, grant.behalf)


def finish(unit: Unit, values: Mapping[str, Any], by: str, behalf: str | None) -> None:
    """Complete the task with typed values."""
    result = {**values, "by": by, "at": stamp(unit.now)}
    if behalf is not None:
        result["for"] = behalf
    unit.done[unit.task.task_id] = {"by": by, "for": behalf}
    result = unit.given(task=unit.task.task_id, variables=result)["variables"]
    files = hand_in(unit, unit.task.task_id, unit.task.element)
    unit.say("task.completed", element=unit.task.element, task=unit.task.task_id, result=result, **files)
    unit.case.complete(unit.task.task_id, result, unit.context)
    unit.finish()


def recuse(unit: Unit, by: str, reason: str) -> None:
    """Take the actor out: cast the ballot as `recuse` when the form offers it, else offer the task to the others."""
    reason = reason[:REASON_CAP]
    task = unit.task
    data = {"task": task.task_id, "who": by, "reason": reason, "confidential": True}
    unit.say("task.recused", element=task.element, **data)
    offered = form_of(unit).get("properties", {}).get("outcome", {}).get("enum", [])
    if "recuse" in offered:
        unit.task.require_free_for(by)
        finish(unit, {"outcome": "recuse"}, by, None)
        return
    unit.given(task=task.task_id)
    row = {"instance_id": unit.row.instance_id, "task_id": task.task_id, "principal": f"u:{by}", "rule": "recused"}
    unit.connection.execute(sa.insert(task_access).values(**row, created_at=stamp(unit.now)))
    if task.assignee == by:
        _update(unit, assignee=None, claimed_at=None)
    left = set(unit.directory.usernames(unit.access.may)) - {p[2:] for p in unit.access.recused} - {by}
    if not left:
        unstaffed(unit, task.task_id, task.element)
    unit.finish()


def reassign(unit: Unit, *, to: str, by: str, reason: str) -> None:
    """Make `to` the only one who may do the task.

    A holder hands over to another candidate. An administrator may name anyone in a task's groups and, when only named
    persons could do it, any active person. Nobody who is recused ever gets it, nor who stands in for somebody recused.
    """
    who = unit.actor()
    require_open(unit.task)
    unit.require_running()
    administers = who.within(unit.engine.administrators)
    grant = unit.access.grant_for(who, unit.task.element)
    if not administers and (grant is None or unit.task.assignee not in (None, by)):
        raise Denied(
            "not_holder",
            recused=unit.access.is_recused(who),
            text=None
            if unit.access.is_recused(who)
            else {"zh-CN": "只有办理人可以转办", "en": "Only whoever holds the task may transfer it"},
        )
    hand_over(unit, to, anyone=administers, reason=reason)


def hand_over(unit: Unit, to: str, *, anyone: bool, reason: str, instead_of: str | None = None) -> None:
    """Make `to` the only one who may do the task or, where several may by name, the one `instead_of` another.

    `anyone`: an active person who is no candidate may get a task that is offered to people by name only. Raises Denied.
    """
    heir = require_active(unit.connection, to, unit.now)
    candidate = unit.access.grant_for(heir, unit.task.element)
    named_only = not any(principal.startswith("g:") for principal in unit.access.may)
    recused = f"u:{to}" in unit.access.recused or any(
        grant.behalf is not None and f"u:{grant.behalf}" in unit.access.recused for grant in heir.grants
    )
    if recused:
        raise Denied(
            "heir_recused",
            text={"zh-CN": "「{to}」应回避，不能接收", "en": "“{to}” is recused and cannot take it"},
            to=to,
        )
    if candidate is None and not (anyone and named_only):
        raise Denied(
            "not_candidate",
            text={"zh-CN": "「{to}」不在可办理人之列", "en": "“{to}” is not among those who may do it"},
            to=to,
        )
    unit.given(task=unit.task.task_id, to=to, reason=reason[:REASON_CAP])
    unit.say("task.reassigned", element=unit.task.element, task=unit.task.task_id, to=to, reason=reason[:REASON_CAP])
    where = [task_access.c.instance_id == unit.row.instance_id, task_access.c.task_id == unit.task.task_id]
    among = instead_of is not None and unit.task.assignee is None and len(unit.access.may) > 1
    given_up = [task_access.c.principal == f"u:{instead_of}"] if among else []
    unit.connection.execute(sa.delete(task_access).where(*where, task_access.c.rule == "may", *given_up))
    if not (among and f"u:{to}" in unit.access.may):
        row = {"instance_id": unit.row.instance_id, "task_id": unit.task.task_id, "principal": f"u:{to}", "rule": "may"}
        unit.connection.execute(sa.insert(task_access).values(**row, created_at=stamp(unit.now)))
    if not among:
        _update(unit, assignee=to, claimed_at=None)
    unit.finish()


def withdrawal(unit: Unit) -> str:
    """The end event a withdrawn case ends in. Raises Conflict where the diagram does not allow it (any more)."""
    properties = unit.definitions.processes[unit.row.process].properties
    end = properties.get("withdraw_to")
    if not end:
        raise Conflict(
            "withdraw_never", text={"zh-CN": "该流程不支持撤回", "en": "Cases of this procedure cannot be withdrawn"}
        )
    barred = [name.strip() for name in properties.get("withdraw_until", "").split(",") if name.strip()]
    where = [tasks.c.instance_id == unit.row.instance_id, tasks.c.element.in_(barred), tasks.c.status == "done"]
    if barred and unit.connection.execute(sa.select(tasks.c.element).where(*where).limit(1)).first():
        raise Conflict(
            "withdraw_too_late",
            text={
                "zh-CN": "已办理不可逆的环节，不能撤回",
                "en": "A step that cannot be undone is done; it is too late to withdraw",
            },
        )
    return end


def _update(unit: Unit, **values: Any) -> None:
    where = sa.and_(tasks.c.instance_id == unit.row.instance_id, tasks.c.task_id == unit.task.task_id)
    unit.connection.execute(sa.update(tasks).where(where).values(**values))
