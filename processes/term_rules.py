"""The table of terms the scanner looks for: read, checked, and made so that no text can hang it.

Columns: `id`, `flag` (what a hit means), `severity` ("block" or "warn"), `regex` and `allow_regex` on normalised text,
`law`, `advice`. A designer edits it like a diagram; `read` refuses a table with any rule that could take for ever:
repeats inside repeats, references back, more combinations than `MOST_WAYS` at one place of a text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined]  # the standard library's own parser of patterns
from typing import Any

from engine.errors import Invalid, Text
from engine.spiff.gate_forms import catastrophic

PATH = Path(__file__).parent / "term_rules.csv"
COLUMNS = ("id", "flag", "severity", "regex", "allow_regex", "law", "advice")
SEVERITIES = ("block", "warn")
MOST_WAYS = 10_000  # ways a pattern may match at one place
_LONGEST = 16  # what `+` and `*` mean here: no term is longer, and a long run of digits stays cheap
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[A-Z]|\(\?[a-zA-Z:=!<>]*|[+*](?=[+?]?)|.", re.DOTALL)


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


@cache
def shipped() -> tuple[TermRule, ...]:
    """The table that comes with the policy, read once."""
    return read(PATH.read_bytes())


def read(content: bytes) -> tuple[TermRule, ...]:
    """The rules of a table. Raises Invalid with every problem, by row."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid({"term_rules": {"zh-CN": "不是 UTF-8 的 CSV 文件", "en": "is no CSV file in UTF-8"}}) from error
    problems: dict[str, Text] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows, 2):
        wrong = [*_wrong(row), *([("编号重复", "repeats an id")] if row.get("id") in seen else [])]
        seen.add(row.get("id") or "")
        if wrong:
            zh, en = "；".join(each[0] for each in wrong), "; ".join(each[1] for each in wrong)
            problems[f"{row.get('id') or ''}:{number}"] = {"zh-CN": zh, "en": en}
    if not rows:
        problems["term_rules"] = {"zh-CN": "没有规则", "en": "holds no rules"}
    if problems:
        raise Invalid(problems)
    return tuple(
        TermRule(
            id=row["id"],
            flag=row["flag"],
            severity=row["severity"],
            pattern=re.compile(bounded(row["regex"])),
            allowed=re.compile(bounded(row["allow_regex"])) if row["allow_regex"] else None,
            law=row["law"],
            advice=row["advice"],
        )
        for row in rows
    )


def _wrong(row: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    missing = [name for name in COLUMNS if row.get(name) is None]
    if missing or None in row:
        yield f"栏目须为 {'、'.join(COLUMNS)}", f"must have the columns {', '.join(COLUMNS)}"
        return
    if not row["id"] or not row["flag"]:
        yield "缺编号或标记", "needs an id and a flag"
    if row["severity"] not in SEVERITIES:
        yield "severity 须为 block 或 warn", "severity must be block or warn"
    for name in ("regex", "allow_regex"):
        if (row[name] or name == "regex") and (found := refused(row[name])):
            yield f"{name}{found[0]}", f"{name} {found[1]}"


def refused(source: str) -> tuple[str, str] | None:
    """Why a pattern is not taken, in Chinese and English; None when it is fine."""
    plain = bounded(source)
    if found := catastrophic(source):
        return found
    if re.compile(plain).match("") is not None:
        return "会匹配空文字", "matches nothing at all"
    if _ways(sre.parse(plain)) > MOST_WAYS:
        return "组合太多，可能卡死", "has too many combinations and could hang"
    return None


def bounded(source: str) -> str:
    """The pattern in lower case, as normalised text is, with `+` and `*` bounded."""
    limits = {"+": f"{{1,{_LONGEST}}}", "*": f"{{0,{_LONGEST}}}"}

    def token(found: re.Match[str]) -> str:
        said = found.group()
        if said[0] == "[":
            return re.sub(r"\\.|[A-Z]", lambda m: m[0] if m[0][0] == "\\" else m[0].lower(), said)
        return said if said[0] in "\\(" else limits.get(said, said.lower())

    return _TOKEN.sub(token, source)


def _ways(tree: Any) -> int:
    """In how many ways a pattern may be tried at one place: repeats multiply, alternatives add up."""
    ways = 1
    for code, argument in tree:
        name = str(code)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            ways *= (int(most) - int(least) + 1) * _ways(inner)
        elif name == "BRANCH":
            ways *= sum(_ways(part) for part in argument[1])
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            ways *= _ways(argument[-1] if name == "SUBPATTERN" else argument)
        elif name in ("ASSERT", "ASSERT_NOT"):
            ways *= _ways(argument[1])
        if ways > MOST_WAYS:
            break
    return ways
