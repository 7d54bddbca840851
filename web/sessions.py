"""Who is asking: passwords, and login sessions kept in a table so that logging out really ends them.

The browser holds a signed cookie with a random token; the table holds its hash, so a copy of the database opens none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime, timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import session
from sqlalchemy.engine import Connection

from engine.db import Database
from engine.errors import Unavailable
from engine.moments import moment, stamp
from engine.prepared import Prepared
from web.config import Config

DEMO_PASSWORD = "yangmu-demo"  # printed by the demo and good for nothing else: a real installation has no demo people
SEEN_EVERY = timedelta(minutes=1)  # how exact last_seen_at is; a write per request would cost a disk flush each
_credentials = sa.table("credentials", sa.column("username"), sa.column("password_hash"))
_sessions = sa.table(
    "web_sessions",
    *[sa.column(name) for name in ("token_hash", "username", "created_at", "last_seen_at", "expires_at", "csrf")],
)
_tokens = sa.table("api_tokens", sa.column("username"))  # `bearer`; a new password ends them too
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's first choice: 19 MiB, two passes
_NOBODY = _hasher.hash(secrets.token_hex(16))
_kitchen = threading.BoundedSemaphore(4)  # argon2 is costly on purpose: a flood of guesses must not take the memory
_LOOK_UP = Prepared(sa.select(_sessions).where(_sessions.c.token_hash == sa.bindparam("token_hash")))


def set_password(db: Database, username: str, password: str) -> None:
    """Give `username` a password and end their sessions and tokens."""
    _store(db, [username], _hasher.hash(password))


def welcome_demo(db: Database, password: str) -> None:
    """Give everybody of the demo company who has no password yet the public one, hashed once for all of them."""
    people = sa.table("people", sa.column("username"))
    query = sa.select(people.c.username).where(people.c.username.not_in(sa.select(_credentials.c.username)))
    with db.read() as connection:
        usernames = list(connection.scalars(query))
    if usernames:
        _store(db, usernames, _hasher.hash(password))


def _store(db: Database, usernames: list[str], password_hash: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(sa.delete(_credentials).where(_credentials.c.username.in_(usernames)))
        connection.execute(sa.delete(_sessions).where(_sessions.c.username.in_(usernames)))
        connection.execute(sa.delete(_tokens).where(_tokens.c.username.in_(usernames)))
        rows = [{"username": username, "password_hash": password_hash} for username in usernames]
        if rows:
            connection.execute(sa.insert(_credentials), rows)

    db.write(work)


def check_password(db: Database, username: str, password: str) -> bool:
    """Whether the password is right. Takes as long for people who do not exist."""
    with db.read() as connection:
        query = sa.select(_credentials.c.password_hash).where(_credentials.c.username == username)
        known = connection.execute(query).scalar()
    if not _kitchen.acquire(timeout=5):
        raise Unavailable("login_busy")
    try:
        return _hasher.verify(known or _NOBODY, password) and known is not None
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _kitchen.release()


def begin(db: Database, config: Config, username: str, now: datetime) -> None:
    """Log in: forget whatever session there was, and open a new one under a new token."""
    end(db)
    token, csrf = secrets.token_urlsafe(32), secrets.token_hex(20)
    row = {
        "token_hash": digest(token),
        "username": username,
        "created_at": stamp(now),
        "last_seen_at": stamp(now),
        "expires_at": stamp(now + config.session_life),
        "csrf": csrf,
    }

    def work(connection: Connection) -> None:
        connection.execute(sa.delete(_sessions).where(_sessions.c.expires_at < stamp(now)))
        connection.execute(sa.insert(_sessions).values(**row))

    db.write(work)
    session.update(token=token, csrf_token=csrf)


def end(db: Database) -> None:
    """Log out: the session is gone from the table, so a kept cookie opens nothing."""
    token = session.get("token")
    session.clear()
    if token:
        gone = sa.delete(_sessions).where(_sessions.c.token_hash == digest(token))
        db.write(lambda connection: connection.execute(gone))


def whoever(db: Database, config: Config, now: datetime) -> str | None:
    """The username behind the request's cookie, or None. One indexed read; a write at most once a minute."""
    token = session.get("token")
    if not isinstance(token, str):
        return None
    token_hash = digest(token)
    with db.read() as connection:
        row = _LOOK_UP.run(connection, token_hash=token_hash).first()
    if row is None or not hmac.compare_digest(str(row.csrf), str(session.get("csrf_token"))):
        return None
    seen = moment(row.last_seen_at)
    if now >= moment(row.expires_at) or now - seen > config.session_idle:
        return None
    if now - seen > SEEN_EVERY:
        touched = sa.update(_sessions).where(_sessions.c.token_hash == token_hash).values(last_seen_at=stamp(now))
        db.write(lambda connection: connection.execute(touched))
    username: str = row.username
    return username


def digest(token: str) -> str:
    """How a random token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
