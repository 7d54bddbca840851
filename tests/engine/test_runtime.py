"""The commands, on both databases."""

from __future__ import annotations

from typing import Any

from engine import Engine, queries, replay, verify


def start(engine: Engine, **more: Any) -> Any:
    return engine.start("approval", {"amount": 5, "about": "椅子", **more}, by="anna")


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
