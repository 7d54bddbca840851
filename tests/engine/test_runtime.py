"""The commands, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Engine, queries, replay, save_directory, verify
from engine.errors import Conflict, Denied, GateRefused, Invalid
from tests.engine.steps import events, refused, review_of, start


def test_a_case_runs_from_its_start_form_to_its_end(engine: Engine, mail: Any) -> None:
    case = start(engine)
    assert case.business_key == "SP-2026-0001"
    [task] = queries.inbox(engine, actor="boris", tab="claimable").items
    assert (task.name["zh-CN"], task.title) == ("审核", "椅子")
    engine.claim(task.task_id, by="boris")
    engine.complete(task.task_id, {"outcome": "agree", "comment": "好"}, by="boris")
    [pay] = queries.inbox(engine, actor="kassa").items
    engine.complete(pay.task_id, {"outcome": "done"}, by="kassa")
    assert engine.tick() == 1
    seen = queries.inspect(engine, case.instance_id)
    assert (seen.status, seen.end) == ("completed", "end_paid")
    assert seen.variables["review"]["by"] == "boris"
    assert mail.sent and queries.register_rows_of(engine, "payment")["SP-2026-0001"]["amount"] == 5
    assert verify(engine.db).broken == ()
    again = replay(engine, case.instance_id)
    assert again.same and again.end == "end_paid"


def test_a_missing_or_wrong_field_is_named_and_nothing_is_saved(engine: Engine) -> None:
    for wrong in (
        {},
        {"amount": "viel"},
        {"amount": -1},
        {"amount": 1, "unknown": 2},
        {"amount": 1, "buddy": "nobody"},
    ):
        with pytest.raises(Invalid) as caught:
            engine.start("approval", wrong, by="anna")
        assert set(caught.value.fields) <= {"amount", "unknown", "buddy"}
        assert all({"zh-CN", "en"} <= set(text) for text in caught.value.fields.values())
    assert queries.started(engine, actor="anna").items == []
    _, task = review_of(engine)
    with pytest.raises(Invalid) as caught:
        engine.complete(task, {"outcome": "maybe"}, by="boris")
    assert "outcome" in caught.value.fields
    assert queries.task(engine, task, actor="boris").status == "open"


def test_who_is_no_candidate_can_neither_see_nor_touch_a_task(engine: Engine) -> None:
    instance, task = review_of(engine)
    for actor in ("kassa", "gone", "nobody"):
        assert queries.inbox(engine, actor=actor, tab="claimable").items == []
        for call in (
            lambda actor=actor: queries.task(engine, task, actor=actor),
            lambda actor=actor: engine.claim(task, by=actor),
            lambda actor=actor: engine.complete(task, {"outcome": "agree"}, by=actor),
            lambda actor=actor: engine.save_draft(task, {}, by=actor),
            lambda actor=actor: engine.recuse(task, by=actor),
            lambda actor=actor: queries.case(engine, instance, actor=actor),
        ):
            assert not refused(call).recused
    assert ("access.refused", "kassa") in [(kind, actor) for kind, actor, _ in events(engine, instance)]
    assert verify(engine.db).broken == () and replay(engine, instance).same


def test_a_recused_candidate_is_told_so_and_sees_nothing(engine: Engine) -> None:
    case = engine.start("approval", {"amount": 1}, by="boris")
    task = case.tasks[0]
    assert queries.inbox(engine, actor="boris", tab="claimable").items == []
    for call in (
        lambda: queries.task(engine, task, actor="boris"),
        lambda: engine.claim(task, by="boris"),
        lambda: engine.complete(task, {"outcome": "agree"}, by="boris"),
        lambda: engine.reassign(task, to="bella", by="boris"),
    ):
        assert refused(call).recused
    assert len(queries.inbox(engine, actor="bella", tab="claimable").items) == 1
    with pytest.raises(Denied):
        engine.reassign(task, to="boris", by="bella")


def delegate(engine: Engine, scope: str, *, start: str = "2026-11-01", end: str = "2026-11-30") -> None:
    row = {"from_user": "boris", "to_user": "standin", "scope": scope, "valid_from": start, "valid_to": end}
    engine.db.write(lambda connection: save_directory(connection, stand_ins=[row]))


def test_a_stand_in_does_the_task_in_the_others_name(engine: Engine) -> None:
    delegate(engine, "review")
    instance, task = review_of(engine)
    [listed] = queries.inbox(engine, actor="standin", tab="claimable").items
    assert listed.on_behalf is not None and listed.on_behalf.username == "boris"
    engine.complete(task, {"outcome": "agree"}, by="standin")
    review = queries.inspect(engine, instance).variables["review"]
    assert (review["by"], review["for"]) == ("standin", "boris")


@pytest.mark.parametrize(
    ("scope", "start_day", "end_day"), [("pay", "2026-11-01", "2026-11-30"), ("*", "2026-10-01", "2026-11-08")]
)
def test_a_delegation_reaches_no_further_than_its_scope_and_dates(
    engine: Engine, scope: str, start_day: str, end_day: str
) -> None:
    delegate(engine, scope, start=start_day, end=end_day)
    _, task = review_of(engine)
    assert queries.inbox(engine, actor="standin", tab="claimable").items == []
    refused(lambda: engine.claim(task, by="standin"))


def test_a_stand_in_inherits_the_recusal_of_whom_they_stand_in_for(engine: Engine) -> None:
    delegate(engine, "*")
    task = engine.start("approval", {"amount": 1}, by="boris").tasks[0]
    assert queries.inbox(engine, actor="standin", tab="claimable").items == []
    refused(lambda: engine.complete(task, {"outcome": "agree"}, by="standin"))
    with pytest.raises(Denied):
        engine.reassign(task, to="standin", by="root")


def test_a_claimed_task_is_taken_for_the_others_until_released(engine: Engine) -> None:
    _, task = review_of(engine)
    engine.claim(task, by="boris")
    assert queries.inbox(engine, actor="bella", tab="claimable").items == []
    with pytest.raises(Conflict) as caught:
        engine.complete(task, {"outcome": "agree"}, by="bella")
    assert caught.value.code == "task_taken" and caught.value.args_["who"] == "boris"
    engine.release(task, by="boris")
    engine.claim(task, by="bella")
    assert [row.task_id for row in queries.inbox(engine, actor="bella").items] == [task]


def test_a_draft_is_kept_and_gone_once_the_task_is_done(engine: Engine) -> None:
    instance, task = review_of(engine)
    engine.save_draft(task, {"comment": "halb"}, by="boris")
    assert queries.task(engine, task, actor="boris").draft == {"comment": "halb"}
    engine.complete(task, {"outcome": "reject"}, by="boris")
    assert queries.inspect(engine, instance).end == "end_rejected"
    with pytest.raises(Conflict) as caught:
        engine.complete(task, {"outcome": "agree"}, by="bella")
    assert caught.value.code == "task_done" and caught.value.args_["who"] == "boris"


def test_a_task_that_is_done_says_who_did_it(engine: Engine) -> None:
    _, task = review_of(engine)
    engine.complete(task, {"outcome": "agree"}, by="boris")
    with pytest.raises(Conflict) as caught:
        engine.complete(task, {"outcome": "agree"}, by="boris")
    assert caught.value.code == "task_done" and caught.value.args_["who"] == "boris"


def test_the_same_key_answers_as_the_first_time(engine: Engine) -> None:
    first = engine.start("approval", {"amount": 1}, by="anna", key="k1")
    assert engine.start("approval", {"amount": 1}, by="anna", key="k1") == first
    assert len(queries.started(engine, actor="anna").items) == 1
    done = engine.complete(first.tasks[0], {"outcome": "agree"}, by="boris", key="k2")
    assert engine.complete(first.tasks[0], {"outcome": "agree"}, by="boris", key="k2") == done
    with pytest.raises(Conflict) as caught:
        engine.start("approval", {"amount": 1}, by="boris", key="k2")
    assert caught.value.code == "key_reused"
    assert engine.start("approval", {"amount": 1}, by="boris", key="k1") != first


def test_self_recusal_offers_the_task_to_the_others_and_keeps_the_reason_confidential(engine: Engine) -> None:
    instance, task = review_of(engine)
    engine.claim(task, by="boris")
    engine.recuse(task, by="boris", reason="亲属")
    assert refused(lambda: queries.task(engine, task, actor="boris")).recused
    assert [row.task_id for row in queries.inbox(engine, actor="bella", tab="claimable").items] == [task]
    seen = queries.case(engine, instance, actor="anna").timeline
    [entry] = [entry for entry in seen if entry.type == "task.recused"]
    assert "reason" not in entry.data


def test_when_the_last_candidate_recuses_themselves_the_administrator_is_told(engine: Engine) -> None:
    _, task = review_of(engine)
    engine.recuse(task, by="boris")
    engine.recuse(task, by="bella")
    [incident] = queries.open_incidents(engine, actor="root")
    assert (incident.kind, incident.element) == ("unstaffed", "review")
    refused(lambda: queries.open_incidents(engine, actor="anna"))


def test_a_holder_hands_over_to_another_candidate_only(engine: Engine) -> None:
    _, task = review_of(engine)
    engine.claim(task, by="boris")
    refused(lambda: engine.reassign(task, to="kassa", by="boris"))
    refused(lambda: engine.reassign(task, to="bella", by="kassa"))
    engine.reassign(task, to="bella", by="boris")
    assert [row.task_id for row in queries.inbox(engine, actor="bella").items] == [task]
    refused(lambda: engine.complete(task, {"outcome": "agree"}, by="boris"))


def test_an_administrator_finds_somebody_when_the_only_assignee_is_gone(engine: Engine) -> None:
    _, task = review_of(engine)
    pay = engine.complete(task, {"outcome": "agree"}, by="boris").tasks[0]
    refused(lambda: engine.reassign(pay, to="anna", by="boris"))
    engine.reassign(pay, to="chief", by="root")
    engine.complete(pay, {"outcome": "done"}, by="chief")


def test_the_initiator_withdraws_where_and_while_the_diagram_allows_it(engine: Engine) -> None:
    instance, task = review_of(engine)
    refused(lambda: engine.withdraw(instance, by="boris"))
    assert "withdraw" in queries.case(engine, instance, actor="anna").may
    result = engine.withdraw(instance, by="anna", reason="不需要了")
    assert (result.status, result.end, result.tasks) == ("completed", "end_withdrawn", ())
    assert engine.next_due() is None
    with pytest.raises(Conflict):
        engine.complete(task, {"outcome": "agree"}, by="boris")
    instance, task = review_of(engine)
    pay = engine.complete(task, {"outcome": "agree"}, by="boris").tasks[0]
    engine.complete(pay, {"outcome": "done"}, by="kassa")
    with pytest.raises(Conflict) as caught:
        engine.withdraw(instance, by="anna")
    assert caught.value.code == "withdraw_too_late"


def test_only_an_administrator_cancels_suspends_and_resumes(engine: Engine, clock: Any) -> None:
    instance, task = review_of(engine)
    for call in (engine.cancel, engine.suspend):
        refused(lambda call=call: call(instance, by="anna", reason=""))
    engine.suspend(instance, by="root", reason="核查")
    clock.advance(days=3)
    assert engine.tick() == 0
    with pytest.raises(Conflict) as caught:
        engine.complete(task, {"outcome": "agree"}, by="boris")
    assert caught.value.code == "case_suspended"
    engine.resume(instance, by="root")
    assert engine.tick() == 2
    assert engine.cancel(instance, by="root", reason="误建").status == "cancelled"
    assert replay(engine, instance).same and verify(engine.db).broken == ()


def test_what_was_entered_under_seal_is_read_by_its_readers_and_author_alone(engine: Engine) -> None:
    instance, task = review_of(engine, buddy="chief")
    pay = engine.complete(task, {"outcome": "agree"}, by="boris").tasks[0]
    engine.complete(pay, {"outcome": "done", "comment": "geheim"}, by="kassa")
    for actor, sees in (("boris", True), ("kassa", True), ("anna", False), ("chief", False)):
        view = queries.case(engine, instance, actor=actor)
        assert ("pay" in [item.element for item in view.decided]) is sees
        assert any("geheim" in str(entry.data) for entry in view.timeline) is sees


def test_an_instance_keeps_the_version_it_started_with(engine: Engine, files: dict[str, bytes]) -> None:
    instance, task = review_of(engine)
    changed = {**files, "approval.bpmn": files["approval.bpmn"].replace(b"\xe5\xae\xa1\xe6\xa0\xb8", b"Pr\xc3\xbcfung")}
    assert engine.deploy(changed, by="root").processes["approval"] == 2
    assert engine.deploy(changed, by="root").number == 2
    assert queries.task(engine, task, actor="boris").name["zh-CN"] == "审核"
    assert queries.task(engine, start(engine).tasks[0], actor="boris").name["zh-CN"] == "Prüfung"
    assert queries.case(engine, instance, actor="anna").version == 1


def test_a_refused_deployment_stores_nothing(engine: Engine, files: dict[str, bytes]) -> None:
    broken = files["approval.bpmn"].replace(b'targetRef="escalate"', b'targetRef="nowhere"')
    with pytest.raises(GateRefused) as caught:
        engine.deploy({"approval.bpmn": broken}, by="root")
    assert caught.value.problems
    assert start(engine).tasks


def test_pages_go_on_where_the_last_one_ended(engine: Engine, clock: Any) -> None:
    for _ in range(7):
        review_of(engine)
        clock.advance(seconds=1)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page = queries.inbox(engine, actor="boris", tab="claimable", cursor=cursor, limit=3)
        seen += [row.task_id for row in page.items]
        cursor = page.next
    assert cursor is None and len(set(seen)) == 7
    assert queries.counts(engine, actor="boris") == {"mine": 0, "claimable": 7}
