"""What readers of a submission are shown: hits marked in the text, what changed, the tier, requirements and their law.

Pure functions for the forms' `x-prefill`. A marked text is `{"segments": [{"text", "kind", "note"?}]}`: `kind` is
"block", "warn", "added", "removed", "heading" or "" and `note` a sentence in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from processes.content_review.requirements import REQUIREMENTS

Text = dict[str, str]
Marked = dict[str, list[dict[str, Any]]]

LONGEST_COMPARED = 12_000  # characters of the two texts that are compared character by character
_TIERS: dict[str, Text] = {
    "T1": {"zh-CN": "一般内容（T1）", "en": "General content (T1)"},
    "T1_ALT": {"zh-CN": "一般内容，由替补审核（T1）", "en": "General content, for the alternate reviewer (T1)"},
    "T2": {"zh-CN": "重要或敏感内容（T2）", "en": "Important or sensitive content (T2)"},
    "T2_URGENT": {"zh-CN": "紧急（T2，双人批准）", "en": "Urgent (T2, two named approvers)"},
    "BLOCK": {"zh-CN": "涉密，不得发布", "en": "Holds a secret: must not be published"},
}


def marked_text(title: str | None, body: str | None, hits: Sequence[Mapping[str, Any]] | None) -> Marked | None:
    """Title and text with every hit marked where it stands. Where hits overlap, a blocking one wins."""
    if body is None:
        return None
    found = list(hits or ())
    head = _segments(title or "", [hit for hit in found if hit["field"] == "title"])
    rest = _segments(body, [hit for hit in found if hit["field"] == "body"])
    return {"segments": [*head, {"text": "\n\n", "kind": ""}, *rest]}


def _segments(text: str, hits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kinds: list[Mapping[str, Any] | None] = [None] * len(text)
    for found in sorted(hits, key=lambda each: each["severity"] == "block"):
        for place in range(found["start"], min(found["end"], len(text))):
            kinds[place] = found
    segments: list[dict[str, Any]] = []
    at = 0
    while at < len(text):
        hit, end = kinds[at], at + 1
        while end < len(text) and kinds[end] is hit:
            end += 1
        if hit is None:
            segments.append({"text": text[at:end], "kind": ""})
        else:
            segments.append({"text": text[at:end], "kind": hit["severity"], "note": hit["note"]})
        at = end
    return segments


def text_difference(before: str | None, after: str | None) -> Marked | None:
    """What was taken out and put in since the last version; None when nothing changed or there is none.

    Long texts are compared line by line, others character by character.
    """
    if before is None or after is None or before == after:
        return None
    whole = len(before) + len(after) > LONGEST_COMPARED
    old: list[str] = before.splitlines(keepends=True) if whole else list(before)
    new: list[str] = after.splitlines(keepends=True) if whole else list(after)
    segments: list[dict[str, Any]] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            segments.append({"text": "".join(old[a:b]), "kind": ""})
            continue
        if b > a:
            segments.append({"text": "".join(old[a:b]), "kind": "removed"})
        if d > c:
            segments.append({"text": "".join(new[c:d]), "kind": "added"})
    return {"segments": segments}


def tier_told(tier: str | None, reason: str | None, raised: bool | None) -> Text | None:
    """The tier in words, and why."""
    if tier is None:
        return None
    said = _TIERS.get(tier, {"zh-CN": tier, "en": tier})
    zh = said["zh-CN"] + (f"：{reason}" if reason else "")
    en = said["en"] + (": raised by a reviewer, tiers are never lowered" if raised else "")
    return {"zh-CN": zh, "en": en}


def requirements_told(codes: Sequence[str] | None) -> Text | None:
    """What each requirement asks for, which article says so, and how sure we are of the article; a line each."""
    known = [REQUIREMENTS[code] for code in codes or () if code in REQUIREMENTS]
    if not known:
        return None
    return {
        "zh-CN": "\n".join(f"{each.zh}（{each.law}；{each.sure_zh}）" for each in known),
        "en": "\n".join(f"{each.en} ({each.law}; {each.sure_en})" for each in known),
    }
