"""What readers of a submission are shown: hits marked in the text, what changed, the tier, requirements and their law.

Pure functions for the forms' `x-prefill`. A marked text is `{"segments": [{"text", "kind", "note"?}]}`: `kind` is
"block", "warn", "added", "removed", "heading" or "" and `note` a sentence in both languages (of a heading: its words).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

from processes.content_review.requirements import REQUIREMENTS

Text = dict[str, str]
Marked = dict[str, list[dict[str, Any]]]

MOST_COMPARED = 60_000  # pairs of sentences, or of characters within changed sentences, that are compared
_SENTENCE = re.compile(r"[^，。！？；,!?;\n]*[，。！？；,!?;\n]|[^，。！？；,!?;\n]+")
_FIELDS: dict[str, Text] = {  # of a version, in the order in which a reader looks at them
    "title": {"zh-CN": "标题", "en": "Title"},
    "body": {"zh-CN": "正文", "en": "Body"},
    "account_ids": {"zh-CN": "拟发账号", "en": "Accounts"},
    "content_type": {"zh-CN": "类型", "en": "Type"},
    "planned_publish_at": {"zh-CN": "计划发布时间", "en": "Planned time"},
    "media_notes": {"zh-CN": "看图清单", "en": "What the pictures show"},
    "claims": {"zh-CN": "宣称与证据", "en": "Claims and evidence"},
    "rights": {"zh-CN": "授权", "en": "Rights"},
    "ad_mark": {"zh-CN": "广告标识", "en": "Ad mark"},
    "ai_mark": {"zh-CN": "AI 标识", "en": "AI label"},
    "host_brief": {"zh-CN": "主播须知", "en": "Host brief"},
    "banned_words": {"zh-CN": "违禁词", "en": "Banned words"},
    "declared_flags": {"zh-CN": "风险自报", "en": "Declared flags"},
}
_PARTS: dict[str, Text] = {
    "title": _FIELDS["title"],
    "body": _FIELDS["body"],
    "media": _FIELDS["media_notes"],
    "host_brief": _FIELDS["host_brief"],
}
_FORM = Path(__file__).parent / "forms" / "content_submission.json"
_TIERS: dict[str, Text] = {
    "T1": {"zh-CN": "一般内容（T1）", "en": "General content (T1)"},
    "T1_ALT": {"zh-CN": "一般内容，由替补审核（T1）", "en": "General content, for the alternate reviewer (T1)"},
    "T2": {"zh-CN": "重要或敏感内容（T2）", "en": "Important or sensitive content (T2)"},
    "T2_URGENT": {"zh-CN": "紧急（T2，双人批准）", "en": "Urgent (T2, two named approvers)"},
    "BLOCK": {"zh-CN": "涉密，不得发布", "en": "Holds a secret: must not be published"},
}


def marked_text(
    title: str | None,
    body: str | None,
    hits: Sequence[Mapping[str, Any]] | None,
    media_notes: Sequence[Mapping[str, Any]] | None = None,
    host_brief: str | None = None,
) -> Marked | None:
    """Title, text, what the pictures show and the hosts' brief, with every hit marked where it stands. Where hits
    overlap, a blocking one wins."""
    if body is None:
        return None
    shown = "\n".join(str(note.get("shows") or "") for note in media_notes or ())
    parts = [("title", title or ""), ("body", body), ("media", shown), ("host_brief", host_brief or "")]
    segments: list[dict[str, Any]] = []
    for field, text in parts:
        if text:
            segments += [
                _heading(_PARTS[field]),
                *_segments(text, [hit for hit in hits or () if hit["field"] == field]),
            ]
    return {"segments": segments}


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


def version_difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Marked | None:
    """What changed since the last version, field by field; None when there is none before or nothing changed."""
    if before is None or after is None:
        return None
    segments: list[dict[str, Any]] = []
    for name, title in _FIELDS.items():
        old, new = _written(before.get(name), name), _written(after.get(name), name)
        if old != new:
            segments += [_heading(title), *difference(old, new)]
    gone = len(set(before.get("media") or ()) - set(after.get("media") or ()))
    come = len(set(after.get("media") or ()) - set(before.get("media") or ()))
    if gone or come:
        zh, en = f"图片、视频、音频：删去 {gone} 个，新增 {come} 个", f"Media: {gone} removed, {come} added"
        segments.append(_heading({"zh-CN": zh, "en": en}))
    return {"segments": segments} if segments else None


def _heading(title: Text) -> dict[str, Any]:
    return {"text": "", "kind": "heading", "note": title}


def _written(value: Any, field: str = "") -> str:
    """A field as a text to compare: a list one entry a line, codes in words."""
    if isinstance(value, list):
        return "\n".join(_written(each, field) for each in value)
    if isinstance(value, Mapping):
        return "，".join(_written(each) for each in value.values())
    return "" if value is None else _words().get(field, {}).get(str(value), str(value))


@cache
def _words() -> dict[str, dict[str, str]]:
    """Field → code → Chinese word, of the form that authors fill in."""
    fields = json.loads(_FORM.read_bytes())["properties"]
    found: dict[str, dict[str, str]] = {}
    for name in ("content_type", "declared_flags"):
        titles = fields[name].get("x-enum-titles") or fields[name].get("items", {}).get("x-enum-titles") or {}
        found[name] = {code: title["zh-CN"] for code, title in titles.items()}
    return found


def difference(before: str, after: str) -> list[dict[str, Any]]:
    """What was taken out and put in, as segments. Bounded: what differs too much is shown as replaced, whole."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    middle = _pieces(_sentences(old), _sentences(new), deeper=True)
    return _joined([("", before[:head]), *middle, ("", before[len(before) - tail :])])


def _common(one: str, other: str) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _sentences(text: str) -> list[str]:
    return _SENTENCE.findall(text)


def _pieces(old: Sequence[str], new: Sequence[str], *, deeper: bool) -> Iterator[tuple[str, str]]:
    """(kind, text) pairs: sentences first, then the characters of those that changed."""
    if len(old) * len(new) > MOST_COMPARED:
        yield "removed", "".join(old)
        yield "added", "".join(new)
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        if kind == "equal":
            yield "", gone
        elif kind == "replace" and deeper:
            yield from _legible(_pieces(gone, come, deeper=False))
        else:
            yield "removed", gone
            yield "added", come


def _legible(pieces: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The same change without crumbs: a single character that happens to be the same between two changes is part of
    them, so that a reader sees one word go and another come."""
    gone = come = ""
    found = list(pieces)
    for place, (kind, text) in enumerate(found):
        if kind == "removed":
            gone += text
        elif kind == "added":
            come += text
        elif len(text) == 1 and 0 < place < len(found) - 1:
            gone, come = gone + text, come + text
        else:
            yield from (("removed", gone), ("added", come), ("", text))
            gone = come = ""
    yield from (("removed", gone), ("added", come))


def _joined(pieces: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    segments: list[dict[str, Any]] = []
    for kind, text in pieces:
        if not text:
            continue
        if segments and segments[-1]["kind"] == kind:
            segments[-1]["text"] += text
        else:
            segments.append({"text": text, "kind": kind})
    return segments


def tier_told(tier: str | None, reason: str | None, raised: bool | None) -> Text | None:
    """The tier in words, and why."""
    if tier is None:
        return None
    said = _TIERS.get(tier, {"zh-CN": tier, "en": tier})
    zh = said["zh-CN"] + (f"：{reason}" if reason else "")
    en = said["en"] + (": raised before, tiers are never lowered" if raised else "")
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
