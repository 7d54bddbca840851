"""Times and separation of duties, measured on played cases and compared with counting by hand."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine import Engine, indexing
from engine.errors import Denied, NotFound
from engine.models import history, memberships
from engine.moments import moment
from engine.queries import measures, segregation
from engine.queries.measures import Period

MEANT: dict[str, Any] = {"approvals": {"agree"}, "returns": {"return"}, "often": 1}


@pytest.fixture
def played(engine: Engine, clock: Any) -> Engine:
    """Nine reviews that took 1 to 9 working hours each on their own day, one open and overdue; chief audits."""
    engine.db.write(lambda c: c.execute(sa.insert(memberships).values(username="chief", group_id="auditor")))
    for hours in range(1, 10):
        case = engine.start("approval", {"amount": hours}, by="anna")
        clock.advance(minutes=20 * hours)
        engine.complete(
            case.tasks[0], {"outcome": "agree" if hours % 2 else "return"}, by="boris" if hours < 6 else "bella"
        )
        clock.advance(hours=24 - hours / 3)
    engine.start("approval", {"amount": 99}, by="boris")
    clock.advance(days=3)
    while indexing.catch_up(engine):
        pass
    return engine


def by_hand(engine: Engine, element: str) -> list[float]:
    """Office hours from creation to completion of every completed task of that step, from the history alone."""
    with engine.db.read() as connection:
        bodies = [orjson.loads(body) for body in connection.scalars(sa.select(history.c.body))]
        calendar = engine.calendar(connection)
    made = {body["data"]["task"]: body["at"] for body in bodies if body["type"] == "task.created"}
    done = [body for body in bodies if body["type"] == "task.completed" and body["element"] == element]
    spans = [(moment(made[body["data"]["task"]]), moment(body["at"])) for body in done]
    return sorted(calendar.working_time_between(*span).total_seconds() / 3600 for span in spans)


def test_the_heat_map_says_what_counting_by_hand_says(played: Engine) -> None:
    view = measures.heat(played, "approval", actor="chief", period=Period())
    (review,) = [spot for spot in view.spots if spot.element == "review"]
    times = by_hand(played, "review")
    assert (review.visits, review.done) == (10, 9) and len(times) == 9
    assert review.mean == pytest.approx(sum(times) / 9, abs=1e-3)
    assert review.p50 == pytest.approx(times[4], abs=1e-3)
    assert review.p90 == pytest.approx(times[math.ceil(0.9 * 9) - 1], abs=1e-3)
    (agreed,) = [spot for spot in view.spots if spot.element == "agreed"]
    assert (agreed.visits, agreed.p90) == (9, 0.0) and not agreed.is_task
    assert view.gone == [] and view.xml.startswith(b"<")


def test_a_period_counts_cases_started_within_it(played: Engine, clock: Any) -> None:
    last = clock.now().date()
    view = measures.heat(
        played, "approval", actor="chief", period=Period(since=date(2001, 1, 1), until=date(2001, 1, 2))
    )
    assert view.spots == []
    assert measures.levels(played, actor="chief", period=Period(since=last)) == []


def test_terms_kept_missed_and_running_over_are_told_apart(played: Engine) -> None:
    levels = {level.element: level for level in measures.levels(played, actor="chief", period=Period())}
    assert set(levels) == {"review"}  # `pay` has no term
    review = levels["review"]
    assert (review.within + review.late, review.overdue) == (9, 1)
    assert review.late == sum(hours > 4 for hours in by_hand(played, "review"))


def test_pairs_returns_and_what_runs_over_are_found(played: Engine) -> None:
    found = segregation.segregation(played, actor="chief", period=Period(), **MEANT)
    pairs = {
        (pair.first.username, pair.second.username): pair.times for pair in found.pairs if pair.first and pair.second
    }
    assert pairs == {("anna", "boris"): 3, ("anna", "bella"): 2}
    assert len(found.returned) == 4 and {act.element for act in found.returned} == {"review"}
    assert [act.starter.username for act in found.overdue if act.starter] == ["boris"]
    assert found.own == [] and found.stood_in == []


def test_whoever_approves_what_they_started_is_found(played: Engine) -> None:
    meant = {**MEANT, "approvals": {"paid"}}
    assert segregation.segregation(played, actor="chief", period=Period(), **meant).own == []
    with played.db.bind.begin() as connection:  # as a diagram without recusal would have let it happen
        connection.execute(
            sa.text("UPDATE step_times SET starter = 'boris' WHERE \"by\" = 'boris' AND outcome = 'agree'")
        )
        if played.db.sqlite:
            connection.connection.commit()
    own = segregation.segregation(played, actor="chief", period=Period(), **MEANT).own
    assert len(own) == 3 and {act.by.username for act in own if act.by} == {"boris"}


def test_refusals_and_recusals_are_counted_by_person(played: Engine) -> None:
    case = played.start("approval", {"amount": 1}, by="anna")
    with pytest.raises(Denied):
        played.complete(case.tasks[0], {"outcome": "agree"}, by="kassa")
    played.recuse(case.tasks[0], by="bella", reason="a cousin")
    indexing.catch_up(played)
    found = segregation.segregation(played, actor="chief", period=Period(), **MEANT)
    assert [(count.person.username, count.times) for count in found.refused if count.person] == [("kassa", 1)]
    assert [(count.person.username, count.times) for count in found.recused if count.person] == [("bella", 1)]


def test_reports_are_for_auditors_and_for_procedures_that_exist(played: Engine) -> None:
    with pytest.raises(Denied):
        measures.heat(played, "approval", actor="anna", period=Period())
    with pytest.raises(Denied):
        measures.levels(played, actor="anna", period=Period())
    with pytest.raises(Denied):
        segregation.segregation(played, actor="anna", period=Period(), **MEANT)
    with pytest.raises(NotFound):
        measures.heat(played, "nothing", actor="chief", period=Period())
