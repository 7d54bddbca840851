"""What the auditor reads: every event as a sentence, variables as words, what a command was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.errors import Text
from engine.history import EVENT_TYPES
from engine.queries import Decided
from engine.queries.moments import BeatRow, Shown
from engine.queries.past import Variable
from web import formview, words
from web.languages import gettext as _
from web.languages import text
from web.timeline import Line, line_of

ICONS = {
    "element": "arrow-right",
    "task": "user",
    "timer": "clock",
    "script": "pencil-square",
    "decision": "table-cells",
    "operation": "check-circle",
    "message": "paper-airplane",
    "identity": "key",
    "case": "folder-open",
    "access": "no-symbol",
    "state": "archive-box",
    "command": "chevron-right",
    "attachment": "document-text",
    "read": "book-open",
}
COMMANDS: Mapping[str, Text] = {
    "start": {"zh-CN": "发起", "en": "Start"},
    "claim": {"zh-CN": "认领", "en": "Claim"},
    "release": {"zh-CN": "退领", "en": "Release"},
    "complete": {"zh-CN": "办理", "en": "Complete"},
    "recuse": {"zh-CN": "申请回避", "en": "Recuse"},
    "reassign": {"zh-CN": "转办", "en": "Transfer"},
    "withdraw": {"zh-CN": "撤回", "en": "Withdraw"},
    "cancel": {"zh-CN": "取消", "en": "Cancel"},
    "suspend": {"zh-CN": "挂起", "en": "Suspend"},
    "resume": {"zh-CN": "恢复", "en": "Resume"},
    "retry": {"zh-CN": "重试", "en": "Retry"},
    "timer": {"zh-CN": "计时到期", "en": "Timer"},
    "reminder": {"zh-CN": "提醒", "en": "Reminder"},
    "operation": {"zh-CN": "外部操作返回", "en": "External operation answered"},
    "start_case": {"zh-CN": "发起另一案件", "en": "Start another case"},
    "note": {"zh-CN": "记录", "en": "Note"},
    "open": {"zh-CN": "打开", "en": "open"},
    "save_draft": {"zh-CN": "存草稿", "en": "save a draft"},
    "attach": {"zh-CN": "上传附件", "en": "attach a file"},
}
LONG = 400  # characters of a value that are shown before it is folded


@dataclass(frozen=True, kw_only=True)
class Value:
    """A variable's value as words: one line (`plain`), a record of (title, value), or a folded long text (`long`)."""

    plain: str = ""
    record: tuple[tuple[str, Any], ...] = ()
    long: str = ""


def command(name: str) -> str:
    """What a command is called."""
    return text(COMMANDS.get(name)) or name


def sentence(shown: Shown) -> Line:
    """An event as a sentence; those that only machines want to know by their type and step."""
    entry = shown.entry
    if entry.type == "access.refused":
        step = text(entry.name) or ""
        tried = command(str(entry.data.get("tried", ""))).lower()
        says = _("试图%(verb)s「%(step)s」，被拒绝", verb=tried, step=step) if step else _("被拒绝：没有权限")
        return _line(shown, says, "no-symbol", "late")
    if entry.type == "decision.evaluated":
        rules = _("、").join(str(rule) for rule in entry.data.get("rules", ()))
        name = shown.table.name if shown.table else str(entry.data.get("table", ""))
        return _line(shown, _("查「%(table)s」，符合第 %(rules)s 条", table=name, rules=rules), "table-cells", by="")
    decided: dict[str, Decided] = {}
    if shown.schema is not None and entry.type == "task.completed" and not (shown.values or {}).get("sealed"):
        decided[str(entry.data.get("task"))] = Decided(
            task_id=str(entry.data.get("task")),
            element=entry.element or "",
            name=entry.name or {"zh-CN": "", "en": ""},
            by=entry.actor,
            on_behalf=entry.on_behalf,
            at=entry.at,
            schema=shown.schema,
            values=shown.values or {},
        )
    found = line_of(entry, decided)
    if found is not None:
        return found
    kind = text(EVENT_TYPES.get(entry.type)) or entry.type
    step = text(entry.name) or entry.element or ""
    if entry.type == "command":
        kind, step = command(str(entry.data.get("command", ""))), ""
    says = f"{kind} {step}".strip() if not step else _("%(a)s：%(b)s", a=kind, b=step)
    return _line(shown, says, ICONS.get(entry.type.split(".")[0], "information-circle"))


def _line(shown: Shown, says: str, icon: str, tone: str = "", by: str | None = None) -> Line:
    actor = text(shown.entry.actor.names) if shown.entry.actor else ""
    return Line(at=shown.entry.at, who=actor if by is None else by, says=says, icon=icon, tone=tone)


def headline(beat: BeatRow) -> Line:
    """What a beat was about."""
    if beat.command in ("withdraw", "cancel") and beat.lead.entry.type != "access.refused":
        says = _("撤回了案件") if beat.command == "withdraw" else _("取消了案件")
        return _line(beat.lead, says, "arrow-uturn-left", "back")
    found = sentence(beat.lead)
    if beat.lead.nth > 1:
        return replace(found, says=_("%(says)s（第 %(n)s 次）", says=found.says, n=beat.lead.nth))
    return found


def value(variable: Variable, what: Any) -> Value:
    """A variable's value: as its form shows it where there is one, else as plain data."""
    if what is None:
        return Value(plain="—")
    if isinstance(what, dict) and isinstance(what.get("erased"), dict):
        return Value(plain=erased(what["erased"]))
    if isinstance(what, dict) and isinstance(what.get("personal"), str) and "box" in what:
        return Value(plain=_("（已加密，系统没有解封的密钥）"))
    if isinstance(what, dict) and what.get("sealed") is True:
        return Value(plain=_("（尚未公开）"))
    if variable.schema is not None and isinstance(what, dict):
        pairs = [*formview.record(variable.schema, what), *_signed(what)]
        return Value(record=tuple(pairs))
    if variable.part is not None:
        said = formview.shown(variable.part, what)
        return Value(plain="\n".join(map(str, said)) if isinstance(said, list) else str(said))
    if isinstance(what, dict) and "zh-CN" in what and all(isinstance(one, str) for one in what.values()):
        return Value(plain=text(what))
    if isinstance(what, bool):
        return Value(plain=_("是") if what else _("否"))
    if isinstance(what, (str, int, float)):
        return _plain(str(what))
    if isinstance(what, list) and all(isinstance(one, (str, int, float)) for one in what):
        return _plain(_("、").join(map(str, what)) or "—")
    return _plain(json.dumps(what, ensure_ascii=False, indent=1))


def erased(tombstone: Mapping[str, Any]) -> str:
    """What stands where personal data was: when it was erased, by which rule and on whose approval."""
    people = _("、").join(formview.name_of("people", str(name)) for name in tombstone.get("by", ()) or ())
    at, rule = exact_of(tombstone.get("at", "")), str(tombstone.get("rule", ""))
    return _("已按规定销毁：%(at)s，%(rule)s，批准人%(people)s", at=at, rule=rule, people=people)


def _plain(said: str) -> Value:
    return Value(plain=said) if len(said) <= LONG and said.count("\n") < 6 else Value(long=said)


def _signed(what: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Who handed a result in, and for whom."""
    people = [(_("办理人"), what.get("by")), (_("代何人"), what.get("for"))]
    return [(title, formview.name_of("people", str(name))) for title, name in people if name]


def title(variable: Variable) -> str:
    """What a variable is called: its field's title, its form's title, or its own name."""
    named = (variable.part or {}).get("title") or (variable.schema or {}).get("title")
    return text(named) if isinstance(named, dict) else variable.name


def exact_of(moment: object) -> str:
    """A moment of a history as people write it."""
    try:
        return words.exact(datetime.fromisoformat(str(moment).replace("Z", "+00:00")))
    except ValueError:
        return str(moment)


def plain_value(what: Any) -> str:
    """Any JSON value in a line."""
    if what is None:
        return "—"
    if isinstance(what, bool):
        return _("是") if what else _("否")
    if isinstance(what, dict) and isinstance(what.get("erased"), dict):
        return erased(what["erased"])
    if isinstance(what, dict) and "zh-CN" in what and all(isinstance(one, str) for one in what.values()):
        return text(what)
    if isinstance(what, list) and all(isinstance(one, (str, int, float)) for one in what):
        return _("、").join(map(str, what)) or "—"
    return str(what) if isinstance(what, (str, int, float)) else json.dumps(what, ensure_ascii=False)
