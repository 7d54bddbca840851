"""Whom cases are kept from; the mailboxes, receipts and sealed identities of those who report."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what complaints need beside their cases."""
    op.create_table(
        "case_barred",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "username", name=op.f("pk_case_barred")),
    )
    op.create_index("ix_case_barred_username", "case_barred", ["username"], unique=False)
    op.create_table(
        "complaint_threads",
        sa.Column("thread_id", sa.String(length=36), nullable=False),
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("opened_at", sa.String(length=27), nullable=False),
        sa.Column("lookup", sa.String(length=8), nullable=True),
        sa.Column("receipt_hash", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("thread_id", name=op.f("pk_complaint_threads")),
    )
    op.create_index("ix_complaint_threads_instance", "complaint_threads", ["instance_id"], unique=False)
    op.create_index("ix_complaint_threads_lookup", "complaint_threads", ["lookup"], unique=False)
    op.create_table(
        "complaint_messages",
        sa.Column("thread_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.JSON(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("thread_id", "message_id", name=op.f("pk_complaint_messages")),
    )
    op.create_table(
        "sealed_values",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("destroyed_at", sa.String(length=27), nullable=True),
        sa.PrimaryKeyConstraint("instance_id", "name", name=op.f("pk_sealed_values")),
    )
    op.create_table(
        "identity_grants",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("grant_id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.JSON(), nullable=False),
        sa.Column("request_no", sa.String(length=64), nullable=True),
        sa.Column("from_at", sa.String(length=27), nullable=False),
        sa.Column("until", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "grant_id", name=op.f("pk_identity_grants")),
    )
