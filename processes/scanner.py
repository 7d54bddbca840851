"""Finds words that the law or the policy forbids or wants looked at, in names and in content.

The rules are data (`term_rules.csv`, read by `processes.term_rules`): a regular expression on *normalised* text, spans
that are allowed after all, and whether a hit blocks or only warns. Normalising undoes the usual evasions: width,
traditional characters, separators between Han characters, pinyin for a character. Every hit knows where in the text
*as written* it stands, so that a page can mark it there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import opencc

from processes.term_rules import TermRule, shipped

# What writers put between characters to hide a word.
_GAP = re.compile("[\\s·•・‧∙.\\-_*~|/\\\\^、。,，\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]+")
_DIGITS = re.compile("[0-9]{3}")
_BETWEEN_DIGITS = re.compile(r"[\s·•・\-_*~|/]+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]+"
)
_PINYIN = re.compile("zui|di ?[一1]")
_VOICED = "\uff9e\uff9f"  # half-width marks that join the letter before them
_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}}  # one for one


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A rule met at `text` (normalised), which is `[start, end)` of the text as written."""

    rule: TermRule
    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A normalised text; character n came from `[starts[n], stops[n])` of the text as written."""

    text: str
    starts: Sequence[int]
    stops: Sequence[int]


@cache
def _simplifier() -> Any:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """NFKC, lower case, simplified characters, no separators between them, pinyin stand-ins put back."""
    return plain(text).text


def plain(text: str) -> Plain:
    """The normalised text with where each of its characters came from."""
    spread = _simplified(_folded(text))
    spread = _replaced(spread, _INVISIBLE, lambda _: "")
    spread = _replaced(spread, _PINYIN, lambda found: "最" if found.group() == "zui" else "第一")
    return _replaced(spread, _GAP, _closed)


def _folded(text: str) -> Plain:
    """Compatibility forms and case undone. Most text is plain already and keeps its places."""
    low = text.translate(_NARROW).lower()
    if len(low) == len(text) and unicodedata.is_normalized("NFKC", low):
        return Plain(text=low, starts=range(len(low)), stops=range(1, len(low) + 1))
    chars: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (unicodedata.combining(text[end]) or text[end] in _VOICED):
            end += 1
        folded = unicodedata.normalize("NFKC", text[at:end]).lower()
        chars.append(folded)
        starts += [at] * len(folded)
        stops += [end] * len(folded)
        at = end
    return Plain(text="".join(chars), starts=starts, stops=stops)


def _simplified(spread: Plain) -> Plain:
    """Traditional characters as simplified ones: as words where that keeps the length, else character by character."""
    whole = _simplifier().convert(spread.text)
    if len(whole) != len(spread.text):
        whole = "".join(one if len(one) == 1 else char for char in spread.text for one in [_single(char)])
    return Plain(text=whole, starts=spread.starts, stops=spread.stops)


@cache
def _single(char: str) -> str:
    return str(_simplifier().convert(char))


def _closed(gap: re.Match[str]) -> str | None:
    """Nothing for a gap inside a word or a number, None (it stays) elsewhere.

    Between digits a decimal point stays, as 8.5 is not 85; in 139.1234.5678 it is no decimal point.
    """
    start, end = gap.span()
    before, after = gap.string[start - 1 : start], gap.string[end : end + 1]
    if "一" <= before <= "鿿":
        return "" if "一" <= after <= "鿿" or "0" <= after <= "9" else None
    if not "0" <= before <= "9":
        return None
    if "一" <= after <= "鿿":
        return ""
    if not "0" <= after <= "9":
        return None
    apart = gap.group() == "." and _DIGITS.match(gap.string, max(start - 3, 0)) and _DIGITS.match(gap.string, end)
    return "" if apart or _BETWEEN_DIGITS.fullmatch(gap.group()) else None


def _replaced(spread: Plain, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str | None]) -> Plain:
    """The text with every match replaced, or left where `by` says None; what is put in came from the whole match."""
    pieces: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    at = 0
    for found in pattern.finditer(spread.text):
        if (said := by(found)) is None:
            continue
        begin, end = found.span()
        pieces += [spread.text[at:begin], said]
        starts += [*spread.starts[at:begin], *[spread.starts[begin]] * len(said)]
        stops += [*spread.stops[at:begin], *[spread.stops[end - 1]] * len(said)]
        at = end
    if not at:
        return spread
    pieces.append(spread.text[at:])
    starts += spread.starts[at:]
    stops += spread.stops[at:]
    return Plain(text="".join(pieces), starts=starts, stops=stops)


def scan(
    text: str, *, flags: Collection[str] | None = None, rules: Sequence[TermRule] | None = None, once: bool = False
) -> Iterator[Hit]:
    """The hits of every rule (of the given flags) that are not wholly inside an allowed span, rule by rule.

    `once`: no more than the first of each rule. `rules`: other rules than the shipped ones.
    """
    spread = plain(text)
    for rule in shipped() if rules is None else rules:
        if flags is not None and rule.flag not in flags:
            continue
        spans = [found.span() for found in rule.allowed.finditer(spread.text)] if rule.allowed else []
        for found in rule.pattern.finditer(spread.text):
            start, end = found.span()
            if any(first <= start and end <= last for first, last in spans):
                continue
            yield Hit(rule=rule, text=found.group(), start=spread.starts[start], end=spread.stops[end - 1])
            if once:
                break
