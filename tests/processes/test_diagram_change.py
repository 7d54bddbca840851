"""Nobody deploys alone: what a change needs before it goes live, and what stops it (X16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest

import processes
from engine import Database, Engine, drafts, queries
from engine.deployment import latest_number, read_files
from engine.errors import Conflict, Denied, GuijuError, NotFound
from engine.replay import replay
from processes.bundle import shipped
from processes.design import assess
from processes.scenario_runner import DEFAULT_NOW, ScenarioClock

FILE = "warning_expiry.bpmn"
WORDS = (b'name="\xe8\xad\xa6\xe5\x91\x8a', b'name="\xe4\xb9\xa6\xe9\x9d\xa2\xe8\xad\xa6\xe5\x91\x8a')


@pytest.fixture
def clock() -> ScenarioClock:
    return ScenarioClock(datetime.fromisoformat(DEFAULT_NOW))


@pytest.fixture
def engine(company_db: Database, clock: ScenarioClock) -> Iterator[Engine]:
    engine = processes.build_engine(company_db, clock=clock)
    engine.schedules = None
    yield engine


def edited(weighty: bool) -> bytes:
    source = shipped()[FILE]
    changed = (
        source.replace(b"expires_at</bpmn:timeDate>", b"expires_at or expires_at</bpmn:timeDate>") if weighty else None
    )
    changed = changed or source.replace(*WORDS, 1)
    assert changed != source
    return changed


def draft_of(engine: Engine, content: dict[str, bytes | None], *, by: str = "lutuyang", also: str | None = None) -> str:
    """A draft with these files, the last save by `also`."""

    def work(connection: Any) -> str:
        made = drafts.make(connection, title="到期说明", by=by, now=engine.now())
        drafts.save(connection, made.draft_id, content, by=also or by, rev=None, now=engine.now())
        return made.draft_id

    return str(engine.db.write(work))


def submit(engine: Engine, draft: str, *, by: str = "lutuyang", **more: Any) -> Any:
    values = {"draft": draft, "title": "到期说明", "reason": "写得更清楚", **more}
    return engine.start("diagram_change", values, by=by)


def open_to(engine: Engine, case: str, user: str) -> list[str]:
    found = [
        *queries.inbox(engine, actor=user, tab="mine").items,
        *queries.inbox(engine, actor=user, tab="claimable").items,
    ]
    return [row.task_id for row in found if row.instance_id == case]


def decide(engine: Engine, case: str, user: str, outcome: str = "approve") -> Any:
    [task] = open_to(engine, case, user)
    if not queries.inbox(engine, actor=user, tab="mine").items:
        engine.claim(task, by=user)
    return engine.complete(task, {"outcome": outcome, "comment": "看过"}, by=user)


def newest(engine: Engine) -> tuple[int, dict[str, bytes]]:
    with engine.db.read() as connection:
        number = latest_number(connection) or 0
        return number, read_files(connection, number)


def status_of(engine: Engine, draft: str) -> str:
    with engine.db.read() as connection:
        return drafts.get(connection, draft).status


def test_words_alone_need_a_second_designer_and_no_more(engine: Engine) -> None:
    number, _ = newest(engine)
    draft = draft_of(engine, {FILE: edited(False)})
    assert assess(engine, draft).green
    case = submit(engine, draft).instance_id
    assert open_to(engine, case, "lutuyang") == [] and status_of(engine, draft) == "submitted"
    result = decide(engine, case, "modouxian")
    assert (result.status, result.end) == ("completed", "end_deployed")
    now, files = newest(engine)
    assert now == number + 1 and files[FILE] == edited(False) and status_of(engine, draft) == "deployed"
    assert replay(engine, case).same


def test_the_deployments_own_history_says_who_agreed_and_in_which_case(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    case = submit(engine, draft)
    decide(engine, case.instance_id, "modouxian")
    with engine.db.read() as connection:
        query = "select body from history where type = 'deployment.made' order by seq desc"
        body = orjson.loads(bytes(connection.exec_driver_sql(query).scalars().first() or b""))
    assert body["actor"] == "lutuyang" and body["data"]["business_key"] == case.business_key
    assert [(each["by"], each["step"]) for each in body["data"]["agreed"]] == [("modouxian", "second_review")]


def test_what_the_engine_acts_upon_needs_administration_and_legal_as_well(engine: Engine) -> None:
    number, _ = newest(engine)
    draft = draft_of(engine, {FILE: edited(True)})
    assert [path for path, _ in assess(engine, draft).signs] == [FILE]
    case = submit(engine, draft).instance_id
    assert open_to(engine, case, "fangchaji") == []
    decide(engine, case, "modouxian")
    [task] = open_to(engine, case, "fangchaji")
    shown = queries.task(engine, task, actor="fangchaji").prefill["changes"]
    assert FILE in shown["zh-CN"] and "expires_at → expires_at or expires_at" in shown["zh-CN"]
    decide(engine, case, "fangchaji")
    assert newest(engine)[0] == number, "one of the two signatures is not enough"
    assert decide(engine, case, "liangyigui").end == "end_deployed"
    assert newest(engine)[0] == number + 1


def test_either_signature_refused_opens_the_draft_again(engine: Engine) -> None:
    number, _ = newest(engine)
    draft = draft_of(engine, {FILE: edited(True)})
    assess(engine, draft)
    case = submit(engine, draft).instance_id
    decide(engine, case, "modouxian")
    assert decide(engine, case, "liangyigui", "return").end == "end_returned"
    assert newest(engine)[0] == number and status_of(engine, draft) == "open"


def test_whoever_changed_something_reviews_none_of_it(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)}, also="modouxian")
    assess(engine, draft)
    case = submit(engine, draft).instance_id
    assert open_to(engine, case, "modouxian") == [] and open_to(engine, case, "lutuyang") == []


@pytest.mark.parametrize("user", ["michuangdian", "sushujia", "jianchigui"])
def test_only_designers_submit(engine: Engine, user: str) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    with pytest.raises((Denied, NotFound)):
        submit(engine, draft, by=user)
    assert status_of(engine, draft) == "open"


def test_a_draft_that_nobody_checked_is_not_deployed(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assert submit(engine, draft).end == "end_returned" and status_of(engine, draft) == "open"


def test_one_more_change_after_the_check_and_it_counts_for_nothing(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    more = {FILE: edited(True)}
    engine.db.write(lambda c: drafts.save(c, draft, more, by="lutuyang", rev=None, now=engine.now()))
    assert submit(engine, draft).end == "end_returned"


def test_red_scenarios_block(engine: Engine) -> None:
    red = {"process": "warning_expiry", "start": {"by": "lutuyang"}, "expect": {"status": "active"}}
    draft = draft_of(engine, {"warning_expiry/scenarios/red.json": orjson.dumps(red)})
    assessed = assess(engine, draft)
    assert [row["passed"] for row in assessed.scenarios] == [False] and not assessed.green
    assert submit(engine, draft).end == "end_returned"


def test_what_the_gate_refuses_is_not_submitted(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: shipped()[FILE].replace(b"bpmn:endEvent", b"bpmn:transaction")})
    assessed = assess(engine, draft)
    assert assessed.problems and not assessed.green and assessed.scenarios == []
    assert submit(engine, draft).end == "end_returned"


def test_a_draft_over_an_older_deployment_is_brought_up_first(engine: Engine) -> None:
    first, second = draft_of(engine, {FILE: edited(False)}), draft_of(engine, {FILE: edited(False)})
    assess(engine, first)
    case = submit(engine, first).instance_id
    decide(engine, case, "modouxian")
    assess(engine, second)
    result = submit(engine, second)
    assert result.end == "end_returned"
    problem = queries.inspect(engine, result.instance_id).variables["examined"]["problem"]
    assert "先更新草稿" in problem["zh-CN"]


def test_two_changes_at_once_end_with_one_deployment_and_one_returned(engine: Engine) -> None:
    words, cells = draft_of(engine, {FILE: edited(False)}), draft_of(engine, {FILE: edited(True)})
    cases = []
    for draft in (words, cells):
        assess(engine, draft)
        cases.append(submit(engine, draft).instance_id)
    decide(engine, cases[0], "modouxian")
    decide(engine, cases[1], "modouxian")
    decide(engine, cases[1], "fangchaji")
    assert decide(engine, cases[1], "liangyigui").end == "end_returned"
    assert newest(engine)[1][FILE] == edited(False) and status_of(engine, cells) == "open"


def test_a_change_may_wait_for_its_time(engine: Engine, clock: ScenarioClock) -> None:
    number, _ = newest(engine)
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    case = submit(engine, draft, effective_at="2026-11-10T00:00:00+08:00").instance_id
    assert decide(engine, case, "modouxian").status == "active"
    clock.set(datetime.fromisoformat("2026-11-09T23:59:00+08:00"))
    engine.tick()
    assert newest(engine)[0] == number
    clock.set(datetime.fromisoformat("2026-11-10T00:00:01+08:00"))
    engine.tick()
    assert newest(engine)[0] == number + 1
    assert queries.inspect(engine, case).end == "end_deployed"


def test_silence_returns_the_draft(engine: Engine, clock: ScenarioClock) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    case = submit(engine, draft).instance_id
    clock.set(datetime.fromisoformat("2026-12-15T09:00:00+08:00"))
    while engine.tick():
        pass
    assert queries.inspect(engine, case).end == "end_returned" and status_of(engine, draft) == "open"


def test_a_withdrawn_change_opens_its_draft_again(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    case = submit(engine, draft).instance_id
    engine.withdraw(case, by="lutuyang", reason="再想想")
    assert status_of(engine, draft) == "open"


def test_a_submitted_draft_is_not_submitted_twice(engine: Engine) -> None:
    draft = draft_of(engine, {FILE: edited(False)})
    assess(engine, draft)
    submit(engine, draft)
    with pytest.raises(GuijuError):
        submit(engine, draft)


def test_a_running_case_finishes_on_its_own_version(engine: Engine, clock: ScenarioClock) -> None:
    draft = draft_of(engine, {FILE: edited(True)})
    before = queries.inspect(engine, submit(engine, draft_of(engine, {FILE: edited(False)})).instance_id)
    assert before.end == "end_returned"
    assess(engine, draft)
    case = submit(engine, draft).instance_id
    for user in ("modouxian", "fangchaji", "liangyigui"):
        decide(engine, case, user)
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql("select deployment from instances order by started_at").scalars().all()
    assert set(rows) == {1} and newest(engine)[0] == 2
    assert replay(engine, case).same
    with pytest.raises(Conflict):
        engine.withdraw(case, by="lutuyang")
