"""Erasing personal data by two people, when its time has come, and everything that must still hold afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, queries, replay, verify
from engine.errors import Conflict, Denied, Invalid
from engine.models import history
from engine.models_privacy import erasures
from engine.personal import Erased
from engine.queries.moments import moment
from processes.complaint import correspondence
from processes.personal_erasure.holds import due, holds, lift_hold, set_hold
from processes.scenario_runner import ScenarioClock, Stage

NOW = "2026-11-09T09:00:00+08:00"
SECRET = "顾客王女士说被店员辱骂并推搡"
TOLD = "关于王女士一事请补充时间"
FILE = b"%PDF-1.4\n1 0 obj\nsecret-photo-of-ms-wang\nendobj\n%%EOF\n"


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


def move(engine: Engine, clock: ScenarioClock, until: str) -> None:
    end = datetime.fromisoformat(until)
    while (at := engine.next_due()) is not None and at <= end:
        clock.set(max(at, clock.now()))
        if not engine.tick():
            break
    clock.set(end)


def task(engine: Engine, instance: str, element: str) -> str:
    return next(each.task_id for each in queries.inspect(engine, instance).open if each.element == element)


@pytest.fixture
def closed(engine: Engine, clock: ScenarioClock) -> str:
    """A complaint with a file that came to nothing, six months and more ago."""
    photo = engine.attach(None, "王女士.pdf", FILE, by=None)
    said = {"channel": "网页", "reporter_mode": "匿名", "category": "不当言论", "respondent_scope": "其他员工"}
    rest = {"target": "xiaodaogou", "description": SECRET, "pi_exposed": False, "safe_followup": True}
    case = correspondence.file(engine, {**said, **rest, "evidence": [photo]}, by=None, key="k")[0].instance_id
    asked = {"outcome": "ask_more", "questions": [TOLD]}
    engine.complete(task(engine, case, "triage"), asked, by="yepingfeng")
    move(engine, clock, "2026-12-01T10:00:00+08:00")
    assert queries.inspect(engine, case).end == "end_closed_insufficient"
    return case


def ask(engine: Engine, by: str = "fangchaji", **more: Any) -> str:
    wanted = {"case_no": "TS-2026-0001", "rule": "retention", "reason": "保存期满，按规定销毁", **more}
    return engine.start("personal_erasure", wanted, by=by).instance_id


def approve(engine: Engine, request: str, by: str, outcome: str = "approve") -> None:
    engine.complete(task(engine, request, "approve"), {"outcome": outcome, "comment": "已核对"}, by=by)


def ending(engine: Engine, request: str) -> str | None:
    return queries.inspect(engine, request).end


def problem(engine: Engine, request: str) -> str:
    return str(queries.inspect(engine, request).variables["checked"]["problem"]["en"])


def stored(engine: Engine) -> bytes:
    """The database's file and its log after every page was written anew."""
    with engine.db.bind.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = Path(str(engine.db.url.database))
    log = path.with_name(path.name + "-wal")
    return path.read_bytes() + (log.read_bytes() if log.exists() else b"")


LATER = "2027-06-02T09:00:00+08:00"


def test_two_people_erase_and_every_proof_still_holds(engine: Engine, clock: ScenarioClock, closed: str) -> None:
    clock.set(datetime.fromisoformat(LATER))
    before = queries.case(engine, closed, actor="kongjuchi")
    assert before.start.values["description"] == SECRET
    request = ask(engine)
    approver = queries.inspect(engine, request).variables["checked"]["approver"]
    assert approver == "liangyigui"
    approve(engine, request, approver)
    assert ending(engine, request) == "end_erased"
    after = queries.case(engine, closed, actor="kongjuchi")
    erased = after.start.values["description"]["erased"]
    assert erased["by"] == [approver] and erased["rule"].startswith("保存期满") and "T04" in erased["rule"]
    assert erased["at"].startswith("2027-06-02") and erased["reason"] == "保存期满，按规定销毁"
    assert after.start.values["category"] == "不当言论", "what is not personal stays"
    [photo] = queries.attachments_of(engine, closed, actor="kongjuchi").values()
    assert photo.name is None
    with pytest.raises(Erased):
        queries.attachment(engine, photo.id, actor="kongjuchi")
    shown = {each.name: each.value for each in moment(engine, closed, at=None, actor="kongjuchi").variables}
    assert shown["description"]["erased"]["by"] == [approver], "the time machine shows the tombstone"
    assert replay(engine, closed).same and replay(engine, request).same
    assert verify(engine.db).broken == ()


def test_nothing_in_plain_is_left_in_the_file(engine: Engine, clock: ScenarioClock, closed: str) -> None:
    clock.set(datetime.fromisoformat(LATER))
    secrets = [SECRET.encode(), json.dumps(SECRET)[1:-1].encode(), b"secret-photo", "王女士".encode(), TOLD.encode()]
    request = ask(engine)
    approve(engine, request, "liangyigui")
    assert ending(engine, request) == "end_erased"
    kept = stored(engine)
    assert b"personal.erased" in kept and [secret for secret in secrets if secret in kept] == []
    with engine.db.read() as connection:
        wrapped = connection.execute(sa.text("SELECT wrapped FROM subject_keys WHERE instance_id = :i"), {"i": closed})
        assert [row.wrapped for row in wrapped] == [None]


def test_the_history_of_the_case_says_what_was_erased_and_by_whom(
    engine: Engine, clock: ScenarioClock, closed: str
) -> None:
    clock.set(datetime.fromisoformat(LATER))
    approve(engine, ask(engine), "liangyigui")
    with engine.db.read() as connection:
        query = sa.select(history.c.body).where(history.c.instance_id == closed, history.c.type == "personal.erased")
        [body] = [json.loads(bytes(each)) for each in connection.scalars(query)]
        [row] = connection.execute(sa.select(erasures)).all()
    assert body["data"]["requested_by"] == "fangchaji" and body["data"]["approved_by"] == ["liangyigui"]
    assert (row.instance_id, row.keys) == (closed, 1)


def test_it_is_refused_before_its_time_while_open_and_for_what_does_not_exist(
    engine: Engine, clock: ScenarioClock, closed: str
) -> None:
    early = ask(engine)
    assert ending(engine, early) == "end_refused" and "T04" in problem(engine, early)
    nothing = ask(engine, case_no="TS-2026-0009")
    assert ending(engine, nothing) == "end_refused" and "no personal data" in problem(engine, nothing)
    clock.set(datetime.fromisoformat(LATER))
    assert ending(engine, ask(engine, about="xiaodaogou")) == "end_refused", "there is nothing of theirs"


def test_a_legal_hold_stops_it_even_after_the_approval_was_asked(
    engine: Engine, clock: ScenarioClock, closed: str
) -> None:
    clock.set(datetime.fromisoformat(LATER))
    waiting = ask(engine)
    with pytest.raises(Denied):
        set_hold(engine, case="TS-2026-0001", reason="劳动仲裁", by="fangchaji")
    hold = set_hold(engine, case="TS-2026-0001", reason="劳动仲裁", by="zhongxuanguan")
    refused = ask(engine)
    assert ending(engine, refused) == "end_refused" and "legal hold" in problem(engine, refused)
    approve(engine, waiting, "liangyigui")
    assert ending(engine, waiting) == "end_refused"
    assert queries.case(engine, closed, actor="kongjuchi").start.values["description"] == SECRET
    lift_hold(engine, hold, by="liangyigui", reason="仲裁已结")
    with pytest.raises(Conflict):
        lift_hold(engine, hold, by="liangyigui", reason="再次")
    [seen] = holds(engine, actor="fangchaji")
    assert (seen.case, seen.lifted_by) == ("TS-2026-0001", "liangyigui")
    again = ask(engine)
    approve(engine, again, "liangyigui")
    assert ending(engine, again) == "end_erased" and verify(engine.db).broken == ()


def test_a_hold_names_one_case_or_one_person_and_why(engine: Engine, closed: str) -> None:
    wrong: list[dict[str, str]] = [
        {"reason": "x"},
        {"case": "TS-2026-0001", "reason": " "},
        {"case": "TS-2026-0001", "username": "xiaodaogou", "reason": "x"},
        {"case": "TS-1999-0001", "reason": "x"},
        {"username": "nobody", "reason": "x"},
    ]
    for each in wrong:
        with pytest.raises(Invalid):
            set_hold(engine, by="liangyigui", **each)
    set_hold(engine, username="xiaodaogou", reason="仲裁", by="liangyigui")
    assert verify(engine.db).broken == ()


def test_who_asks_cannot_approve_and_a_refusal_or_silence_keeps_it(
    engine: Engine, clock: ScenarioClock, closed: str
) -> None:
    clock.set(datetime.fromisoformat(LATER))
    own = ask(engine, by="liangyigui")
    assert queries.inspect(engine, own).variables["checked"]["approver"] == "jianchigui"
    with pytest.raises(Denied):
        approve(engine, own, "liangyigui")
    approve(engine, own, "jianchigui", "reject")
    silent = ask(engine)
    move(engine, clock, "2027-06-20T09:00:00+08:00")
    assert ending(engine, own) == ending(engine, silent) == "end_refused"
    assert queries.case(engine, closed, actor="kongjuchi").start.values["description"] == SECRET


def test_what_is_due_is_listed_and_never_erased_by_the_clock(engine: Engine, clock: ScenarioClock, closed: str) -> None:
    assert due(engine, actor="fangchaji") == []
    move(engine, clock, LATER)
    [found] = due(engine, actor="fangchaji")
    assert (found.case, found.process, str(found.since)) == ("TS-2026-0001", "complaint", "2027-05-30")
    with pytest.raises(Denied):
        due(engine, actor="xiaodaogou")
    hold = set_hold(engine, case="TS-2026-0001", reason="仲裁", by="liangyigui")
    assert due(engine, actor="fangchaji") == []
    lift_hold(engine, hold, by="liangyigui", reason="已结")
    approve(engine, ask(engine), "liangyigui")
    assert due(engine, actor="fangchaji") == []
