"""Scopes of auditors; keys of personal data, what was erased, what must be kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what auditing and erasing need."""
    op.create_table(
        "audit_scopes",
        sa.Column("scope_id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("process", sa.String(length=100), nullable=False),
        sa.Column("cases_from", sa.String(length=27), nullable=True),
        sa.Column("cases_until", sa.String(length=27), nullable=True),
        sa.Column("expires_at", sa.String(length=27), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("scope_id", name=op.f("pk_audit_scopes")),
    )
    op.create_index("ix_audit_scopes_username", "audit_scopes", ["username"], unique=False)
    op.create_table(
        "subject_keys",
        sa.Column("key_id", sa.String(length=36), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("wrapping", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("erasure_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_subject_keys")),
    )
    op.create_index("ix_subject_keys_instance", "subject_keys", ["instance_id", "subject"], unique=False)
    op.create_index("ix_subject_keys_subject", "subject_keys", ["subject"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.JSON(), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=True),
        sa.Column("request", sa.String(length=36), nullable=True),
        sa.Column("keys", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_at", "erasures", ["at"], unique=False)
    op.create_table(
        "legal_holds",
        sa.Column("hold_id", sa.String(length=36), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=True),
        sa.Column("username", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", sa.String(length=27), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_holds")),
    )
    op.create_index("ix_legal_holds_instance", "legal_holds", ["instance_id"], unique=False)
    op.add_column("attachments", sa.Column("key_id", sa.String(length=36), nullable=True))
