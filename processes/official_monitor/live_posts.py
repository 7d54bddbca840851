"""What stands online against what was approved: the weekly check for posts nobody reviewed (四.1.2f).

Pure functions on rows of the content register (number → row).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from processes.content_review.screening import LOCAL

Row = Mapping[str, Any]
ONLINE = ("published", "corrected", "approved")  # approved: published on this account, others still to come
WEEK = timedelta(days=7)
_COMPARED = {"match": "已比对", "unchecked": "未比对，请核对原文", "mismatch": "与批准不一致"}


def address(url: str) -> str:
    """A link without what makes no difference: scheme, `www.`, a closing slash, the fragment."""
    parts = urlsplit(url.strip())
    host = (parts.netloc or "").lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")


def posted(rows: Mapping[str, Row], account_id: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Address → (number, post) of everything that was published on an account after approval and may be online."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for number, row in rows.items():
        post = (row.get("posts") or {}).get(account_id)
        if post and post.get("url") and row.get("status") in ONLINE:
            found[address(str(post["url"]))] = number, post
    return found


def unreviewed(rows: Mapping[str, Row], account_id: str, urls: Iterable[str]) -> list[str]:
    """The links among `urls` that have no approval on this account, in order, each once."""
    known = posted(rows, account_id)
    return list(dict.fromkeys(url.strip() for url in urls if url.strip() and address(url) not in known))


def of_the_week(rows: Mapping[str, Row], account_id: str, day: date) -> list[str]:
    """A line for every post of the last seven days that has an approval, latest first."""
    lines: list[tuple[datetime, str]] = []
    for number, row in rows.items():
        post = (row.get("posts") or {}).get(account_id)
        if not post:
            continue
        at = datetime.fromisoformat(str(post["at"])).astimezone(LOCAL)
        if day - WEEK <= at.date() <= day:
            compared = _COMPARED.get(str(post.get("compared")), "未比对，请核对原文")
            where = post.get("url") or "未登记链接"
            lines.append((at, f"{at:%m-%d %H:%M} {number}「{row.get('title', '')}」 {where}（{compared}）"))
    return [line for _, line in sorted(lines, reverse=True)]
