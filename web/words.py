"""Moments and states as people say them: how long is left in working time, how long ago, what a state is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.calendar import SHANGHAI, Calendar
from web.languages import gettext as _
from web.languages import language, ngettext

HOURS_A_DAY = 8
SOON = timedelta(hours=2)  # working time


@dataclass(frozen=True, kw_only=True)
class Left:
    """How a deadline stands: `tone` is wait, soon or late, `icon` says it without colour, `exact` is for hover."""

    tone: str
    icon: str
    words: str
    exact: str
    iso: str


def left(due: datetime, now: datetime, calendar: Calendar) -> Left:
    """What is left until `due`, counted in working time; overdue is counted the same way."""
    late = now > due
    worked = calendar.working_time_between(due, now) if late else calendar.working_time_between(now, due)
    amount = _amount(worked)
    if late:
        words = _("已超期 %(amount)s", amount=amount)
        tone, icon = "late", "exclamation-triangle"
    elif worked <= SOON:
        words = _("还剩 %(amount)s", amount=amount)
        tone, icon = "soon", "clock"
    else:
        words = _("还剩 %(amount)s", amount=amount)
        tone, icon = "wait", "clock"
    return Left(tone=tone, icon=icon, words=words, exact=exact(due), iso=due.isoformat())


def _amount(worked: timedelta) -> str:
    hours = worked.total_seconds() / 3600
    if hours >= 2 * HOURS_A_DAY:
        return ngettext("%(num)s 个工作日", "%(num)s 个工作日", int(hours // HOURS_A_DAY))
    if hours >= 1:
        return ngettext("%(num)s 工作小时", "%(num)s 工作小时", int(hours))
    if hours * 60 >= 1:
        return ngettext("%(num)s 分钟", "%(num)s 分钟", int(hours * 60))
    return _("不到 1 分钟")


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in words as long as that is telling, then the day."""
    passed = now - moment
    if passed < timedelta(minutes=1):
        return _("刚刚")
    if passed < timedelta(hours=1):
        return ngettext("%(num)s 分钟前", "%(num)s 分钟前", int(passed.total_seconds() // 60))
    here, there = now.astimezone(SHANGHAI), moment.astimezone(SHANGHAI)
    if here.date() == there.date():
        return _("今天 %(time)s", time=f"{there:%H:%M}")
    if here.date() - there.date() == timedelta(days=1):
        return _("昨天 %(time)s", time=f"{there:%H:%M}")
    return day(there) if here.year == there.year else exact(moment)


def waited(since: datetime, now: datetime) -> str:
    """How long something has been waiting."""
    passed = now - since
    if passed < timedelta(minutes=1):
        return _("刚刚到达")
    if passed < timedelta(hours=1):
        return ngettext("已等 %(num)s 分钟", "已等 %(num)s 分钟", int(passed.total_seconds() // 60))
    if passed < timedelta(days=1):
        return ngettext("已等 %(num)s 小时", "已等 %(num)s 小时", int(passed.total_seconds() // 3600))
    return ngettext("已等 %(num)s 天", "已等 %(num)s 天", passed.days)


def size(amount: int) -> str:
    """How large a file is: `12 KB`, `3.4 MB`."""
    return f"{amount / 1_048_576:.1f} MB" if amount >= 1_048_576 else f"{max(1, round(amount / 1024))} KB"


def day(moment: datetime) -> str:
    """The day and time of a moment of this year."""
    there = moment.astimezone(SHANGHAI)
    if language() == "en":
        return f"{there.day} {there:%b}, {there:%H:%M}"
    return f"{there.month} 月 {there.day} 日 {there:%H:%M}"


def exact(moment: datetime) -> str:
    """The full local date and time, Beijing time."""
    there = moment.astimezone(SHANGHAI)
    if language() == "en":
        return f"{there.day} {there:%b %Y}, {there:%H:%M}"
    return f"{there.year} 年 {there.month} 月 {there.day} 日 {there:%H:%M}"


@dataclass(frozen=True, kw_only=True)
class State:
    """A state by colour, word and icon."""

    tone: str
    icon: str
    words: str


def case_state(status: str, *, suspended: bool = False, incident: bool = False, end: str | None = None) -> State:
    """How a case stands. The end event's id says which kind of end it was."""
    if incident or status == "incident":
        return State(tone="late", icon="wrench-screwdriver", words=_("遇到故障，等待管理员"))
    if suspended:
        return State(tone="soon", icon="minus-circle", words=_("已挂起"))
    if status == "active":
        return State(tone="wait", icon="clock", words=_("办理中"))
    if status == "cancelled":
        return State(tone="", icon="x-circle", words=_("已取消"))
    kind = end or ""
    if "reject" in kind or "refus" in kind or "not_passed" in kind:
        return State(tone="late", icon="no-symbol", words=_("未通过"))
    if "withdraw" in kind:
        return State(tone="", icon="arrow-uturn-left", words=_("已撤回"))
    if "expire" in kind:
        return State(tone="", icon="clock", words=_("已逾期终止"))
    return State(tone="good", icon="check-circle", words=_("已办结"))


def outcome_tone(outcome: object) -> str:
    """The tone of a decision: good, back, late or none."""
    word = str(outcome or "")
    if word in ("approve", "agree", "ok", "passed", "done", "signed", "conditional", "active"):
        return "good"
    if word in ("return", "returned", "supplement", "suspended", "dormant"):
        return "back"
    if word in ("reject", "refuse", "illegal", "not_passed", "failed", "orphaned"):
        return "late"
    return ""
