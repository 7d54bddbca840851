"""Who a complaint is about, whom it must be kept from (X06, X07), and who handles it instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine import Directory
from engine.errors import Text
from processes.organisation import CHAIR, DEPUTY, dept_head, first_staffed, staff_of

SCOPES: dict[str, str] = {  # what a reporter says about who is involved → the respondent's role in `complaint_handler`
    "组长": "chair",
    "副组长": "deputy_chair",
    "法务部": "legal_head",
    "行政部": "admin_head",
    "市场部负责人": "marketing_head",
    "小组成员": "group_member",
    "官方账号": "official_account",
    "其他员工": "employee",
    "公司外部": "external",
    "不清楚": "unknown",
}
ROLES: dict[str, Text] = {  # the more sensitive first
    "chair": {"zh-CN": "组长", "en": "the chair"},
    "deputy_chair": {"zh-CN": "副组长", "en": "the deputy chair"},
    "legal_head": {"zh-CN": "法务部", "en": "Legal"},
    "admin_head": {"zh-CN": "行政部负责人", "en": "the head of Administration"},
    "admin_staff": {"zh-CN": "行政部员工", "en": "staff of Administration"},
    "marketing_head": {"zh-CN": "市场部负责人", "en": "the head of Marketing"},
    "group_member": {"zh-CN": "小组成员", "en": "a member of the Group"},
    "official_account": {"zh-CN": "官方账号", "en": "an official account"},
    "employee": {"zh-CN": "员工", "en": "an employee"},
    "external": {"zh-CN": "公司外部", "en": "somebody outside the company"},
    "unknown": {"zh-CN": "不明", "en": "not known"},
}
MANAGERS = frozenset({"chair", "deputy_chair", "legal_head", "admin_head", "marketing_head", "group_member"})
DEPARTMENTS = frozenset({"legal", "admin", "marketing"})  # `must_exclude` that names a whole department
SPECIFIC = ("admin_staff", "employee")  # a named person may be less than the department the reporter suspects
INTAKE = "complaint_intake"
FALLBACK = ("legal", "hr", "internal_audit", "admin", "union")


def role_of(directory: Directory, username: str) -> str:
    """A person's role as `complaint_handler` knows it."""
    person = directory.person(username)
    for group, role in ((CHAIR, "chair"), (DEPUTY, "deputy_chair")):
        if username in members(directory, group):
            return role
    department = person.department if person else None
    if department == "legal":
        return "legal_head"
    if department == "admin":
        return "admin_head" if dept_head(directory, "admin") == username else "admin_staff"
    if department == "marketing" and dept_head(directory, "marketing") == username:
        return "marketing_head"
    return "group_member" if username in members(directory, "mgmt_group") else "employee"


def members(directory: Directory, group: str) -> list[str]:
    """The active members of a group."""
    found = directory.group(group)
    return list(found.members) if found else []


def named_in(directory: Directory, text: str) -> list[str]:
    """The people a text names, by username or by Chinese name."""
    words = set(re.findall(r"[a-z0-9_.]+", text.lower()))
    return [who.username for who in directory.people() if who.username in words or who.names["zh-CN"] in text]


def account_in(accounts: Mapping[str, Mapping[str, Any]], text: str) -> str | None:
    """The number of the account a text names, by number or by its exact name."""
    words = set(re.findall(r"[A-Z]\d+", text.upper()))
    named = [key for key, row in accounts.items() if key in words]
    return next(iter(named or [key for key, row in accounts.items() if str(row.get("name")) == text.strip()]), None)


def identify(
    directory: Directory,
    accounts: Mapping[str, Mapping[str, Any]],
    *,
    scope: str,
    target: str,
    role: str | None = None,
    respondent: str | None = None,
) -> dict[str, Any]:
    """`{"role", "respondent", "respondents", "account", "holders", "manager", "summary"}`.

    What triage states prevails. Otherwise the reporter's answer and whom the target names are put together, and the
    more sensitive of the two decides; only within Administration may a named member of staff be less than the whole.
    """
    account = account_in(accounts, target)
    holders = (
        [name for name in (accounts[account].get(key) for key in ("responsible", "backup")) if name] if account else []
    )
    people = [respondent] if respondent else named_in(directory, target)
    said = SCOPES.get(scope.strip(), scope.strip() if scope.strip() in ROLES else "unknown")
    found = role or _role(directory, said, people, account)
    if found == "official_account" and not people:
        people = holders[:1]
    active = [name for name in people if (who := directory.person(name)) and who.active]
    heads = {unit.head for unit in directory.departments()}
    text = ROLES[found]
    names = "、".join(who.names["zh-CN"] for name in people if (who := directory.person(name)))
    english = ", ".join(who.names["en"] for name in people if (who := directory.person(name)))
    return {
        "role": found,
        "respondent": active[0] if active else None,
        "respondents": people,
        "account": account,
        "holders": holders,
        "manager": found in MANAGERS or bool(heads & set(people) and found != "official_account"),
        "summary": {
            "zh-CN": text["zh-CN"] + (f"：{names}" if names else ""),
            "en": text["en"] + (f": {english}" if english else ""),
        },
    }


def _role(directory: Directory, said: str, people: Sequence[str], account: str | None) -> str:
    named = [role_of(directory, name) for name in people] or (["official_account"] if account else [])
    order = list(ROLES)
    strongest = min(named, key=order.index) if named else "unknown"
    if said == "unknown":
        return strongest
    if strongest == "unknown" or (said == "official_account" and strongest == "employee"):
        return said
    if said == "admin_head" and strongest in SPECIFIC:
        return "admin_staff"
    return min(said, strongest, key=order.index)


def excluded(directory: Directory, found: Mapping[str, Any], must_exclude: str | None) -> tuple[list[str], list[str]]:
    """(departments, people) a case is kept from: what the table says, the respondents, and their direct superiors.

    The direct superior is the head of the respondent's own department; above heads there is only the Group itself,
    which decides without the respondent.
    """
    departments: list[str] = []
    people = [name for name in found["respondents"] if directory.person(name)]
    if must_exclude in DEPARTMENTS:
        departments.append(str(must_exclude))
    elif must_exclude == "chair":
        people += members(directory, CHAIR)
    elif must_exclude == "deputy_chair":
        people += members(directory, DEPUTY)
    elif must_exclude == "respondent_dept":
        departments += [who.department for name in people if (who := directory.person(name)) and who.department]
    elif must_exclude == "account_responsible":
        people += found["holders"]
    for name in list(people):
        who = directory.person(name)
        head = dept_head(directory, who.department) if who else None
        if head and head != name:
            people.append(head)
    return list(dict.fromkeys(departments)), list(dict.fromkeys(people))


def presider(directory: Directory, body: str, out: Sequence[str]) -> str | None:
    """Who appoints: the head that decides, else the chair, the deputy, the first member of the Group left."""
    heads = {"admin_head": dept_head(directory, "admin"), "legal_head": dept_head(directory, "legal")}
    wanted = [heads.get(body)] if body in heads else members(directory, CHAIR) if body == "group" else []
    able = [*wanted, *members(directory, DEPUTY), *members(directory, CHAIR), *members(directory, "mgmt_group")]
    return next((name for name in able if name and name not in out), None)


def route(
    directory: Directory,
    found: Mapping[str, Any],
    *,
    lead: str,
    second: str,
    body: str,
    must_exclude: str | None,
    observer: str | None,
    triager: str | None,
) -> dict[str, Any]:
    """Who is kept out and who does what, as the diagram reads it. All people by username."""
    departments, people = excluded(directory, found, must_exclude)
    out = sorted({*staff_of(directory, departments), *people})
    handlers = [lead, second, *FALLBACK]
    intake = [] if found["role"] == "unknown" else [INTAKE]
    head = presider(directory, body, out) if body in ("admin_head", "legal_head") else None
    choice = suggest(directory, lead, second, out=[*out, triager, head])
    people_zh = "、".join(_name(directory, name, "zh-CN") for name in choice if name)
    people_en = ", ".join(_name(directory, name, "en") for name in choice if name)
    return {
        "departments": departments,
        "people": people,
        "out": out,
        "respondent": found["respondent"],
        "triage": first_staffed(directory, [*intake, *handlers], out),
        "presider": presider(directory, body, out),
        "head": head if head == dept_head(directory, body.removesuffix("_head")) else None,
        "contain": first_staffed(directory, handlers, [*out, triager, head]),
        "feedback": first_staffed(directory, [INTAKE, *handlers], out),
        "observer": observer or None,
        "suggested_lead": choice[0],
        "suggested_second": choice[1],
        "suggestion": {"zh-CN": people_zh, "en": people_en},
    }


def suggest(
    directory: Directory, lead: str, second: str, *, out: Iterable[str | None]
) -> tuple[str | None, str | None]:
    """A lead and a second from different departments (X08), investigators before others."""
    gone = set(out)
    leader = _pick(directory, [lead, *FALLBACK], gone, None)
    other = _pick(directory, [second, *FALLBACK], gone | {leader}, _department(directory, leader))
    return leader, other


def _pick(directory: Directory, groups: Sequence[str], gone: set[str | None], besides: str | None) -> str | None:
    trained = set(members(directory, "investigator"))
    for group in groups:
        able = [
            name
            for name in members(directory, group)
            if name not in gone and (besides is None or _department(directory, name) != besides)
        ]
        if able:
            return next((name for name in able if name in trained), able[0])
    return None


def _department(directory: Directory, username: str | None) -> str | None:
    person = directory.person(username) if username else None
    return person.department if person else None


def _name(directory: Directory, username: str, language: str) -> str:
    person = directory.person(username)
    return person.names[language] if person else username
