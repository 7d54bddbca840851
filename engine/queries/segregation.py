"""Who decided about what: approvals of one's own requests, acting for others, pairs, returns, recusals, terms missed.

What an outcome means is the policy's: callers say which outcomes approve and which return.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine import deployment
from engine.errors import Text
from engine.models import instances
from engine.models_audit import case_facts, step_times
from engine.moments import moment, stamp
from engine.queries.auditing import Auditing, auditable_ids, auditing
from engine.queries.measures import Period
from engine.queries.rows import Names, PersonRef

if TYPE_CHECKING:
    from engine.runtime import Engine

MOST = 200  # lines of one list; the search lists all


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One decision in one case."""

    instance_id: str
    business_key: str | None
    title: str
    process: str
    element: str
    name: Text  # of the step
    by: PersonRef | None
    behalf: PersonRef | None
    starter: PersonRef | None
    at: datetime | None
    times: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """How often `second` approved what `first` started; `back`: how often the other way round."""

    first: PersonRef | None
    second: PersonRef | None
    times: int
    back: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """Somebody, and how often."""

    person: PersonRef | None
    times: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Segregation:
    """The whole report."""

    own: list[Act]
    stood_in: list[Act]
    pairs: list[Pair]
    returned: list[Act]
    overdue: list[Act]
    late: list[Count]
    recused: list[Count]
    refused: list[Count]


class _Called(Names):
    """Names of people, and of steps as the newest deployment calls them."""

    def __init__(self, engine: Engine, audit: Auditing) -> None:
        super().__init__(audit.connection)
        newest = deployment.latest_number(audit.connection)
        self._processes = engine.shelf.get(newest, audit.connection).processes if newest else {}

    def step(self, process: str, element: str) -> Text:
        """The step's name; one that is gone is called by its id."""
        info = self._processes.get(process)
        found = info.elements.get(element) if info else None
        return found.name if found else {"zh-CN": element, "en": element}


def segregation(
    engine: Engine,
    *,
    actor: str,
    period: Period,
    approvals: Iterable[str],
    returns: Iterable[str],
    often: int,
) -> Segregation:
    """The report over the cases of a period. Raises Denied."""
    with auditing(engine, actor, "report:segregation") as audit:
        step, names = step_times.c, _Called(engine, audit)
        mine = [*period.conditions(), auditable_ids(engine, audit, step.instance_id)]
        good = step.outcome.in_(sorted(approvals))
        own = sa.and_(good, sa.or_(step.by == step.starter, step.behalf == step.starter))
        now = stamp(engine.now())
        late = sa.select(step.by, sa.func.count()).where(*mine, step.late == 1)
        return Segregation(
            own=_acts(audit, names, [*mine, own]),
            stood_in=_acts(audit, names, [*mine, step.behalf.is_not(None)]),
            pairs=_pairs(audit, names, [*mine, good]),
            returned=_returned(audit, names, [*mine, step.outcome.in_(sorted(returns))], often),
            overdue=_acts(audit, names, [*mine, step.left_at.is_(None), step.due_at < now]),
            late=_counts(audit, names, late.group_by(step.by)),
            recused=_counts(audit, names, _persons(engine, audit, period, "recused")),
            refused=_counts(audit, names, _persons(engine, audit, period, "refused")),
        )


def _acts(audit: Auditing, names: _Called, where: list[sa.ColumnElement[bool]]) -> list[Act]:
    step = step_times.c
    chosen = sa.select(step_times).where(*where).order_by(step.entered_at.desc()).limit(MOST).subquery()
    query = sa.select(chosen, instances.c.business_key, instances.c.title).join(
        instances, instances.c.instance_id == chosen.c.instance_id
    )
    rows = audit.connection.execute(query.order_by(chosen.c.entered_at.desc(), chosen.c.token)).all()
    names.load(name for row in rows for name in (row.by, row.behalf, row.starter))
    return [_act(row, names) for row in rows]


def _act(row: Any, names: _Called, times: int = 1) -> Act:
    at = row.left_at or row.due_at
    return Act(
        instance_id=row.instance_id,
        business_key=row.business_key,
        title=row.title,
        process=row.process,
        element=row.element,
        name=names.step(row.process, row.element),
        by=names.person(row.by),
        behalf=names.person(row.behalf),
        starter=names.person(row.starter),
        at=moment(at) if at else None,
        times=times,
    )


def _returned(audit: Auditing, names: _Called, where: list[sa.ColumnElement[bool]], often: int) -> list[Act]:
    step, times = step_times.c, sa.func.count().label("times")
    counted = (
        sa.select(step.instance_id, step.process, step.element, sa.func.max(step.left_at).label("left_at"), times)
        .where(*where)
        .group_by(step.instance_id, step.process, step.element)
        .having(sa.func.count() >= often)
        .order_by(sa.func.count().desc(), step.instance_id)
        .limit(MOST)
        .subquery()
    )
    query = sa.select(
        counted,
        instances.c.business_key,
        instances.c.title,
        instances.c.initiator.label("starter"),
        sa.null().label("by"),
        sa.null().label("behalf"),
        sa.null().label("due_at"),
    ).join(instances, instances.c.instance_id == counted.c.instance_id)
    rows = audit.connection.execute(query.order_by(counted.c.times.desc(), counted.c.instance_id)).all()
    return [_act(row, names, row.times) for row in rows]


def _pairs(audit: Auditing, names: _Called, where: list[sa.ColumnElement[bool]]) -> list[Pair]:
    step = step_times.c
    query = sa.select(step.starter, step.by, sa.func.count()).where(
        *where, step.starter.is_not(None), step.by.is_not(None), step.by != step.starter
    )
    found = {
        (first, second): times
        for first, second, times in audit.connection.execute(query.group_by(step.starter, step.by))
    }
    names.load(name for pair in found for name in pair)
    pairs = [
        Pair(first=names.person(first), second=names.person(second), times=times, back=found.get((second, first), 0))
        for (first, second), times in found.items()
    ]
    return sorted(pairs, key=lambda pair: (-min(pair.times, pair.back), -pair.times))[:MOST]


def _persons(engine: Engine, audit: Auditing, period: Period, role: str) -> Any:
    """In how many cases each person had that part."""
    fact = case_facts.c
    query = sa.select(fact.value, sa.func.count()).where(
        fact.kind == "person", fact.name == role, auditable_ids(engine, audit, fact.instance_id)
    )
    if period.since or period.until:
        within = sa.select(step_times.c.instance_id).where(*period.conditions())
        query = query.where(fact.instance_id.in_(within))
    return query.group_by(fact.value)


def _counts(audit: Auditing, names: _Called, query: Any) -> list[Count]:
    rows = [(name.removeprefix("s:") if name else None, times) for name, times in audit.connection.execute(query)]
    names.load(name for name, _ in rows)
    found = [Count(person=names.person(name), times=times) for name, times in rows]
    return sorted(found, key=lambda count: -count.times)[:MOST]
