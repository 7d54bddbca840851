"""Where cases meet: what one case may learn of another, and what it may ask to be done there.

No transaction changes two cases. A case asks through a row of `jobs`, which the clock carries out later in the other
case's own transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.models import history, idempotency, instances, jobs, task_access, tasks

SYSTEM = "system"  # who starts a case that no person started


def case_of(connection: Connection, business_key: str) -> dict[str, Any] | None:
    """`{"instance_id", "process", "status", "end"}` of the case with this number, or None."""
    columns = [instances.c[name] for name in ("instance_id", "process", "status", "end")]
    row = connection.execute(sa.select(*columns).where(instances.c.business_key == business_key).limit(1)).first()
    return dict(row._mapping) if row else None


def open_cases(
    connection: Connection,
    process: str,
    equals: Mapping[str, Any],
    variables: Callable[[Any], Mapping[str, Any]],
    where: Callable[[Mapping[str, Any]], bool] | None = None,
) -> list[dict[str, Any]]:
    """The cases of a process that have not ended, whose variables equal what is given and satisfy `where`, oldest
    first."""
    still_open = sa.and_(instances.c.process == process, instances.c.ended_at.is_(None))
    rows = connection.execute(sa.select(instances).where(still_open).order_by(instances.c.started_at)).all()
    if equals:
        rows = [row for row in rows if _equal(variables(row), equals)]
    if where is not None:
        rows = [row for row in rows if where(variables(row))]
    names = ("instance_id", "business_key", "process", "status", "title", "initiator")
    return [{name: getattr(row, name) for name in names} for row in rows]


def _equal(variables: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(variables.get(name) == value for name, value in wanted.items())


def completed(connection: Connection, instance_id: str, element: str) -> list[dict[str, Any]]:
    """What was entered each time `element` was completed in a case, oldest first: its fields, `by`, `at` and, for a
    stand-in, `for`."""
    where = sa.and_(history.c.instance_id == instance_id, history.c.type == "task.completed")
    bodies = connection.scalars(sa.select(history.c.body).where(where).order_by(history.c.seq)).all()
    found = [orjson.loads(body) for body in bodies]
    return [body["data"]["result"] for body in found if body["element"] == element]


def start_key(instance_id: str, key: str) -> tuple[str, str]:
    """(job id, idempotency key) of a start that a case asks for under `key`."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:40]
    return f"start:{digest}", f"start {instance_id} {digest}"


def queue_start(connection: Connection, job: Mapping[str, Any], order: Mapping[str, Any], key: str) -> bool:
    """Queue the start of another case, once for each `key` of the asking case. False when it was asked for before."""
    job_id, once = start_key(job["instance_id"], key)
    same = sa.and_(jobs.c.instance_id == job["instance_id"], jobs.c.job_id == job_id)
    done = sa.and_(idempotency.c.actor == order["by"], idempotency.c.key == once)
    asked = connection.execute(sa.select(jobs.c.job_id).where(same)).first()
    if asked or connection.execute(sa.select(idempotency.c.key).where(done)).first():
        return False
    token = str(uuid4())
    row = {**job, "job_id": job_id, "kind": "start", "token": token, "payload": orjson.dumps({**order, "key": once})}
    connection.execute(sa.insert(jobs).values(status="ready", attempts=0, **row))
    return True


def queue_reassignments(
    connection: Connection,
    *,
    from_user: str,
    to_user: str,
    elements: Iterable[str] | None,
    cases: Iterable[str] | None = None,
    asking: str,
    at: str,
) -> int:
    """Queue the handing over of every open task that is `from_user`'s by name, in all cases but the asking one.

    Tasks offered to a group that nobody claimed stay with the group.
    """
    named = sa.exists().where(
        task_access.c.instance_id == tasks.c.instance_id,
        task_access.c.task_id == tasks.c.task_id,
        task_access.c.rule == "may",
        task_access.c.principal == f"u:{from_user}",
    )
    theirs = sa.or_(tasks.c.assignee == from_user, sa.and_(tasks.c.assignee.is_(None), named))
    query = (
        sa.select(tasks.c.instance_id, tasks.c.task_id, tasks.c.element, instances.c.suspended)
        .join(instances, instances.c.instance_id == tasks.c.instance_id)
        .where(tasks.c.status == "open", theirs, tasks.c.instance_id != asking)
    )
    if elements is not None:
        query = query.where(tasks.c.element.in_(list(elements)))
    if cases is not None:
        query = query.where(tasks.c.instance_id.in_(list(cases)))
    found = connection.execute(query.order_by(tasks.c.instance_id, tasks.c.task_id)).all()
    rows = [
        {
            "instance_id": row.instance_id,
            "job_id": f"reassign:{uuid4()}",
            "kind": "reassign",
            "status": "held" if row.suspended else "ready",
            "element": row.element,
            "token": str(uuid4()),
            "due_at": at,
            "planned_at": at,
            "attempts": 0,
            "payload": orjson.dumps({"task": row.task_id, "from": from_user, "to": to_user, "asked_by": asking}),
        }
        for row in found
    ]
    if rows:
        connection.execute(sa.insert(jobs), rows)
    return len(rows)
