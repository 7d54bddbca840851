"""Which clause of the policy is realised by which steps: `clauses.csv`, and the table of each procedure's README.

A row is one clause in one procedure: the steps that realise it (`process:element element; process:element`), in our own
words how, and where it is only partly realised what is missing. `python -m processes.clauses` writes the READMEs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.errors import Text

HERE = Path(__file__).parent
SECTIONS = "〇一二三四五六七"
PROCEDURES: Mapping[str, tuple[str, ...]] = {  # number in the policy's list → our diagrams
    "P01": ("account_registration",),
    "P02": ("account_deregistration",),
    "P03": ("account_handover",),
    "P04": ("content_review",),
    "P05": ("complaint",),
    "P06": ("discipline",),
    "S01": ("group_vote",),
    "P08": ("publish_followup", "interaction"),
    "P09": ("credential_rotation",),
    "P10": ("official_monitor",),
    "P16": ("training_signoff",),
    "P22": ("takedown",),
}
BEGIN, END = "<!-- clauses -->", "<!-- /clauses -->"


@dataclass(frozen=True, kw_only=True)
class Realised:
    """A clause as one procedure realises it. `steps`: process → element ids; `gap` None means the whole of it."""

    clause: str
    procedure: str
    steps: Mapping[str, tuple[str, ...]]
    how: Text
    gap: Text | None

    @property
    def number(self) -> str:
        """As the policy numbers it: `四.1.1a`."""
        section, _, rest = self.clause.partition(".")
        digits = re.match(r"\d+", section)
        assert digits is not None
        return f"{SECTIONS[int(digits.group())]}{section[digits.end() :]}{'.' if rest else ''}{rest}"


@cache
def clauses() -> tuple[Realised, ...]:
    """Every clause of the procedures there are, in the order of procedures and clauses."""
    with (HERE / "clauses.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Realised(
                clause=row["clause"],
                procedure=row["procedure"],
                steps=_steps(row["steps"]),
                how={"zh-CN": row["zh"], "en": row["en"]},
                gap={"zh-CN": row["gap_zh"], "en": row["gap_en"]} if row["degree"] == "partly" else None,
            )
            for row in csv.DictReader(file)
        )


def _steps(text: str) -> dict[str, tuple[str, ...]]:
    parts = (part.partition(":") for part in text.split(";"))
    return {process.strip(): tuple(elements.split()) for process, _, elements in parts}


def table(process: str) -> str:
    """The README's table of the clauses that a process realises, between its marks."""
    lines = ["| 条款 · Clause | 环节 · Steps | 如何落实 · How | |", "| --- | --- | --- | --- |"]
    for each in clauses():
        if process not in each.steps:
            continue
        steps = "、".join(f"`{element}`" for element in each.steps[process])
        part = f"部分 · Partly：{each.gap['zh-CN']} · {each.gap['en']}" if each.gap else ""
        lines.append(f"| {each.number} | {steps} | {each.how['zh-CN']} · {each.how['en']} | {part} |")
    return "\n".join([BEGIN, *lines, END])


def written(process: str) -> tuple[Path, str, str]:
    """The README, its text, and the text with the table as it should be."""
    path = HERE / process / "README.md"
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return path, text, f"{before}{table(process)}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for processes in PROCEDURES.values():
        for name in processes:
            readme, _, wanted = written(name)
            readme.write_text(wanted, encoding="utf-8")
