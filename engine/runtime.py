"""The commands. Each is one method, one transaction, one commit; `by` says who, always.

What goes wrong: errors of `engine.errors` pass to the caller with nothing changed. A refusal (Denied) is written into
the case's history afterwards; a diagram that cannot go on (ExecutionFailed) becomes an incident that `retry` runs
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from engine import attachments, confiding, deployment, jobs, notes, schedules, taking
from engine.accesses import Recently
from engine.calendar import Calendar
from engine.command import Unit
from engine.db import Database
from engine.deployment import Deployment, Shelf
from engine.errors import Conflict, Denied, ExecutionFailed
from engine.identity import Directory, require_active
from engine.models import calendar_days, idempotency, tasks
from engine.moments import Clock, SystemClock, stamp
from engine.operations import Operations
from engine.personal import Keyring
from engine.prepared import Prepared
from engine.registers import Readers
from engine.schedules import Planning, Schedule
from engine.spiff.control import Control, TableControl
from engine.spiff.gate import Finding, House
from engine.starting import Sealer, begin

T = TypeVar("T")
CALENDAR_KEPT = 60  # seconds
_ANSWERED = Prepared(sa.insert(idempotency), columns=("actor", "key", "command", "instance_id", "answer", "at"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a command left: the case's status, the end event it reached (or None), the ids of its open tasks."""

    instance_id: str
    business_key: str | None
    status: str
    end: str | None
    tasks: tuple[str, ...]


class Engine:
    """Runs cases. `operations` and `functions` are the policy's; `clock` says what time it is."""

    def __init__(
        self,
        db: Database,
        *,
        operations: Operations | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        directory_functions: Callable[[Directory], Mapping[str, Callable[..., Any]]] | None = None,
        schedules: Callable[[Planning], Iterable[Schedule]] | None = None,
        controls: Iterable[Control | TableControl] = (),
        registers: Mapping[str, Readers] | None = None,
        tables: Mapping[str, Callable[[bytes], Iterable[Finding]]] | None = None,
        clock: Clock | None = None,
        sealer: Sealer | None = None,
        personal: Keyring | None = None,
        administrators: frozenset[str] = frozenset({"sysadmin"}),
        auditors: frozenset[str] = frozenset({"auditor"}),
    ) -> None:
        self.db = db
        self.operations = operations or Operations()
        self.functions = dict(functions or {})
        self.directory_functions = directory_functions or (lambda _: {})
        self.schedules, self.sealer, self.personal = schedules, sealer, personal
        self.controls, self.registers, self.tables = tuple(controls), registers, dict(tables or {})
        self.clock = clock or SystemClock()
        self.administrators, self.auditors = administrators, auditors
        self.shelf, self.recently = Shelf(db), Recently()
        self._calendar: Calendar | None = None
        self._calendar_read = 0.0

    def now(self) -> datetime:
        """The clock's reading."""
        return self.clock.now()

    # -- what commands share ----------------------------------------------------------------------------------------
    def calendar(self, connection: Connection) -> Calendar:
        """The working calendar with the company's overrides, read again once a minute: another node may change them."""
        if self._calendar is None or monotonic() - self._calendar_read > CALENDAR_KEPT:
            rows = connection.execute(sa.select(calendar_days.c.day, calendar_days.c.working))
            self._calendar_read = monotonic()
            self._calendar = Calendar({datetime.fromisoformat(row.day).date(): row.working for row in rows})
        return self._calendar

    def house(self, directory: Directory | None = None) -> House:
        """What diagrams may refer to. Groups are added from the database when deploying."""
        names = frozenset(self.directory_functions(directory)) if directory else frozenset()
        return House(
            groups={},
            operations=self.operations.infos,
            functions=frozenset(self.functions),
            directory_functions=names,
            controls=self.controls,
            tables=self.tables,
        )

    def _run(
        self,
        work: Callable[[Connection], T],
        *,
        by: str | None,
        target: tuple[str, str] | None = None,
        command: Any = None,
    ) -> T:
        """Run one command; write a refusal or an incident down when that is how it went."""
        try:
            return self.db.write(work)
        except Denied as refusal:
            if target is not None and by is not None:
                jobs.note_refusal(self, target, by=by, command=command["command"], refusal=refusal)
            raise
        except ExecutionFailed as failure:
            if target is not None:
                jobs.note_incident(self, target, by=by, command=command, failure=failure)
            raise

    def _once(
        self, work: Callable[[Connection], Result], *, by: str | None, key: str | None, name: str, **noted: Any
    ) -> Result:
        """Run a command under its idempotency key: a repetition answers as the first time did."""
        if key is None:
            return self._run(work, by=by, **noted)

        def keyed(connection: Connection) -> Result:
            result = work(connection)
            row = {"actor": by or "", "key": key, "command": name, "instance_id": result.instance_id}
            _ANSWERED.run(connection, **row, answer=orjson.dumps(asdict(result)), at=stamp(self.now()))
            return result

        try:
            return self._run(keyed, by=by, **noted)
        except (Conflict, Denied, IntegrityError) as error:
            if (before := self._answered(by, key, name)) is not None:
                return before
            if isinstance(error, IntegrityError):
                raise Conflict from error
            raise

    def _answered(self, by: str | None, key: str, command: str) -> Result | None:
        with self.db.read() as connection:
            where = sa.and_(idempotency.c.actor == (by or ""), idempotency.c.key == key)
            row = connection.execute(sa.select(idempotency).where(where)).first()
        if row is None:
            return None
        if row.command != command:
            raise Conflict(
                "key_reused",
                text={
                    "zh-CN": "同一个幂等键已用于另一项操作",
                    "en": "This idempotency key was already used for something else",
                },
            )
        answer = orjson.loads(row.answer)
        return Result(**{**answer, "tasks": tuple(answer["tasks"])})

    # -- commands ---------------------------------------------------------------------------------------------------
    def deploy(self, files: Mapping[str, bytes], *, by: str) -> Deployment:
        """Check and store files (bundle path → content) as a new version. Raises GateRefused with every problem."""

        def work(connection: Connection) -> Deployment:
            house = self.house(Directory(connection))
            return deployment.deploy(connection, files, by=by, now=self.now(), house=house)

        return self._run(work, by=by)

    def start(self, process: str, variables: Mapping[str, Any], *, by: str | None, key: str | None = None) -> Result:
        """Start a case with its start form filled in. Raises Invalid, Denied, NotFound."""

        def work(connection: Connection) -> Result:
            return _result(begin(self, connection, process, variables, by=by))

        return self._once(work, by=by, key=key, name=f"start {process}")

    def claim(self, task_id: str, *, by: str) -> Result:
        """Take a task from those offered to one's groups. Raises Conflict when another holds it."""

        def work(connection: Connection) -> Result:
            unit = Unit.on_task(self, connection, task_id, name="claim", by=by)
            grant = unit.require_grant()
            unit.task.require_free_for(grant.behalf if unit.task.assignee == grant.behalf else by)
            taking.hold(unit, by)
            return _result(unit)

        return self._run(work, by=by, target=("task", task_id), command={"command": "claim", "task": task_id})

    def release(self, task_id: str, *, by: str) -> Result:
        """Give a claimed task back to its candidates. A task assigned to one person cannot be given back."""

        def work(connection: Connection) -> Result:
            unit = Unit.on_task(self, connection, task_id, name="release", by=by)
            unit.require_grant()
            taking.release(unit, by)
            return _result(unit)

        return self._run(work, by=by, target=("task", task_id), command={"command": "release", "task": task_id})

    def save_draft(self, task_id: str, variables: Mapping[str, Any], *, by: str) -> None:
        """Keep a half-filled form with the task; it is not checked for completeness and does not enter the history."""

        def work(connection: Connection) -> None:
            unit = Unit.on_task(self, connection, task_id, name="save_draft", by=by)
            grant = unit.require_grant()
            unit.task.require_free_for(grant.behalf if unit.task.assignee == grant.behalf else by)
            kept = orjson.dumps(confiding.confide_draft(unit, taking.form_of(unit), variables))
            where = sa.and_(tasks.c.instance_id == unit.row.instance_id, tasks.c.task_id == task_id)
            connection.execute(sa.update(tasks).where(where).values(draft=kept))

        self._run(work, by=by, target=("task", task_id), command={"command": "save_draft", "task": task_id})

    def complete(self, task_id: str, variables: Mapping[str, Any], *, by: str, key: str | None = None) -> Result:
        """Complete a task with its form filled in; an unclaimed one is claimed by it. Raises Invalid, Denied,
        Conflict."""

        def work(connection: Connection) -> Result:
            unit = Unit.on_task(self, connection, task_id, name="complete", by=by)
            taking.complete(unit, variables, by)
            return _result(unit)

        noted = {
            "target": ("task", task_id),
            "command": {"command": "complete", "task": task_id, "variables": dict(variables)},
        }
        return self._once(work, by=by, key=key, name=f"complete {task_id}", **noted)

    def attach(self, task_id: str | None, name: str, content: bytes, *, by: str | None) -> str:
        """Store a file for a form's field of attachments and return its id; handing in the form ties it to the case.

        `task_id` None: for a start form. At most 20 MB; the type is found from the content. Raises Invalid, Denied,
        Conflict.
        """

        def work(connection: Connection) -> str:
            if task_id is not None:
                Unit.on_task(self, connection, task_id, name="attach", by=by).require_grant()
            elif by is not None:
                require_active(connection, by, self.now())
            return attachments.store(connection, name, content, by=by, now=self.now(), kind=kind)

        kind, target = attachments.kind_of(content), ("task", task_id) if task_id else None
        return self._run(work, by=by, target=target, command={"command": "attach", "task": task_id})

    def sweep_attachments(self) -> int:
        """Forget files that were stored a week ago and never handed in; return how many."""
        return self.db.write(lambda connection: attachments.sweep(connection, self.now()))

    def recuse(self, task_id: str, *, by: str, reason: str = "") -> Result:
        """Declare oneself recused (X18). A ballot is cast as `recuse`; any other task goes back without the actor.

        The reason is confidential: it stays in the history, where only auditors read it.
        """

        def work(connection: Connection) -> Result:
            unit = Unit.on_task(self, connection, task_id, name="recuse", by=by)
            unit.require_grant()
            taking.recuse(unit, by, reason)
            return _result(unit)

        return self._run(work, by=by, target=("task", task_id), command={"command": "recuse", "task": task_id})

    def reassign(self, task_id: str, *, to: str, by: str, reason: str = "") -> Result:
        """Hand a task over: its holder to another candidate, an administrator to whoever may do it (K-12)."""

        def work(connection: Connection) -> Result:
            unit = Unit.on_task(self, connection, task_id, name="reassign", by=by)
            taking.reassign(unit, to=to, by=by, reason=reason)
            return _result(unit)

        return self._run(work, by=by, target=("task", task_id), command={"command": "reassign", "task": task_id})

    def withdraw(self, instance_id: str, *, by: str, reason: str = "") -> Result:
        """Withdraw a case as its initiator, where and while its diagram allows it."""

        def work(connection: Connection) -> Result:
            unit = Unit.on_instance(self, connection, instance_id, name="withdraw", by=by)
            unit.actor()
            if unit.row.initiator != by:
                raise Denied(
                    "initiator_only",
                    text={"zh-CN": "只有发起人可以撤回", "en": "Only who started the case may withdraw it"},
                )
            unit.require_running()
            end = taking.withdrawal(unit)
            unit.given(end=end, reason=reason[:2000])
            unit.case.withdraw(end, unit.context)
            unit.finish()
            return _result(unit)

        return self._run(work, by=by, target=("instance", instance_id), command={"command": "withdraw"})

    def cancel(self, instance_id: str, *, by: str, reason: str) -> Result:
        """Stop a case for good, as administrator, suspended or not. Raises Denied, Conflict when it has ended."""

        def apply(unit: Unit) -> None:
            unit.row.suspended = False
            unit.require_running()
            unit.case.cancel(unit.context)

        return self._administer("cancel", instance_id, by, reason, apply)

    def suspend(self, instance_id: str, *, by: str, reason: str = "") -> Result:
        """Freeze a case: nothing in it can be done and none of its timers fires until `resume`."""

        def apply(unit: Unit) -> None:
            unit.require_running()
            unit.row.suspended = True
            jobs.hold(unit.connection, unit.row.instance_id, held=True)
            unit.say("instance.suspended", reason=reason[:2000])

        return self._administer("suspend", instance_id, by, reason, apply)

    def resume(self, instance_id: str, *, by: str) -> Result:
        """Let a suspended case go on; what fell due meanwhile fires at the next tick."""

        def apply(unit: Unit) -> None:
            if not unit.row.suspended:
                raise Conflict("not_suspended", text={"zh-CN": "案件未挂起", "en": "The case is not suspended"})
            unit.row.suspended = False
            jobs.hold(unit.connection, unit.row.instance_id, held=False)
            unit.say("instance.resumed")

        return self._administer("resume", instance_id, by, "", apply)

    def _administer(self, name: str, instance_id: str, by: str, reason: str, apply: Callable[[Unit], None]) -> Result:
        def work(connection: Connection) -> Result:
            unit = Unit.on_instance(self, connection, instance_id, name=name, by=by)
            unit.require_administrator()
            unit.given(reason=reason[:2000])
            handlers = notes.handlers_of(connection, instance_id)
            apply(unit)
            unit.finish()
            notes.tell_administered(unit, name, reason[:2000], handlers)
            return _result(unit)

        return self._run(work, by=by, target=("instance", instance_id), command={"command": name})

    def note(self, instance_id: str, type_: str, *, by: str | None, **data: Any) -> None:
        """Write an event of the policy into a case's history, such as the opening of a sealed identity, `tell` whoever
        may do an open task of it, raise an `incident`. `type_` is one of `history.EVENT_TYPES`. Raises NotFound."""
        notes.note(self, instance_id, type_, by=by, **data)

    def retry(self, incident_id: str, *, by: str) -> Result:
        """Try again what an incident stands for: the failed command in its actor's name, or the job that gave up."""
        incident = jobs.open_incident(self, incident_id)

        def work(connection: Connection) -> Result:
            unit = Unit.on_instance(self, connection, incident.instance_id, name="retry", by=by)
            unit.require_administrator()
            jobs.resolve(unit, incident)
            unit.finish()
            return _result(unit)

        result = self._run(work, by=by, target=("instance", incident.instance_id), command={"command": "retry"})
        command = jobs.command_of(self, incident)
        if command and command.get("command") == "complete":
            return self.complete(command["task"], command["variables"], by=command["by"])
        return result

    def tick(self, *, limit: int = 100) -> int:
        """Do what is due now: fire timers, send reminders, call external operations, start cases. Returns how many jobs
        were run and recurring cases started."""
        return schedules.run_due(self, limit) + jobs.run_due(self, limit)

    def refresh_schedules(self) -> None:
        """Ask the policy at once what the clock is to start; `tick` asks every ten minutes."""
        schedules.refresh(self)

    def check_calendar(self) -> bool:
        """Tell the administrators, once a year, when deadlines come to reach past the announced public holidays."""
        return jobs.warn_of_unannounced(self)

    def next_due(self) -> datetime | None:
        """When the next job or recurring case is due, or None."""
        return min((due for due in (jobs.next_due(self), schedules.next_due(self)) if due), default=None)


def _result(unit: Unit) -> Result:
    row = unit.row
    return Result(
        instance_id=row.instance_id,
        business_key=row.business_key,
        status=row.status,
        end=row.end,
        tasks=tuple(unit.tokens()),
    )
