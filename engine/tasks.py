"""Open tasks and jobs as rows: the difference between what a case waited for before a command and after it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import sqlalchemy as sa

from engine.errors import Conflict
from engine.models import incidents, jobs, task_access, tasks
from engine.moments import stamp
from engine.prepared import Prepared
from engine.spiff.case import HumanTask, Waiting
from engine.spiff.parse import ElementInfo
from engine.spiff.timers import literal

if TYPE_CHECKING:
    from engine.command import Unit


_TASK = sa.and_(tasks.c.instance_id == sa.bindparam("instance"), tasks.c.task_id == sa.bindparam("task"))
CLOSE = Prepared(
    sa.update(tasks)
    .where(_TASK)
    .values(
        status=sa.bindparam("new_status"),
        completed_at=sa.bindparam("at"),
        completed_by=sa.bindparam("who"),
        on_behalf=sa.bindparam("behalf"),
        draft=sa.null(),
    )
)
_OFFERED = sa.and_(
    task_access.c.instance_id == sa.bindparam("instance"),
    task_access.c.task_id == sa.bindparam("task"),
    task_access.c.rule == sa.literal_column("'may'"),
)
UNOFFER = Prepared(  # out of the inbox's index range, but not forgotten
    sa.update(task_access).where(_OFFERED).values(rule=sa.literal_column("'past'"))
)
INSERT_TASKS = Prepared(
    sa.insert(tasks),
    columns=("instance_id", "task_id", "element", "process", "status", "assignee", "created_at", "due_at"),
)
INSERT_ACCESS = Prepared(sa.insert(task_access), columns=("instance_id", "task_id", "principal", "rule", "created_at"))
INSERT_JOBS = Prepared(
    sa.insert(jobs),
    columns=(
        "instance_id",
        "job_id",
        "kind",
        "status",
        "element",
        "token",
        "due_at",
        "planned_at",
        "attempts",
        "payload",
    ),
)
DELETE_JOBS = Prepared(
    sa.delete(jobs).where(jobs.c.instance_id == sa.bindparam("instance"), jobs.c.token == sa.bindparam("token"))
)


@dataclass(kw_only=True, slots=True)
class TaskState:
    """A task's row."""

    instance_id: str
    task_id: str
    element: str
    process: str
    status: str
    assignee: str | None
    claimed_at: str | None
    created_at: str
    due_at: str | None
    completed_at: str | None
    completed_by: str | None
    on_behalf: str | None
    draft: bytes | None

    @classmethod
    def of(cls, row: Any, prefix: str = "task_") -> TaskState:
        """From a row whose columns are labelled with `prefix`."""
        return cls(**{name: getattr(row, prefix + name) for name in cls.__dataclass_fields__})

    def require_free_for(self, holder: str) -> None:
        """Raise Conflict when somebody else holds it."""
        if self.assignee is not None and self.assignee != holder:
            raise Conflict(
                "task_taken",
                text={"zh-CN": "该任务已由{who}于 {at} 认领", "en": "{who} claimed this task at {at}"},
                who=self.assignee,
                at=self.claimed_at or self.created_at,
            )


def require_open(task: Any) -> None:
    """Raise Conflict unless the task (a row of `tasks`) is open, saying who did it or that it is no longer needed."""
    if task.status == "done":
        raise Conflict(
            "task_done",
            text={"zh-CN": "该任务已由{who}于 {at} 办理完成", "en": "{who} completed this task at {at}"},
            who=task.completed_by,
            at=task.completed_at,
        )
    if task.status != "open":
        raise Conflict("task_gone", text={"zh-CN": "该任务已取消，无需办理", "en": "This task is no longer needed"})


def apart(info: ElementInfo) -> bool:
    """Whether the task stands apart: its performer sees it and nothing else of its case."""
    return info.properties.get("apart", "") == "true"


def sync(unit: Unit, before: Waiting, after: Waiting) -> None:
    """Write tasks and jobs that came and went. At most one statement per table and direction."""
    was = {task.token for task in before.tasks}
    now = {task.token for task in after.tasks}
    gone = [token for token in was if token not in now]
    _close(unit, gone)
    opened = [task for task in after.tasks if task.token not in was]
    reminders = _open(unit, opened) if opened else []
    _jobs(unit, before, after, gone, reminders)


def _close(unit: Unit, gone: list[str]) -> None:
    if not gone:
        return
    at = stamp(unit.now)
    rows = []
    for token in sorted(gone):
        done = unit.done.get(token)
        if done is None:
            element = next(task.element for task in unit._before.tasks if task.token == token)
            unit.say("task.cancelled", element=element, task=token)
        rows.append(
            {
                "instance": unit.row.instance_id,
                "task": token,
                "new_status": "done" if done else "cancelled",
                "at": at if done else None,
                "who": done["by"] if done else None,
                "behalf": done.get("for") if done else None,
            }
        )
    CLOSE.run_many(unit.connection, rows)
    unoffer = [{"instance": unit.row.instance_id, "task": token} for token in sorted(gone)]
    UNOFFER.run_many(unit.connection, unoffer)


def _open(unit: Unit, opened: list[HumanTask]) -> list[dict[str, Any]]:
    """Insert the new tasks, who may do them, and their reminders (returned as job rows)."""
    at, instance_id = stamp(unit.now), unit.row.instance_id
    rows, access, reminders = [], [], []
    calendar = unit.engine.calendar(unit.connection)
    for task in opened:
        info = unit.element(task.process, task.element)
        assignee = _assignee(unit, task)
        may = [f"u:{assignee}"] if assignee else _candidates(unit, task)
        recused = unit.directory.principals(unit.evaluate(info.recuse, task.data)) if info.recuse else []
        if unit.barred and not apart(info):
            recused = list(dict.fromkeys([*recused, *(f"u:{name}" for name in sorted(unit.barred))]))
        reads = unit.directory.principals(unit.evaluate(info.visible_to, task.data)) if info.visible_to else []
        due = _due(unit, task, info.due)
        rows.append(
            {
                "instance_id": instance_id,
                "task_id": task.token,
                "element": task.element,
                "process": task.process,
                "status": "open",
                "assignee": assignee,
                "created_at": at,
                "due_at": due,
            }
        )
        alone = may if apart(info) else []  # the respondent's statement is for nobody who stands in for them
        for rule, principals in (("may", may), ("recused", recused), ("reads", reads), ("alone", alone)):
            for principal in principals:
                key = {"instance_id": instance_id, "task_id": task.token, "principal": principal, "rule": rule}
                access.append({**key, "created_at": at})
        for number, wait in enumerate(info.remind):
            when = stamp(calendar.add(unit.now, wait))
            reminders.append(job(unit, f"reminder:{task.token}:{number}", "reminder", task.element, task.token, when))
        unit.say("task.created", element=task.element, task=task.token, may=may, recused=recused, due=due)
        if not may or (recused and not _staffed(unit, may, recused)):
            unstaffed(unit, task.token, task.element)
    INSERT_TASKS.run_many(unit.connection, rows)
    INSERT_ACCESS.run_many(unit.connection, access)
    return reminders


def _due(unit: Unit, task: HumanTask, source: str | None) -> str | None:
    """When the task is due: `source` is a duration, or an expression that gives one, a moment, or nothing."""
    if not source:
        return None
    wait = literal(source) or unit.evaluate(source, task.data)
    return stamp(unit.engine.calendar(unit.connection).due(unit.now, str(wait))) if wait else None


def _assignee(unit: Unit, task: HumanTask) -> str | None:
    expression = unit.element(task.process, task.element).assignee
    value = unit.evaluate(expression, task.data) if expression else None
    return str(value) if value else None


def _candidates(unit: Unit, task: HumanTask) -> list[str]:
    info = unit.element(task.process, task.element)
    if info.candidates:
        return unit.directory.principals(unit.evaluate(info.candidates, task.data))
    if info.lane:
        return unit.directory.principals(info.lane)
    return ["g:employee"]


def _staffed(unit: Unit, may: list[str], recused: list[str]) -> bool:
    return bool(set(unit.directory.usernames(may)) - {principal[2:] for principal in recused})


def unstaffed(unit: Unit, task_id: str, element: str) -> None:
    """Nobody is left who may do a task: an incident, so that the administrator finds somebody."""
    text = {"zh-CN": "环节「{e}」没有可办理的人", "en": "Nobody may do step “{e}”"}
    error = {"code": "unstaffed", "message": {lang: words.replace("{e}", element) for lang, words in text.items()}}
    raise_incident(unit, kind="unstaffed", element=element, error={**error, "task": task_id})


def raise_incident(
    unit: Unit, *, kind: str, element: str, error: dict[str, Any], command: dict[str, Any] | None = None
) -> str:
    """Write an incident of this instance and say so in its history; return its id."""
    incident_id = str(uuid4())
    unit.connection.execute(
        sa.insert(incidents).values(
            instance_id=unit.row.instance_id,
            incident_id=incident_id,
            kind=kind,
            element=element,
            error=error,
            command=orjson.dumps(command) if command is not None else None,
            created_at=stamp(unit.now),
        )
    )
    unit.say("incident.raised", element=element, incident=incident_id, kind=kind, error=error)
    return incident_id


def job(unit: Unit, job_id: str, kind: str, element: str, token: str, when: str, payload: Any = None) -> dict[str, Any]:
    """A job's row, ready at `when`."""
    return {
        "instance_id": unit.row.instance_id,
        "job_id": job_id,
        "kind": kind,
        "status": "ready",
        "element": element,
        "token": token,
        "due_at": when,
        "planned_at": when,
        "attempts": 0,
        "payload": None if payload is None else orjson.dumps(payload),
    }


def _jobs(unit: Unit, before: Waiting, after: Waiting, gone: list[str], rows: list[dict[str, Any]]) -> None:
    had = {(timer.token, timer.due) for timer in before.timers}
    have = {(timer.token, timer.due) for timer in after.timers}
    ran = {wait.token for wait in before.operations} - {wait.token for wait in after.operations}
    finished = {token for token, due in had - have} | ran
    by_token = {task.token: task for task in before.tasks}
    finished |= {t for t in gone if unit.element(by_token[t].process, by_token[t].element).remind}
    if finished:
        DELETE_JOBS.run_many(
            unit.connection, [{"instance": unit.row.instance_id, "token": token} for token in sorted(finished)]
        )
    for timer in after.timers:
        if (timer.token, timer.due) not in had:
            rows.append(job(unit, f"timer:{timer.token}", "timer", timer.element, timer.token, stamp(timer.due)))
    known = {wait.token for wait in before.operations}
    for wait in after.operations:
        if wait.token not in known:
            payload = {"name": wait.call.name, "parameters": wait.call.parameters}
            rows.append(
                job(unit, f"operation:{wait.token}", "operation", wait.element, wait.token, stamp(unit.now), payload)
            )
            unit.say("operation.queued", element=wait.element, token=wait.token, name=wait.call.name)
    INSERT_JOBS.run_many(unit.connection, rows)


def sha256(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()
