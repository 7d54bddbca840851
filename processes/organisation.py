"""The company as the policy sees it: loading it, and who heads, confirms, escalates and stands in.

`load` takes data shaped like `processes/demo/organisation.json`: departments, groups with members, people, delegations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from engine import Directory, save_directory

CHAIR, DEPUTY = "group_chair", "group_deputy_chair"


def load(connection: Connection, data: Mapping[str, Any]) -> None:
    """Write departments, groups, people, memberships and written delegations; same keys are replaced."""
    save_directory(
        connection,
        units=[{"id": row["id"], "names": _names(row), "head": row.get("head")} for row in data["departments"]],
        group_rows=[{"id": row["id"], "names": _names(row)} for row in data["groups"]],
        persons=[_person(row) for row in data["people"]],
        members=sorted({(member, group["id"]) for group in data["groups"] for member in group["members"]}),
        stand_ins=[
            {name: row[name] for name in ("from_user", "to_user", "scope", "valid_from", "valid_to")}
            for row in data.get("delegations", ())
        ],
    )


def _names(row: Mapping[str, Any]) -> dict[str, str]:
    return {"zh-CN": row["name_zh"], "en": row["name_en"]}


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "username": row["username"],
        "names": _names(row),
        "department": row["department"],
        "title": row["title_zh"],
        "employment_type": row["employment_type"],
        "training_valid": row["training_valid"],
        "policy_signed_on": row["policy_signed_on"],
        "status": row["status"],
    }


def _active(directory: Directory, username: str | None) -> bool:
    person = directory.person(username) if username else None
    return person is not None and person.active


def _first_of(directory: Directory, groups: Iterable[str], excluded: Iterable[str]) -> list[str]:
    """The members of the first group that still has any once the excluded are out."""
    out = set(excluded)
    for group_id in groups:
        group = directory.group(group_id)
        left = [member for member in (group.members if group else ()) if member not in out]
        if left:
            return left
    return []


def dept_head(directory: Directory, dept: str | None) -> str | None:
    """The head of a department, if there is one at work."""
    unit = directory.department(dept) if dept else None
    return unit.head if unit and _active(directory, unit.head) else None


def superior(directory: Directory, username: str | None) -> str | None:
    """Whom a person reports to: the head of their department, above heads the deputy chair, above that the chair."""
    person = directory.person(username) if username else None
    head = dept_head(directory, person.department) if person else None
    if head and head != username:
        return head
    above = _first_of(directory, (DEPUTY, CHAIR), [username or ""])
    return above[0] if above else None


def dept_confirmer(directory: Directory, dept: str | None, excluded: Sequence[str]) -> str | None:
    """Who confirms for a department: its head; the deputy chair when the head is excluded (X01), else the chair."""
    head = dept_head(directory, dept)
    if head and head not in excluded:
        return head
    return next(iter(_first_of(directory, (DEPUTY, CHAIR), excluded)), None)


def account_holders_superior(directory: Directory, dept: str, excluded: Sequence[str]) -> list[str]:
    """Who may confirm in the head's place when it takes too long: the deputy chair, else the chair; never the head."""
    head = dept_head(directory, dept)
    return _first_of(directory, (DEPUTY, CHAIR), [*excluded, *([head] if head else [])])


def staffed(directory: Directory, group: str, excluded: Sequence[str], fallback: Any) -> Any:
    """The group, or `fallback` when nobody of it is left once the excluded are out."""
    return group if _first_of(directory, (group,), [each for each in excluded if each]) else fallback


def first_staffed(directory: Directory, groups: Iterable[str], excluded: Iterable[str | None]) -> list[str]:
    """The members of the first group that still has any once the excluded are out; empty when none has."""
    return _first_of(directory, groups, [name for name in excluded if name])


def staff_of(directory: Directory, departments: Iterable[str] | None) -> list[str]:
    """Everybody who works in one of the departments."""
    wanted = set(departments or ())
    return [person.username for person in directory.people() if person.active and person.department in wanted]


def directory_functions(directory: Directory) -> dict[str, Callable[..., Any]]:
    """What candidates, assignee, recuse, title and viewers may call."""
    return {
        "dept_head": lambda dept: dept_head(directory, dept),
        "superior": lambda username: superior(directory, username),
        "dept_confirmer": lambda dept, excluded: dept_confirmer(directory, dept, excluded),
        "first_staffed": lambda groups, excluded: first_staffed(directory, groups, excluded),
        "staff_of": lambda departments: staff_of(directory, departments),
        "staffed": lambda group, excluded, fallback: staffed(directory, group, excluded, fallback),
    }
