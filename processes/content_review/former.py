"""The same text submitted before: what was known of it counts again, so nobody lowers a tier by starting anew.

The register `content_text` maps a fingerprint of the text (letters and figures only, normalised) to the submissions
that held it and the flags it went with.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from engine import OperationContext
from engine.errors import Text
from processes.registers.content import CONTENT, CONTENT_TEXT, STATUSES
from processes.scanner import normalise

KEPT_FLAGS = frozenset({"sensitive_info", "public_event", "national_symbol", "competitor", "major_campaign"})
SHOWN = 5  # former submissions named to a reader


@dataclass(frozen=True, kw_only=True)
class Former:
    """Of a text in other cases: `flags` that decide its tier, the highest `tier` ("T2" or None), `notes` to tell."""

    flags: list[str]
    tier: str | None
    notes: list[Text]


def fingerprint(body: str) -> str:
    """SHA-256 of the letters and figures of a text, however it is set or disguised."""
    plain = "".join(char for char in normalise(body) if char.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def remember(ctx: OperationContext, body: str, flags: list[str]) -> None:
    """Note that this case holds this text, with these flags."""
    if ctx.business_key:
        key = fingerprint(body)
        cases: dict[str, Any] = dict((ctx.registers.get(CONTENT_TEXT, key) or {}).get("cases") or {})
        cases[ctx.business_key] = sorted(KEPT_FLAGS.intersection(flags))
        ctx.registers.put(CONTENT_TEXT, key, {"cases": cases})


def former_submissions(ctx: OperationContext, body: str) -> Former:
    """What is known of this text from other cases."""
    cases = (ctx.registers.get(CONTENT_TEXT, fingerprint(body)) or {}).get("cases") or {}
    flags: list[str] = []
    tiers: list[str] = []
    notes: list[Text] = []
    for number in sorted(cases, reverse=True):
        if number == ctx.business_key:
            continue
        row = ctx.registers.get(CONTENT, number) or {}
        flags += cases[number]
        tiers.append(str(row.get("tier") or ""))
        status = STATUSES.get(str(row.get("status")), {"zh-CN": "审核中", "en": "under review"})
        why = str(row.get("status_reason") or "")[:200]
        zh = f"同一正文曾以 {number} 送审：{row.get('tier') or '未定级'}，{status['zh-CN']}" + (
            f"（{why}）" if why else ""
        )
        en = f"The same text was submitted as {number}: {row.get('tier') or 'no tier yet'}, {status['en'].lower()}"
        notes.append({"zh-CN": zh, "en": en})
    important = any(tier in ("T2", "T2_URGENT") for tier in tiers)
    return Former(flags=list(dict.fromkeys(flags)), tier="T2" if important else None, notes=notes[:SHOWN])
