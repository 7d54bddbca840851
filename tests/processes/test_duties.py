"""What the clock starts by itself: rotations, patrols, trainings, handovers of those who left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, Registers, queries, set_status
from engine.errors import Denied, Invalid, NotFound
from engine.models import instances
from processes.leaving import leave
from processes.scenario_runner import ScenarioClock, Stage

NOW = "2026-11-09T09:00:00+08:00"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as opened:
        yield opened


def cases(engine: Engine, process: str) -> list[dict[str, Any]]:
    """Every case of a process, by its variables."""
    with engine.db.read() as connection:
        ids = connection.scalars(
            sa.select(instances.c.instance_id).where(instances.c.process == process).order_by(instances.c.instance_id)
        ).all()
    return [dict(queries.inspect(engine, instance).variables) for instance in ids]


def pass_until(company: tuple[Engine, ScenarioClock], moment: str) -> None:
    engine, clock = company
    target = datetime.fromisoformat(moment)
    engine.refresh_schedules()
    while (due := engine.next_due()) is not None and due <= target:
        clock.set(max(due, clock.now()))
        if not engine.tick():
            break
    clock.set(max(target, clock.now()))


def test_each_account_is_rotated_when_its_risk_says_so(company: tuple[Engine, ScenarioClock]) -> None:
    pass_until(company, "2026-11-09T09:30:00+08:00")
    late = {case["account_id"]: case["due"] for case in cases(company[0], "credential_rotation")}
    assert late == {"A010": "2026-05-02", "A011": "2026-10-30"}, "overdue already, and one whose keeper left that day"
    pass_until(company, "2026-11-29T09:30:00+08:00")
    begun = {case["account_id"]: case["due"] for case in cases(company[0], "credential_rotation")}
    assert begun["A008"] == "2026-11-28", "medium: 90 days from 30 August, begun 7 days before"
    assert begun["A001"] == "2026-12-05", "high: 60 days from 6 October"
    assert "A004" not in begun and "A012" not in begun


def test_official_accounts_are_patrolled_every_monday(company: tuple[Engine, ScenarioClock]) -> None:
    pass_until(company, "2026-11-24T09:00:00+08:00")
    assert {case["patrol"]["week"] for case in cases(company[0], "official_monitor")} >= {"2026-W47", "2026-W48"}


def test_whoever_never_signed_is_asked_at_once_and_others_within_the_year(
    company: tuple[Engine, ScenarioClock],
) -> None:
    pass_until(company, "2026-11-09T09:30:00+08:00")
    assert {case["person"] for case in cases(company[0], "training_signoff")} == {"hejiaodeng", "linxiaodeng"}
    pass_until(company, "2026-12-10T09:00:00+08:00")
    asked = {case["person"] for case in cases(company[0], "training_signoff")}
    assert {"gusunmao", "shenshafa"} <= asked and "xiaodaogou" not in asked


def test_what_is_coming_can_be_seen(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    engine.refresh_schedules()
    names = {row.name for row in queries.coming(engine, actor="taochouti").items}
    assert {"official_monitor", "rotation/A001"} <= names


def test_an_account_whose_responsible_person_is_gone_is_handed_over_by_itself(
    company: tuple[Engine, ScenarioClock],
) -> None:
    pass_until(company, "2026-11-09T09:30:00+08:00")
    [case] = cases(company[0], "account_handover")
    assert (case["account_id"], case["trigger"], case["outgoing"]) == ("A011", "离职", "jiajiuyi")
    assert case["parties"]["incoming"] == "guanzhanting" and case["parties"]["present"] is False
    pass_until(company, "2026-11-20T09:00:00+08:00")
    assert len(cases(company[0], "account_handover")) == 1


def test_a_status_alone_is_enough_to_start_the_handover(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    engine.db.write(lambda connection: set_status(connection, "ouyangmuwen", "left 2026-11-09"))
    pass_until(company, "2026-11-09T09:30:00+08:00")
    assert {case["account_id"] for case in cases(engine, "account_handover")} == {"A009", "A011"}


def test_leaving_starts_a_handover_for_each_account(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    done = leave(engine, "luyaoyi", by="songchuanglian")
    assert set(done.handovers) == {"A004", "A008", "A012"} and done.unassigned == ()
    person = queries.person(engine, "luyaoyi")
    assert person is not None
    rows = queries.register_rows_of(engine, "account")
    assert rows["A003"]["backup"] is None and rows["A005"]["backup"] is None
    by_account = {case["account_id"]: case for case in cases(engine, "account_handover")}
    assert by_account["A004"]["parties"]["incoming"] == "michuangdian"
    assert by_account["A004"]["parties"]["signers"] == ["michuangdian"]
    assert rows["A004"]["handover_open"] == done.handovers["A004"]
    pass_until(company, "2026-11-09T10:00:00+08:00")
    started = [case["account_id"] for case in cases(engine, "account_handover")]
    assert sorted(started) == ["A004", "A008", "A011", "A012"], "the clock starts none a second time"


def test_passwords_a_leaver_knew_are_changed_at_once(company: tuple[Engine, ScenarioClock]) -> None:
    """As responsible person, as backup and as authorised user; by those who keep the vault, within a day."""
    engine, _ = company

    def authorise(connection: Any) -> None:
        Registers(connection, now=engine.now()).put("account", "A009", {"authorised_users": ["luyaoyi", "duwenli"]})

    engine.db.write(authorise)
    leave(engine, "luyaoyi", by="songchuanglian")
    pass_until(company, "2026-11-09T09:30:00+08:00")
    begun = {case["account_id"]: case for case in cases(engine, "credential_rotation") if case["reason"] == "离职交接"}
    assert set(begun) == {"A003", "A004", "A005", "A008", "A009", "A011", "A012"}
    assert begun["A004"]["plan"]["due"] == "2026-11-10"
    assert "luyaoyi" not in begun["A004"]["plan"]["candidates"]
    assert queries.register_rows_of(engine, "account")["A009"]["authorised_users"] == ["duwenli"]
    with engine.db.read() as connection:
        ids = connection.scalars(sa.select(instances.c.instance_id).where(instances.c.process == "credential_rotation"))
        [case] = [each for each in ids if queries.inspect(engine, each).variables["account_id"] == "A004"]
    [task] = queries.inspect(engine, case).open
    engine.complete(task.task_id, {"outcome": "done", "vault_ref": "vault://accounts/A004"}, by="michuangdian")
    row = queries.register_rows_of(engine, "account")["A004"]
    assert (row["last_rotation"], row["leaver_on"]) == ("2026-11-09", None)
    pass_until(company, "2026-11-12T09:00:00+08:00")
    again = [case for case in cases(engine, "credential_rotation") if case["account_id"] == "A004"]
    assert len(again) == 1, "once is enough"


def test_a_leavers_list_is_due_on_the_last_working_day(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    done = leave(engine, "ouyangmuwen", by="songchuanglian", on=date(2026, 11, 11))
    assert set(done.handovers) == {"A009"}
    [case] = [each for each in cases(engine, "account_handover") if each["account_id"] == "A009"]
    assert case["parties"]["list_due"] == "2026-11-11T10:00:00+00:00", "six in the evening, not five working days"
    assert queries.person(engine, "ouyangmuwen") is not None


def test_who_left_cannot_leave_again(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    leave(engine, "duwenli", by="songchuanglian")
    with pytest.raises(Invalid):
        leave(engine, "duwenli", by="songchuanglian")
    with pytest.raises(NotFound):
        leave(engine, "nobody", by="songchuanglian")


def test_a_leaver_can_do_nothing_any_more(company: tuple[Engine, ScenarioClock]) -> None:
    engine = company[0]
    leave(engine, "jinguimian", by="songchuanglian")
    with pytest.raises(Denied):
        engine.start("account_deregistration", {}, by="jinguimian")
