"""K-11 and K-12 as they hold while cases run: the deployment a case began on, and who may complete what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import processes
from engine import Database, Engine, queries
from engine.errors import Denied
from engine.models import instances, register_changes
from processes.scenario_runner import ScenarioClock, moment

SCENARIOS = Path(__file__).resolve().parents[2] / "processes" / "account_registration" / "scenarios"
NOW = "2026-11-09T09:00:00+08:00"


@pytest.fixture
def engine(db: Database) -> Engine:
    """The demo company."""
    built = processes.build_engine(db, clock=ScenarioClock(moment(NOW)))
    processes.load_demo(built)
    built.schedules = None
    return built


def request() -> dict[str, Any]:
    variables: dict[str, Any] = json.loads((SCENARIOS / "R01.json").read_text("utf-8"))["start"]["variables"]
    return variables


def test_k11_a_case_keeps_the_diagrams_and_tables_it_began_on(engine: Engine) -> None:
    case = engine.start("account_registration", request(), by="michuangdian")
    with engine.db.read() as connection:
        query = sa.select(instances.c.deployment, instances.c.version)
        began = connection.execute(query.where(instances.c.instance_id == case.instance_id)).one()
    table = (SCENARIOS.parents[2] / "bpmn" / "vote_rule.dmn").read_text("utf-8")
    newer = engine.deploy({"vote_rule.dmn": table.replace("0.667", "0.75").encode()}, by="lutuyang")
    assert newer.number > began.deployment
    engine.complete(case.tasks[0], {"outcome": "agree"}, by="shenshafa")
    with engine.db.read() as connection:
        still = connection.execute(query.where(instances.c.instance_id == case.instance_id)).one()
        assert still == began
        changed = sa.select(register_changes.c.instance_id).where(register_changes.c.instance_id == case.instance_id)
        versions = sa.select(instances.c.version).where(instances.c.instance_id.in_(changed))
        assert set(connection.scalars(versions)) <= {
            began.version
        }  # a row's change names the case, the case its version
    fresh = engine.start("account_registration", {**request(), "proposed_name": "样木家居直播二台"}, by="michuangdian")
    with engine.db.read() as connection:
        later = connection.execute(query.where(instances.c.instance_id == fresh.instance_id)).one()
    assert later.deployment == newer.number and later.version == began.version + 1


@pytest.mark.parametrize("who", ["michuangdian", "xiaodaogou", "sushujia"])
def test_k12_only_candidates_who_are_not_recused_complete_a_task(engine: Engine, who: str) -> None:
    case = engine.start("account_registration", request(), by="michuangdian")
    with pytest.raises(Denied):
        engine.complete(case.tasks[0], {"outcome": "agree"}, by=who)
    assert queries.inspect(engine, case.instance_id).status == "active"
