"""The demo company: every step has a case waiting, and there are finished, rejected, withdrawn and late ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import processes
from engine import Database, Engine, migrate, queries
from processes.demo.cases import CASES
from processes.scenario_runner import ScenarioClock

NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("demo")
    db = Database.open(f"sqlite:///{folder / 'demo.db'}")
    migrate(db)
    engine = processes.build_engine(db, clock=ScenarioClock(NOW))
    assert not processes.is_demo_loaded(engine)
    processes.load_demo(engine)
    assert processes.is_demo_loaded(engine)
    seen: list[tuple[int, int]] = []
    processes.play_demo(engine, progress=lambda done, whole: seen.append((done, whole)))
    assert seen[-1][0] == seen[-1][1]
    yield engine
    db.close()


def ends(engine: Engine) -> list[str | None]:
    starters = {case.steps[0][2] for case in CASES}
    rows = [row for who in starters for row in queries.started(engine, actor=who, limit=100).items]
    return [row.end if row.status != "active" else None for row in rows]


def test_every_step_of_the_procedure_has_a_case_waiting(company: Engine) -> None:
    waiting = {
        row.element
        for username, _, _ in processes.DEMO_LOGINS
        for tab in ("mine", "claimable")
        for row in queries.inbox(company, actor=username, tab=tab, limit=100).items
    }
    assert waiting >= {
        "fix",
        "dept_confirm",
        "admin_precheck",
        "legal_opinion",
        "ballot",
        "extension",
        "platform_register",
        "credential_custody",
    }


def test_there_is_every_kind_of_ending(company: Engine) -> None:
    assert {"end_active", "end_rejected", "end_withdrawn", "end_expired", None} == set(ends(company))


def test_the_deputy_chair_has_the_late_confirmation(company: Engine) -> None:
    late = [
        row for tab in ("mine", "claimable") for row in queries.inbox(company, actor="qiaodongliang", tab=tab).items
    ]
    assert any(row.element == "dept_confirm" and row.due_at and row.due_at < NOW for row in late)


def test_the_register_holds_old_and_new_accounts(company: Engine) -> None:
    rows = queries.register_rows_of(company, "account")
    assert {"A001", "A012", "A013"} <= set(rows)
    assert {row["status"] for row in rows.values()} == {"active", "dormant", "orphaned", "suspended", "draft"}
    assert next(row for row in rows.values() if row["name"] == "样木家居珠海店")["review_months"] == 3


def test_nothing_gave_up(company: Engine) -> None:
    assert not queries.open_incidents(company, actor="sushujia")


def test_it_can_be_played_on_any_day(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path / 'demo.db'}")
    migrate(db)
    engine = processes.build_engine(db, clock=ScenarioClock(datetime.fromisoformat("2027-02-21T23:30:00+08:00")))
    processes.load_demo(engine)
    processes.play_demo(engine)
    assert {"end_active", "end_rejected", "end_withdrawn", "end_expired", None} == set(ends(engine))
    db.close()
