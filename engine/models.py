"""Every table. Moments are ISO 8601 text in UTC with microseconds, fixed width, so they sort as text in both databases.

Each row of an instance carries the instance's id first in its key. JSON that must keep its exact bytes (state,
history) is stored as bytes: JSONB would reorder keys.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, String, Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

MOMENT = String(27)
ID = String(36)

# What is deployed ----------------------------------------------------------------------------------------------------
resources = sa.Table(
    "resources",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
deployments = sa.Table(
    "deployments",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("by", String(64), nullable=False),
)
deployment_files = sa.Table(
    "deployment_files",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("sha256", String(64), nullable=False),
)
definitions = sa.Table(
    "definitions",
    metadata,
    Column("process", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)

_BEHIND = sa.text("seq > indexed_seq")

# Cases ---------------------------------------------------------------------------------------------------------------
instances = sa.Table(
    "instances",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("process", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("deployment", Integer, nullable=False),
    Column("business_key", String(64)),
    Column("title", Text, nullable=False, default=""),
    Column("initiator", String(64)),
    Column("status", String(12), nullable=False),
    Column("suspended", Boolean, nullable=False, default=False),
    Column("end", String(100)),
    Column("started_at", MOMENT, nullable=False),
    Column("ended_at", MOMENT),
    Column("rev", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("indexed_seq", Integer, nullable=False, server_default="0"),  # read so far by `indexing`
    Index("ix_instances_behind", "instance_id", sqlite_where=_BEHIND, postgresql_where=_BEHIND),
    Index("ix_instances_started", "started_at", "instance_id", "process", "status"),
    Index("ix_instances_initiator", "initiator", "started_at"),
    Index("ix_instances_business_key", "business_key"),
    Index("ix_instances_process", "process", "status", "started_at"),
)
tasks = sa.Table(
    "tasks",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("task_id", ID, primary_key=True),
    Column("element", String(100), nullable=False),
    Column("process", String(100), nullable=False),
    Column("status", String(10), nullable=False),
    Column("assignee", String(64)),
    Column("claimed_at", MOMENT),
    Column("created_at", MOMENT, nullable=False),
    Column("due_at", MOMENT),
    Column("completed_at", MOMENT),
    Column("completed_by", String(64)),
    Column("on_behalf", String(64)),
    Column("draft", LargeBinary),
    Index("ix_tasks_task_id", "task_id"),
    Index("ix_tasks_assignee", "assignee", "status", "created_at"),
    Index("ix_tasks_completed_by", "completed_by", "completed_at"),
)
task_access = sa.Table(
    "task_access",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("task_id", ID, primary_key=True),
    Column("principal", String(80), primary_key=True),
    Column("rule", String(10), primary_key=True),  # may | past (might, while it was open) | recused | reads | alone
    Column("created_at", MOMENT, nullable=False),
    Index("ix_task_access_principal", "principal", "rule", "created_at", "task_id"),
)
case_viewers = sa.Table(
    "case_viewers",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("principal", String(80), primary_key=True),
    Index("ix_case_viewers_principal", "principal"),
)
case_barred = sa.Table(  # whom the whole case is kept from: the process's `barred` as it stood after the last command
    "case_barred",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("username", String(64), primary_key=True),
    Index("ix_case_barred_username", "username"),
)
jobs = sa.Table(
    "jobs",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("job_id", String(80), primary_key=True),
    Column("kind", String(10), nullable=False),  # timer | operation | reminder | start | reassign
    Column("status", String(8), nullable=False),  # ready | held | failed
    Column("element", String(100), nullable=False),
    Column("token", ID, nullable=False),
    Column("due_at", MOMENT, nullable=False),  # when it is tried next
    Column("planned_at", MOMENT, nullable=False),  # when the diagram wanted it
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease", String(36)),
    Column("lease_until", MOMENT),
    Column("payload", LargeBinary),
    Column("error", Text),
    Index("ix_jobs_due", "status", "due_at"),
)
incidents = sa.Table(
    "incidents",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("incident_id", ID, primary_key=True),
    Column("kind", String(20), nullable=False),  # command | job | unstaffed
    Column("element", String(100), nullable=False),
    Column("error", JSON, nullable=False),
    Column("command", LargeBinary),
    Column("created_at", MOMENT, nullable=False),
    Column("resolved_at", MOMENT),
    Index("ix_incidents_open", "resolved_at", "created_at"),
)
history = sa.Table(
    "history",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)
idempotency = sa.Table(
    "idempotency",
    metadata,
    Column("actor", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("instance_id", ID, nullable=False),
    Column("command", String(64), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", MOMENT, nullable=False),
)
counters = sa.Table(
    "counters", metadata, Column("name", String(100), primary_key=True), Column("value", Integer, nullable=False)
)

# Who -----------------------------------------------------------------------------------------------------------------
people = sa.Table(
    "people",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("names", JSON, nullable=False),
    Column("department", String(64)),
    Column("title", String(100), nullable=False, default=""),
    Column("employment_type", String(20), nullable=False, default="regular"),
    Column("training_valid", Boolean, nullable=False, default=False),
    Column("policy_signed_on", String(10)),
    Column("status", String(40), nullable=False, default="active"),
)
departments = sa.Table(
    "departments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("names", JSON, nullable=False),
    Column("head", String(64)),
)
groups = sa.Table(
    "groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_zh", String(100), nullable=False),  # a lane may be named by it
    Column("names", JSON, nullable=False),
    Index("ix_groups_name_zh", "name_zh"),
)
memberships = sa.Table(
    "memberships",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("group_id", String(64), primary_key=True),
    Index("ix_memberships_group", "group_id"),
)
delegations = sa.Table(
    "delegations",
    metadata,
    Column("from_user", String(64), primary_key=True),
    Column("to_user", String(64), primary_key=True),
    Column("scope", String(100), primary_key=True),  # an element id, or * for all
    Column("valid_from", String(10), nullable=False),
    Column("valid_to", String(10), nullable=False),  # last day, inclusive
    Index("ix_delegations_to", "to_user"),
)
credentials = sa.Table(
    "credentials",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("password_hash", String(200), nullable=False),
)
web_sessions = sa.Table(
    "web_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("username", String(64), nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("last_seen_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("csrf", String(64), nullable=False),
    Index("ix_web_sessions_username", "username"),
)
api_tokens = sa.Table(
    "api_tokens",
    metadata,
    Column("token_id", ID, primary_key=True),
    Column("username", String(64), nullable=False),
    Column("name", String(60), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("scopes", String(60), nullable=False),
    Column("created_at", MOMENT, nullable=False),
    Column("expires_at", MOMENT, nullable=False),
    Column("last_used_at", MOMENT),
    Column("revoked_at", MOMENT),
    Index("ix_api_tokens_hash", "token_hash", unique=True),
    Index("ix_api_tokens_username", "username"),
)

# What procedures leave behind, and what people are told -------------------------------------------------------------
register_rows = sa.Table(
    "register_rows",
    metadata,
    Column("register", String(40), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("rev", Integer, nullable=False),
    Column("data", JSON, nullable=False),
    Column("updated_at", MOMENT, nullable=False),
)
register_changes = sa.Table(
    "register_changes",
    metadata,
    Column("register", String(40), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("rev", Integer, primary_key=True),
    Column("changes", JSON, nullable=False),
    Column("instance_id", ID),
    Column("business_key", String(64)),
    Column("by", String(64)),
    Column("at", MOMENT, nullable=False),
    Index("ix_register_changes_instance", "instance_id"),
)
notifications = sa.Table(
    "notifications",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("notification_id", ID, primary_key=True),
    Column("at", MOMENT, nullable=False),
    Column("instance_id", ID),
    Column("text", JSON, nullable=False),
    Column("read_at", MOMENT),
    Index("ix_notifications_username", "username", "at"),
)
# What starts by the clock, and what people attach ---------------------------------------------------------------------
schedules = sa.Table(
    "schedules",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("process", String(100), nullable=False),
    Column("every", String(20), nullable=False),
    Column("first_at", MOMENT, nullable=False),
    Column("next_at", MOMENT, nullable=False),  # the period that is started next
    Column("try_at", MOMENT, nullable=False),  # when that is tried: later than next_at after a failure
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("details", JSON, nullable=False),  # variables, by, title, viewers
    Index("ix_schedules_try_at", "try_at"),
)
attachments = sa.Table(
    "attachments",
    metadata,
    Column("attachment_id", ID, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of what is stored: of the ciphertext where `key_id` is set
    Column("by", String(64)),
    Column("at", MOMENT, nullable=False),
    Column("key_id", ID),  # the subject key it is encrypted under
    Index("ix_attachments_by", "by", "at"),
)
attachment_chunks = sa.Table(
    "attachment_chunks",
    metadata,
    Column("attachment_id", ID, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)
attachment_uses = sa.Table(  # where a file was handed in; one that never was is swept away
    "attachment_uses",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("attachment_id", ID, primary_key=True),
    Column("task_id", String(36), primary_key=True),  # empty: with the start form
    Column("element", String(100), nullable=False),
    Column("at", MOMENT, nullable=False),
    Index("ix_attachment_uses_attachment", "attachment_id"),
)
calendar_days = sa.Table(
    "calendar_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("note", String(100), nullable=False, default=""),
)
settings = sa.Table("settings", metadata, Column("name", String(100), primary_key=True), Column("value", JSON))

# Evidence: the tree over all events, and what was signed about it ---------------------------------------------------
tree_runs = sa.Table(  # which events stand where: what one transaction wrote to one chain
    "tree_runs",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("first", Integer, primary_key=True),  # seq of the run's first event
    Column("last", Integer, nullable=False),
    Column("place", sa.BigInteger),  # of the first event's leaf; NULL: the signer has not seen it yet
    Index("ix_tree_runs_place", "place", unique=True),
    sqlite_with_rowid=False,
)
tree_tiles = sa.Table(
    "tree_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
tree_head = sa.Table(  # one row: how far the tree has grown, which node grows it, and why it does not
    "tree_head",
    metadata,
    Column("name", String(10), primary_key=True),
    Column("origin", String(200), nullable=False),
    Column("size", sa.BigInteger, nullable=False),
    Column("lease", String(36)),
    Column("lease_until", MOMENT),
    Column("fault", JSON),
)
checkpoints = sa.Table(
    "checkpoints",
    metadata,
    Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
checkpoint_sinks = sa.Table(  # the outbox: how far each place of publication has got
    "checkpoint_sinks",
    metadata,
    Column("sink", String(300), primary_key=True),
    Column("size", sa.BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", MOMENT, nullable=False),
    Column("error", JSON),
)
