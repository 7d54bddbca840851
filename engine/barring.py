"""Whom a case is kept from: the respondent of a complaint, their line, the witnesses.

A process's `barred` names them. It is worked out at the start and after every command, before tasks are offered, and
kept as rows. Whoever is in them neither lists, opens nor does any task of the case, nor reads the case, whatever else
gives them a way in. A task that stands `apart` (the respondent's statement) is the one exception: its performer sees it
and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.identity import barred_of
from engine.models import case_barred, case_viewers, notifications, task_access, tasks
from engine.moments import stamp
from engine.prepared import Prepared
from engine.spiff.case import HumanTask, Waiting
from engine.spiff.parse import ProcessInfo
from engine.tasks import apart, unstaffed

if TYPE_CHECKING:
    from engine.command import Unit


_HERE = sa.bindparam("instance", type_=sa.String)
_VIEWERS = Prepared(sa.select(case_viewers.c.principal).where(case_viewers.c.instance_id == _HERE))
_RULES = Prepared(
    sa.select(task_access.c.principal, task_access.c.rule).where(
        task_access.c.instance_id == _HERE, task_access.c.task_id == sa.bindparam("task", type_=sa.String)
    )
)


def settle(unit: Unit, info: ProcessInfo, *, new: bool) -> None:
    """Work out whom the case is kept from and who may read it besides, and write what changed."""
    source = info.properties.get("barred")
    if not source:
        return
    named = unit.directory.principals(unit.evaluate(source, unit.case.variables()))
    unit.barred = frozenset(unit.directory.usernames(named))
    mine, before = case_barred.c.instance_id == unit.row.instance_id, barred_of(unit.connection, unit.row.instance_id)
    if unit.barred != before:
        unit.connection.execute(sa.delete(case_barred).where(mine, case_barred.c.username.in_(before - unit.barred)))
        rows = [{"instance_id": unit.row.instance_id, "username": name} for name in sorted(unit.barred - before)]
        if rows:
            unit.connection.execute(sa.insert(case_barred), rows)
        told = sa.and_(notifications.c.instance_id == unit.row.instance_id, notifications.c.username.in_(unit.barred))
        unit.connection.execute(sa.delete(notifications).where(told))
        unit.say("case.barred", who=sorted(unit.barred))
    if not new:
        invite(unit, info)


def invite(unit: Unit, info: ProcessInfo) -> None:
    """Write who may read the case besides those who take part."""
    source = info.properties.get("viewers")
    if not source:
        return
    mine = case_viewers.c.instance_id == unit.row.instance_id
    before = {row.principal for row in _VIEWERS.run(unit.connection, instance=unit.row.instance_id).all()}
    named = set(unit.directory.principals(unit.evaluate(source, unit.case.variables())))
    if before - named:
        unit.connection.execute(sa.delete(case_viewers).where(mine, case_viewers.c.principal.in_(before - named)))
    rows = [{"instance_id": unit.row.instance_id, "principal": principal} for principal in sorted(named - before)]
    if rows:
        unit.connection.execute(sa.insert(case_viewers), rows)


def take_away(unit: Unit, before: Waiting, after: Waiting) -> None:
    """Take the tasks that stay open from whoever the case is now kept from; those just opened were never theirs."""
    if not unit.barred:
        return
    known = {task.token for task in before.tasks}
    for task in after.tasks:
        if task.token in known and not apart(unit.element(task.process, task.element)):
            _recuse(unit, task)


def _recuse(unit: Unit, task: HumanTask) -> None:
    at, mine = stamp(unit.now), {"instance_id": unit.row.instance_id, "task_id": task.token}
    rules = _RULES.run(unit.connection, instance=unit.row.instance_id, task=task.token).all()
    recused = {row.principal for row in rules if row.rule == "recused"}
    fresh = sorted(f"u:{name}" for name in unit.barred if f"u:{name}" not in recused)
    if not fresh:
        return
    rows = [{**mine, "principal": principal, "rule": "recused", "created_at": at} for principal in fresh]
    unit.connection.execute(sa.insert(task_access), rows)
    theirs = sa.and_(
        tasks.c.instance_id == unit.row.instance_id,
        tasks.c.task_id == task.token,
        tasks.c.assignee.in_(sorted(unit.barred)),
    )
    unit.connection.execute(sa.update(tasks).where(theirs).values(assignee=None, claimed_at=None))
    may = [row.principal for row in rules if row.rule == "may"]
    out = {principal[2:] for principal in [*recused, *fresh]}
    if not set(unit.directory.usernames(may)) - out:
        unstaffed(unit, task.token, task.element)
