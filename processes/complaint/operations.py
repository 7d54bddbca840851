"""What the system does itself when a complaint comes in: receive, find who is involved, route, follow triage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations
from engine.moments import stamp
from processes.complaint import involved, mailbox
from processes.registers.account import ACCOUNT
from processes.registers.complaint import COMPLAINT

Record = Mapping[str, Any]
operations = Operations()


def put(ctx: OperationContext, **fields: Any) -> None:
    """Change this complaint's row of the register. Nobody's name stands in it before a finding."""
    ctx.registers.put(COMPLAINT, ctx.business_key or ctx.instance_id, fields)


def tell(ctx: OperationContext, zh: str, en: str, *, instance_id: str | None = None) -> None:
    """Leave a message in the mailbox of this complaint, or of another."""
    thread = mailbox.thread_of(ctx.connection, instance_id or ctx.instance_id)
    if thread:
        mailbox.send(ctx.connection, thread, {"zh-CN": zh, "en": en}, stamp(ctx.now))
        ctx.events.append(("message.sent", {"thread": thread}))


def today(ctx: OperationContext) -> str:
    """Today in the company's time zone."""
    return ctx.calendar.today(ctx.now).isoformat()


@operations.local(
    "complaint.receive",
    parameters=("channel", "category", "related_case", "origin"),
    required=("channel", "category"),
    title={"zh-CN": "受理、开设匿名信箱", "en": "Receive and open a mailbox"},
)
def receive(
    ctx: OperationContext, *, channel: str, category: str, related_case: str | None = None, origin: Record | None = None
) -> dict[str, Any]:
    """{"related"}: opens the reporter's mailbox and the register's row. The receipt never passes through here."""
    mailbox.open_thread(ctx.connection, ctx.instance_id, stamp(ctx.now))
    related = related_case or (origin or {}).get("business_key")
    put(
        ctx,
        status="received",
        received_on=today(ctx),
        channel=channel,
        category=category,
        related_case=related,
        case_no=ctx.business_key,
    )
    return {"related": related}


@operations.local(
    "complaint.identify",
    parameters=("respondent_scope", "target", "role", "respondent"),
    required=("respondent_scope", "target"),
    title={"zh-CN": "识别涉及谁", "en": "Find who is involved"},
)
def identify(
    ctx: OperationContext, *, respondent_scope: str, target: Any, role: str | None = None, respondent: str | None = None
) -> dict[str, Any]:
    """Who the complaint is about (`involved.identify`)."""
    accounts = ctx.registers.all(ACCOUNT)
    return involved.identify(
        ctx.directory, accounts, scope=respondent_scope, target=ctx.open(target), role=role, respondent=respondent
    )


@operations.local(
    "complaint.route",
    parameters=[
        "identified",
        "respondent_role",
        "lead",
        "second",
        "decision_body",
        "must_exclude",
        "observer",
        "triager",
    ],
    required=("identified", "lead", "second", "decision_body"),
    title={"zh-CN": "排除涉及的部门与人员", "en": "Exclude those involved"},
)
def route(
    ctx: OperationContext,
    *,
    identified: Record,
    lead: str,
    second: str,
    decision_body: str,
    must_exclude: str | None = None,
    observer: str | None = None,
    respondent_role: str | None = None,
    triager: str | None = None,
) -> dict[str, Any]:
    """Who is kept out and who does what (`involved.route`), after the table `complaint_handler`."""
    return involved.route(
        ctx.directory,
        identified,
        lead=lead,
        second=second,
        body=decision_body,
        must_exclude=must_exclude,
        observer=observer,
        triager=triager,
    )


@operations.local(
    "complaint.acknowledge",
    parameters=("priority", "disposition", "ack_work_hours", "routing"),
    required=("priority", "disposition"),
    title={"zh-CN": "凭码告知受理", "en": "Acknowledge through the receipt"},
)
def acknowledge(
    ctx: OperationContext,
    *,
    priority: str,
    disposition: str,
    ack_work_hours: int | None = None,
    routing: Record | None = None,
) -> dict[str, Any]:
    """{"at", "in_time"}: tells the reporter that a person has looked at it, and whether that was in time."""
    number = ctx.business_key or ""
    tell(
        ctx,
        f"投诉 {number} 已由专人受理，级别 {priority}。",
        f"Complaint {number} has been received, priority {priority}.",
    )
    put(ctx, priority=priority, disposition=disposition, status="investigating")
    opened = ctx.registers.get(COMPLAINT, number) or {}
    due = ctx.calendar.add(ctx.now, f"{int(ack_work_hours or 16)}wh")
    return {"at": stamp(ctx.now), "received_on": opened.get("received_on"), "next_due": stamp(due)}


@operations.local(
    "complaint.merge",
    parameters=("into", "category"),
    title={"zh-CN": "并案", "en": "Merge"},
)
def merge(ctx: OperationContext, *, into: str | None = None, category: str | None = None) -> dict[str, Any]:
    """{"into"}: this complaint's reporter will be told with those of the other. Without a number, the newest open
    complaint of the category is meant."""
    rows = ctx.registers.all(COMPLAINT)
    known = into if into in rows and into != ctx.business_key else None
    if known is None:
        alike = [
            key
            for key, row in rows.items()
            if row.get("category") == category and row.get("status") in ("received", "investigating", "asking")
        ]
        known = next((key for key in sorted(alike, reverse=True) if key != ctx.business_key), None)
    put(ctx, status="merged", merged_into=known, closed_on=today(ctx))
    tell(
        ctx,
        f"同一事项已在 {known or '另案'} 调查，本件并入；有结果时同样凭本查询码告知。",
        f"The same matter is under investigation as {known or 'another case'}; the result will be told here as well.",
    )
    return {"into": known}


@operations.local(
    "complaint.transfer",
    parameters=("disposition", "category", "harm_or_law", "to", "comment"),
    required=("disposition",),
    title={"zh-CN": "当面移交", "en": "Hand over"},
)
def transfer(
    ctx: OperationContext,
    *,
    disposition: str,
    category: str | None = None,
    harm_or_law: bool | None = None,
    to: Sequence[str] | None = None,
    comment: str | None = None,
) -> dict[str, Any]:
    """{"to", "urgent"}: tells those who take over, and the reporter; urgent ones also reach Legal, the makers of the
    product and whoever convenes the Group over a major event."""
    urgent = disposition == "transfer_urgent"
    groups = list(to or ["customer_service"])
    production = ctx.directory.department("production")
    told = [*groups, *(["legal", "group_chair", production.head if production else None] if urgent else [])]
    number = ctx.business_key or ""
    note = f"：{comment}" if comment else ""
    ctx.notify(
        [each for each in told if each],
        {
            "zh-CN": f"{'紧急' if urgent else ''}移交 {number}（{category}）{note}，请当面接收并直接联系"
            + ("；请评估是否启动重大事件" if urgent else ""),
            "en": f"{'Urgent: ' if urgent else ''}{number} ({category}) is handed over to you{note}"
            + ("; consider whether it is a major event" if urgent else ""),
        },
    )
    put(ctx, status="transferred", transferred_to=groups, closed_on=today(ctx), major_event=urgent or None)
    tell(
        ctx,
        "本件不属社交媒体管理办法范围，已移交有权处理的部门，由其直接联系。",
        "This is outside the social media policy; it was handed over to those competent.",
    )
    return {"to": groups, "urgent": urgent}


@operations.local(
    "complaint.ask", parameters=("questions",), title={"zh-CN": "凭码追问", "en": "Ask through the receipt"}
)
def ask(ctx: OperationContext, *, questions: Any = None) -> dict[str, Any]:
    """{"at", "text"}: leaves the questions in the mailbox."""
    listed = [text for text in ctx.open(questions) or () if text]
    zh = "；".join(listed) or "请补充时间、地点、链接或其他可核查的线索。"
    en = "; ".join(listed) or "Please add when, where, a link, or anything else that can be checked."
    tell(ctx, f"需要补充：{zh}", f"More is needed: {en}")
    put(ctx, status="asking")
    return {"at": stamp(ctx.now), "text": ctx.seal("text", {"zh-CN": zh, "en": en})}


@operations.local(
    "complaint.unanswered",
    parameters=("asked",),
    required=("asked",),
    title={"zh-CN": "查看有无答复，没有即关闭", "en": "Look for an answer; close without one"},
)
def unanswered(ctx: OperationContext, *, asked: Record) -> dict[str, Any]:
    """{"answered"}: an answer that nobody took up yet still counts. Closing records nothing against anybody."""
    thread = mailbox.thread_of(ctx.connection, ctx.instance_id)
    answered = bool(thread and mailbox.since(ctx.connection, thread, asked["at"], ("received", "review")))
    if not answered:
        put(ctx, status="closed_insufficient", closed_on=today(ctx))
        tell(
            ctx,
            "15 个工作日内没有收到补充，本件已关闭，对任何人不作记录。写来新的线索即可凭本查询码重开。",
            "Nothing was added within 15 working days, so this is closed; nothing is recorded against anybody. "
            "Write again with this receipt to reopen it.",
        )
    return {"answered": answered}
