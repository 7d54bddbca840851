"""What a submission is checked for before anybody reads it: the scan, the flags, its accounts and its time.

No store, no clock. A *hit* as a case keeps it: {"rule", "flag", "severity", "field", "text", "start", "end", "note"};
`start` and `end` are places in the field as written, `note` says which law and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import Text
from processes.scanner import normalise, scan
from processes.term_rules import TermRule

Hit = dict[str, Any]

LOCAL = ZoneInfo("Asia/Shanghai")
MOST_HITS = 200  # kept with the case; more than that is no text anybody would approve
EXEMPTIBLE = frozenset({"absolute_term", "env_health_claim"})  # the guide of 2023 knows exceptions for these
OF_TYPE = {
    "kol_post": "paid_or_gifted",
    "livestream": "livestream",
    "recruitment": "recruitment",
    "prize_rules": "prize_draw",
    "crisis_statement": "crisis",
}


def hits_in(
    fields: Iterable[tuple[str, str]],
    exemptions: Sequence[Mapping[str, Any]],
    rules: Sequence[TermRule] | None = None,
) -> list[Hit]:
    """Every hit in (field, text) pairs. A blocking term the author gave a reason for only warns, where the law knows
    exceptions; the reviewer sees the reason and decides."""
    reasons = {normalise(str(each.get("text") or "")): str(each.get("reason") or "") for each in exemptions}
    found: list[Hit] = []
    for field, text in fields:
        for hit in scan(text, rules=rules):
            excuse = reasons.get(hit.text) if hit.rule.flag in EXEMPTIBLE else None
            zh = f"{hit.rule.law}：{hit.rule.advice}" if hit.rule.advice else hit.rule.law
            en = f"{hit.rule.flag}, {hit.rule.id}"
            if excuse:
                zh, en = f"{zh}；豁免理由：{excuse}", f"{en}; exemption claimed: {excuse}"
            found.append(
                {
                    "rule": hit.rule.id,
                    "flag": hit.rule.flag,
                    "severity": "warn" if excuse else hit.rule.severity,
                    "field": field,
                    "text": hit.text,
                    "start": hit.start,
                    "end": hit.end,
                    "note": {"zh-CN": zh, "en": en},
                }
            )
    return found[:MOST_HITS]


def all_flags(declared: Iterable[str], content_type: str, hits: Iterable[Mapping[str, Any]]) -> list[str]:
    """Declared, implied by the type, and found: each once."""
    implied = [OF_TYPE[content_type]] if content_type in OF_TYPE else []
    return list(dict.fromkeys([*declared, *implied, *(hit["flag"] for hit in hits)]))


def account_problems(account_ids: Iterable[str], accounts: Mapping[str, Mapping[str, Any] | None]) -> list[Text]:
    """Accounts that nothing may be published on."""
    found: list[Text] = []
    for key in account_ids:
        row = accounts.get(key)
        name = (row or {}).get("name") or key
        if row is None or row.get("status") != "active":
            found.append(
                {"zh-CN": f"账号「{name}」（{key}）不是在用状态", "en": f"Account “{name}” ({key}) is not active"}
            )
        elif row.get("posting_locked"):
            why = row.get("posting_lock_reason") or {}
            found.append(
                {
                    "zh-CN": f"账号「{name}」（{key}）已锁定发布：{why.get('zh-CN', '')}",
                    "en": f"Posting on “{name}” ({key}) is locked: {why.get('en', '')}",
                }
            )
    return found


def live_problems(
    content_type: str,
    hosts: Sequence[str],
    host_brief: str | None,
    watching: Mapping[str, Collection[str]],
    authors: Sequence[str],
) -> list[Text]:
    """What a livestream lacks: who speaks, what they were told, who watches, and that one watches who does neither.

    `watching`: username of each monitor → what they go by; hosts are written as people write names.
    """
    if content_type != "livestream":
        return []
    found: list[Text] = []
    if not hosts:
        found.append({"zh-CN": "直播须写明主播", "en": "A livestream needs its hosts named"})
    if not host_brief:
        found.append({"zh-CN": "直播须附主播须知与违禁词", "en": "A livestream needs a brief for its hosts"})
    if not [who for who, names in watching.items() if who not in authors and not set(names).intersection(hosts)]:
        zh = "直播须指明场控，且至少一人不是作者、编辑、主播"
        found.append({"zh-CN": zh, "en": "A livestream needs a monitor who is neither author nor host"})
    return found


def planned(text: str) -> datetime | None:
    """The planned time; without a zone it is the company's. None when it is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)


def summary(hits: Sequence[Mapping[str, Any]], problems: Sequence[Text], notes: Sequence[Text]) -> Text | None:
    """What the system found, a line each, blocking terms first; None when it found nothing."""
    zh = ["须改正：" + each["zh-CN"] for each in problems]
    en = ["To be corrected: " + each["en"] for each in problems]
    said: set[tuple[str, str]] = set()
    for hit in sorted(hits, key=lambda each: each["severity"] != "block"):
        if (key := (hit["rule"], hit["text"])) in said:
            continue
        said.add(key)
        blocks = hit["severity"] == "block"
        zh.append(f"{'阻断' if blocks else '提示'}「{hit['text']}」：{hit['note']['zh-CN']}")
        en.append(f"{'Blocks' if blocks else 'Warns'} “{hit['text']}”: {hit['note']['en']}")
    zh += ["提示：" + each["zh-CN"] for each in notes]
    en += ["Note: " + each["en"] for each in notes]
    return {"zh-CN": "\n".join(zh), "en": "\n".join(en)} if zh else None
