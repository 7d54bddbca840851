"""The database: one writer at a time on SQLite, row locks on PostgreSQL, and a retry that users never see.

`Database.write(work)` runs `work(connection)` in one transaction and commits once. What passes by itself (a lock, a
serialization failure, a lost connection before COMMIT) is tried again with everything `work` did forgotten; what does
not becomes `Unavailable`. SQLite: WAL and synchronous=FULL (NORMAL loses acknowledged commits on a power cut), BEGIN
IMMEDIATE behind a first-come lock, because SQLite itself lets writers starve. PostgreSQL: read committed, callers lock
the instance's row with FOR UPDATE.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pysqlite3
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from engine import readonly
from engine.errors import GuijuError, Unavailable
from engine.prepared import wrapped

T = TypeVar("T")

OLDEST_SQLITE = (3, 51, 3)  # 3.7.0 to 3.51.2 can corrupt a database when two checkpoints meet (WAL-reset bug)
ATTEMPTS = 8
PASSING = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_POSTGRES_OPTIONS = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
    "options": "-c lock_timeout=10s -c statement_timeout=30s "
    "-c idle_in_transaction_session_timeout=30s -c timezone=UTC",
}


class FairLock:
    """A mutex that is handed over in the order of asking: SQLite's own lock let one writer of eight wait 3.4 s."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        ticket.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class Database:
    """An open database. `bind` is SQLAlchemy's connection factory; use `read` and `write`, not the bind."""

    def __init__(self, url: str, *, pool_size: int = 16, audit_url: str | None = None) -> None:
        self.url = make_url(url)
        self._audit_url = audit_url
        self._auditor: Engine | None = None
        self._threads = threading.local()
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite:
            _refuse_old_sqlite()
            self._writer: Connection | None = None
            self._lock: contextlib.AbstractContextManager[Any] = FairLock()
            path = self.url.database
            if not path or path == ":memory:":
                raise GuijuError(
                    "database_in_memory",
                    text={"zh-CN": "数据库必须是文件，不能只在内存中", "en": "The database must be a file, not memory"},
                )
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.bind = self._sqlite_bind(path, pool_size, readonly=False)
            self.reader = self._sqlite_bind(path, pool_size, readonly=True)
        else:
            self._lock = contextlib.nullcontext()
            url_ = self.url.set(drivername="postgresql+psycopg")
            self.bind = sa.create_engine(
                url_,
                pool_size=pool_size,
                max_overflow=8,
                pool_timeout=10,
                pool_recycle=1800,
                connect_args=_POSTGRES_OPTIONS,
            )
            self.reader = self.bind

    @classmethod
    def open(cls, url: str, *, pool_size: int = 16, audit_url: str | None = None) -> Database:
        """Open `sqlite:///path` or `postgresql://…`; `audit_url`: the login that auditors read with, on PostgreSQL.
        Raises `Unavailable` only on first use, never here."""
        return cls(url, pool_size=pool_size, audit_url=audit_url)

    @staticmethod
    def _sqlite_bind(path: str, pool_size: int, *, readonly: bool) -> Engine:
        bind = sa.create_engine(
            f"sqlite:///{path}",
            module=pysqlite3.dbapi2,
            poolclass=sa.pool.QueuePool,
            pool_size=pool_size,
            max_overflow=64,
            pool_timeout=10,
            pool_reset_on_return=None,  # every transaction here ends by its own COMMIT or ROLLBACK
            connect_args={"check_same_thread": False, "timeout": 10, "cached_statements": 256},
        )

        @sa.event.listens_for(bind, "connect")
        def _configure(connection: Any, _: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves: the default lost unguarded updates
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA trusted_schema=OFF")
            cursor.execute("PRAGMA wal_autocheckpoint=4000")  # pages; a checkpoint costs two more syncs
            cursor.execute("PRAGMA cache_size=-16000")
            if readonly:
                cursor.execute("PRAGMA query_only=ON")
            cursor.close()

        return bind

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reads only, in one snapshot."""
        try:
            with self._reading() as connection, self._transaction(connection, "BEGIN"):
                yield connection
        except DBAPIError as error:
            raise Unavailable(code="database_unavailable") from error
        except sa.exc.TimeoutError as error:
            raise Unavailable(code="database_busy") from error

    @contextlib.contextmanager
    def audit(self) -> Iterator[Connection]:
        """A connection that cannot write, in one snapshot, for everything that auditors read (`engine.readonly`)."""
        if self._auditor is None:
            self._auditor = readonly.bind_of(self.url, self._audit_url)
        try:
            with self._auditor.connect() as connection, self._transaction(connection, "BEGIN"):
                yield connection
        except DBAPIError as error:
            raise Unavailable(code="database_unavailable") from error
        except sa.exc.TimeoutError as error:
            raise Unavailable(code="database_busy") from error

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Like `read`, for many statements that must all see the same moment: PostgreSQL has to be told."""
        with self.read() as connection:
            if not self.sqlite:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, again when the failure was a passing one. Errors of ours pass through."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._lock, self._writing() as connection:
                    return work(connection)
            except IntegrityError:
                raise
            except DBAPIError as error:
                if attempt >= ATTEMPTS or not _passes(error):
                    raise Unavailable(code="database_unavailable") from error
            except sa.exc.TimeoutError as error:
                raise Unavailable(code="database_busy") from error
            except Stale:
                if attempt >= ATTEMPTS:
                    raise Unavailable(code="database_busy") from None
            time.sleep(random.uniform(0, 0.01 * 2**attempt))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection to read on. On SQLite each thread keeps one: asking a pool for it cost as much as reading."""
        kept: Connection | None = getattr(self._threads, "reader", None)
        self._threads.reader = None  # taken: a read within a read gets another
        connection = kept or self.reader.connect()
        try:
            yield connection
        except DBAPIError:
            connection.close()
            raise
        finally:
            if self.sqlite and not connection.closed and self._threads.reader is None:
                self._threads.reader = connection
            else:
                connection.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction to write in. SQLite's one writer keeps its connection, which the lock makes ours alone."""
        if not self.sqlite:
            with self.bind.begin() as connection:
                yield connection
            return
        connection = self._writer or self.bind.connect()
        self._writer = None
        try:
            with self._transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
        except DBAPIError:
            connection.close()
            raise
        except BaseException:
            self._writer = connection
            raise
        self._writer = connection

    def _transaction(self, connection: Connection, begin: str) -> contextlib.AbstractContextManager[Any]:
        return _SqliteTransaction(connection, begin) if self.sqlite else connection.begin()

    def ping(self) -> None:
        """Raise `Unavailable` unless the database answers and takes a write (a full disk must show)."""

        def touch(connection: Connection) -> None:
            connection.execute(sa.text("DELETE FROM settings WHERE name = 'ping'"))
            connection.execute(sa.text("INSERT INTO settings (name, value) VALUES ('ping', 'null')"))

        self.write(touch)

    def close(self) -> None:
        """Give every connection back."""
        if self.sqlite and self._writer is not None:
            self._writer.close()
            self._writer = None
        if (kept := getattr(self._threads, "reader", None)) is not None:
            kept.close()
            self._threads.reader = None
        self.bind.dispose()
        self.reader.dispose()
        if self._auditor is not None:
            self._auditor.dispose()


class _SqliteTransaction:
    """BEGIN … COMMIT said to the driver itself: SQLAlchemy's own bookkeeping cost a tenth of a command."""

    def __init__(self, connection: Connection, begin: str) -> None:
        self._connection, self._begin = connection, begin
        self._raw: Any = connection.connection.dbapi_connection

    def __enter__(self) -> None:
        self._say(lambda: self._raw.execute(self._begin))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._say(self._raw.commit)
        else:
            self._raw.rollback()
        if self._connection.in_transaction():  # what SQLAlchemy began in its own books with a statement of its own
            self._connection.rollback()

    def _say(self, what: Callable[[], Any]) -> None:
        try:
            what()
        except pysqlite3.Error as error:
            with contextlib.suppress(pysqlite3.Error):
                self._raw.rollback()
            raise wrapped(self._connection, error) from error


class Stale(Exception):
    """`UPDATE … WHERE rev = ?` hit no row: another command came between. `Database.write` runs the work again."""


def _passes(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in PASSING
    return isinstance(error, OperationalError) and "locked" in str(error.orig).lower()


def _refuse_old_sqlite() -> None:
    version = tuple(int(part) for part in pysqlite3.sqlite_version.split("."))
    if version < OLDEST_SQLITE:
        raise GuijuError(
            "sqlite_too_old",
            text={
                "zh-CN": "SQLite {found} 过旧，至少需要 {need}(旧版本可能损坏数据)",
                "en": "SQLite {found} is too old, {need} or newer is needed (older ones can corrupt data)",
            },
            found=pysqlite3.sqlite_version,
            need=".".join(map(str, OLDEST_SQLITE)),
        )
