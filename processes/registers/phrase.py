"""The library of approved phrases for replies 话术库： what may be answered freely, without a second person.

A phrase is content like any other: submitted as type `phrase`, reviewed, frozen, and in the library once the account's
responsible person has put it into use. Key: the number of the submission.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PHRASE = "phrase"
TITLES: dict[str, dict[str, str]] = {
    "title": {"zh-CN": "名称", "en": "Name"},
    "text": {"zh-CN": "话术", "en": "Phrase"},
    "account_ids": {"zh-CN": "适用账号", "en": "Accounts"},
    "approved_by": {"zh-CN": "批准人", "en": "Approved by"},
    "in_use_since": {"zh-CN": "启用时间", "en": "In use since"},
    "status": {"zh-CN": "状态", "en": "Status"},
    "case_no": {"zh-CN": "案件", "en": "Case"},
}
STATUSES: dict[str, dict[str, str]] = {
    "active": {"zh-CN": "可用", "en": "In use"},
    "withdrawn": {"zh-CN": "停用", "en": "Withdrawn"},
}
_BLANKS = re.compile(r"\s+")


def usable(rows: Mapping[str, Mapping[str, Any]], account_id: str) -> dict[str, str]:
    """Number → text of the phrases an account may use."""
    return {
        key: str(row.get("text") or "")
        for key, row in rows.items()
        if row.get("status") == "active" and account_id in (row.get("account_ids") or ())
    }


def taken_from(rows: Mapping[str, Mapping[str, Any]], account_id: str, reply: str | None) -> str | None:
    """The number of the phrase a reply is, word for word but for blanks; None when it is no approved text."""
    plain = _BLANKS.sub("", reply or "")
    found = usable(rows, account_id).items()
    return next((key for key, text in found if plain and _BLANKS.sub("", text) == plain), None)
