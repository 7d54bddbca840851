"""Opening a sealed identity: by two people with a reason, for a day, written down; and its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from engine import Engine, queries, replay, verify
from engine.errors import Denied, Unavailable
from processes.complaint import correspondence, identity, keeping
from processes.complaint.seal import Seal, unsealed
from processes.scenario_runner import ScenarioClock, Stage
from tests.processes.complaining import NOW, about_admin, close_with, do, move, report


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as opened:
        yield opened


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]


@pytest.fixture
def clock(company: tuple[Engine, ScenarioClock]) -> ScenarioClock:
    return company[1]


def sealed_case(engine: Engine) -> str:
    contact = {"reporter_mode": "保密实名", "reporter_contact": "分机 8123"}
    result, _code = correspondence.file(engine, report(**contact), by="yepingfeng", key="k")
    do(engine, result.instance_id, "triage", "yepingfeng", outcome="investigate")
    do(engine, result.instance_id, "assign", "fangchaji", outcome="done")
    return result.instance_id


def ask(engine: Engine, by: str = "baishuzhuo") -> str:
    wanted = {"case_no": "TS-2026-0001", "reason": "须当面核实时间与地点"}
    return engine.start("identity_access", wanted, by=by).instance_id


def test_an_identity_opens_only_after_two_people_approved_and_each_opening_is_recorded(
    engine: Engine, clock: ScenarioClock
) -> None:
    case = sealed_case(engine)
    with pytest.raises(Denied):
        identity.open_identity(engine, case, by="baishuzhuo")
    request = ask(engine)
    approvers = queries.inspect(engine, request).variables["checked"]["approvers"]
    assert len(set(approvers)) == 2 and "baishuzhuo" not in approvers
    do(engine, request, "approve", approvers[0], outcome="approve", comment="必要")
    with pytest.raises(Denied):
        identity.open_identity(engine, case, by="baishuzhuo")
    do(engine, request, "approve", approvers[1], outcome="approve", comment="必要")
    assert queries.inspect(engine, request).end == "end_granted"
    assert identity.open_identity(engine, case, by="baishuzhuo") == {"reporter_contact": "分机 8123"}
    with pytest.raises(Denied):
        identity.open_identity(engine, case, by=approvers[0])
    with engine.db.read() as connection:
        query = sa.text("SELECT body FROM history WHERE instance_id = :i AND type = 'identity.opened'")
        bodies = [bytes(body).decode() for body in connection.execute(query, {"i": case}).scalars()]
    assert len(bodies) == 1 and all(name in bodies[0] for name in [*approvers, "baishuzhuo", "须当面核实"])
    clock.set(datetime.fromisoformat("2026-11-10T10:00:00+08:00"))
    with pytest.raises(Denied):
        identity.open_identity(engine, case, by="baishuzhuo")


def test_one_refusal_keeps_an_identity_sealed(engine: Engine) -> None:
    case = sealed_case(engine)
    request = ask(engine)
    approvers = queries.inspect(engine, request).variables["checked"]["approvers"]
    do(engine, request, "approve", approvers[0], outcome="reject", comment="可以凭码联系")
    assert queries.inspect(engine, request).end == "end_refused"
    with pytest.raises(Denied):
        identity.open_identity(engine, case, by="baishuzhuo")


def test_whom_a_complaint_is_kept_from_cannot_ask_who_reported(engine: Engine) -> None:
    named = {"reporter_mode": "保密实名", "reporter_contact": "匿名同事"}
    correspondence.file(engine, about_admin(**named), by=None, key="k")
    request = ask(engine)
    assert queries.inspect(engine, request).end == "end_refused"
    told = queries.told(engine, actor="baishuzhuo")[0]["text"]["zh-CN"]
    assert told.endswith("没有可查看的封存身份"), "the same words as for a number that does not exist"


def test_nobody_approves_in_silence(engine: Engine, clock: ScenarioClock) -> None:
    sealed_case(engine)
    request = ask(engine)
    move(engine, clock, "2026-11-12T10:00:00+08:00")
    assert queries.inspect(engine, request).end == "end_refused"


def test_what_was_sealed_is_destroyed_when_the_watch_is_over(engine: Engine, clock: ScenarioClock) -> None:
    named = {"reporter_mode": "保密实名", "reporter_contact": "分机 8123"}
    result, _code = correspondence.file(engine, report(**named), by="yepingfeng", key="k")
    close_with(engine, result.instance_id, "substantiated")
    for day in ("2026-12-12T10:00:00+08:00", "2027-02-12T10:00:00+08:00"):
        move(engine, clock, day)
        do(engine, result.instance_id, "watch", "jianchigui", outcome="none")
    assert queries.inspect(engine, result.instance_id).end == "end_closed"
    with engine.db.read() as connection:
        row = connection.execute(sa.text("SELECT sealed, destroyed_at FROM sealed_values")).one()
    assert row.sealed is None and row.destroyed_at


def test_what_was_sealed_of_a_complaint_that_ended_early_is_destroyed_after_the_watch_unless_somebody_writes(
    engine: Engine, clock: ScenarioClock
) -> None:
    named = {"reporter_mode": "保密实名", "reporter_contact": "分机 8123"}
    result, code = correspondence.file(engine, report(**named), by="yepingfeng", key="k")
    do(engine, result.instance_id, "triage", "yepingfeng", outcome="transfer", transfer_to=["hr"])
    assert queries.inspect(engine, result.instance_id).end == "end_transferred"
    clock.set(datetime.fromisoformat("2027-02-06T10:00:00+08:00"))
    assert keeping.forget(engine) == 0, "not within 90 days"
    thread = correspondence.thread_by(engine, code)
    assert thread is not None
    correspondence.write_in(engine, thread, "还有一件事", kind="received", key="m")
    clock.set(datetime.fromisoformat("2027-03-01T10:00:00+08:00"))
    assert keeping.forget(engine) == 0, "somebody wrote"
    clock.set(datetime.fromisoformat("2027-05-10T10:00:00+08:00"))
    assert keeping.forget(engine) == 1 and keeping.forget(engine) == 0
    with engine.db.read() as connection:
        assert unsealed(correspondence.seal_of(engine), connection, result.instance_id) == {}
    assert verify(engine.db).broken == () and replay(engine, result.instance_id).same


def test_seals_open_only_with_their_key_and_in_their_place() -> None:
    seal = Seal(Seal.new_key())
    closed = seal.close("分机 8123", "case/field")
    assert seal.open(closed, "case/field") == "分机 8123"
    for other, place in ((Seal(Seal.new_key()), "case/field"), (seal, "another/field")):
        with pytest.raises(Unavailable):
            other.open(closed, place)
