"""Cases that the clock starts: once for each period, as the policy plans them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from engine import Calendar, Database, Engine, Planning, Registers, Schedule, queries
from engine.errors import Denied
from engine.schedules import around

MONDAY = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)


class Plan:
    """What is to be started, changed by the tests."""

    def __init__(self) -> None:
        self.items: list[Schedule] = []

    def __call__(self, planning: Planning) -> Iterable[Schedule]:
        yield from self.items
        for key, row in planning.registers.all("account").items():
            yield weekly(name=f"rotate/{key}", every="P30D", first=datetime.fromisoformat(row["due"]), overdue=True)


def weekly(**more: Any) -> Schedule:
    given: dict[str, Any] = {"name": "patrol", "process": "approval", "every": "P1W", "first": MONDAY}
    return Schedule(**{**given, "variables": {"amount": 1, "about": "巡查"}, **more})


@pytest.fixture
def plan() -> Plan:
    return Plan()


@pytest.fixture
def engine(engine: Engine, plan: Plan) -> Engine:
    engine.schedules = plan
    return engine


def started(engine: Engine) -> list[tuple[str, str]]:
    """(period, initiator) of every case, oldest first."""
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql("select body from history where seq = 1 and type = 'command'")
        given = [orjson.loads(bytes(row[0]))["data"]["input"]["variables"] for row in rows]
    return sorted((item["origin"]["period"][:10], item["initiator"]) for item in given if "origin" in item)


def test_a_weekly_case_starts_once_each_week(engine: Engine, plan: Plan, clock: Any) -> None:
    plan.items = [weekly()]
    for _ in range(3):
        engine.tick()
        engine.tick()
        clock.advance(days=7)
    assert started(engine) == [("2026-11-09", "system"), ("2026-11-16", "system"), ("2026-11-23", "system")]
    assert engine.next_due() is not None


def test_many_nodes_start_one_case(engine: Engine, plan: Plan, db_url: str, clock: Any) -> None:
    plan.items = [weekly(name=f"patrol {number}") for number in range(4)]
    nodes = []
    for _ in range(4):
        node = Engine(Database.open(db_url), operations=engine.operations, clock=clock, schedules=plan)
        nodes.append(node)
    threads = [threading.Thread(target=node.tick) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for node in nodes:
        node.tick()
        node.db.close()
    assert len(started(engine)) == 4


def test_periods_missed_while_nothing_ran_are_not_made_up_for(engine: Engine, plan: Plan, clock: Any) -> None:
    plan.items = [weekly()]
    engine.tick()
    clock.advance(days=25)
    engine.tick()
    assert [period for period, _ in started(engine)] == ["2026-11-09", "2026-11-30"]
    [row] = queries.coming(engine, actor="anna").items
    assert row.at == MONDAY + timedelta(days=28)


def test_a_first_that_has_passed_waits_for_the_next_period_unless_it_is_overdue(engine: Engine, plan: Plan) -> None:
    before = MONDAY - timedelta(days=3)
    plan.items = [weekly(first=before), weekly(name="late", first=before, overdue=True)]
    engine.tick()
    assert started(engine) == [("2026-11-06", "system")]
    engine.tick()
    assert len(started(engine)) == 1


def put(engine: Engine, key: str, due: datetime) -> None:
    def work(connection: Any) -> None:
        Registers(connection, now=engine.now()).put("account", key, {"due": due.isoformat()})

    engine.db.write(work)


def test_rows_of_a_register_are_planned_anew_when_they_change(engine: Engine, clock: Any) -> None:
    put(engine, "A001", MONDAY + timedelta(days=10))
    engine.tick()
    assert started(engine) == [] and engine.next_due() == MONDAY + timedelta(days=10)
    put(engine, "A001", MONDAY + timedelta(days=20))
    clock.advance(days=10)
    engine.tick()
    assert started(engine) == []  # the row was looked at again before anything was started
    clock.advance(days=10)
    engine.tick()
    engine.tick()
    assert [period for period, _ in started(engine)] == ["2026-11-29"]


def test_what_cannot_be_started_is_put_off_and_the_administrators_are_told(
    engine: Engine, plan: Plan, clock: Any
) -> None:
    plan.items = [weekly(variables={"amount": -1})]
    engine.tick()
    engine.tick()
    assert started(engine) == []
    [told] = queries.told(engine, actor="root")
    assert "patrol" in told["text"]["zh-CN"]
    [row] = queries.coming(engine, actor="root").items
    assert row.attempts == 1 and "Amount" in (row.error or "")
    plan.items = [weekly()]
    clock.advance(minutes=5)
    engine.tick()
    assert started(engine) == [("2026-11-09", "system")]


def test_a_procedure_that_is_not_deployed_is_not_planned(engine: Engine, plan: Plan) -> None:
    plan.items = [weekly(process="nowhere")]
    engine.tick()
    assert queries.coming(engine, actor="root").items == []


def test_what_is_coming_is_listed_for_whoever_it_concerns(engine: Engine, plan: Plan) -> None:
    later = MONDAY + timedelta(days=1)
    plan.items = [
        weekly(first=later + timedelta(days=1)),
        weekly(name="secret", first=later, viewers=("bosses",), title={"zh-CN": "密码更新", "en": "Rotation"}),
    ]
    engine.refresh_schedules()
    assert [row.name for row in queries.coming(engine, actor="anna").items] == ["patrol"]
    first = queries.coming(engine, actor="boris", limit=1)
    assert [row.title["en"] for row in first.items] == ["Rotation"]
    assert [row.name for row in queries.coming(engine, actor="boris", cursor=first.next).items] == ["patrol"]
    with pytest.raises(Denied):
        queries.coming(engine, actor="gone")


def test_months_and_working_days_count_from_the_first_period() -> None:
    calendar = Calendar()
    first = datetime(2026, 1, 31, 1, 0, tzinfo=UTC)
    after = datetime(2026, 3, 1, tzinfo=UTC)
    assert around(calendar, first, "P1M", after)[1].date().isoformat() == "2026-03-31"
    assert around(calendar, first, "P1Y", after)[1].year == 2027
    assert around(calendar, first, "P1W", first)[1] == first + timedelta(days=7)
    assert around(calendar, MONDAY, "5wd", MONDAY)[1] == MONDAY + timedelta(days=7)
