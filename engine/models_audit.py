"""What auditors search and measure by: read from the history by `indexing`, and readable from it again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Index, Integer, String

from engine.models import ID, MOMENT, metadata

_OPEN = sa.text("left_at IS NULL")

case_facts = sa.Table(
    "case_facts",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("name", String(160), primary_key=True),
    Column("value", String(204), primary_key=True),
    Column("number", sa.Float),
    Column("seq", Integer, nullable=False),
    Index("ix_case_facts_value", "kind", "name", "value", "instance_id"),
    Index("ix_case_facts_number", "name", "number", "instance_id"),
)
step_times = sa.Table(  # each task, and each visit of every other element, with the office hours it took
    "step_times",
    metadata,
    Column("instance_id", ID, primary_key=True),
    Column("token", ID, primary_key=True),
    Column("root", String(100), nullable=False),
    Column("process", String(100), nullable=False),
    Column("element", String(100), nullable=False),
    Column("is_task", Boolean, nullable=False),
    Column("case_at", MOMENT, nullable=False),
    Column("entered_at", MOMENT, nullable=False),
    Column("left_at", MOMENT),
    Column("due_at", MOMENT),
    Column("worked", Integer),  # seconds of office time; None until it was left, and when it was cancelled
    Column("late", Integer),  # 1: left after it was due; None: it has no term
    Column("cancelled", Boolean, nullable=False, default=False),
    Column("starter", String(64)),  # who started the case
    Column("by", String(64)),
    Column("behalf", String(64)),
    Column("outcome", String(100)),  # None also while auditors may not see the entry
    Index("ix_step_times_outcome", "outcome", "starter", "by", "behalf", "instance_id"),
    Index("ix_step_times_open", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_step_times_process", "process", "element", "is_task", "worked", "late", "root", "case_at", "instance_id"),
)
