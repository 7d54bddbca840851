"""History in sentences: what each event says to a person, with its icon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.queries import CaseView, Decided, Entry
from web.formview import outcome_title
from web.languages import gettext as _
from web.languages import text
from web.words import outcome_tone


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a timeline: who (a name, or empty), the sentence, what they wrote, and how the line looks."""

    at: datetime
    who: str
    says: str
    said: str = ""
    icon: str = "flag"
    tone: str = ""


def lines(case: CaseView) -> list[Line]:
    """The case's timeline, newest first, without what only machines want to know."""
    decided = {one.task_id: one for one in case.decided}
    return [line for entry in reversed(case.timeline) if (line := line_of(entry, decided)) is not None]


def line_of(entry: Entry, decided: Mapping[str, Decided]) -> Line | None:
    """What an event says to a person; None for what only machines want to know."""
    who = text(entry.actor.names) if entry.actor else ""
    step, data = text(entry.name) or entry.element or "", entry.data
    behalf = text(entry.on_behalf.names) if entry.on_behalf else ""

    def line(says: str, icon: str, tone: str = "", said: str = "", by: str = who) -> Line:
        return Line(at=entry.at, who=by, says=says, said=said, icon=icon, tone=tone)

    match entry.type:
        case "instance.started":
            return line(_("发起了案件"), "flag")
        case "instance.ended":
            return _ended(entry, step)
        case "instance.suspended":
            return line(_("挂起了案件"), "minus-circle", "soon", data.get("reason", ""))
        case "instance.resumed":
            return line(_("恢复了案件"), "arrow-right", "wait")
        case "task.claimed":
            return line(_("认领了「%(step)s」", step=step), "hand-raised")
        case "task.released":
            return line(_("退领了「%(step)s」", step=step), "arrow-uturn-left")
        case "task.completed":
            done = decided.get(str(data.get("task")))
            if data.get("sealed") or done is None:
                return line(_("办完了「%(step)s」，内容未公开", step=step), "lock-closed")
            outcome = outcome_title(done.schema, done.values.get("outcome"))
            says = _("办完了「%(step)s」：%(outcome)s", step=step, outcome=outcome)
            if behalf:
                says = _("代%(person)s办完了「%(step)s」：%(outcome)s", person=behalf, step=step, outcome=outcome)
            said = str(done.values.get("comment") or "")
            return line(says, "check", outcome_tone(done.values.get("outcome")), said)
        case "task.reassigned":
            return line(_("转办了「%(step)s」", step=step), "arrows-right-left", "", data.get("reason", ""))
        case "task.recused":
            return line(_("回避了「%(step)s」", step=step), "hand-raised", "back", data.get("reason", ""))
        case "task.escalated":
            return line(_("「%(step)s」超时，已升级", step=step), "exclamation-triangle", "late", by="")
        case "task.reminded":
            return line(_("已提醒办理「%(step)s」", step=step), "bell", "soon", by="")
        case "timer.fired":
            return line(_("「%(step)s」的时限已到", step=step), "clock", "soon", by="")
        case "incident.raised":
            return line(_("「%(step)s」遇到故障，已通知管理员", step=step), "wrench-screwdriver", "late", by="")
        case "incident.resolved":
            return line(_("故障已处理"), "wrench-screwdriver", "good")
        case "access.refused":
            return line(_("被拒绝：没有权限"), "no-symbol", "late")
        case "register.changed":
            return line(_("台账已更新"), "table-cells", "good", by="")
        case "decision.evaluated":
            return line(_("按规则表判定「%(step)s」", step=step), "table-cells", by="")
        case "operation.called":
            return line(_("系统完成「%(step)s」", step=step), "check-circle", by="")
    return None


def _ended(entry: Entry, step: str) -> Line:
    status: Any = entry.data.get("status")
    if status == "cancelled":
        return Line(at=entry.at, who="", says=_("案件已取消"))
    says = _("案件结束：%(step)s", step=step) if step else _("案件结束")
    return Line(at=entry.at, who="", says=says, tone="good")
