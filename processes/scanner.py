"""Finds words that the law or the policy forbids or wants looked at, in names and in content.

The rules are data (`term_rules.csv`, read by `processes.term_rules`): a regular expression on *normalised* text, spans
that are allowed after all, and whether a hit blocks or only warns. Normalising undoes the usual evasions: width,
traditional characters, separators between Han characters, pinyin for a character. Every hit knows where in the text
*as written* it stands, so that a page can mark it there.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import opencc

from processes.term_rules import TermRule, shipped

# What writers put between characters to hide a word.
_GAPS = "[\\s·•・‧∙.\\-_*~|/\\\\^、。,，\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]+"
_HAN = "一-鿿"
_WORD_GAP = re.compile(f"(?<=[{_HAN}]){_GAPS}(?=[{_HAN}0-9])|(?<=[0-9]){_GAPS}(?=[{_HAN}])")
_FIGURE_GAP = re.compile(f"(?<=[0-9]){_GAPS}(?=[0-9])")
_GAP = re.compile(f"{_WORD_GAP.pattern}|{_FIGURE_GAP.pattern}")
_DIGITS = re.compile("[0-9]{3}")
_BETWEEN_DIGITS = re.compile(r"[\s·•・\-_*~|/]+")
_INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e"
    "\u20d0-\u20ff\ufe20-\ufe2f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]+"
)
_PINYIN = re.compile("zui|di ?[一1]")
_STANDS_FOR = {"zui": "最"}
_PLAIN = f"\\x00-\\x7f{_HAN}、。「」『』《》【】"  # what folding never changes, nor joins with what follows
_ODD = re.compile(f"[{_PLAIN}]?[^{_PLAIN}]+")  # the rest, with what a mark may join
_VOICED = "\uff9e\uff9f"  # half-width marks that join the letter before them
_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}}  # one for one
Edit = tuple[int, int, str]  # [start, end) of a text and what stands there instead


class Hit(NamedTuple):
    """A rule met at `text` (normalised), which is `[start, end)` of the text as written."""

    rule: TermRule
    text: str
    start: int
    end: int


class Layer:
    """The edits that made one text of another: asked where a character came from, not told of every one."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._ends = [(end, len(said)) for _, end, said in edits]
        self._begins = [start for start, _, _ in edits]
        self._places: list[int] = []
        shift = 0
        for start, end, said in edits:
            self._places.append(start + shift)
            shift += len(said) - (end - start)

    def source(self, place: int) -> tuple[int, int]:
        """[start, end) in the text before of the character at `place` in the text after."""
        number = bisect_right(self._places, place) - 1
        if number < 0:
            return place, place + 1
        begin, (end, length) = self._begins[number], self._ends[number]
        into = place - self._places[number]
        if into < length:
            return begin, end
        return end + into - length, end + into - length + 1


class Plain:
    """A normalised text; `layers` are the edits that led to it, the first of them first, worked out when asked for."""

    def __init__(self, text: str, written: str, layers: Sequence[Layer] | None = None) -> None:
        self.text, self._written, self._layers = text, written, layers

    @property
    def layers(self) -> Sequence[Layer]:
        if self._layers is None:
            self._layers = _step_by_step(self._written).layers
        return self._layers

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start, end)` of the normalised text stands in the text as written."""
        last = end - 1
        for layer in reversed(self.layers):
            start, last = layer.source(start)[0], layer.source(last)[1] - 1
        return start, last + 1


@cache
def _simplifier() -> Any:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """NFKC, lower case, simplified characters, no separators between them, pinyin stand-ins put back."""
    return plain(text).text


def plain(text: str) -> Plain:
    """The normalised text with where each of its characters came from. Linear in the length of the text.

    Most text is plain but for the gaps between its words: then they are closed at once, and what came from where is
    worked out only for a text that has hits.
    """
    low = text.translate(_NARROW).lower()
    if len(low) != len(text) or _ODD.search(low) or _PINYIN.search(low):
        return _step_by_step(text)
    spread = _simplified(low)
    if _FIGURE_GAP.search(spread):
        return _step_by_step(text)
    return Plain(_WORD_GAP.sub("", spread), text)


def _step_by_step(text: str) -> Plain:
    layers: list[Layer] = []
    low = text.translate(_NARROW).lower()
    if len(low) != len(text):  # a letter whose small form is longer: character by character
        low = _edited(text, _lowered(text), layers).translate(_NARROW)
    spread = _simplified(_edited(low, _folded(low), layers))
    spread = _edited(spread, ((*found.span(), "") for found in _INVISIBLE.finditer(spread)), layers)
    pinyin = ((*found.span(), _STANDS_FOR.get(found.group(), "第一")) for found in _PINYIN.finditer(spread))
    spread = _edited(spread, pinyin, layers)
    gaps = ((*found.span(), "") for found in _GAP.finditer(spread) if _closes(found))
    return Plain(_edited(spread, gaps, layers), text, layers)


def _edited(text: str, edits: Iterable[Edit], layers: list[Layer]) -> str:
    """The text with the edits made, in order; a layer is added when there are any."""
    made = list(edits)
    if not made:
        return text
    layers.append(Layer(made))
    pieces: list[str] = []
    at = 0
    for start, end, said in made:
        pieces += (text[at:start], said)
        at = end
    return "".join([*pieces, text[at:]])


def _lowered(text: str) -> Iterator[Edit]:
    for place, char in enumerate(text):
        if (low := char.lower()) != char:
            yield place, place + 1, low


def _folded(text: str) -> Iterator[Edit]:
    """Compatibility forms undone, a letter with the marks that follow it as one."""
    for run in _ODD.finditer(text):
        at, stop = run.span()
        while at < stop:
            end = at + 1
            while end < stop and (unicodedata.combining(text[end]) or text[end] in _VOICED):
                end += 1
            folded = unicodedata.normalize("NFKC", text[at:end]).lower()
            if folded != text[at:end]:
                yield at, end, folded
            at = end


def _simplified(text: str) -> str:
    """Traditional characters as simplified ones: as words where that keeps the length, else character by character."""
    whole = str(_simplifier().convert(text))
    if len(whole) != len(text):
        whole = "".join(one if len(one) == 1 else char for char in text for one in [_single(char)])
    return whole


@lru_cache(maxsize=20_000)
def _single(char: str) -> str:
    return str(_simplifier().convert(char))


def _closes(gap: re.Match[str]) -> bool:
    """Whether what stands between is a gap inside a word or a number.

    Between digits a decimal point stays, as 8.5 is not 85; in 139.1234.5678 it is no decimal point.
    """
    start, end = gap.span()
    before, after = gap.string[start - 1], gap.string[end]
    if not ("0" <= before <= "9" and "0" <= after <= "9"):
        return True
    apart = gap.group() == "." and _DIGITS.match(gap.string, max(start - 3, 0)) and _DIGITS.match(gap.string, end)
    return bool(apart or _BETWEEN_DIGITS.fullmatch(gap.group()))


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
            begin, stop = found.span()
            around = bisect_right(spans, (begin, len(spread.text))) - 1  # spans lie one after the other
            if around >= 0 and stop <= spans[around][1]:
                continue
            start, end = spread.span(begin, stop)
            yield Hit(rule, found.group(), start, end)
            if once:
                break
