"""Operations: the code behind service tasks, and what it is given.

A *local* operation changes only our own tables and runs inside the command, exactly once. An *external* one (mail,
webhook) is queued as a job, runs outside any transaction at least once, with an idempotency key that stays the same
over retries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import attachments, meeting
from engine.calendar import Calendar
from engine.errors import Text
from engine.identity import Directory, barred_of
from engine.models import counters, instances, notifications, settings, task_access, tasks
from engine.moments import stamp
from engine.personal import CASE, Subjects
from engine.prepared import Prepared
from engine.registers import Registers
from engine.safes import encrypt_file
from engine.spiff.gate import OperationInfo

_COUNT_UP = Prepared(
    sa.update(counters)
    .where(counters.c.name == sa.bindparam("counter"))
    .values(value=counters.c.value + sa.literal_column("1"))
    .returning(counters.c.value)
)
Handler = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """A registered operation: what the gate may know of it, and its handler."""

    info: OperationInfo
    handler: Handler


class Operations:
    """The catalogue of operations, filled by decorators at import time of the policy."""

    def __init__(self) -> None:
        self._known: dict[str, Operation] = {}

    def local(
        self, name: str, *, parameters: Iterable[str] = (), required: Iterable[str] = (), title: Text | None = None
    ) -> Callable[[Handler], Handler]:
        """Register `handler(ctx, **parameters) -> mapping` to run inside the command."""
        return self._register(name, parameters, required, title, external=False)

    def external(
        self, name: str, *, parameters: Iterable[str] = (), required: Iterable[str] = (), title: Text | None = None
    ) -> Callable[[Handler], Handler]:
        """Register `handler(ctx, **parameters) -> mapping` to run as a job; `ctx` is an ExternalContext."""
        return self._register(name, parameters, required, title, external=True)

    def _register(
        self, name: str, parameters: Iterable[str], required: Iterable[str], title: Text | None, *, external: bool
    ) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            if name in self._known:
                raise ValueError(f"operation {name} is registered twice")
            info = OperationInfo(
                name=name,
                parameters=tuple(parameters),
                required=tuple(required),
                external=external,
                titles=title or {"zh-CN": name, "en": name},
            )
            self._known[name] = Operation(info=info, handler=handler)
            return handler

        return add

    def get(self, name: str) -> Operation:
        """The operation; the gate has seen to it that it exists (KeyError otherwise)."""
        return self._known[name]

    @property
    def infos(self) -> dict[str, OperationInfo]:
        """What the gate checks service tasks against."""
        return {name: operation.info for name, operation in sorted(self._known.items())}

    def merged(self, other: Operations) -> Operations:
        """A catalogue of both."""
        both = Operations()
        both._known = {**self._known, **other._known}
        return both


@dataclass(kw_only=True, slots=True)
class OperationContext:
    """What a local operation may use. Everything it writes is part of the command's transaction."""

    connection: Connection
    now: datetime
    instance_id: str
    business_key: str | None
    by: str | None
    element: str
    process: str
    registers: Registers
    directory: Directory
    calendar: Calendar
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    new_id: Callable[[], Any]
    initiator: str | None = None
    completed_now: Callable[[str], list[dict[str, Any]]] = lambda _: []  # what this very command completed
    variables_of: Callable[[Any], Mapping[str, Any]] = lambda _: {}  # of another instance's row
    subjects: Subjects
    tables: Mapping[str, bytes] = field(default_factory=dict)  # the `*.csv` of the case's own deployment

    def notify(self, principals: Iterable[str], text: Mapping[str, str], *, even_barred: bool = False) -> list[str]:
        """Tell the people behind `principals` (`u:`/`g:` or plain usernames and group ids); return their usernames.
        A text with personal data in it is sealed first (`seal`).

        Nobody is told of a case that is kept from them; `even_barred` tells them all the same, without the case.
        """
        named: list[str] = []
        for item in principals:
            named.extend([item] if item[:2] in ("u:", "g:") else self.directory.principals(item))
        barred = barred_of(self.connection, self.instance_id)
        users = [user for user in self.directory.usernames(named) if even_barred or user not in barred]
        case = None if even_barred else self.instance_id
        notify(self.connection, users, text, instance_id=case, at=stamp(self.now), new_id=self.new_id)
        return users

    def escalate(self, element: str, principals: Iterable[str]) -> list[str]:
        """Let `principals` do the open tasks of `element` as well; whoever may do them already keeps them."""
        named = self.directory.principals(list(principals))
        open_tasks = sa.and_(
            tasks.c.instance_id == self.instance_id, tasks.c.element == element, tasks.c.status == "open"
        )
        for task_id in self.connection.scalars(sa.select(tasks.c.task_id).where(open_tasks)).all():
            key = {"instance_id": self.instance_id, "task_id": task_id, "rule": "may"}
            where = sa.and_(*(task_access.c[name] == value for name, value in key.items()))
            have = set(self.connection.scalars(sa.select(task_access.c.principal).where(where)))
            for principal in named:
                if principal not in have:
                    row = {**key, "principal": principal, "created_at": stamp(self.now)}
                    self.connection.execute(sa.insert(task_access).values(**row))
            self.connection.execute(
                sa.update(tasks)
                .where(
                    tasks.c.instance_id == self.instance_id, tasks.c.task_id == task_id, tasks.c.claimed_at.is_(None)
                )
                .values(assignee=None)
            )
            self.events.append(("task.escalated", {"task": task_id, "element": element, "to": named}))
        return named

    def case_open(self, business_key: str) -> bool:
        """Whether a case with this number has not ended."""
        where = sa.and_(instances.c.business_key == business_key, instances.c.ended_at.is_(None))
        return self.connection.execute(sa.select(instances.c.instance_id).where(where).limit(1)).first() is not None

    def case_of(self, business_key: str) -> dict[str, Any] | None:
        """`{"instance_id", "process", "status", "end"}` of the case with this number, or None."""
        return meeting.case_of(self.connection, business_key)

    def open_cases(
        self, process: str, where: Callable[[Mapping[str, Any]], bool] | None = None, **equals: Any
    ) -> list[dict[str, Any]]:
        """The cases of a process that have not ended, whose variables equal what is given and satisfy `where`, oldest
        first.

        Each as `{"instance_id", "business_key", "process", "status", "title", "initiator"}`. Comparing variables
        unpacks every open case of the process: what is asked often belongs into a register.
        """
        return meeting.open_cases(self.connection, process, equals, self.variables_of, where)

    def completed(self, element: str) -> list[dict[str, Any]]:
        """What was entered each time `element` was completed in this case, oldest first: its fields, `by`, `at`, and
        `for` when somebody stood in."""
        return [*meeting.completed(self.connection, self.instance_id, element), *self.completed_now(element)]

    def completed_in(self, instance_id: str, element: str) -> list[dict[str, Any]]:
        """The same of another case."""
        return meeting.completed(self.connection, instance_id, element)

    def start_case(self, process: str, variables: Mapping[str, Any], *, key: str, in_own_name: bool = False) -> None:
        """Have another case started, in the name of whoever started this one, by the clock's next tick.

        `in_own_name`: the engine starts it in its own, so that who started this one is no party to the other.

        `key` says which of this case's starts it is: asked again under the same key, nothing happens. The new case's
        variable `origin` is `{"instance_id", "business_key"}` of this one. Fields of the start form are checked like
        anybody's; further variables are taken over as they are.
        """
        at = stamp(self.now)
        job = {"instance_id": self.instance_id, "element": self.element, "due_at": at, "planned_at": at}
        origin = {"instance_id": self.instance_id, "business_key": self.business_key}
        order = {
            "process": process,
            "variables": dict(variables),
            "by": meeting.SYSTEM if in_own_name else self.initiator or meeting.SYSTEM,
            "origin": origin,
        }
        if meeting.queue_start(self.connection, job, order, key):
            self.events.append(("case.queued", {"process": process, "key": key}))

    def open(self, value: Any) -> Any:
        """The value with every box in it opened (`engine.personal`), to make a letter or decide by. Whatever of it the
        operation returns, registers or tells anybody must be sealed again, or say nothing of it."""
        return self.subjects.reveal(value)

    def seal(self, field: str, value: Any, *, about: str = CASE) -> dict[str, str]:
        """A personal value as a box; `about` is a username, or `case`."""
        return self.subjects.seal(about, field, value)

    def attach(self, name: str, content: bytes, *, about: str | None = None) -> str:
        """Keep a file that the operation made (a letter, minutes) with this case; return its id.

        Whoever may read the case may download it. `about` (a username, or `case`): it holds personal data and is kept
        encrypted. Raises Invalid as an upload does.
        """
        at = stamp(self.now)
        made = attachments.store(self.connection, name, content, by=None, now=self.now)
        attachments.use(self.connection, [made], instance_id=self.instance_id, task_id="", element=self.element, at=at)
        if about is not None:
            encrypt_file(self.connection, self.subjects, made, about)
        self.events.append(("attachment.made", attachments.describe(self.connection, made)))
        return made

    def reassign_open(
        self,
        from_user: str,
        to_user: str,
        *,
        elements: Iterable[str] | None = None,
        cases: Iterable[str] | None = None,
    ) -> int:
        """Have every open task that is `from_user`'s by name (of these elements, of these cases by instance id) handed
        to `to_user`, each in its own case, by the clock's next tick; return how many. This case's own tasks stay.

        Whoever is recused or not in the task's group does not get it: that leaves an incident in its case.
        """
        number = meeting.queue_reassignments(
            self.connection,
            from_user=from_user,
            to_user=to_user,
            elements=elements,
            cases=cases,
            asking=self.instance_id,
            at=stamp(self.now),
        )
        self.events.append(("tasks.queued", {"from": from_user, "to": to_user, "number": number}))
        return number

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the company, or the default."""
        row = self.connection.execute(sa.select(settings.c.value).where(settings.c.name == name)).first()
        return default if row is None else row.value

    def next_number(self, name: str) -> int:
        """The next number of a counter, from 1."""
        return next_number(self.connection, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalContext:
    """What an external operation is told: the same key on every attempt, so the other side can drop a repetition."""

    idempotency_key: str
    instance_id: str
    element: str
    attempt: int
    now: datetime


def notify(
    connection: Connection,
    users: Iterable[str],
    text: Mapping[str, str],
    *,
    instance_id: str | None,
    at: str,
    new_id: Callable[[], Any],
) -> None:
    """Write a notification for each user."""
    rows = [
        {"username": user, "notification_id": str(new_id()), "at": at, "instance_id": instance_id, "text": dict(text)}
        for user in users
    ]
    if rows:
        connection.execute(sa.insert(notifications), rows)


def next_number(connection: Connection, name: str) -> int:
    """Count up and answer; two commands never get the same number."""
    value = _COUNT_UP.run(connection, counter=name).scalar()
    if value is None:
        connection.execute(sa.insert(counters).values(name=name, value=1))
        return 1
    return int(value)
