"""Jobs: timers, reminders and external calls as rows that are due at a time; claimed under a lease, retried, given up
as incidents.

A node claims what is due with one conditional UPDATE (SKIP LOCKED on PostgreSQL), does each job in a transaction of
its own, and finishes it only while it still holds the lease. A node that dies leaves leases that run out. External
operations are called outside any transaction, so at least once; timers and reminders happen exactly once, because the
job goes in the transaction that acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import confiding, errands
from engine.command import Unit
from engine.errors import Denied, ExecutionFailed, GuijuError, Invalid, NotFound
from engine.history import canonical
from engine.identity import LOCAL, Directory
from engine.models import incidents, instances, jobs, settings, task_access, tasks
from engine.moments import moment, stamp
from engine.operations import ExternalContext, notify
from engine.personal import reveal
from engine.prepared import Prepared
from engine.task_forms import of_task
from engine.tasks import raise_incident

if TYPE_CHECKING:
    from engine.runtime import Engine

LEASE = timedelta(seconds=60)
ATTEMPTS = 6  # then the job becomes an incident
AHEAD = timedelta(days=60)  # how far before the first unannounced day the administrators are told
BACKOFF = timedelta(seconds=15)  # doubled after each attempt: 15 s, 30 s, 1, 2, 4 minutes


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job this node holds the lease of."""

    instance_id: str
    job_id: str
    kind: str
    element: str
    token: str
    planned_at: str
    attempts: int
    lease: str
    payload: bytes | None


def next_due(engine: Engine) -> datetime | None:
    """When the next ready job may be run, or None."""
    with engine.db.read() as connection:
        earliest = connection.scalar(sa.select(sa.func.min(jobs.c.due_at)).where(jobs.c.status == "ready"))
    return moment(earliest) if earliest else None


def run_due(engine: Engine, limit: int) -> int:
    """Claim up to `limit` due jobs and do them in the order they fell due. Returns how many were done."""
    claimed = _claim(engine, limit)
    for job in claimed:
        _run(engine, job)
    return len(claimed)


def _due(now: str) -> Any:
    free = sa.or_(jobs.c.lease_until.is_(None), jobs.c.lease_until <= now)
    return sa.and_(jobs.c.status == "ready", jobs.c.due_at <= now, free)


def _claim(engine: Engine, limit: int) -> list[Job]:
    now = engine.now()
    due = _due(stamp(now))
    with engine.db.read() as connection:
        if connection.execute(sa.select(jobs.c.job_id).where(due).limit(1)).first() is None:
            return []

    def work(connection: Connection) -> list[Job]:
        query = sa.select(jobs).where(due).order_by(jobs.c.due_at, jobs.c.instance_id, jobs.c.job_id).limit(limit)
        rows = connection.execute(query.with_for_update(skip_locked=True)).all()
        lease = str(uuid4())
        if rows:
            key = sa.and_(jobs.c.instance_id == sa.bindparam("i"), jobs.c.job_id == sa.bindparam("j"))
            until = stamp(engine.now() + LEASE)
            held = sa.update(jobs).where(key).values(lease=lease, lease_until=until)
            connection.execute(held, [{"i": row.instance_id, "j": row.job_id} for row in rows])
        names = [name for name in Job.__dataclass_fields__ if name != "lease"]
        return [Job(lease=lease, **{name: getattr(row, name) for name in names}) for row in rows]

    return engine.db.write(work)


def _run(engine: Engine, job: Job) -> None:
    try:
        if job.kind == "operation":
            _operate(engine, job)
        elif job.kind == "start":
            _start(engine, job)
        else:
            engine.db.write(lambda connection: _act(engine, connection, job))
    except ExecutionFailed as failure:
        _give_up(engine, job, failure.message, failure.code)
    except Invalid as error:  # trying again would not fill the form in better
        fields = "; ".join(text["en"] for text in error.fields.values())
        _give_up(engine, job, {**error.message, "en": f"{error.message['en']}: {fields}"}, error.code)
    except GuijuError as error:
        _again(engine, job, error.message, error.code)
    except Exception as error:  # whatever a handler raised: the job is tried again, and the reason kept
        sentence = f"{type(error).__name__}: {error}"[:500]
        _again(engine, job, {"zh-CN": sentence, "en": sentence}, "operation_failed")


def _held(unit: Unit, job: Job) -> bool:
    """Whether the job still exists under our lease; the lock on the instance is ours by now."""
    where = sa.and_(jobs.c.instance_id == job.instance_id, jobs.c.job_id == job.job_id, jobs.c.lease == job.lease)
    found = unit.connection.execute(sa.select(jobs.c.job_id).where(where, jobs.c.status == "ready")).first()
    return found is not None and not unit.row.suspended


def _act(engine: Engine, connection: Connection, job: Job) -> None:
    """Fire a timer or send a reminder, and let the job go, in one transaction."""
    horizon = min(engine.now(), moment(job.planned_at))
    unit = Unit.on_instance(engine, connection, job.instance_id, name=job.kind, by=None, horizon=horizon)
    if not _held(unit, job):
        return
    _forget(connection, job)
    unit.given(token=job.token, element=job.element, planned=job.planned_at)
    if job.kind == "timer":
        unit.case.fire(job.token, unit.context)
    elif job.kind == "reassign":
        errands.reassign(unit, orjson.loads(job.payload or b"{}"), job.element)
        return
    else:
        remind(unit, job.token, job.element)
    unit.finish()


def remind(unit: Unit, task_id: str, element: str) -> None:
    """Tell whoever may do the task that it waits: its holder, else every candidate who is not recused."""
    where = [tasks.c.instance_id == unit.row.instance_id, tasks.c.task_id == task_id, tasks.c.status == "open"]
    row = unit.connection.execute(sa.select(tasks.c.assignee, tasks.c.process).where(*where)).first()
    if row is None:
        return
    access = unit.connection.execute(
        sa.select(task_access.c.principal, task_access.c.rule).where(
            task_access.c.instance_id == unit.row.instance_id, task_access.c.task_id == task_id
        )
    ).all()
    may = [f"u:{row.assignee}"] if row.assignee else [item.principal for item in access if item.rule == "may"]
    recused = {item.principal[2:] for item in access if item.rule == "recused"}
    users = [user for user in unit.directory.usernames(may) if user not in recused]
    name = unit.element(row.process, element).name
    text = {
        "zh-CN": f"「{name.get('zh-CN', element)}」等待办理：{unit.row.title}",
        "en": f"“{name.get('en', element)}” is waiting: {unit.row.title}",
    }
    notify(unit.connection, users, text, instance_id=unit.row.instance_id, at=stamp(unit.now), new_id=uuid4)
    unit.say("task.reminded", element=element, task=task_id, who=users)


def _operate(engine: Engine, job: Job) -> None:
    """Call an external operation outside any transaction, then finish it in one, if the lease is still ours."""
    call = orjson.loads(job.payload or b"{}")
    context = ExternalContext(
        idempotency_key=f"{job.instance_id}/{job.token}",
        instance_id=job.instance_id,
        element=job.element,
        attempt=job.attempts + 1,
        now=engine.now(),
    )
    answer = engine.operations.get(call["name"]).handler(context, **call["parameters"])
    result: dict[str, Any] = orjson.loads(canonical(dict(answer or {})))

    def work(connection: Connection) -> None:
        unit = Unit.on_instance(engine, connection, job.instance_id, name="operation", by=None)
        if not _held(unit, job):
            return
        unit.given(token=job.token, element=job.element, result=result)
        unit.say(
            "operation.called", element=job.element, name=call["name"], parameters=call["parameters"], result=result
        )
        unit.case.finish_operation(job.token, result, unit.context)
        unit.finish()

    engine.db.write(work)


def _start(engine: Engine, job: Job) -> None:
    """Start the case that this one asked for in a transaction of its own, then note it here and let the job go."""
    order = orjson.loads(job.payload or b"{}")
    with engine.db.read() as connection:
        held = sa.and_(jobs.c.instance_id == job.instance_id, jobs.c.job_id == job.job_id, jobs.c.lease == job.lease)
        if connection.execute(sa.select(jobs.c.job_id).where(held, jobs.c.status == "ready")).first() is None:
            return
    made = errands.start_ordered(engine, order)

    def work(connection: Connection) -> None:
        unit = Unit.on_instance(engine, connection, job.instance_id, name="start_case", by=None)
        if _held(unit, job):
            _forget(connection, job)
            unit.given(token=job.token, element=job.element, started=made)
            unit.say("case.started", element=job.element, process=order["process"], instance=made)
            unit.finish()

    engine.db.write(work)


def _forget(connection: Connection, job: Job) -> None:
    connection.execute(sa.delete(jobs).where(jobs.c.instance_id == job.instance_id, jobs.c.job_id == job.job_id))


def _again(engine: Engine, job: Job, message: dict[str, str], code: str) -> None:
    """Put a failed job back for later, or give it up after its last attempt."""
    if job.attempts + 1 >= ATTEMPTS:
        _give_up(engine, job, message, code)
        return
    later = stamp(engine.now() + BACKOFF * 2**job.attempts)

    def work(connection: Connection) -> None:
        where = sa.and_(jobs.c.instance_id == job.instance_id, jobs.c.job_id == job.job_id, jobs.c.lease == job.lease)
        values = {
            "attempts": job.attempts + 1,
            "due_at": later,
            "lease": None,
            "lease_until": None,
            "error": message["en"],
        }
        if connection.execute(sa.update(jobs).where(where).values(**values)).rowcount == 1:
            unit = Unit.on_instance(engine, connection, job.instance_id, name="note", by=None)
            unit.say(
                "job.failed", element=job.element, job=job.job_id, error=message, attempt=job.attempts + 1, next=later
            )
            unit.finish()

    engine.db.write(work)


def _give_up(engine: Engine, job: Job, message: dict[str, str], code: str) -> None:
    def work(connection: Connection) -> None:
        where = sa.and_(jobs.c.instance_id == job.instance_id, jobs.c.job_id == job.job_id, jobs.c.lease == job.lease)
        values = {
            "status": "failed",
            "attempts": job.attempts + 1,
            "lease": None,
            "lease_until": None,
            "error": message["en"],
        }
        if connection.execute(sa.update(jobs).where(where).values(**values)).rowcount != 1:
            return
        unit = Unit.on_instance(engine, connection, job.instance_id, name="note", by=None)
        error = {"code": code, "message": message}
        raise_incident(
            unit, kind="job", element=job.element, error=error, command={"command": "job", "job": job.job_id}
        )
        unit.row.status = "incident"
        unit.finish()

    engine.db.write(work)


def warn_of_unannounced(engine: Engine) -> bool:
    """Notify the administrators when days within AHEAD have no announced holidays, once for each such year."""
    day = (engine.now() + AHEAD).astimezone(LOCAL).date()

    def work(connection: Connection) -> bool:
        calendar = engine.calendar(connection)
        told = connection.scalar(sa.select(settings.c.value).where(settings.c.name == "calendar_told"))
        if calendar.is_announced(day) or told == day.year:
            return False
        connection.execute(sa.delete(settings).where(settings.c.name == "calendar_told"))
        connection.execute(sa.insert(settings).values(name="calendar_told", value=day.year))
        text = {
            "zh-CN": f"工作日历只含 {calendar.horizon} 年及以前的节假日安排。{day.year} 年的期限暂按周末推算，"
            "请在公布后补录放假与调休日",
            "en": f"Public holidays are known up to {calendar.horizon}. Deadlines in {day.year} count weekends only; "
            "enter the holidays and make-up days once they are announced",
        }
        users = Directory(connection).usernames(f"g:{group}" for group in sorted(engine.administrators))
        notify(connection, users, text, instance_id=None, at=stamp(engine.now()), new_id=uuid4)
        return True

    return engine.db.write(work)


def hold(connection: Connection, instance_id: str, *, held: bool) -> None:
    """Hold back, or let go, every job of a suspended case; failed ones stay failed."""
    was, becomes = ("ready", "held") if held else ("held", "ready")
    where = sa.and_(jobs.c.instance_id == instance_id, jobs.c.status == was)
    connection.execute(sa.update(jobs).where(where).values(status=becomes, lease=None, lease_until=None))


_ABOUT = {
    "task": Prepared(sa.select(tasks.c.instance_id, tasks.c.element).where(tasks.c.task_id == sa.bindparam("name"))),
    "instance": Prepared(sa.select(instances.c.instance_id).where(instances.c.instance_id == sa.bindparam("name"))),
}


# -- what went wrong -----------------------------------------------------------------------------------------------
def note_refusal(engine: Engine, target: tuple[str, str], *, by: str, command: str, refusal: Denied) -> None:
    """Write a refused command into the history of its case, if both the case and the person exist."""

    def work(connection: Connection) -> None:
        about = _about(connection, target)
        if about is None or Directory(connection).person(by) is None:
            return
        unit = Unit.on_instance(engine, connection, about.instance_id, name="note", by=by)
        element = about.element if target[0] == "task" else None
        unit.say("access.refused", element=element, tried=command, target=target[1], reason=refusal.code)
        unit.finish()

    engine.db.write(work)


def note_incident(
    engine: Engine, target: tuple[str, str], *, by: str | None, command: dict[str, Any], failure: ExecutionFailed
) -> None:
    """Make an incident of a command that a diagram could not carry out; it was rolled back and can be retried."""

    def work(connection: Connection) -> None:
        if (about := _about(connection, target)) is None:
            return
        unit = Unit.on_instance(engine, connection, about.instance_id, name="note", by=by)
        error = {"code": failure.code, "message": failure.message}
        kept = confiding.confide_command(unit, _form_of(unit, target), command)
        raise_incident(unit, kind="command", element=failure.element, error=error, command={**kept, "by": by})
        unit.row.status = "incident"
        unit.finish()

    engine.db.write(work)


def _form_of(unit: Unit, target: tuple[str, str]) -> Mapping[str, Any] | None:
    """The form of the task a command was about."""
    if target[0] != "task":
        return None
    row = unit.connection.execute(sa.select(tasks.c.process, tasks.c.element).where(tasks.c.task_id == target[1])).one()
    form = unit.element(row.process, row.element).form
    return of_task(unit.definitions.forms, form)


def _about(connection: Connection, target: tuple[str, str]) -> Any:
    return _ABOUT[target[0]].run(connection, name=target[1]).first()


def open_incident(engine: Engine, incident_id: str) -> Any:
    """The open incident's row. Raises NotFound."""
    with engine.db.read() as connection:
        where = sa.and_(incidents.c.incident_id == incident_id, incidents.c.resolved_at.is_(None))
        row = connection.execute(sa.select(incidents).where(where)).first()
    if row is None:
        raise NotFound(
            "incident_not_found",
            text={"zh-CN": "没有找到该异常，可能已处理", "en": "No such open incident"},
            id=incident_id,
        )
    return row


def command_of(engine: Engine, incident: Any) -> Any:
    """What an incident stands for, as it was given; None when it is no command."""
    if not incident.command:
        return None
    with engine.db.read() as connection:
        return reveal(engine.personal, connection, orjson.loads(incident.command))


def resolve(unit: Unit, incident: Any) -> None:
    """Close an incident: its job is made ready again, and the case is active once no other incident is open."""
    at, connection = stamp(unit.now), unit.connection
    mine = sa.and_(incidents.c.instance_id == unit.row.instance_id, incidents.c.incident_id == incident.incident_id)
    if (
        connection.execute(
            sa.update(incidents).where(mine, incidents.c.resolved_at.is_(None)).values(resolved_at=at)
        ).rowcount
        != 1
    ):
        raise NotFound("incident_not_found", text={"zh-CN": "该异常已处理", "en": "The incident is already resolved"})
    if incident.kind == "job":
        job_id = orjson.loads(incident.command)["job"]
        where = sa.and_(jobs.c.instance_id == unit.row.instance_id, jobs.c.job_id == job_id)
        connection.execute(
            sa.update(jobs).where(where).values(status="ready", attempts=0, due_at=at, lease=None, lease_until=None)
        )
    rest = sa.select(incidents.c.incident_id).where(
        incidents.c.instance_id == unit.row.instance_id,
        incidents.c.resolved_at.is_(None),
        incidents.c.kind != "unstaffed",
    )
    if unit.row.status == "incident" and connection.execute(rest.limit(1)).first() is None:
        unit.row.status = "active"
    unit.given(incident=incident.incident_id)
    unit.say("incident.resolved", element=incident.element, incident=incident.incident_id)
