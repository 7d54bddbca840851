"""The demo month: every procedure has finished, waiting and late cases, and everybody who logs in has work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import processes
from engine import Database, Engine, migrate, queries
from engine.personal import Keyring
from processes.complaint.seal import Seal
from processes.scenario_runner import ScenarioClock

NOW = datetime.fromisoformat("2026-11-24T10:00:00+08:00")
EVERY_PROCEDURE = {
    "account_registration",
    "account_deregistration",
    "account_handover",
    "content_review",
    "complaint",
    "discipline",
    "credential_rotation",
    "official_monitor",
    "training_signoff",
    "takedown",
    "interaction",
}


def empty(folder: Path, now: datetime) -> Engine:
    db = Database.open(f"sqlite:///{folder / 'demo.db'}")
    migrate(db)
    return processes.build_engine(db, clock=ScenarioClock(now), seal_key=Seal.new_key(), personal_key=Keyring.new_key())


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = empty(tmp_path_factory.mktemp("demo"), NOW)
    assert not processes.is_demo_loaded(engine)
    processes.load_demo(engine, moved=True)
    assert processes.is_demo_loaded(engine)
    assert not processes.is_demo_played(engine)
    seen: list[tuple[int, int]] = []
    astray = processes.play_demo(engine, progress=lambda done, whole: seen.append((done, whole)))
    assert astray == []
    assert processes.is_demo_played(engine)
    assert seen[-1][0] == seen[-1][1]
    yield engine
    engine.db.close()


def cases(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.db.read() as connection:
        rows = connection.execute(
            sa.text(
                'SELECT process, business_key, title, status, "end", started_at, ended_at, seq FROM instances '
                "ORDER BY process, business_key, title"
            )
        )
        return [tuple(row) for row in rows]


def waiting(engine: Engine, who: str) -> list[queries.TaskRow]:
    return [row for tab in ("mine", "claimable") for row in queries.inbox(engine, actor=who, tab=tab, limit=100).items]


def test_every_procedure_has_a_case_that_is_finished_and_one_that_waits(company: Engine) -> None:
    finished = {process for process, *_, ended, _ in cases(company) if ended is not None}
    open_ = {process for process, *_, ended, _ in cases(company) if ended is None}
    assert finished >= EVERY_PROCEDURE
    assert open_ >= EVERY_PROCEDURE


def test_everybody_who_can_log_in_has_something_to_do(company: Engine) -> None:
    idle = [who for who, _, _ in processes.DEMO_LOGINS if not waiting(company, who)]
    assert idle == []


def test_some_of_it_is_late_at_several_desks(company: Engine) -> None:
    late = {
        who for who, _, _ in processes.DEMO_LOGINS for row in waiting(company, who) if row.due_at and row.due_at < NOW
    }
    assert len(late) >= 5
    assert "qiaodongliang" in late  # confirms for the head of Sales, who did not


def test_there_is_every_kind_of_ending(company: Engine) -> None:
    ends = Counter(end for _, _, _, status, end, *_ in cases(company) if status == "completed")
    assert ends.keys() >= {
        "end_active",
        "end_rejected",
        "end_withdrawn",
        "end_expired",
        "end_published",
        "end_closed",
        "end_converted",
        "end_completed",
        "end_merged",
        "end_transferred",
        "end_closed_insufficient",
        "end_signed",
        "end_rotated",
        "end_clean",
    }


def test_people_worked_in_office_hours_except_at_night_for_the_urgent_statement(company: Engine) -> None:
    with company.db.read() as connection:
        calendar = company.calendar(connection)
        moments = connection.scalars(sa.text("SELECT completed_at FROM tasks WHERE status = 'done'")).all()
    days = [datetime.fromisoformat(at).astimezone(calendar.zone) for at in moments]
    assert len(days) > 300
    off = [at for at in days if not calendar.is_workday(at.date())]
    assert len(off) < len(days) / 20


def test_every_register_is_filled(company: Engine) -> None:
    for name in ("account", "content", "complaint", "sanction", "training", "credential"):
        assert queries.register_rows_of(company, name), name
    rows = queries.register_rows_of(company, "account")
    assert {row["status"] for row in rows.values()} >= {"active", "orphaned", "suspended", "draft", "closed"}
    assert next(row for row in rows.values() if row["name"] == "样木家居珠海店")["review_months"] == 3


def test_something_is_coming(company: Engine) -> None:
    assert queries.coming(company, actor="taochouti")


def test_nothing_gave_up(company: Engine) -> None:
    assert not queries.open_incidents(company, actor="sushujia")


def test_a_load_that_was_cut_off_goes_on_and_ends_the_same(company: Engine, tmp_path: Path) -> None:
    engine = empty(tmp_path, NOW)

    class Killed(Exception):
        pass

    def until(step: int) -> Callable[[int, int], None]:
        def cut(done: int, _: int) -> None:
            if done == step:
                raise Killed

        return cut

    processes.load_demo(engine, moved=True)
    for step in (5, 190, 371):
        with pytest.raises(Killed):
            processes.play_demo(engine, progress=until(step))
        assert not processes.is_demo_played(engine)
    assert processes.play_demo(engine) == []
    assert processes.is_demo_played(engine)
    assert cases(engine) == cases(company)
    engine.db.close()


def test_it_can_be_played_on_any_day(tmp_path: Path) -> None:
    engine = empty(tmp_path, datetime.fromisoformat("2027-02-21T23:30:00+08:00"))
    processes.load_demo(engine, moved=True)
    assert processes.play_demo(engine) == []
    engine.db.close()
