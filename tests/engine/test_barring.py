"""Whom a case is kept from: neither by list nor by id, whatever else gives them a way in."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Engine, queries, replay, save_directory, verify
from engine.errors import Denied, GateRefused, NotFound

KEPT = '<spiffworkflow:property name="barred" value="{}"/>'
TITLE = '<spiffworkflow:property name="title" value="about"/>'


def deploy(engine: Engine, files: dict[str, bytes], barred: str, *, apart: str = "") -> None:
    """Deploy the approval with `barred`, and with one of its steps standing apart."""
    xml = files["approval.bpmn"].decode().replace(TITLE, TITLE + KEPT.format(barred))
    if apart:
        head = f'<bpmn:userTask id="{apart}"'
        before, after = xml.split(head)
        mark = '<spiffworkflow:property name="apart" value="true"/>'
        xml = before + head + after.replace("<spiffworkflow:properties>", "<spiffworkflow:properties>" + mark, 1)
    engine.deploy({**files, "approval.bpmn": xml.encode()}, by="root")


def start(engine: Engine, by: str = "anna", **more: Any) -> Any:
    return engine.start("approval", {"amount": 5, "about": "椅子", **more}, by=by)


def listed(engine: Engine, actor: str) -> list[str]:
    tabs = [queries.inbox(engine, actor=actor, tab=tab).items for tab in ("mine", "claimable")]
    return [row.element for page in tabs for row in page]


def recused(call: Any) -> bool:
    with pytest.raises(Denied) as caught:
        call()
    return caught.value.recused


def test_whom_a_case_is_kept_from_can_do_none_of_its_tasks_and_read_nothing_of_it(
    engine: Engine, files: dict[str, bytes]
) -> None:
    deploy(engine, files, "[buddy]")
    case = start(engine, buddy="boris")
    [task] = case.tasks
    assert listed(engine, "boris") == [] and listed(engine, "bella") == ["review"]
    assert recused(lambda: queries.task(engine, task, actor="boris"))
    assert recused(lambda: engine.claim(task, by="boris"))
    assert recused(lambda: engine.complete(task, {"outcome": "agree"}, by="boris"))
    assert recused(lambda: queries.case(engine, case.instance_id, actor="boris")), "being a viewer does not help"
    assert recused(lambda: queries.diagram(engine, case.instance_id, "approval", actor="boris"))
    assert queries.told(engine, actor="boris") == []
    engine.complete(task, {"outcome": "agree"}, by="bella")
    assert replay(engine, case.instance_id).same and verify(engine.db).broken == ()


def test_who_began_a_case_does_not_see_it_once_it_is_kept_from_them(engine: Engine, files: dict[str, bytes]) -> None:
    deploy(engine, files, "[buddy]")
    case = start(engine, buddy="anna")
    assert queries.started(engine, actor="anna").items == []
    assert recused(lambda: queries.case(engine, case.instance_id, actor="anna"))
    assert recused(lambda: engine.withdraw(case.instance_id, by="anna"))


def test_auditors_and_administrators_are_kept_out_as_well(engine: Engine, files: dict[str, bytes]) -> None:
    engine.db.write(lambda connection: save_directory(connection, members=[("chief", "auditor")]))
    deploy(engine, files, "[buddy, buddy]")
    open_case = start(engine, buddy="anna")
    assert queries.case(engine, open_case.instance_id, actor="chief").title == "椅子"
    case = start(engine, buddy="chief")
    assert recused(lambda: queries.case(engine, case.instance_id, actor="chief"))
    case = start(engine, buddy="root")
    assert recused(lambda: engine.cancel(case.instance_id, by="root", reason="与我有关"))
    assert recused(lambda: engine.reassign(case.tasks[0], to="boris", by="root"))


def test_a_stand_in_is_kept_out_where_the_one_they_stand_in_for_is(engine: Engine, files: dict[str, bytes]) -> None:
    stand_in = {"from_user": "boris", "to_user": "standin", "scope": "*"}
    period = {"valid_from": "2026-11-01", "valid_to": "2026-12-31"}
    engine.db.write(lambda connection: save_directory(connection, stand_ins=[{**stand_in, **period}]))
    deploy(engine, files, "[buddy]")
    case = start(engine, buddy="boris")
    assert listed(engine, "standin") == []
    with pytest.raises(Denied):
        queries.case(engine, case.instance_id, actor="standin")
    assert listed(engine, "bella") == ["review"]


def test_a_task_is_taken_from_its_holder_when_the_case_comes_to_be_kept_from_them(
    engine: Engine, files: dict[str, bytes], clock: Any
) -> None:
    deploy(engine, files, "[&quot;boris&quot;] if escalated.to else []")
    case = start(engine)
    [task] = case.tasks
    engine.claim(task, by="boris")
    clock.advance(hours=5)
    engine.tick()
    assert listed(engine, "boris") == [] and listed(engine, "bella") == ["review"]
    assert recused(lambda: engine.complete(task, {"outcome": "agree"}, by="boris"))
    engine.complete(task, {"outcome": "agree"}, by="bella")


def test_what_one_did_before_is_gone_from_ones_lists_too(engine: Engine, files: dict[str, bytes]) -> None:
    deploy(engine, files, "[review.by]")
    case = start(engine)
    engine.complete(case.tasks[0], {"outcome": "agree"}, by="bella")
    assert queries.done(engine, actor="bella").items == []
    assert recused(lambda: queries.task(engine, case.tasks[0], actor="bella"))
    assert queries.register(engine, "payment", actor="bella").items == []
    with pytest.raises(NotFound):
        queries.register_row(engine, "payment", "SP-2026-0001", actor="bella")
    assert len(queries.register(engine, "payment", actor="boris").items) == 1
    assert queries.told(engine, actor="boris") and not queries.told(engine, actor="bella")


def test_a_task_with_nobody_left_to_do_it_is_an_incident(engine: Engine, files: dict[str, bytes]) -> None:
    deploy(engine, files, "[&quot;kassa&quot;]")
    case = start(engine)
    engine.complete(case.tasks[0], {"outcome": "agree"}, by="bella")
    assert [row.kind for row in queries.open_incidents(engine, actor="root")] == ["unstaffed"]


def test_a_task_that_stands_apart_shows_its_performer_nothing_else(engine: Engine, files: dict[str, bytes]) -> None:
    deploy(engine, files, "[&quot;kassa&quot;]", apart="pay")
    case = start(engine)
    engine.complete(case.tasks[0], {"outcome": "agree", "comment": "机密"}, by="bella")
    [row] = queries.inbox(engine, actor="kassa").items
    assert (row.title, row.initiator) == ("", None)
    page = queries.task(engine, row.task_id, actor="kassa")
    assert (page.start, page.decided, page.processes, page.title) == (None, [], [], "")
    assert recused(lambda: queries.case(engine, case.instance_id, actor="kassa"))
    engine.complete(row.task_id, {"outcome": "done"}, by="kassa")
    assert [entry.values["outcome"] for entry in queries.task(engine, row.task_id, actor="kassa").decided] == ["done"]


def test_sealed_fields_need_a_sealer_and_leave_only_a_reference(engine: Engine, files: dict[str, bytes]) -> None:
    import orjson

    from engine.errors import Unavailable

    form = orjson.loads(files["approval/forms/request.json"])
    form["properties"]["about"] = {**form["properties"]["about"], "x-sealed": True}
    engine.deploy({**files, "approval/forms/request.json": orjson.dumps(form)}, by="root")
    with pytest.raises(Unavailable):
        start(engine)

    class Drawer:
        kept: dict[tuple[str, str], str]

        def seal(self, connection: Any, instance_id: str, name: str, value: Any) -> str:
            self.kept = {(instance_id, name): value}
            return "sealed:1"

    engine.sealer = drawer = Drawer()
    case = start(engine, about="13800000000")
    assert drawer.kept == {(case.instance_id, "about"): "13800000000"}
    assert queries.inspect(engine, case.instance_id).variables["about"] == "sealed:1"
    with engine.db.read() as connection:
        bodies = connection.exec_driver_sql("select body from history").all()
    assert not [row for row in bodies if b"13800000000" in bytes(row[0])]


def test_an_outsider_may_start_what_staff_may_not_start_in_their_own_name(
    engine: Engine, files: dict[str, bytes]
) -> None:
    starters = '<spiffworkflow:property name="starters" value="[&quot;outsider&quot;, &quot;bosses&quot;]"/>'
    xml = files["approval.bpmn"].decode().replace(TITLE, TITLE + starters)
    engine.deploy({**files, "approval.bpmn": xml.encode()}, by="root")
    case = engine.start("approval", {"amount": 1, "about": "匿名"}, by=None)
    assert queries.inspect(engine, case.instance_id).variables["initiator"] is None
    assert start(engine, by="boris").business_key
    with pytest.raises(Denied):
        start(engine, by="anna")


def test_a_field_can_be_sealed_on_a_start_form_only(engine: Engine, files: dict[str, bytes]) -> None:
    import orjson

    form = orjson.loads(files["approval/forms/decision.json"])
    form["properties"]["comment"] = {**form["properties"]["comment"], "x-sealed": True}
    with pytest.raises(GateRefused) as caught:
        engine.deploy({**files, "approval/forms/decision.json": orjson.dumps(form)}, by="root")
    assert [problem.code for problem in caught.value.problems] == ["sealed-field"]
