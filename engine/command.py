"""One command on one instance, inside one transaction: load under the lock, apply, write everything, once.

A `Unit` is opened on an instance (or for a new one), the command applies itself to `unit.case` and says what happened
with `unit.say`; `unit.finish` turns the difference between before and after into rows: tasks, who may do them, jobs,
state, history.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from engine import barring, history
from engine import tasks as task_rows
from engine.changes import changes
from engine.context import LiveContext
from engine.db import Stale
from engine.errors import Conflict, Denied, ExecutionFailed, GuijuError, NotFound
from engine.identity import Access, Directory, Grant, Standing, barred_of, require_active
from engine.models import incidents, instances, task_access, tasks
from engine.moments import stamp
from engine.operations import OperationContext
from engine.personal import Subjects
from engine.prepared import Prepared
from engine.registers import Registers
from engine.spiff.case import FORMAT, Case, OperationCall, Trace, Waiting
from engine.spiff.expressions import compile_expression
from engine.spiff.parse import Definitions, ElementInfo, ProcessInfo

if TYPE_CHECKING:
    from engine.runtime import Engine

TRACED = {
    "entered": "element.entered",
    "left": "element.left",
    "cancelled": "element.cancelled",
    "timer_scheduled": "timer.scheduled",
    "timer_fired": "timer.fired",
    "operation": "operation.called",
    "decision": "decision.evaluated",
    "script": "script.run",
}
CHANGING = ("title", "status", "suspended", "end", "seq", "head", "state", "rev", "ended_at")
FIXED = ("instance_id", "process", "version", "deployment", "business_key", "initiator", "started_at")
INSERT = Prepared(sa.insert(instances), columns=(*FIXED, *CHANGING))
UPDATE = Prepared(
    sa.update(instances)
    .where(instances.c.instance_id == sa.bindparam("this"), instances.c.rev == sa.bindparam("was"))
    .values({name: sa.bindparam(name) for name in CHANGING})
)
ON_INSTANCE = Prepared(
    sa.select(instances).where(instances.c.instance_id == sa.bindparam("instance")).with_for_update()
)
ON_TASK = Prepared(
    sa.select(
        *[column.label(f"task_{column.name}") for column in tasks.c],
        instances,
        task_access.c.principal,
        task_access.c.rule,
    )
    .join(instances, instances.c.instance_id == tasks.c.instance_id)
    .outerjoin(
        task_access, sa.and_(task_access.c.instance_id == tasks.c.instance_id, task_access.c.task_id == tasks.c.task_id)
    )
    .where(tasks.c.task_id == sa.bindparam("task"))
    .with_for_update(of=instances)
)
CLOSE_INCIDENTS = Prepared(  # an ended case needs nobody's help any more
    sa.update(incidents)
    .where(incidents.c.instance_id == sa.bindparam("instance"), incidents.c.resolved_at.is_(None))
    .values(resolved_at=sa.bindparam("at"))
)
NOTHING = Waiting(tasks=(), timers=(), operations=())


@dataclass(slots=True)
class Row:
    """The instance's row as it was read, or as a new one will be written."""

    instance_id: str
    process: str
    version: int
    deployment: int
    business_key: str | None
    title: str
    initiator: str | None
    status: str
    suspended: bool
    end: str | None
    rev: int
    seq: int
    head: bytes
    state: bytes
    ended_at: str | None = None


class Unit:
    """A running command. `by` is the actor (None: an outsider, or the clock when `name` says so)."""

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        row: Row,
        *,
        name: str,
        by: str | None,
        horizon: datetime | None = None,
    ) -> None:
        self.engine, self.connection, self.row, self.name, self.by = engine, connection, row, name, by
        self.now = engine.now()
        self.directory = Directory(connection)
        self.definitions: Definitions = engine.shelf.get(row.deployment, connection)
        self.registers = Registers(
            connection, now=self.now, instance_id=row.instance_id, business_key=row.business_key, by=by
        )
        self.context = LiveContext(
            os.urandom(16),
            now=self.now,
            horizon=horizon or self.now,
            functions=engine.functions,
            due=engine.calendar(connection).due,
            operate=self._operate,
        )
        self.task: Any = None  # the task the command is about, when there is one
        self.access = Access.of([])
        self.attached: list[dict[str, Any]] = []  # files of the form that was filled in
        self.confided: dict[str, str] = {}  # its personal files -> whom they are about
        self.subjects = Subjects(engine.personal, connection, row.instance_id, stamp(self.now))
        self.barred: frozenset[str] = frozenset()  # usernames the case is kept from, once `finish` has settled it
        self.done: dict[str, Any] = {}  # task_id -> how it was completed
        self._input: dict[str, Any] = {}
        self._said: list[history.Event] = []
        self._late: list[history.Event] = []
        self._operated: list[tuple[OperationCall, list[tuple[str, dict[str, Any]]]]] = []
        self.case: Case
        self._before = self._after = NOTHING
        self._known: dict[str, Any] = {}  # the variables before the command

    # -- opening ----------------------------------------------------------------------------------------------------
    @classmethod
    def on_instance(cls, engine: Engine, connection: Connection, instance_id: str, **named: Any) -> Unit:
        """Open on an instance, its row locked. Raises NotFound."""
        found = ON_INSTANCE.run(connection, instance=instance_id).first()
        if found is None:
            raise NotFound(
                "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
            )
        unit = cls(engine, connection, _row(found), **named)
        unit._load()
        return unit

    @classmethod
    def on_task(cls, engine: Engine, connection: Connection, task_id: str, **named: Any) -> Unit:
        """Open on a task: task, instance and who may, in one statement, the instance's row locked. Raises NotFound."""
        found = ON_TASK.run(connection, task=task_id).all()
        if not found:
            raise task_missing(task_id)
        unit = cls(engine, connection, _row(found[0]), **named)
        unit.task = task_rows.TaskState.of(found[0])
        unit.access = Access.of((row.principal, row.rule) for row in found)
        unit._load()
        return unit

    def _load(self) -> None:
        self.case = Case.load(self.definitions, self.row.state)
        self._before, self._known = self.case.waiting(), self.case.variables()

    # -- checks -----------------------------------------------------------------------------------------------------
    def actor(self) -> Standing:
        """The standing of `by`; raises Denied unless they work here, or when the case is kept from them."""
        assert self.by is not None
        who = require_active(self.connection, self.by, self.now)
        if self.bars and not self._apart() and self.by in barred_of(self.connection, self.row.instance_id):
            raise Denied("case_denied", recused=True)
        return who

    @property
    def noting(self) -> bool:
        """Whether this only writes something down, such as a refusal: the case itself stays as it was."""
        return self.name == "note"

    @property
    def bars(self) -> bool:
        """Whether the process keeps its cases from people."""
        return "barred" in self.definitions.processes[self.row.process].properties

    def _apart(self) -> bool:
        return self.task is not None and task_rows.apart(self.element(self.task.process, self.task.element))

    def require_administrator(self) -> None:
        """Raise Denied unless the actor administers the system."""
        if not self.actor().within(self.engine.administrators):
            raise Denied(
                "administrators_only",
                text={"zh-CN": "该操作仅限系统管理员", "en": "Only an administrator may do this"},
            )

    def require_running(self) -> None:
        """Raise Conflict when the case has ended or is suspended."""
        if self.row.status in ("completed", "cancelled"):
            raise Conflict("case_ended", text={"zh-CN": "案件已结束，不能再操作", "en": "The case has ended"})
        if self.row.suspended:
            raise Conflict(
                "case_suspended", text={"zh-CN": "案件已挂起，恢复后才能操作", "en": "The case is suspended"}
            )

    def require_grant(self) -> Grant:
        """By which right the actor may do the task. Raises Denied (recused said as such), then Conflict when it is
        gone.

        Whether someone may is asked first: whoever may not does not learn what became of the task.
        """
        who = self.actor()
        grant = self.access.grant_for(who, self.task.element)
        if grant is None:
            if self.access.past_grant_for(who, self.task.element) is not None:
                task_rows.require_open(self.task)
            raise Denied(
                "task_denied",
                recused=self.access.is_recused(who),
                text=None
                if self.access.is_recused(who)
                else {"zh-CN": "该任务不由你办理", "en": "This task is not yours to do"},
            )
        task_rows.require_open(self.task)
        self.require_running()
        return grant

    # -- saying -----------------------------------------------------------------------------------------------------
    def given(self, **what: Any) -> dict[str, Any]:
        """Note what the command was given and return it as the history keeps it: replay runs the command again from
        this, so the command must use these very values, the order of keys included."""
        kept: dict[str, Any] = orjson.loads(history.canonical(what))
        self._input.update(kept)
        return kept

    def say(self, type_: str, *, element: str | None = None, **data: Any) -> None:
        """Add an event to those of this command."""
        self._said.append(history.Event(type=type_, actor=self.by, element=element, data=data))

    # -- finishing --------------------------------------------------------------------------------------------------
    def finish(self, *, new: bool = False) -> Row:
        """Write everything the command changed. Raises Stale when another command came between."""
        row, case = self.row, self.case
        waiting = self._after = case.waiting()
        ended, was_over = case.status != "active", row.ended_at is not None
        at = stamp(self.now)
        row.end, state = case.end if ended else None, case.dump()
        row.status = case.status if ended else ("active" if row.status != "incident" else "incident")
        info = self.definitions.processes[row.process]
        self._trace(case.take_trace())
        if not self.noting:  # a note changes nothing that these are worked out from
            row.title = self._title(info) or row.title
            barring.settle(self, info, new=new)
        task_rows.sync(self, self._before, waiting)
        barring.take_away(self, self._before, waiting)
        for change in self.registers.changed:
            self.say("register.changed", **change)
        if ended and not was_over:
            row.ended_at = at
            self.say("instance.ended", element=row.end, status=row.status)
            CLOSE_INCIDENTS.run(self.connection, instance=row.instance_id, at=at)
        self._said.extend(self._late)
        digest = task_rows.sha256(state)
        command = history.Event(
            type="command",
            actor=self.by,
            data={
                "command": self.name,
                "input": self._input,
                "now": stamp(self.now),
                "horizon": stamp(self.context.horizon),
                "seed": self.context.seed.hex(),
                "answers": self.context.answers,
            },
        )
        made = [] if self.noting else changes(self._known, case.variables())
        saved = history.Event(
            type="state.saved", data={"state": digest, "status": row.status, "format": FORMAT, "changes": made}
        )
        row.seq, row.head = history.append(
            self.connection, row.instance_id, [command, *self._said, saved], at=at, seq=row.seq, head=row.head
        )
        values: dict[str, Any] = {
            "title": row.title,
            "status": row.status,
            "suspended": row.suspended,
            "end": row.end,
            "seq": row.seq,
            "head": row.head,
            "state": state,
            "rev": row.rev + 1,
            "ended_at": row.ended_at,
        }
        if new:
            fixed = {
                name: getattr(row, name)
                for name in ("instance_id", "process", "version", "deployment", "business_key", "initiator")
            }
            INSERT.run(self.connection, **fixed, **values, started_at=at)
            barring.invite(self, info)
        else:
            found = UPDATE.run(self.connection, **values, this=row.instance_id, was=row.rev)
            if found.rowcount != 1:
                raise Stale
        row.state, row.rev = state, row.rev + 1
        return row

    def tokens(self) -> list[str]:
        """Ids of the open tasks, as `finish` left them."""
        return [task.token for task in self._after.tasks]

    def evaluate(self, source: Any, variables: Mapping[str, Any]) -> Any:
        """Evaluate an expression that may ask the directory (candidates, recusals, titles, viewers)."""
        expression = compile_expression(source) if isinstance(source, str) else source
        functions = {**self.engine.functions, **self.engine.directory_functions(self.directory)}
        return expression.evaluate(variables, functions)

    def element(self, process: str, element: str) -> ElementInfo:
        """The element as the diagram declares it."""
        return self.definitions.processes[process].elements[element]

    def _title(self, info: ProcessInfo) -> str:
        source = info.properties.get("title")
        return str(self.evaluate(source, self.case.variables()) or "")[:500] if source else ""

    def _trace(self, trace: Iterable[Trace]) -> None:
        for step in trace:
            kind = TRACED.get(step.kind)
            if kind is None:
                continue
            data = {"token": step.token, "process": step.process, **step.data}
            if step.scope:
                data["scope"] = list(step.scope)
            self._said.append(history.Event(type=kind, element=step.element, data=data))

    def _operate(self, call: OperationCall) -> Mapping[str, Any] | None:
        operation = self.engine.operations.get(call.name)
        if operation.info.external:
            return None
        context = OperationContext(
            connection=self.connection,
            now=self.now,
            instance_id=self.row.instance_id,
            business_key=self.row.business_key,
            by=self.by,
            element=call.element,
            process=call.process,
            registers=self.registers,
            directory=self.directory,
            calendar=self.engine.calendar(self.connection),
            new_id=uuid4,
            initiator=self.row.initiator,
            completed_now=self._completed_now,
            variables_of=self._variables_of,
            subjects=self.subjects,
            tables=self.definitions.tables,
        )
        try:
            result = operation.handler(context, **call.parameters)
        except (GuijuError, DBAPIError):
            raise
        except Exception as error:  # a fault in the operation: the command is undone and its element named
            reason = f"{call.name}: {type(error).__name__}: {error}"[:500]
            raise ExecutionFailed(
                "operation_failed", element=call.element, process=call.process, reason=reason
            ) from error
        for kind, data in context.events:
            self._late.append(history.Event(type=kind, actor=self.by, element=call.element, data=data))
        plain: dict[str, Any] = orjson.loads(history.canonical(result))  # as the history keeps it
        return plain

    def _completed_now(self, element: str) -> list[dict[str, Any]]:
        said = [event for event in self._said if event.type == "task.completed" and event.element == element]
        return [dict(event.data["result"]) for event in said]

    def _variables_of(self, row: Any) -> Mapping[str, Any]:
        return Case.load(self.engine.shelf.get(row.deployment, self.connection), row.state).variables()


_ROW = tuple(Row.__dataclass_fields__)


def task_missing(task_id: str) -> NotFound:
    """The error for a task that does not exist."""
    return NotFound("task_not_found", text={"zh-CN": "没有找到该任务", "en": "The task was not found"}, id=task_id)


def _row(found: Any) -> Row:
    return Row(*[getattr(found, name) for name in _ROW])
