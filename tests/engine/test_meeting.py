"""What one case asks to be done in another: starting it, handing its tasks over, reading what was done there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from engine import Engine, OperationContext, queries, replay, verify

Call = Callable[[OperationContext], dict[str, Any] | None]

ASKING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="http://guiju.example/test">
<bpmn:process id="asking" name="提请" isExecutable="true">
  <bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="business_key" value="TQ-{yyyy}-{nnnn}"/>
  </spiffworkflow:properties></bpmn:extensionElements>
  <bpmn:startEvent id="begin" name="开始"><bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="form" value="note"/></spiffworkflow:properties></bpmn:extensionElements>
    <bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
  <bpmn:userTask id="look" name="查看"><bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="assignee" value="&quot;kassa&quot;"/>
    </spiffworkflow:properties></bpmn:extensionElements><bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing></bpmn:userTask>
  <bpmn:serviceTask id="ask" name="提请"><bpmn:extensionElements>
    <spiffworkflow:serviceTaskOperator id="test.ask" resultVariable="asked"><spiffworkflow:parameters/>
    </spiffworkflow:serviceTaskOperator></bpmn:extensionElements>
    <bpmn:incoming>f2</bpmn:incoming><bpmn:outgoing>f3</bpmn:outgoing></bpmn:serviceTask>
  <bpmn:endEvent id="end_asked" name="已提请"><bpmn:incoming>f3</bpmn:incoming></bpmn:endEvent>
  <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="look"/>
  <bpmn:sequenceFlow id="f2" sourceRef="look" targetRef="ask"/>
  <bpmn:sequenceFlow id="f3" sourceRef="ask" targetRef="end_asked"/>
</bpmn:process></bpmn:definitions>"""
NOTE = {
    "type": "object",
    "title": {"zh-CN": "提请", "en": "Request"},
    "properties": {"about": {"type": "string", "title": {"zh-CN": "事由", "en": "About"}}},
}


class Asked:
    """What the service task does, as the test says."""

    call: Call = staticmethod(lambda ctx: None)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def engine(engine: Engine, files: dict[str, bytes], asked: Asked) -> Engine:
    """The small company with a second procedure, in which nobody may start an approval."""

    @engine.operations.local("test.ask")
    def ask(ctx: OperationContext) -> dict[str, Any]:
        return asked.call(ctx) or {}

    closed = files["approval.bpmn"].replace(
        b'<spiffworkflow:property name="title"',
        b'<spiffworkflow:property name="starters" value="&quot;none&quot;"/><spiffworkflow:property name="title"',
    )
    note = json.dumps(NOTE).encode()
    more = {"asking.bpmn": ASKING.encode(), "asking/forms/note.json": note}
    engine.deploy(
        {
            **files,
            "open.bpmn": files["approval.bpmn"].replace(b'"approval"', b'"open"'),
            **more,
            "approval.bpmn": closed,
            "open/forms/request.json": files["approval/forms/request.json"],
            "open/forms/decision.json": files["approval/forms/decision.json"],
        },
        by="root",
    )
    return engine


def ask(engine: Engine, *, by: str = "anna") -> Any:
    """A case that has run its service task."""
    case = engine.start("asking", {"about": "椅子"}, by=by)
    engine.complete(case.tasks[0], {"outcome": "seen", "comment": "好"}, by="kassa")
    return case


def cases(engine: Engine, process: str) -> list[Any]:
    with engine.db.read() as connection:
        query = f"select instance_id, initiator, status from instances where process = '{process}' order by started_at"
        return list(connection.exec_driver_sql(query))


def order(ctx: OperationContext, **more: Any) -> None:
    ctx.start_case("approval", {"amount": 7, "about": "来自提请", **more}, key="first")


def test_a_case_starts_another_that_nobody_may_start(engine: Engine, asked: Asked) -> None:
    asked.call = order
    case = ask(engine)
    assert cases(engine, "approval") == []  # not in the same transaction
    assert engine.tick() == 1
    [made] = cases(engine, "approval")
    variables = queries.inspect(engine, made.instance_id).variables
    assert made.initiator == variables["applicant"] == "anna"
    assert variables["origin"] == {"instance_id": case.instance_id, "business_key": "TQ-2026-0001"}
    assert engine.tick() == 0 and len(cases(engine, "approval")) == 1
    kinds = [kind for kind, data in events(engine, case.instance_id) if data.get("instance") == made.instance_id]
    assert kinds == ["case.started"]
    assert verify(engine.db).broken == ()
    for instance in (case.instance_id, made.instance_id):
        assert replay(engine, instance).same


def events(engine: Engine, instance_id: str) -> list[tuple[str, dict[str, Any]]]:
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql(f"select body from history where instance_id = '{instance_id}' order by seq")
        bodies = [orjson.loads(bytes(row[0])) for row in rows]
    return [(body["type"], body["data"]) for body in bodies]


def test_the_same_key_starts_one_case_however_often_it_is_asked(engine: Engine, asked: Asked) -> None:
    def twice(ctx: OperationContext) -> None:
        order(ctx)
        order(ctx)
        ctx.start_case("approval", {"amount": 8}, key="second")

    asked.call = twice
    ask(engine)
    engine.tick()
    assert len(cases(engine, "approval")) == 2


def test_a_tick_that_died_after_starting_does_not_start_again(
    engine: Engine, asked: Asked, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.call = order
    ask(engine)
    from engine import errands

    real = errands.start_ordered

    def dies(*given: Any) -> str:
        real(*given)
        raise SystemExit

    monkeypatch.setattr(errands, "start_ordered", dies)
    with pytest.raises(SystemExit):
        engine.tick()
    monkeypatch.setattr(errands, "start_ordered", real)
    clock.advance(minutes=2)  # the lease runs out
    assert engine.tick() == 1 and len(cases(engine, "approval")) == 1


def test_an_outsiders_case_starts_others_in_the_name_of_the_system(engine: Engine, asked: Asked) -> None:
    asked.call = order
    anyone = ASKING.replace(
        'name="business_key"', 'name="starters" value="&quot;anyone&quot;"/><spiffworkflow:property name="business_key"'
    )
    engine.deploy({"asking.bpmn": anyone.encode()}, by="root")
    case = engine.start("asking", {}, by=None)
    engine.complete(case.tasks[0], {"outcome": "seen"}, by="kassa")
    engine.tick()
    assert [made.initiator for made in cases(engine, "approval")] == ["system"]


def test_a_start_form_filled_in_wrongly_leaves_an_incident_at_once(engine: Engine, asked: Asked) -> None:
    asked.call = lambda ctx: order(ctx, amount=-1)
    case = ask(engine)
    engine.tick()
    [incident] = queries.open_incidents(engine, actor="root")
    assert (incident.instance_id, incident.element) == (case.instance_id, "ask")
    assert "Amount" in incident.error["message"]["en"]
    assert queries.inspect(engine, case.instance_id).status == "completed"


def test_further_variables_are_taken_over_as_they_are(engine: Engine, asked: Asked) -> None:
    asked.call = lambda ctx: order(ctx, evidence={"score": 3})
    ask(engine)
    engine.tick()
    [made] = cases(engine, "approval")
    assert queries.inspect(engine, made.instance_id).variables["evidence"] == {"score": 3}


def test_a_case_reads_what_was_done_in_itself_and_elsewhere(engine: Engine, asked: Asked) -> None:
    other = engine.start("open", {"amount": 5, "about": "桌子"}, by="anna")
    engine.complete(other.tasks[0], {"outcome": "agree", "comment": "行"}, by="boris")
    seen: dict[str, Any] = {}

    def look(ctx: OperationContext) -> None:
        seen["own"] = ctx.completed("look")
        seen["other"] = ctx.completed_in(other.instance_id, "review")
        seen["case"] = ctx.case_of(other.business_key or "")
        seen["none"] = (ctx.case_of("no such number"), ctx.completed("nothing"))
        seen["open"] = [row["instance_id"] for row in ctx.open_cases("open", about="桌子", amount=5)]
        seen["closed"] = ctx.open_cases("open", about="椅子")

    asked.call = look
    ask(engine)
    assert [(done["by"], done["comment"]) for done in seen["own"]] == [("kassa", "好")]
    assert [(done["by"], done["outcome"]) for done in seen["other"]] == [("boris", "agree")]
    assert seen["case"] == {"instance_id": other.instance_id, "process": "open", "status": "active", "end": None}
    assert seen["none"] == (None, []) and seen["open"] == [other.instance_id] and seen["closed"] == []


def holder(engine: Engine, instance_id: str) -> str | None:
    with engine.db.read() as connection:
        query = f"select assignee from tasks where instance_id = '{instance_id}' and status = 'open'"
        found = connection.exec_driver_sql(query).first()
        return found[0] if found else None


def test_open_tasks_are_handed_to_somebody_else(engine: Engine, asked: Asked) -> None:
    claimed, offered = (engine.start("open", {"amount": 5}, by="anna") for _ in range(2))
    engine.claim(claimed.tasks[0], by="boris")
    asked.call = lambda ctx: {"number": ctx.reassign_open("boris", "bella")}
    case = ask(engine)
    assert queries.inspect(engine, case.instance_id).variables["asked"] == {"number": 1}
    assert engine.tick() == 1
    assert holder(engine, claimed.instance_id) == "bella" and holder(engine, offered.instance_id) is None
    assert queries.inbox(engine, actor="boris").items == []
    assert [kind for kind, _ in events(engine, claimed.instance_id)].count("task.reassigned") == 1
    assert replay(engine, claimed.instance_id).same


def test_only_the_named_elements_are_handed_over(engine: Engine, asked: Asked) -> None:
    case = engine.start("open", {"amount": 5}, by="anna")
    engine.claim(case.tasks[0], by="boris")
    asked.call = lambda ctx: {"number": ctx.reassign_open("boris", "bella", elements=["pay"])}
    ask(engine)
    assert engine.tick() == 0 and holder(engine, case.instance_id) == "boris"


@pytest.mark.parametrize(
    ("heir", "code"), [("kassa", "not_candidate"), ("gone", "not_active"), ("bella", "heir_recused")]
)
def test_who_may_not_do_a_task_does_not_get_it(engine: Engine, asked: Asked, heir: str, code: str) -> None:
    case = engine.start("open", {"amount": 5}, by="bella" if heir == "bella" else "anna")
    engine.claim(case.tasks[0], by="boris")
    asked.call = lambda ctx: {"number": ctx.reassign_open("boris", heir)}
    ask(engine)
    engine.tick()
    assert holder(engine, case.instance_id) == "boris"
    [incident] = queries.open_incidents(engine, actor="root")
    assert (incident.instance_id, incident.element, incident.error["code"]) == (case.instance_id, "review", code)


def test_a_task_of_one_named_person_goes_to_anybody_who_works_here(engine: Engine, asked: Asked) -> None:
    waiting = engine.start("asking", {}, by="anna")  # kassa's by name
    asked.call = lambda ctx: {"number": ctx.reassign_open("kassa", "anna")}
    ask(engine)
    engine.tick()
    assert holder(engine, waiting.instance_id) == "anna"
    asked.call = lambda ctx: None
    engine.complete(waiting.tasks[0], {"outcome": "seen"}, by="anna")


def test_a_suspended_cases_tasks_are_handed_over_once_it_goes_on(engine: Engine, asked: Asked) -> None:
    case = engine.start("open", {"amount": 5}, by="anna")
    engine.claim(case.tasks[0], by="boris")
    engine.suspend(case.instance_id, by="root")
    asked.call = lambda ctx: {"number": ctx.reassign_open("boris", "bella")}
    ask(engine)
    assert engine.tick() == 0 and holder(engine, case.instance_id) == "boris"
    engine.resume(case.instance_id, by="root")
    assert engine.tick() == 1 and holder(engine, case.instance_id) == "bella"


def test_a_task_done_meanwhile_is_left_alone(engine: Engine, asked: Asked) -> None:
    case = engine.start("open", {"amount": 5}, by="anna")
    engine.claim(case.tasks[0], by="boris")
    asked.call = lambda ctx: {"number": ctx.reassign_open("boris", "bella")}
    ask(engine)
    engine.complete(case.tasks[0], {"outcome": "reject"}, by="boris")
    engine.tick()
    assert queries.open_incidents(engine, actor="root") == []
    ends = [data for kind, data in events(engine, case.instance_id) if kind == "instance.ended"]
    assert len(ends) == 1  # what is noted afterwards ends the case no second time


def test_an_operation_keeps_a_file_with_its_case(engine: Engine, asked: Asked) -> None:
    asked.call = lambda ctx: {"letter": ctx.attach("letter.pdf", b"%PDF-1.7 words")}
    case = ask(engine)
    [(made, row)] = queries.attachments_of(engine, case.instance_id, actor="anna").items()
    assert queries.inspect(engine, case.instance_id).variables["asked"] == {"letter": made}
    assert row.type == "application/pdf"
    assert queries.attachment(engine, made, actor="kassa").content == b"%PDF-1.7 words"
    [noted] = [data for kind, data in events(engine, case.instance_id) if kind == "attachment.made"]
    assert noted["sha256"] == row.sha256
