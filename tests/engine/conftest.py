"""A small company and a small approval procedure, to drive the engine through its public face."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import Database, Engine, OperationContext, Operations, save_directory

NOW = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)  # Monday, 09:00 in Foshan


class HandClock:
    """A clock that moves when told."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)


OUTCOME = {
    "type": "string",
    "enum": ["agree", "return", "reject"],
    "title": {"zh-CN": "结论", "en": "Outcome"},
    "x-outcomes": {
        name: {
            "title": {"zh-CN": "选" + name, "en": name},
            "hint": {"zh-CN": "然后继续", "en": "then it goes on"},
            "tone": "plain",
        }
        for name in ("agree", "return", "reject")
    },
}
TEXT = {"type": "string", "title": {"zh-CN": "说明", "en": "Text"}}
START_FORM = {
    "type": "object",
    "title": {"zh-CN": "申请", "en": "Request"},
    "properties": {
        "amount": {"type": "integer", "minimum": 0, "title": {"zh-CN": "金额", "en": "Amount"}},
        "about": TEXT,
        "buddy": {"type": "string", "x-source": "people", "title": {"zh-CN": "同事", "en": "Buddy"}},
        "applicant": {"type": "string", "x-auto": "initiator", "title": {"zh-CN": "申请人", "en": "Applicant"}},
    },
    "required": ["amount"],
}
DECISION_FORM = {
    "type": "object",
    "title": {"zh-CN": "审批", "en": "Decision"},
    "properties": {"outcome": OUTCOME, "comment": TEXT},
    "required": ["outcome"],
}
APPROVAL = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="http://guiju.example/test">
<bpmn:process id="approval" name="审批" isExecutable="true">
  <bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="name:en" value="Approval"/>
    <spiffworkflow:property name="title" value="about"/>
    <spiffworkflow:property name="business_key" value="SP-{yyyy}-{nnnn}"/>
    <spiffworkflow:property name="withdraw_to" value="end_withdrawn"/>
    <spiffworkflow:property name="withdraw_until" value="pay"/>
    <spiffworkflow:property name="viewers" value="[buddy]"/>
  </spiffworkflow:properties></bpmn:extensionElements>
  <bpmn:startEvent id="begin" name="提出申请"><bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="form" value="request"/><spiffworkflow:property name="name:en" value="Request"/>
  </spiffworkflow:properties></bpmn:extensionElements><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
  <bpmn:userTask id="review" name="审核"><bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="form" value="decision"/>
    <spiffworkflow:property name="candidates" value="&quot;bosses&quot;"/>
    <spiffworkflow:property name="recuse" value="[initiator]"/><spiffworkflow:property name="due" value="4wh"/>
    <spiffworkflow:property name="remind" value="2wh"/><spiffworkflow:property name="name:en" value="Review"/>
  </spiffworkflow:properties></bpmn:extensionElements>
  <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing></bpmn:userTask>
  <bpmn:boundaryEvent id="overdue" name="超时" attachedToRef="review" cancelActivity="false">
    <bpmn:extensionElements><spiffworkflow:properties><spiffworkflow:property name="name:en" value="Overdue"/>
    </spiffworkflow:properties></bpmn:extensionElements>
    <bpmn:outgoing>f8</bpmn:outgoing><bpmn:timerEventDefinition id="t1"><bpmn:timeDuration>4wh</bpmn:timeDuration>
    </bpmn:timerEventDefinition></bpmn:boundaryEvent>
  <bpmn:serviceTask id="escalate" name="升级"><bpmn:extensionElements>
    <spiffworkflow:serviceTaskOperator id="test.escalate" resultVariable="escalated">
    <spiffworkflow:parameters><spiffworkflow:parameter id="element" type="str" value="&quot;review&quot;"/>
    </spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements>
    <bpmn:incoming>f8</bpmn:incoming><bpmn:outgoing>f9</bpmn:outgoing></bpmn:serviceTask>
  <bpmn:endEvent id="end_escalated" name="已升级"><bpmn:incoming>f9</bpmn:incoming></bpmn:endEvent>
  <bpmn:exclusiveGateway id="agreed" name="同意" default="f4"><bpmn:incoming>f2</bpmn:incoming>
    <bpmn:outgoing>f3</bpmn:outgoing><bpmn:outgoing>f10</bpmn:outgoing><bpmn:outgoing>f4</bpmn:outgoing>
  </bpmn:exclusiveGateway>
  <bpmn:serviceTask id="enter" name="登记"><bpmn:extensionElements>
    <spiffworkflow:serviceTaskOperator id="test.enter" resultVariable="entered">
    <spiffworkflow:parameters><spiffworkflow:parameter id="amount" type="str" value="amount"/>
    </spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements>
    <bpmn:incoming>f3</bpmn:incoming><bpmn:outgoing>f5</bpmn:outgoing></bpmn:serviceTask>
  <bpmn:userTask id="pay" name="付款"><bpmn:extensionElements><spiffworkflow:properties>
    <spiffworkflow:property name="assignee" value="&quot;kassa&quot;"/>
    <spiffworkflow:property name="visible_to" value="[&quot;bosses&quot;]"/>
    </spiffworkflow:properties></bpmn:extensionElements>
    <bpmn:incoming>f5</bpmn:incoming><bpmn:outgoing>f6</bpmn:outgoing></bpmn:userTask>
  <bpmn:serviceTask id="mail" name="通知"><bpmn:extensionElements>
    <spiffworkflow:serviceTaskOperator id="test.mail" resultVariable="mailed">
    <spiffworkflow:parameters><spiffworkflow:parameter id="to" type="str" value="initiator"/>
    </spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements>
    <bpmn:incoming>f6</bpmn:incoming><bpmn:outgoing>f7</bpmn:outgoing></bpmn:serviceTask>
  <bpmn:endEvent id="end_paid" name="已付"><bpmn:incoming>f7</bpmn:incoming></bpmn:endEvent>
  <bpmn:endEvent id="end_rejected" name="未通过"><bpmn:incoming>f4</bpmn:incoming></bpmn:endEvent>
  <bpmn:endEvent id="end_withdrawn" name="已撤回"><bpmn:incoming>f10</bpmn:incoming></bpmn:endEvent>
  <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="review"/>
  <bpmn:sequenceFlow id="f2" sourceRef="review" targetRef="agreed"/>
  <bpmn:sequenceFlow id="f3" sourceRef="agreed" targetRef="enter">
    <bpmn:conditionExpression>review.outcome == "agree"</bpmn:conditionExpression></bpmn:sequenceFlow>
  <bpmn:sequenceFlow id="f10" sourceRef="agreed" targetRef="end_withdrawn">
    <bpmn:conditionExpression>review.outcome == "return"</bpmn:conditionExpression></bpmn:sequenceFlow>
  <bpmn:sequenceFlow id="f4" sourceRef="agreed" targetRef="end_rejected"/>
  <bpmn:sequenceFlow id="f5" sourceRef="enter" targetRef="pay"/>
  <bpmn:sequenceFlow id="f6" sourceRef="pay" targetRef="mail"/>
  <bpmn:sequenceFlow id="f7" sourceRef="mail" targetRef="end_paid"/>
  <bpmn:sequenceFlow id="f8" sourceRef="overdue" targetRef="escalate"/>
  <bpmn:sequenceFlow id="f9" sourceRef="escalate" targetRef="end_escalated"/>
</bpmn:process></bpmn:definitions>"""
FILES = {
    "approval.bpmn": APPROVAL.encode(),
    "approval/forms/request.json": json.dumps(START_FORM).encode(),
    "approval/forms/decision.json": json.dumps(DECISION_FORM).encode(),
}


class Mail:
    """What the external operation did, and how often it is to fail first."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fail = 0


def build(db: Database, clock: HandClock, mail: Mail) -> Engine:
    """An engine over `db` with the small company's operations, people and procedure."""
    operations = Operations()

    @operations.local("test.enter", parameters=["amount"], required=["amount"])
    def enter(ctx: OperationContext, *, amount: int) -> dict[str, Any]:
        ctx.registers.put("payment", ctx.business_key or "", {"amount": amount, "status": "entered"})
        ctx.notify(["bosses"], {"zh-CN": "已登记", "en": "Entered"})
        return {"amount": amount}

    @operations.local("test.escalate", parameters=["element"], required=["element"])
    def escalate(ctx: OperationContext, *, element: str) -> dict[str, Any]:
        return {"to": ctx.escalate(element, ["chief"])}

    @operations.external("test.mail", parameters=["to"], required=["to"])
    def send(ctx: Any, *, to: str) -> dict[str, Any]:
        if mail.fail:
            mail.fail -= 1
            raise OSError("the mail server does not answer")
        mail.sent.append(ctx.idempotency_key)
        return {"to": to}

    return Engine(db, operations=operations, clock=clock)


PEOPLE = ["anna", "boris", "bella", "chief", "kassa", "root", "gone", "standin"]


def fill(engine: Engine) -> None:
    """Load the small company."""

    def work(connection: Any) -> None:
        save_directory(
            connection,
            persons=[
                {
                    "username": name,
                    "names": {"zh-CN": name, "en": name},
                    "status": "left" if name == "gone" else "active",
                }
                for name in PEOPLE
            ],
            group_rows=[
                {"id": "bosses", "names": {"zh-CN": "主管", "en": "Bosses"}},
                {"id": "sysadmin", "names": {"zh-CN": "管理员", "en": "Administrators"}},
                {"id": "auditor", "names": {"zh-CN": "审计员", "en": "Auditors"}},
            ],
            members=[("boris", "bosses"), ("bella", "bosses"), ("gone", "bosses"), ("root", "sysadmin")],
        )

    engine.db.write(work)


@pytest.fixture
def files() -> dict[str, bytes]:
    """The approval procedure's bundle."""
    return dict(FILES)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def mail() -> Mail:
    return Mail()


@pytest.fixture
def engine(db: Database, clock: HandClock, mail: Mail) -> Engine:
    """The small company with its approval procedure deployed, on both databases."""
    built = build(db, clock, mail)
    fill(built)
    built.deploy(FILES, by="root")
    return built
