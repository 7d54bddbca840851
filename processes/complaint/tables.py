"""The tables complaints have beside their cases. Nothing in them is process data; migration 0003 makes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def _table(name: str, columns: str, **typed: type) -> sa.TableClause:
    named: list[sa.ColumnClause[Any]] = [sa.column(column, typed.get(column, sa.String)) for column in columns.split()]
    return sa.table(name, *named)


threads = _table("complaint_threads", "thread_id instance_id opened_at lookup receipt_hash")
messages = _table("complaint_messages", "thread_id message_id at kind text sealed", text=sa.JSON, sealed=sa.LargeBinary)
sealed_values = _table("sealed_values", "instance_id name sealed at destroyed_at", sealed=sa.LargeBinary)
grants = _table(
    "identity_grants",
    "instance_id grant_id username reason approved_by request_no from_at until",
    approved_by=sa.JSON,
)
instances = _table("instances", "instance_id business_key process status end title state ended_at")
definitions = _table("definitions", "process")
