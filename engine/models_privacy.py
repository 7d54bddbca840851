"""The tables of who audits what, whose personal data is under which key, what was erased and what must be kept."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Text

from engine.models import ID, MOMENT, metadata

audit_scopes = sa.Table(
    "audit_scopes",
    metadata,
    Column("scope_id", ID, primary_key=True),
    Column("username", String(64), nullable=False),
    Column("process", String(100), nullable=False),  # or * for all
    Column("cases_from", MOMENT),
    Column("cases_until", MOMENT),  # exclusive
    Column("expires_at", MOMENT),
    Column("reason", Text, nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", MOMENT, nullable=False),
    Column("revoked_by", String(64)),
    Column("revoked_at", MOMENT),
    Index("ix_audit_scopes_username", "username"),
)
subject_keys = sa.Table(  # one person's data in one case
    "subject_keys",
    metadata,
    Column("key_id", ID, primary_key=True),
    Column("instance_id", ID, nullable=False),
    Column("subject", String(100), nullable=False),  # a username, or the name of the field that names nobody known
    Column("wrapped", LargeBinary),  # NULL: erased
    Column("wrapping", String(16), nullable=False),  # which wrapping key
    Column("made_at", MOMENT, nullable=False),
    Column("erasure_id", ID),
    Index("ix_subject_keys_instance", "instance_id", "subject"),
    Index("ix_subject_keys_subject", "subject"),
)
erasures = sa.Table(  # what was erased: the tombstones of `subject_keys` point here
    "erasures",
    metadata,
    Column("erasure_id", ID, primary_key=True),
    Column("at", MOMENT, nullable=False),
    Column("rule", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("approved_by", JSON, nullable=False),
    Column("instance_id", ID, nullable=False),  # whose data went
    Column("subject", String(100)),  # NULL: everybody's in the case
    Column("request", ID),  # the case that decided it
    Column("keys", Integer, nullable=False),
    Index("ix_erasures_at", "at"),
)
legal_holds = sa.Table(
    "legal_holds",
    metadata,
    Column("hold_id", ID, primary_key=True),
    Column("instance_id", ID),  # a case, or
    Column("username", String(64)),  # a person, whatever the case
    Column("reason", Text, nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", MOMENT, nullable=False),
    Column("lifted_by", String(64)),
    Column("lifted_at", MOMENT),
    Column("lift_reason", Text),
    Index("ix_legal_holds_instance", "instance_id"),
)
