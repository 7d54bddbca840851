"""What an auditor asks for: the question as the URL holds it, checked, and as conditions over the rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from engine.errors import Invalid, Text
from engine.facts import ANY, LONGEST, LONGEST_NAME, number_of, typed
from engine.identity import LOCAL
from engine.models import instances
from engine.models_audit import case_facts, step_times
from engine.moments import stamp

ROLES = ("started", "did", "stood in", "claimed", "transferred", "received", "recused", "refused")
STATUSES = ("active", "incident", "completed", "cancelled")
MOST_VALUES = 8  # conditions on variables in one question
_CONDITION = re.compile(r"\s*([^\s=<>~!]{1,160})\s*(>=|<=|=|>|<|~)\s*(.*?)\s*", re.DOTALL)
OLDEST, NEWEST = date(1970, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A condition on a variable: `name` dotted, `sign` one of = > >= < <= ~ (contains), `said` as it was typed."""

    name: str
    sign: str
    said: str

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.said}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked; empty parts ask nothing. Days are local and inclusive, of the day a case was started."""

    text: str = ""
    process: str = ""
    status: str = ""
    end: str = ""
    person: str = ""
    role: str = ""
    account: str = ""
    element: str = ""
    diagram: str = ""  # the procedure in whose diagram `element` stands, where others have one of the same name
    outcome: str = ""
    values: tuple[Value, ...] = ()
    since: date | None = None
    until: date | None = None
    late: bool = False  # the step named by `element` (any, when none is) was left after it was due, or is overdue
    longer: float | None = None  # the step named by `element` took more than so many working hours

    @property
    def empty(self) -> bool:
        """Whether nothing is asked, so that every case answers."""
        return self == Question()


def read(asked: Mapping[str, str], values: Sequence[str] = ()) -> Question:
    """The question of a query string. Raises Invalid naming each part that says nothing sensible."""
    wrong: dict[str, Text] = {}

    def day(name: str) -> date | None:
        said = asked.get(name, "").strip()
        if not said:
            return None
        try:
            found = date.fromisoformat(said)
        except ValueError:
            found = date.max
        if not OLDEST <= found <= NEWEST:
            wrong[name] = {"zh-CN": "日期写作 2026-11-09", "en": "Write the date as 2026-11-09"}
        return found

    def word(name: str, most: int = 100) -> str:
        return _plain(asked.get(name, ""), most)

    conditions = tuple(found for said in values[:MOST_VALUES] if said.strip() and (found := _condition(said, wrong)))
    if len([said for said in values if said.strip()]) > MOST_VALUES:
        wrong["value"] = {
            "zh-CN": f"变量条件最多 {MOST_VALUES} 个",
            "en": f"At most {MOST_VALUES} conditions on variables",
        }
    longer = None
    if said := asked.get("longer", "").strip():
        try:
            longer = float(said)
        except ValueError:
            longer = -1.0
        if not 0 <= longer < 1e6:
            wrong["longer"] = {
                "zh-CN": "工作小时写作数字，如 4 或 0.5",
                "en": "Write working hours as a number, 4 or 0.5",
            }
    status, role = word("status"), word("role")
    if status and status not in STATUSES:
        wrong["status"] = {"zh-CN": "没有这种状态", "en": "There is no such state"}
    if role and role not in ROLES:
        wrong["role"] = {"zh-CN": "没有这种关系", "en": "There is no such part"}
    since, until = day("since"), day("until")
    if wrong:
        raise Invalid(wrong)
    return Question(
        text=word("text"),
        process=word("process"),
        status=status,
        end=word("end"),
        person=word("person"),
        role=role,
        account=word("account"),
        element=word("element"),
        diagram=word("diagram"),
        outcome=word("outcome"),
        values=conditions,
        since=since,
        until=until,
        late=asked.get("late", "") == "1",
        longer=longer,
    )


def _plain(said: str, most: int) -> str:
    return said.replace("\x00", "").strip()[:most]


def _condition(said: str, wrong: dict[str, Text]) -> Value | None:
    found = _CONDITION.fullmatch(_plain(said, LONGEST_NAME + LONGEST))
    if found is None:
        wrong["value"] = {
            "zh-CN": "变量条件写作「名称 = 值」，如 tier = T2；也可用 > >= < <= 和 ~（包含）",
            "en": "Write a condition as “name = value”, such as tier = T2; also > >= < <= and ~ (contains)",
        }
        return None
    name, sign, value = found.groups()
    if sign in (">", ">=", "<", "<=") and _number(value) is None:
        wrong["value"] = {"zh-CN": "比较大小需要数字", "en": "Only numbers can be compared"}
        return None
    return Value(name=name, sign=sign, said=value)


def _number(said: str) -> float | None:
    try:
        found = float(said)
    except ValueError:
        return None
    return found if abs(found) < 1e300 else None


def meant(said: str) -> list[str]:
    """What a typed value can stand for, with its type: `5` is the number or the text, `"5"` the text alone."""
    try:
        value: Any = json.loads(said)
    except (ValueError, RecursionError):
        value = said
    if isinstance(value, dict | list) or (number_of(value) is None and isinstance(value, float)):
        value = said
    found = [typed(value)]
    if not isinstance(value, str) or value == said:
        found.append(typed(said))
    return list(dict.fromkeys(found))


def facts(question: Question) -> list[sa.ColumnElement[bool]]:
    """One condition over `case_facts` for each part of the question that a fact answers."""
    fact = case_facts.c

    def known(kind: str, name: str, value: str) -> sa.ColumnElement[bool]:
        return sa.and_(fact.kind == kind, fact.name == name, fact.value == f"s:{value}")

    found: list[sa.ColumnElement[bool]] = []
    if question.text:
        found.append(sa.and_(fact.kind == "title", fact.value.icontains(question.text, autoescape=True)))
    if question.person:
        found.append(known("person", question.role or ANY, question.person))
    elif question.role:
        found.append(sa.and_(fact.kind == "person", fact.name == question.role))
    if question.account:
        found.append(known("account", ANY, question.account))
    if question.outcome:
        found.append(known("outcome", question.element or ANY, question.outcome))
    elif question.element:
        placed = [fact.value == f"s:{question.diagram}"] if question.diagram else []
        found.append(sa.and_(fact.kind == "element", fact.name == question.element, *placed))
    if question.end:
        found.append(known("end", ANY, question.end))
    return found + [_of_value(value) for value in question.values]


def _of_value(value: Value) -> sa.ColumnElement[bool]:
    fact = case_facts.c
    named = sa.and_(fact.kind == "variable", fact.name == value.name)
    if value.sign == "=":
        return sa.and_(named, fact.value.in_(meant(value.said)))
    if value.sign == "~":
        return sa.and_(named, fact.value.like("s:%"), fact.value.icontains(value.said, autoescape=True))
    number = float(value.said)
    compare = {">": fact.number > number, ">=": fact.number >= number, "<": fact.number < number}
    return sa.and_(named, compare.get(value.sign, fact.number <= number))


def times(question: Question, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Conditions over `step_times`, at most one."""
    if not question.late and question.longer is None:
        return []
    step, parts = step_times.c, list[sa.ColumnElement[bool]]()
    if question.element:
        parts.append(step.element == question.element)
    if question.element and question.diagram:
        parts.append(step.process == question.diagram)
    if question.late:
        parts.append(sa.or_(step.late == 1, sa.and_(step.left_at.is_(None), step.due_at < stamp(now))))
    if question.longer is not None:
        parts.append(step.worked > int(question.longer * 3600))
    return [sa.and_(*parts)]


def cases(question: Question) -> list[sa.ColumnElement[bool]]:
    """Conditions over `instances`."""
    found: list[sa.ColumnElement[bool]] = []
    if question.process:
        found.append(instances.c.process == question.process)
    if question.status:
        found.append(instances.c.status == question.status)
    if question.since:
        found.append(instances.c.started_at >= day_start(question.since))
    if question.until:
        found.append(instances.c.started_at < day_start(question.until + timedelta(days=1)))
    return found


def day_start(day: date) -> str:
    """The stamp of the local midnight with which a day begins."""
    return stamp(datetime.combine(day, time(), LOCAL).astimezone(UTC))
