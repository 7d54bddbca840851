"""Cases that answer an auditor's question: a page at a time, newest first, or all of them for an export.

Which part of a question is asked first decides how long it takes: a fact that few cases share is looked up and the
rest checked on those; when every part is shared by many, cases are walked from the newest and checked, and the page
is full before long. How many share a fact is counted to FEW only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import deployment, indexing
from engine.errors import Text
from engine.models import instances
from engine.models_audit import case_facts, step_times
from engine.queries import asked
from engine.queries.asked import Question
from engine.queries.auditing import Auditing, auditing
from engine.queries.rows import CaseRow, Page, case_rows

if TYPE_CHECKING:
    from engine.runtime import Engine

FEW = 2000
PAGE = 50
NAMES = 400  # variable names offered


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A case that answers; `seq`: the event with which what was asked became true of it (None: nothing was asked)."""

    case: CaseRow
    seq: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A page of answers; `behind`: how many cases have events that are not searchable yet."""

    page: Page
    behind: int


def search(engine: Engine, question: Question, *, actor: str, cursor: str | None = None, limit: int = PAGE) -> Found:
    """A page of the cases that answer, newest first. Raises Denied to whoever does not audit."""
    with auditing(engine, actor, "search") as audit:
        page = _page(engine, audit, question, cursor, limit)
        return Found(page=page, behind=indexing.behind(audit.connection))


def every(engine: Engine, question: Question, *, actor: str, limit: int = 500) -> Iterator[Hit]:
    """All cases that answer, page by page, each read on its own. Raises Denied at once."""
    with auditing(engine, actor, "export"):
        return _every(engine, question, actor, limit)


def _every(engine: Engine, question: Question, actor: str, limit: int) -> Iterator[Hit]:
    cursor: str | None = None
    while True:
        with auditing(engine, actor, "export") as audit:
            page = _page(engine, audit, question, cursor, limit)
        yield from page.items
        if (cursor := page.next) is None:
            return


def variable_names(engine: Engine, *, actor: str) -> list[str]:
    """Names of variables that cases have had, by name: one look-up each, however many cases there are."""
    with auditing(engine, actor, "search") as audit:
        return list(audit.connection.scalars(sa.text(_NAMES), {"most": NAMES}))


def procedures(engine: Engine, *, actor: str) -> list[tuple[str, Text]]:
    """(key, name) of every procedure deployed, by name."""
    with auditing(engine, actor, "search") as audit:
        found = [
            (row.process, engine.shelf.get(row.number, audit.connection).processes[row.process].name)
            for row in deployment.latest(audit.connection)
        ]
        return sorted(found, key=lambda pair: pair[1]["zh-CN"])


_NAMES = """
WITH RECURSIVE known(name) AS (
  SELECT min(name) FROM case_facts WHERE kind = 'variable'
  UNION ALL
  SELECT (SELECT min(f.name) FROM case_facts f WHERE f.kind = 'variable' AND f.name > known.name)
  FROM known WHERE known.name IS NOT NULL
)
SELECT name FROM known WHERE name IS NOT NULL LIMIT :most
"""


def ids(engine: Engine, question: Question) -> list[str]:
    """Ids of every case that answers, newest first, for the operator at the server's own command line: no limits."""
    with engine.db.read() as connection:
        query, _ = _query(engine, connection, sa.true(), question)
        query = query.order_by(instances.c.started_at.desc(), instances.c.instance_id.desc())
        return [row.instance_id for row in connection.execute(query)]


Parts = list[tuple[sa.Table, sa.ColumnElement[bool]]]


def _query(
    engine: Engine, connection: Connection, mine: sa.ColumnElement[bool], question: Question
) -> tuple[sa.Select[tuple[str, str]], Parts]:
    """(the cases that answer, the parts of the question that other tables answer)."""
    query = sa.select(instances.c.instance_id, instances.c.started_at).where(mine, *asked.cases(question))
    parts: Parts = [(case_facts, each) for each in asked.facts(question)]
    parts += [(step_times, each) for each in asked.times(question, engine.now())]
    first = _rarest(connection, parts)
    for place, (table, condition) in enumerate(parts):
        if place == first:
            query = query.where(instances.c.instance_id.in_(sa.select(table.c.instance_id).where(condition)))
        else:
            query = query.where(sa.exists().where(table.c.instance_id == instances.c.instance_id, condition))
    return query, parts


def _page(engine: Engine, audit: Auditing, question: Question, cursor: str | None, limit: int) -> Page:
    connection = audit.connection
    query, parts = _query(engine, connection, audit.mine, question)
    if cursor:
        at, _, last = cursor[:80].replace("\x00", "").partition(" ")
        query = query.where(
            sa.tuple_(instances.c.started_at, instances.c.instance_id) < sa.tuple_(sa.literal(at), sa.literal(last))
        )
    query = query.order_by(instances.c.started_at.desc(), instances.c.instance_id.desc()).limit(limit + 1)
    keys = connection.execute(query).all()
    found = [row.instance_id for row in keys[:limit]]
    rows = {
        row.instance_id: row
        for row in connection.execute(sa.select(instances).where(instances.c.instance_id.in_(found)))
    }
    cases = case_rows(engine, connection, [rows[each] for each in found])
    moments = _moments(connection, found, parts)
    more = keys[limit - 1] if len(keys) > limit else None
    return Page(
        items=[Hit(case=case, seq=moments.get(case.instance_id)) for case in cases],
        next=f"{more.started_at} {more.instance_id}" if more else None,
    )


def _rarest(connection: Connection, parts: Parts) -> int | None:
    """The place of the part that the fewest rows answer, when they are few; None to walk the cases instead."""
    counts = []
    for table, condition in parts:
        rows = sa.select(table.c.instance_id).where(condition).limit(FEW).subquery()
        counts.append(int(connection.scalar(sa.select(sa.func.count()).select_from(rows)) or 0))
    if not counts or min(counts) == FEW:
        return None
    return counts.index(min(counts))


def _moments(
    connection: Connection, ids: list[str], parts: list[tuple[sa.Table, sa.ColumnElement[bool]]]
) -> dict[str, int]:
    """For each case the event by which every fact asked for had become true."""
    found: dict[str, int] = {}
    for table, condition in parts:
        if table is not case_facts or not ids:
            continue
        query = sa.select(case_facts.c.instance_id, sa.func.min(case_facts.c.seq))
        rows: Any = connection.execute(
            query.where(case_facts.c.instance_id.in_(ids), condition).group_by(case_facts.c.instance_id)
        )
        for instance_id, seq in rows:
            found[instance_id] = max(found.get(instance_id, 0), seq)
    return found
