"""Finds words that the law or the policy forbids or wants looked at, in names and in content.

The rules are data (`term_rules.csv`): a regular expression on *normalised* text, spans that are allowed after all, and
whether a hit blocks or only warns. Normalising undoes the usual evasions: width, traditional characters, separators
between Han characters, pinyin for a character.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import opencc

RULES = Path(__file__).parent / "term_rules.csv"
_BETWEEN_HAN = re.compile(r"(?<=[一-鿿0-9])[\s·•・.\-_*~|/、。,，]+(?=[一-鿿0-9])")
_PINYIN = (("zui", "最"), ("di一", "第一"), ("di1", "第一"))


@dataclass(frozen=True, kw_only=True)
class TermRule:
    """One row of the table; `flag` is what a hit means, `severity` is "block" or "warn", `advice` says what to do."""

    id: str
    flag: str
    severity: str
    pattern: re.Pattern[str]
    allowed: re.Pattern[str] | None
    law: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A rule met at `text`."""

    rule: TermRule
    text: str


@cache
def rules() -> tuple[TermRule, ...]:
    """The table, read once."""
    with RULES.open(encoding="utf-8", newline="") as file:
        return tuple(
            TermRule(
                id=row["id"],
                flag=row["flag"],
                severity=row["severity"],
                pattern=re.compile(row["regex"], re.IGNORECASE),
                allowed=re.compile(row["allow_regex"]) if row["allow_regex"] else None,
                law=row["law"],
                advice=row["advice"],
            )
            for row in csv.DictReader(file)
        )


@cache
def _simplifier() -> Any:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """NFKC, lower case, simplified characters, no separators between them, pinyin stand-ins put back."""
    plain = _simplifier().convert(unicodedata.normalize("NFKC", text).lower())
    plain = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    plain = _BETWEEN_HAN.sub("", plain)
    for written, meant in _PINYIN:
        plain = plain.replace(written, meant)
    return plain


def scan(text: str, *, flags: Collection[str] | None = None) -> Iterator[Hit]:
    """The first hit of every rule (of the given flags) that is not wholly inside an allowed span."""
    plain = normalise(text)
    for rule in rules():
        if flags is not None and rule.flag not in flags:
            continue
        spans = [found.span() for found in rule.allowed.finditer(plain)] if rule.allowed else []
        for found in rule.pattern.finditer(plain):
            if not any(start <= found.start() and found.end() <= end for start, end in spans):
                yield Hit(rule=rule, text=found.group())
                break
