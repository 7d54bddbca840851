"""How long steps take and whether they keep their terms: measured over `step_times`, exact, in office hours.

Percentiles are by nearest rank: the smallest time that at least so many percent of the visits did not exceed. Both are
read off the covering index `ix_step_times_process`, whose order is that of the times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import deployment
from engine.errors import NotFound, Text
from engine.models_audit import step_times
from engine.moments import stamp
from engine.queries.asked import day_start
from engine.queries.auditing import auditable_ids, auditing

if TYPE_CHECKING:
    from engine.runtime import Engine

HOUR = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Cases started on these local days, both inclusive; None: no limit."""

    since: date | None = None
    until: date | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Over `step_times`."""
        found: list[sa.ColumnElement[bool]] = []
        if self.since:
            found.append(step_times.c.case_at >= day_start(self.since))
        if self.until:
            found.append(step_times.c.case_at < day_start(self.until + timedelta(days=1)))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A step measured: `visits` in all, `done` of them left and not cancelled; office hours of those."""

    element: str
    name: Text
    kind: str
    is_task: bool
    visits: int
    done: int
    late: int
    mean: float | None
    p50: float | None
    p90: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Heat:
    """A diagram's newest version with its steps measured; `gone`: steps that only earlier versions had."""

    process: str
    name: Text
    version: int
    xml: bytes
    spots: list[Spot]
    gone: list[Spot]


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """A task with a term: how often it was kept, and how many are open beyond it now."""

    process: str
    process_name: Text
    element: str
    name: Text
    within: int
    late: int
    overdue: int
    p50: float | None
    p90: float | None

    @property
    def share(self) -> float:
        """Which part was late, 0 to 1."""
        return self.late / (self.within + self.late) if self.within + self.late else 0.0


def heat(engine: Engine, process: str, *, actor: str, period: Period) -> Heat:
    """The diagram of a procedure with every step's visits and times. Raises NotFound, Denied."""
    with auditing(engine, actor, "report:heat") as audit:
        connection = audit.connection
        newest = next((row for row in deployment.latest(connection) if row.process == process), None)
        if newest is None:
            raise NotFound("process_not_found", text={"zh-CN": "没有该流程图", "en": "No such diagram"}, id=process)
        info = engine.shelf.get(newest.number, connection).processes[process]
        where = [
            step_times.c.process == process,
            *period.conditions(),
            auditable_ids(engine, audit, step_times.c.instance_id),
        ]
        spots = _spots(connection, where, lambda element: _named(info, element))
        return Heat(
            process=process,
            name=info.name,
            version=newest.version,
            xml=deployment.read_files(connection, newest.number)[info.file],
            spots=[spot for spot in spots if spot.element in info.elements],
            gone=[spot for spot in spots if spot.element not in info.elements],
        )


def _named(info: Any, element: str) -> tuple[Text, str]:
    found = info.elements.get(element)
    return (found.name, found.kind) if found else ({"zh-CN": element, "en": element}, "")


def _spots(connection: Connection, where: Sequence[sa.ColumnElement[bool]], named: Any) -> list[Spot]:
    step = step_times.c
    query = sa.select(
        step.element,
        step.is_task,
        sa.func.count(),
        sa.func.count(step.worked),
        sa.func.sum(step.worked),
        sa.func.sum(step.late),
    )
    rows = connection.execute(query.where(*where).group_by(step.element, step.is_task)).all()
    found = []
    for element, is_task, visits, done, total, late in rows:
        name, kind = named(element)
        own = [*where, step.element == element, step.is_task == is_task]
        found.append(
            Spot(
                element=element,
                name=name,
                kind=kind,
                is_task=bool(is_task),
                visits=visits,
                done=done,
                late=int(late or 0),
                mean=float(total) / done / HOUR if done else None,
                p50=_percentile(connection, own, done, 0.5),
                p90=_percentile(connection, own, done, 0.9),
            )
        )
    return sorted(found, key=lambda spot: (-(spot.p90 or 0), -spot.visits, spot.element))


def _percentile(
    connection: Connection, where: Sequence[sa.ColumnElement[bool]], done: int, part: float
) -> float | None:
    """The time by nearest rank, in hours; None when nothing was done."""
    if not done:
        return None
    query = sa.select(step_times.c.worked).where(*where, step_times.c.worked.is_not(None))
    rank = max(0, math.ceil(part * done) - 1)
    seconds = connection.scalar(query.order_by(step_times.c.worked).limit(1).offset(rank))
    return None if seconds is None else seconds / HOUR


def levels(engine: Engine, *, actor: str, period: Period) -> list[Level]:
    """Every task that ever had a term, by procedure. Raises Denied."""
    with auditing(engine, actor, "report:sla") as audit:
        connection, step = audit.connection, step_times.c
        infos = {
            row.process: engine.shelf.get(row.number, connection).processes[row.process]
            for row in deployment.latest(connection)
        }
        mine = [*period.conditions(), auditable_ids(engine, audit, step.instance_id), step.is_task.is_(sa.true())]
        due = [*mine, step.late.is_not(None)]
        query = sa.select(step.process, step.element, sa.func.count(step.worked), sa.func.sum(step.late))
        rows = connection.execute(query.where(*due).group_by(step.process, step.element)).all()
        open_query = sa.select(step.process, step.element, sa.func.count()).where(
            *mine, step.left_at.is_(None), step.due_at < stamp(engine.now())
        )
        still = {
            (process, element): number
            for process, element, number in connection.execute(open_query.group_by(step.process, step.element))
        }
        found = []
        for process, element, done, late in rows:
            info = infos.get(process)
            own = [*due, step.process == process, step.element == element]
            found.append(
                Level(
                    process=process,
                    process_name=info.name if info else {"zh-CN": process, "en": process},
                    element=element,
                    name=_named(info, element)[0] if info else {"zh-CN": element, "en": element},
                    within=done - int(late or 0),
                    late=int(late or 0),
                    overdue=still.get((process, element), 0),
                    p50=_percentile(connection, own, done, 0.5),
                    p90=_percentile(connection, own, done, 0.9),
                )
            )
        return sorted(found, key=lambda level: (level.process_name["zh-CN"], -level.share, level.element))
