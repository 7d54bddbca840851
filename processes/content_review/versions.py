"""A version that was decided on: its hashes, who approved it, on what conditions, why it came back, who publishes it.

Pure functions on the results of tasks: `first` (tier 1), `legal`, `vote` (the Group's record), `urgent` (two results).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.errors import Text

Record = Mapping[str, Any]
_BLANKS = re.compile(r"\s+")


def hashes(*, title: str, body: str, **content: Any) -> dict[str, str]:
    """{"sha256" of everything readers get to see, "body_sha256" of the text alone}.

    Media count by their attachment ids: what is stored under an id never changes.
    """
    whole = {"title": title, "body": body, **{name: value for name, value in content.items() if value}}
    plain = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {
        "sha256": hashlib.sha256(plain.encode()).hexdigest(),
        "body_sha256": hashlib.sha256(body.encode()).hexdigest(),
    }


def same_text(published: str, title: str, body: str) -> bool:
    """Whether what was published is the approved text, with or without its title; blanks and line ends do not count."""
    plain = _BLANKS.sub("", published)
    return plain in (_BLANKS.sub("", body), _BLANKS.sub("", title + body))


def voter(result: Record | None) -> str | None:
    """In whose name a task was done: whom a stand-in stood for, else who did it."""
    return result.get("for") or result.get("by") if result else None


def approvers(
    *, first: Record | None, legal: Record | None, vote: Record | None, urgent: Sequence[Record] | None
) -> list[str]:
    """Whose approvals this version has: people, and the Group as one."""
    found: list[str | None] = []
    if urgent:
        found += [each.get("by") for each in urgent if each.get("outcome") == "approve"]
    if first and first.get("outcome") in ("approve", "conditional"):
        found.append(first.get("by"))
    if legal and legal.get("outcome") == "ok":
        found.append(legal.get("by"))
    if vote and vote.get("outcome") in ("passed", "passed_with_conditions"):
        found.append("mgmt_group")
    return list(dict.fromkeys(name for name in found if name))


def conditions(*, first: Record | None, legal: Record | None, vote: Record | None) -> list[str]:
    """What whoever publishes must follow, each once."""
    found: list[str] = []
    if first and first.get("outcome") == "conditional":
        found += first.get("conditions") or [first.get("comment")]
    if legal and legal.get("outcome") in ("ok", "change"):
        found += legal.get("conditions") or [legal.get("comment")]
    found += [str(_plain(each)) for each in (vote or {}).get("conditions") or ()]
    return list(dict.fromkeys(text for text in found if text))


def _plain(condition: Any) -> Any:
    return condition.get("text") or condition.get("comment") if isinstance(condition, Mapping) else condition


def reasons(*, first: Record | None, legal: Record | None, vote: Record | None, urgent: Sequence[Record] | None) -> str:
    """Why a version came back, with every item of the five-point check that failed."""
    said: list[str] = []
    for result in (first, legal, *(urgent or ())):
        if not result or result.get("outcome") in ("approve", "conditional", "ok", "escalate"):
            continue
        check = result.get("review_check") or {}
        failed = [f"{item}：{check.get(item + '说明') or '不通过'}" for item, value in check.items() if value == "fail"]
        said += [text for text in [result.get("comment"), *failed] if text]
    if vote and vote.get("outcome") == "returned":
        said.append(str(vote.get("summary") or "小组退回"))
    return "；".join(said) or "未写明理由"


def publishers(
    accounts: Mapping[str, Record | None], approved_by: Sequence[str], at_work: Callable[[str], bool]
) -> dict[str, dict[str, Any]]:
    """Who publishes on each account: its responsible person, or the backup when the responsible one is away for good or
    is the only one who approved it (X04)."""
    found: dict[str, dict[str, Any]] = {}
    for key, row in accounts.items():
        for name in ((row or {}).get("responsible"), (row or {}).get("backup")):
            if name and at_work(name) and list(approved_by) != [name]:
                found[key] = {"account_id": key, "name": f"{(row or {}).get('name')}（{key}）", "publisher": name}
                break
    return found


def unstaffed(account_ids: Iterable[str], targets: Mapping[str, Any]) -> list[Text]:
    """Accounts nobody may publish on."""
    return [
        {"zh-CN": f"账号 {key} 没有可以发布的负责人", "en": f"Account {key} has nobody who may publish"}
        for key in account_ids
        if key not in targets
    ]
