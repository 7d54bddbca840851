"""The law a page cites: instrument, article, what it says in our words, and how sure we are of it. Not legal advice.

`law.csv` is the data: beside each provision the steps whose decision it bears on (`process:element element; …`), or why
no step shows it. `SURE` is said with every citation, so that nobody takes an unchecked article for a checked one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import Text

SURE: Mapping[str, Text] = {
    "verified": {"zh-CN": "原文已核", "en": "wording checked"},
    "article_unsure": {"zh-CN": "原文已核，条号待核", "en": "wording checked, article number not"},
    "mixed": {"zh-CN": "部分条文已核，其余未核", "en": "some of it checked, the rest not"},
    "commentary": {"zh-CN": "据实务评论", "en": "from commentary"},
    "known": {"zh-CN": "未核原文", "en": "own knowledge, wording not checked"},
    "own": {"zh-CN": "本公司自定", "en": "our own rule"},
    "unsure": {"zh-CN": "条文与条号均待核", "en": "unsure: neither wording nor article checked"},
}


@dataclass(frozen=True, kw_only=True)
class Law:
    """One provision. `steps`: process → elements whose decision it bears on; `absent` says why there is none."""

    id: str
    instrument: Text
    article: str
    claim: Text
    sure: str
    steps: Mapping[str, tuple[str, ...]]
    absent: Text | None

    @property
    def source(self) -> Text:
        """Instrument and article."""
        if not self.article:
            return self.instrument
        english = self.article.replace("、", ", ").replace("约 ", "about ").replace("—", "–")
        english = english.replace("（2026 年起预计为 23）", " (expected to be 23 from 2026)")
        return {
            "zh-CN": f"{self.instrument['zh-CN']} 第 {self.article} 条",
            "en": f"{self.instrument['en']}, art. {english}",
        }


def _steps(text: str) -> dict[str, tuple[str, ...]]:
    parts = (part.partition(":") for part in text.split(";") if part.strip())
    return {process.strip(): tuple(elements.split()) for process, _, elements in parts}


def _read() -> dict[str, Law]:
    with (Path(__file__).parent / "law.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["id"]: Law(
                id=row["id"],
                instrument={"zh-CN": row["zh"], "en": row["en"]},
                article=row["article"],
                claim={"zh-CN": row["claim_zh"], "en": row["claim_en"]},
                sure=row["sure"],
                steps=_steps(row["steps"]),
                absent={"zh-CN": row["absent_zh"], "en": row["absent_en"]} if row["absent_zh"] else None,
            )
            for row in csv.DictReader(file)
        }


LAWS: Mapping[str, Law] = _read()


@cache
def bearing(process: str, element: str) -> tuple[Law, ...]:
    """The provisions that bear on what is decided at a step."""
    return tuple(law for law in LAWS.values() if element in law.steps.get(process, ()))


def cite(ids: Iterable[str], language: str) -> str:
    """The provisions with article, content and how sure we are, one a line."""
    lines = []
    for each in ids:
        law = LAWS[each]
        sure = SURE[law.sure][language]
        if language == "zh-CN":
            lines.append(f"· {law.source['zh-CN']}：{law.claim['zh-CN']}（{sure}，{law.id}）")
        else:
            lines.append(f"· {law.source['en']}: {law.claim['en']} ({sure}, {law.id})")
    return "\n".join(lines)
