"""What starts by the clock, and the files people attach."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add schedules, attachments, their chunks and where they are used."""
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("process", sa.String(length=100), nullable=False),
        sa.Column("every", sa.String(length=20), nullable=False),
        sa.Column("first_at", sa.String(length=27), nullable=False),
        sa.Column("next_at", sa.String(length=27), nullable=False),
        sa.Column("try_at", sa.String(length=27), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
    )
    never = "1970-01-01T00:00:00.000000Z"  # the policy is asked at the first tick
    op.execute(
        sa.text(
            "INSERT INTO schedules (name, process, every, first_at, next_at, try_at, attempts, details) "
            "VALUES ('*', '', 'PT10M', :never, :never, :never, 0, '{}')"
        ).bindparams(never=never)
    )
    op.create_index("ix_schedules_try_at", "schedules", ["try_at"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("attachment_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_by", "attachments", ["by", "at"], unique=False)
    op.create_table(
        "attachment_chunks",
        sa.Column("attachment_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("attachment_id", "number", name=op.f("pk_attachment_chunks")),
    )
    op.create_table(
        "attachment_uses",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("attachment_id", sa.String(length=36), nullable=False),
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("element", sa.String(length=100), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "attachment_id", "task_id", name=op.f("pk_attachment_uses")),
    )
    op.create_index("ix_attachment_uses_attachment", "attachment_uses", ["attachment_id"], unique=False)
