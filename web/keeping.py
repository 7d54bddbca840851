"""Until when a register row or a case is kept, for the pages and exports that say so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial
from typing import Any

from engine.identity import LOCAL
from processes import retention
from processes.law import SURE
from processes.retention import Kept
from web.current import engine
from web.languages import gettext as _
from web.languages import text


def of_rows(name: str, rows: Iterable[Any]) -> list[tuple[Kept, ...]]:
    """For each row of a register (`data`, `updated_at`)."""
    with engine().db.read() as connection:
        judge = partial(retention.of_row, retention.looking(connection, engine().now()), name)
        return [judge(row.data, _day(row.updated_at)) for row in rows]


def of_case(process: str, business_key: str | None, ended: datetime | None) -> tuple[Kept, ...]:
    """For a case."""
    with engine().db.read() as connection:
        looking = retention.looking(connection, engine().now())
        return retention.of_case(looking, process, business_key, _day(ended) if ended else None)


def said(kept: Kept) -> str:
    """`2029-11-24`, or why there is no date yet."""
    if kept.until is not None:
        return kept.until.isoformat()
    return _("尚未起算：%(why)s", why=text(kept.waits)) if kept.waits else _("尚未起算")


def period(kept: Kept) -> str:
    """How long, from when."""
    since = text(kept.rule.since)
    if not kept.rule.months:
        return since
    return _("%(since)s起 %(months)s 个月", since=since, months=kept.rule.months)


def sure(kept: Kept) -> str:
    """How sure we are of what the rule rests on."""
    return text(SURE[kept.rule.sure])


def _day(moment: datetime) -> date:
    return moment.astimezone(LOCAL).date()
