"""Bearer tokens for the API: made by their owner, shown once, kept as a hash, limited in time and in what they may do.

A token is 256 random bits, so a plain SHA-256 of it cannot be guessed back; a copy of the database opens nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Directory
from engine.db import Database
from engine.errors import Conflict, Invalid, NotFound, Text
from engine.moments import moment, stamp
from engine.prepared import Prepared
from web.sessions import SEEN_EVERY, digest

PREFIX = "guiju_"  # so that a scanner finds one that was published by mistake
MOST = 20  # tokens in force that somebody may have
DAYS = (7, 30, 90, 365)
SCOPES: dict[str, Text] = {
    "read": {"zh-CN": "查阅：待办、案件、流程", "en": "Read: tasks, cases, procedures"},
    "tasks": {"zh-CN": "办理：认领、保存、办结、转办", "en": "Work: claim, save, complete, hand over"},
    "start": {"zh-CN": "发起：发起与撤回案件、上传附件", "en": "Start: start and withdraw cases, upload files"},
}
_tokens = sa.table(
    "api_tokens",
    *[
        sa.column(name)
        for name in (
            "token_id", "username", "name", "token_hash", "scopes", "created_at", "expires_at", "last_used_at",
            "revoked_at",
        )
    ],
)  # fmt: skip
_LOOK_UP = Prepared(sa.select(_tokens).where(_tokens.c.token_hash == sa.bindparam("token_hash")))


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as its owner sees it: never the secret itself."""

    token_id: str
    username: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def in_force(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


def issue(db: Database, username: str, *, name: str, scopes: list[str], days: int, now: datetime) -> str:
    """Make a token and return it, for the only time. Raises Invalid, or Conflict when there are too many."""
    problems: dict[str, Text] = {}
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        problems["name"] = {"zh-CN": "请写明用途，不超过 60 字", "en": "Say what it is for, in at most 60 characters"}
    if not scopes or set(scopes) - set(SCOPES):
        problems["scopes"] = {"zh-CN": "请至少选一项权限", "en": "Choose at least one permission"}
    if days not in DAYS:
        problems["days"] = {"zh-CN": "请选择有效期", "en": "Choose how long it is valid"}
    if problems:
        raise Invalid(problems)
    secret = PREFIX + secrets.token_urlsafe(32)
    row = {
        "token_id": str(uuid4()),
        "username": username,
        "name": name,
        "token_hash": digest(secret),
        "scopes": " ".join(each for each in SCOPES if each in scopes),
        "created_at": stamp(now),
        "expires_at": stamp(now + timedelta(days=days)),
    }

    def work(connection: Connection) -> None:
        mine = sa.and_(
            _tokens.c.username == username, _tokens.c.revoked_at.is_(None), _tokens.c.expires_at > stamp(now)
        )
        if (connection.scalar(sa.select(sa.func.count()).select_from(_tokens).where(mine)) or 0) >= MOST:
            text = {
                "zh-CN": f"有效的令牌已有 {MOST} 个，请先撤销不用的",
                "en": f"There are {MOST} already; revoke some first",
            }
            raise Conflict("too_many_tokens", text=text)
        connection.execute(sa.insert(_tokens).values(**row))

    db.write(work)
    return secret


def listed(db: Database, username: str) -> list[Token]:
    """Somebody's tokens, newest first, those that are over included."""
    query = sa.select(_tokens).where(_tokens.c.username == username).order_by(_tokens.c.created_at.desc())
    with db.read() as connection:
        return [_token(row) for row in connection.execute(query)]


def revoke(db: Database, username: str, token_id: str, now: datetime) -> None:
    """End one's own token at once. Raises NotFound for anybody else's."""

    def work(connection: Connection) -> None:
        mine = sa.and_(_tokens.c.token_id == token_id, _tokens.c.username == username)
        if connection.execute(sa.select(_tokens.c.token_id).where(mine)).first() is None:
            raise NotFound(
                "token_not_found", text={"zh-CN": "没有这个令牌", "en": "There is no such token"}, id=token_id
            )
        still = sa.and_(mine, _tokens.c.revoked_at.is_(None))
        connection.execute(sa.update(_tokens).where(still).values(revoked_at=stamp(now)))

    db.write(work)


def whose(db: Database, header: str, now: datetime) -> Token | None:
    """The token of an `Authorization` header, or None: unknown, over, revoked, or its owner does not work here."""
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    with db.read() as connection:
        row = _LOOK_UP.run(connection, token_hash=digest(secret)).first()
        if row is None or not (token := _token(row)).in_force(now):
            return None
        owner = Directory(connection).person(token.username)
    if owner is None or not owner.active:
        return None
    if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
        used = sa.update(_tokens).where(_tokens.c.token_id == token.token_id).values(last_used_at=stamp(now))
        db.write(lambda connection: connection.execute(used))
    return token


def _token(row: Any) -> Token:
    return Token(
        token_id=row.token_id,
        username=row.username,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        last_used_at=moment(row.last_used_at) if row.last_used_at else None,
        revoked_at=moment(row.revoked_at) if row.revoked_at else None,
    )
