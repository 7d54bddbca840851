"""Alembic's entry: runs on the connection `migrate` hands over, so that the migration is part of one transaction."""

from __future__ import annotations

from alembic import context

from engine.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is ours
    render_as_batch=True,
)
context.run_migrations()
