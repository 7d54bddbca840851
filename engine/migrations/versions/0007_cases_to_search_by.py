"""What auditors search and measure cases by: facts, and how long each step took; kept from the history."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the two tables, and how far each case's history has been read into them."""
    op.add_column("instances", sa.Column("indexed_seq", sa.Integer(), nullable=False, server_default="0"))
    behind = sa.text("seq > indexed_seq")
    op.create_index("ix_instances_behind", "instances", ["instance_id"], sqlite_where=behind, postgresql_where=behind)
    op.create_index(
        "ix_instances_started", "instances", ["started_at", "instance_id", "process", "status"], unique=False
    )
    op.create_table(
        "case_facts",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("value", sa.String(length=204), nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "kind", "name", "value", name=op.f("pk_case_facts")),
    )
    op.create_index("ix_case_facts_value", "case_facts", ["kind", "name", "value", "instance_id"])
    op.create_index("ix_case_facts_number", "case_facts", ["name", "number", "instance_id"])
    op.create_table(
        "step_times",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("token", sa.String(length=36), nullable=False),
        sa.Column("root", sa.String(length=100), nullable=False),
        sa.Column("process", sa.String(length=100), nullable=False),
        sa.Column("element", sa.String(length=100), nullable=False),
        sa.Column("is_task", sa.Boolean(), nullable=False),
        sa.Column("case_at", sa.String(length=27), nullable=False),
        sa.Column("entered_at", sa.String(length=27), nullable=False),
        sa.Column("left_at", sa.String(length=27), nullable=True),
        sa.Column("due_at", sa.String(length=27), nullable=True),
        sa.Column("worked", sa.Integer(), nullable=True),
        sa.Column("late", sa.Integer(), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("starter", sa.String(length=64), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("behalf", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("instance_id", "token", name=op.f("pk_step_times")),
    )
    op.create_index(
        "ix_step_times_process",
        "step_times",
        ["process", "element", "is_task", "worked", "late", "root", "case_at", "instance_id"],
    )
    op.create_index("ix_step_times_outcome", "step_times", ["outcome", "starter", "by", "behalf", "instance_id"])
    still = sa.text("left_at IS NULL")
    op.create_index("ix_step_times_open", "step_times", ["due_at"], sqlite_where=still, postgresql_where=still)
