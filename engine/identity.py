"""People, groups and stand-ins: who an actor is, for whom they may act, and whom an expression names.

A *principal* is `u:<username>` or `g:<group id>`. A stand-in (written, dated delegation, rule X15) holds the
principals of the person they stand in for, within the delegation's scope, and inherits that person's recusals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.errors import Denied, NotFound
from engine.models import case_barred, delegations, departments, groups, memberships, people
from engine.prepared import Prepared, decoded

EVERYONE = "employee"  # every active person belongs to it without being listed
ANYONE = "anyone"  # in `starters` only: also somebody who is not logged in
OUTSIDER = "outsider"  # in `starters` only: somebody who is not logged in, and so leaves no name
LOCAL = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One principal an actor holds; `behalf` is whom they stand in for, `scope` the element id (or `*`) it is limited
    to."""

    principal: str
    behalf: str | None = None
    scope: str = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What an actor may act as, now."""

    username: str
    active: bool
    grants: tuple[Grant, ...]

    @property
    def principals(self) -> frozenset[str]:
        """Own and lent principals, whatever their scope."""
        return frozenset(grant.principal for grant in self.grants)

    @property
    def own(self) -> frozenset[str]:
        """The actor's own principals."""
        return frozenset(grant.principal for grant in self.grants if grant.behalf is None)

    def within(self, group_ids: Iterable[str]) -> bool:
        """Whether the actor, as themselves, belongs to one of the groups."""
        return any(f"g:{group_id}" in self.own for group_id in group_ids)


def _standing_statement() -> sa.Executable:
    username, today = sa.bindparam("username", type_=sa.String), sa.bindparam("today", type_=sa.String)
    none, lent = (
        sa.null(),
        sa.and_(delegations.c.to_user == username, delegations.c.valid_from <= today, delegations.c.valid_to >= today),
    )
    kinds: dict[str, sa.ColumnElement[str]] = {
        name: sa.literal_column(f"'{name}'") for name in ("person", "group", "lent")
    }
    return sa.union_all(
        sa.select(kinds["person"], people.c.status, none, none).where(people.c.username == username),
        sa.select(kinds["group"], memberships.c.group_id, none, none).where(memberships.c.username == username),
        sa.select(kinds["lent"], delegations.c.from_user, delegations.c.from_user, delegations.c.scope).where(lent),
        sa.select(kinds["group"], memberships.c.group_id, delegations.c.from_user, delegations.c.scope).where(
            lent, memberships.c.username == delegations.c.from_user
        ),
    )


_STANDING = Prepared(_standing_statement())
_GROUP_ID = Prepared(
    sa.select(groups.c.id)
    .where(sa.or_(groups.c.id == sa.bindparam("name"), groups.c.name_zh == sa.bindparam("name")))
    .order_by(groups.c.id)
)
_BY_NAME = sa.bindparam("name", type_=sa.String)
_PEOPLE = Prepared(sa.select(people).order_by(people.c.username))
_PERSON = Prepared(sa.select(people).where(people.c.username == _BY_NAME))
_DEPARTMENT = Prepared(
    sa.select(departments.c.id, departments.c.names, departments.c.head).where(departments.c.id == _BY_NAME)
)
_GROUP = Prepared(  # a row for each active member, or one without
    sa.select(groups.c.id, groups.c.names, people.c.username)
    .select_from(
        groups.outerjoin(memberships, memberships.c.group_id == groups.c.id).outerjoin(
            people,
            sa.and_(
                people.c.username == memberships.c.username,
                people.c.status == sa.literal_column("'active'"),
            ),
        )
    )
    .where(groups.c.id == _BY_NAME)
    .order_by(people.c.username)
)


def standing(connection: Connection, username: str, now: datetime) -> Standing:
    """The standing of `username`, in one statement. Unknown or departed people hold nothing."""
    today = now.astimezone(LOCAL).date().isoformat()
    active, grants = False, [Grant(principal=f"u:{username}"), Grant(principal=f"g:{EVERYONE}")]
    for kind, value, behalf, scope in _STANDING.run(connection, username=username, today=today):
        if kind == "person":
            active = value == "active"
        elif kind == "lent":
            grants.append(Grant(principal=f"u:{value}", behalf=behalf, scope=scope))
        else:
            grants.append(Grant(principal=f"g:{value}", behalf=behalf, scope=scope or "*"))
    return Standing(username=username, active=active, grants=tuple(grants) if active else ())


def require_active(connection: Connection, username: str, now: datetime) -> Standing:
    """The standing of `username`; raises Denied unless they are an active person."""
    who = standing(connection, username, now)
    if not who.active:
        raise Denied(
            "not_active",
            text={"zh-CN": "「{who}」不是在职人员，不能操作", "en": "“{who}” is not an active member of staff"},
            who=username,
        )
    return who


_BARRED = Prepared(sa.select(case_barred.c.username).where(case_barred.c.instance_id == sa.bindparam("instance")))


def barred_of(connection: Connection, instance_id: str) -> frozenset[str]:
    """Usernames of those the whole case is kept from."""
    return frozenset(row.username for row in _BARRED.run(connection, instance=instance_id).all())


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Who may do one task, who is recused from it, who may read it: principals, from its `task_access` rows."""

    may: frozenset[str]
    recused: frozenset[str]
    reads: frozenset[str]
    past: frozenset[str] = frozenset()  # could do it while it was open: may learn what became of it
    alone: frozenset[str] = frozenset()  # do it in person or not at all: nobody stands in for them

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> Access:
        """From (principal, rule) pairs."""
        sets: dict[str, set[str]] = {name: set() for name in ("may", "recused", "reads", "past", "alone")}
        for principal, rule in rows:
            if principal is not None:
                sets[rule].add(principal)
        return cls(**{rule: frozenset(principals) for rule, principals in sets.items()})

    def is_recused(self, who: Standing) -> bool:
        """Recused in person. A stand-in who holds other ways in is judged grant by grant in `grant_for`."""
        return f"u:{who.username}" in self.recused

    def grant_for(self, who: Standing, element: str) -> Grant | None:
        """The grant by which `who` may do the task, their own first; None when there is none or they are recused.

        Whoever stands in for a recused person is recused with them (X15).
        """
        return self._grant(who, element, self.may)

    def past_grant_for(self, who: Standing, element: str) -> Grant | None:
        """The grant by which `who` might have done the task while it was open."""
        return self._grant(who, element, self.past)

    def _grant(self, who: Standing, element: str, offered: frozenset[str]) -> Grant | None:
        if not who.active or self.is_recused(who):
            return None
        for grant in sorted(who.grants, key=lambda grant: grant.behalf is not None):
            if grant.principal not in offered or grant.scope not in ("*", element):
                continue
            if grant.behalf is None or f"u:{grant.behalf}" not in self.recused | self.alone:
                return grant
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A person as the directory knows them. `names` is {"zh-CN", "en"}."""

    username: str
    names: dict[str, str]
    department: str | None
    title: str
    employment_type: str
    training_valid: bool
    policy_signed_on: str | None
    status: str

    @property
    def active(self) -> bool:
        """Whether they work here now."""
        return self.status == "active"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A department (with its head) or a group (with its members)."""

    id: str
    names: dict[str, str]
    head: str | None = None
    members: tuple[str, ...] = ()


class Directory:
    """Reads of people, departments and groups on one connection, remembered for one command."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: dict[tuple[str, str], Any] = {}

    def person(self, username: str) -> Person | None:
        """The person, or None."""
        found: Person | None = self._once("person", username, self._person)
        return found

    def department(self, department_id: str) -> Unit | None:
        """The department with its head, or None."""
        found: Unit | None = self._once("department", department_id, self._department)
        return found

    def group(self, group_id: str) -> Unit | None:
        """The group with its active members in the order of their usernames, or None."""
        found: Unit | None = self._once("group", group_id, self._group)
        return found

    def people(self) -> list[Person]:
        """Everybody, by username."""
        found: list[Person] = self._once(
            "people", "", lambda _: [_told(row) for row in _PEOPLE.run(self._connection).all()]
        )
        self._seen.update({("person", person.username): person for person in found})
        return list(found)

    def departments(self) -> list[Unit]:
        """All departments."""
        rows = self._connection.execute(sa.select(departments).order_by(departments.c.id))
        return [Unit(id=row.id, names=row.names, head=row.head) for row in rows]

    def groups(self) -> list[Unit]:
        """All groups, without members."""
        return [
            Unit(id=row.id, names=row.names)
            for row in self._connection.execute(sa.select(groups).order_by(groups.c.id))
        ]

    def stand_ins(self, usernames: Iterable[str], now: datetime) -> list[str]:
        """Who stands in, in everything they do, for one of these people on that day."""
        today = now.astimezone(LOCAL).date().isoformat()
        valid = [delegations.c.valid_from <= today, delegations.c.valid_to >= today, delegations.c.scope == "*"]
        found = sa.select(delegations.c.to_user).where(delegations.c.from_user.in_(list(usernames)), *valid)
        return sorted(set(self._connection.scalars(found)))

    def principals(self, value: Any) -> list[str]:
        """What an expression names, as principals: a group (id or Chinese name), else a username; lists and None
        too."""
        if value is None or value == "":
            return []
        if isinstance(value, str):
            found = self.group_id(value)
            return [f"g:{found}" if found else f"u:{value}"]
        if isinstance(value, Iterable) and not isinstance(value, Mapping):
            return list(dict.fromkeys(principal for item in value for principal in self.principals(item)))
        raise ValueError(f"{value!r} names neither people nor groups")

    def usernames(self, principals: Iterable[str]) -> list[str]:
        """The active people behind principals, each once, by username."""
        users: set[str] = set()
        for principal in principals:
            kind, name = principal.split(":", 1)
            if kind == "u":
                users.add(name)
            elif name == EVERYONE:
                users.update(person.username for person in self.people() if person.active)
            elif unit := self.group(name):
                users.update(unit.members)
        return sorted(user for user in users if (person := self.person(user)) and person.active)

    def group_id(self, name: str) -> str | None:
        """The id of the group with this id or Chinese name, or None."""
        if name == EVERYONE:
            return EVERYONE
        found: str | None = self._once("id", name, lambda _: _GROUP_ID.run(self._connection, name=name).scalar())
        return found

    def _once(self, kind: str, name: str, read: Any) -> Any:
        if (kind, name) not in self._seen:
            self._seen[kind, name] = read(name)
        return self._seen[kind, name]

    def _people(self, _: str) -> list[Person]:
        return [_told(row) for row in _PEOPLE.run(self._connection).all()]

    def _person(self, username: str) -> Person | None:
        row = _PERSON.run(self._connection, name=username).first()
        return _told(row) if row else None

    def _department(self, department_id: str) -> Unit | None:
        row = _DEPARTMENT.run(self._connection, name=department_id).first()
        return Unit(id=row.id, names=decoded(row.names), head=row.head) if row else None

    def _group(self, group_id: str) -> Unit | None:
        rows = _GROUP.run(self._connection, name=group_id).all()
        if not rows:
            return None
        members = tuple(row.username for row in rows if row.username is not None)
        return Unit(id=rows[0].id, names=decoded(rows[0].names), members=members)


def _told(row: Any) -> Person:
    fields = row._asdict()
    return Person(**{**fields, "names": decoded(row.names), "training_valid": bool(row.training_valid)})


def save_directory(
    connection: Connection,
    *,
    persons: Iterable[Mapping[str, Any]] = (),
    units: Iterable[Mapping[str, Any]] = (),
    group_rows: Iterable[Mapping[str, Any]] = (),
    members: Iterable[tuple[str, str]] = (),
    stand_ins: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write people, departments, groups, (username, group) memberships and delegations as given, replacing same
    keys."""
    for table, key, rows in ((people, "username", persons), (departments, "id", units), (groups, "id", group_rows)):
        for row in rows:
            connection.execute(sa.delete(table).where(table.c[key] == row[key]))
            named = {"name_zh": row["names"].get("zh-CN", row["id"])} if table is groups else {}
            connection.execute(sa.insert(table).values(**row, **named))
    for username, group_id in members:
        match = sa.and_(memberships.c.username == username, memberships.c.group_id == group_id)
        connection.execute(sa.delete(memberships).where(match))
        connection.execute(sa.insert(memberships).values(username=username, group_id=group_id))
    for row in stand_ins:
        same = [delegations.c[name] == row[name] for name in ("from_user", "to_user", "scope")]
        connection.execute(sa.delete(delegations).where(*same))
        connection.execute(sa.insert(delegations).values(**row))


def set_status(connection: Connection, username: str, status: str) -> None:
    """Set a person's status (`active`, `left 2026-10-30`, …). Raises NotFound."""
    changed = connection.execute(sa.update(people).where(people.c.username == username).values(status=status))
    if changed.rowcount != 1:
        raise NotFound(id=username)
