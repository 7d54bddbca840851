"""The tables of what designers work on before anything is deployed."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Index, Integer, String

from engine.models import ID, MOMENT, metadata

drafts = sa.Table(
    "drafts",
    metadata,
    Column("draft_id", ID, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("base", Integer, nullable=False),  # the deployment it lies over
    Column("by", String(64), nullable=False),
    Column("status", String(10), nullable=False),  # open | submitted | deployed | dropped
    Column("rev", Integer, nullable=False),
    Column("made_at", MOMENT, nullable=False),
    Column("saved_at", MOMENT, nullable=False),
    Column("case", ID),  # the change case that decides on it
    Index("ix_drafts_status", "status", "saved_at"),
)
draft_files = sa.Table(
    "draft_files",
    metadata,
    Column("draft_id", ID, primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("rev", Integer, primary_key=True),
    Column("sha256", String(64)),  # null with `removed` false: as in the base again
    Column("removed", Boolean, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", MOMENT, nullable=False),
)
draft_holds = sa.Table(
    "draft_holds",
    metadata,
    Column("draft_id", ID, primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("username", String(64), nullable=False),
    Column("until", MOMENT, nullable=False),
)
draft_assessments = sa.Table(
    "draft_assessments",
    metadata,
    Column("digest", String(64), primary_key=True),  # of all the files that were assessed
    Column("at", MOMENT, nullable=False),
    Column("body", JSON, nullable=False),
)
