"""The tree over all events, the checkpoints signed about it, and where they are published."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SQLITE_GUARDS = (
    "CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
    "CREATE TRIGGER checkpoints_no_replace BEFORE INSERT ON checkpoints WHEN EXISTS "
    "(SELECT 1 FROM checkpoints WHERE size = NEW.size) "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END",
)
POSTGRES_GUARDS = (
    "CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE ON checkpoints "
    "FOR EACH ROW EXECUTE FUNCTION history_append_only()",
    "CREATE TRIGGER checkpoints_no_truncate BEFORE TRUNCATE ON checkpoints "
    "FOR EACH STATEMENT EXECUTE FUNCTION history_append_only()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON checkpoints FROM CURRENT_USER",
)


def upgrade() -> None:
    """Add the tables; what is in the history already waits for the signer, a run per case."""
    op.create_table(
        "tree_runs",
        sa.Column("instance_id", sa.String(length=36), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("instance_id", "first", name=op.f("pk_tree_runs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tree_runs_place", "tree_runs", ["place"], unique=True)
    op.create_table(
        "tree_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tree_tiles")),
    )
    op.create_table(
        "tree_head",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.Column("lease_until", sa.String(length=27), nullable=True),
        sa.Column("fault", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tree_head")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "checkpoint_sinks",
        sa.Column("sink", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_checkpoint_sinks")),
    )
    op.execute(sa.text("INSERT INTO tree_head (name, origin, size) VALUES ('tree', '', 0)"))
    op.execute(
        sa.text(
            "INSERT INTO tree_runs (instance_id, first, last) "
            "SELECT instance_id, min(seq), max(seq) FROM history GROUP BY instance_id"
        )
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_GUARDS if sqlite else POSTGRES_GUARDS:
        op.execute(sa.text(statement))
