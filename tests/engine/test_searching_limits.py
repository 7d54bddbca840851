"""An auditor who may audit some cases finds, measures and takes away those and no others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, indexing
from engine.errors import Denied
from engine.exports import chosen
from engine.models import case_barred, memberships
from engine.queries import measures, searching, segregation
from engine.queries.asked import Question
from engine.queries.measures import Period
from engine.scopes import set_scope

MEANT: dict[str, Any] = {"approvals": {"agree"}, "returns": {"return"}, "often": 3}


@pytest.fixture
def cases(engine: Engine, clock: Any) -> list[str]:
    """Two agreed cases, the second ten days after the first; chief audits."""
    engine.db.write(lambda c: c.execute(sa.insert(memberships).values(username="chief", group_id="auditor")))
    found = []
    for _ in range(2):
        case = engine.start("approval", {"amount": 5}, by="anna")
        engine.complete(case.tasks[0], {"outcome": "agree"}, by="boris")
        found.append(case.instance_id)
        clock.advance(days=10)
    while indexing.catch_up(engine):
        pass
    return found


def seen(engine: Engine) -> set[str]:
    return {hit.case.instance_id for hit in searching.every(engine, Question(), actor="chief")}


def visits(engine: Engine) -> int:
    view = measures.heat(engine, "approval", actor="chief", period=Period())
    return sum(spot.visits for spot in view.spots if spot.element == "review")


def approvals(engine: Engine) -> int:
    return sum(pair.times for pair in segregation.segregation(engine, actor="chief", period=Period(), **MEANT).pairs)


def test_without_limits_every_case_counts(engine: Engine, cases: list[str]) -> None:
    assert (seen(engine), visits(engine), approvals(engine)) == (set(cases), 2, 2)


def test_a_period_limits_search_measures_and_exports_alike(engine: Engine, clock: Any, cases: list[str]) -> None:
    until = clock.now() - timedelta(days=15)
    set_scope(
        engine, "chief", by="root", reason="yearly audit", cases_until=until, expires_at=clock.now() + timedelta(days=9)
    )
    assert (seen(engine), visits(engine), approvals(engine)) == ({cases[0]}, 1, 1)
    assert [trail.instance_id for trail in chosen.many(engine, Question(), actor="chief")] == [cases[0]]
    with pytest.raises(Denied):
        chosen.one(engine, cases[1], actor="chief")


def test_an_expired_right_shows_nothing(engine: Engine, clock: Any, cases: list[str]) -> None:
    set_scope(engine, "chief", by="root", reason="yearly audit", expires_at=clock.now() + timedelta(days=1))
    clock.advance(days=2)
    with pytest.raises(Denied):
        searching.search(engine, Question(), actor="chief")
    with pytest.raises(Denied):
        measures.heat(engine, "approval", actor="chief", period=Period())


def test_a_case_kept_from_the_auditor_is_not_even_counted(engine: Engine, cases: list[str]) -> None:
    engine.db.write(lambda c: c.execute(sa.insert(case_barred).values(instance_id=cases[0], username="chief")))
    assert (seen(engine), visits(engine), approvals(engine)) == ({cases[1]}, 1, 1)
