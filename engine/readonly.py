"""The auditors' connections: they cannot write, whatever a page above them tries.

SQLite: the file opened with `mode=ro`, and `query_only` besides. PostgreSQL: transactions are read-only, and the
session is that of the role `guiju_auditor` (`guiju audit-role` makes it: SELECT on what an audit shows, nothing on
credentials, sessions, sealed identities and mailboxes), either by its own login (`GUIJU_AUDIT_DATABASE_URL`) or by SET
ROLE.
"""

from __future__ import annotations

from typing import Any

import pysqlite3
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

ROLE = "guiju_auditor"
READS = (  # tables an audit reads; everything else is closed to the role
    "resources deployments deployment_files definitions instances tasks task_access case_viewers case_barred jobs "
    "incidents history people departments groups memberships delegations register_rows register_changes schedules "
    "attachments attachment_chunks attachment_uses calendar_days audit_scopes subject_keys erasures legal_holds "
    "tree_runs tree_tiles tree_head checkpoints checkpoint_sinks case_facts step_times alembic_version"
)
_OPTIONS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "5000",
    "options": "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC "
    "-c default_transaction_read_only=on",
}


def bind_of(url: URL, audit_url: str | None, *, pool_size: int = 8) -> Engine:
    """The connection factory for auditors of the database at `url`."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(str(url.database), pool_size)
    bind = sa.create_engine(
        (sa.make_url(audit_url) if audit_url else url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=10,
        pool_recycle=1800,
        connect_args=_OPTIONS,
    )

    @sa.event.listens_for(bind, "connect")
    def _become(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user "
                "AND pg_has_role(current_user, oid, 'MEMBER')",
                (ROLE,),
            )
            if cursor.fetchone():
                cursor.execute(f"SET ROLE {ROLE}")
        connection.commit()

    return bind


def _sqlite(path: str, pool_size: int) -> Engine:
    bind = sa.create_engine(
        f"sqlite:///file:{path}?mode=ro&uri=true",
        module=pysqlite3.dbapi2,
        poolclass=sa.pool.QueuePool,
        pool_size=pool_size,
        max_overflow=8,
        pool_timeout=10,
        pool_reset_on_return=None,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    @sa.event.listens_for(bind, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("query_only=ON", "trusted_schema=OFF", "cache_size=-16000"):
            connection.execute(f"PRAGMA {pragma}")

    return bind


def make_role(connection: Connection) -> None:
    """Make or mend the auditors' role on PostgreSQL, and let whoever runs this take it on. Nothing on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    known = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": ROLE}).first()
    if known is None:
        connection.execute(sa.text(f"CREATE ROLE {ROLE} NOLOGIN NOINHERIT"))
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.execute(sa.text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {ROLE}"))
    connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}"))
    names = sa.inspect(connection).get_table_names()
    tables = ", ".join(f"{schema}.{name}" for name in READS.split() if name in names)
    connection.execute(sa.text(f"GRANT SELECT ON {tables} TO {ROLE}"))
    connection.execute(sa.text(f"GRANT {ROLE} TO CURRENT_USER"))
