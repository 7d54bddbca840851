"""The table of terms the scanner looks for: read, checked, and made so that no text can hang it.

Columns: `id`, `flag` (what a hit means), `severity` ("block" or "warn"), `regex` and `allow_regex` on normalised text,
`law`, `advice`. A designer edits it like a diagram: it is a file of the deployment, the gate refuses it by line, a case
keeps the table it began with. Refused is any table that could take long: a text of 10,000 characters costs at most
10,000 × `MOST_STEPS_IN_ALL` steps, whatever stands in it (see `processes.term_cost`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from engine.errors import Invalid, Text
from processes.term_cost import least_length, steps

PATH = Path(__file__).resolve().parent.parent / "bpmn" / "term_rules.csv"
NAME = PATH.name
COLUMNS = ("id", "flag", "severity", "regex", "allow_regex", "law", "advice")
SEVERITIES = ("block", "warn")
MOST_ROWS = 1_000
LONGEST_CELL = 2_000  # characters of a pattern, a law, an advice
MOST_STEPS = 4_000  # of one pattern at one place of a text
MOST_STEPS_IN_ALL = 10_000  # of the whole table at one place of a text
_LONGEST = 16  # what `+` and `*` mean here: no term is longer, and a long run of digits stays cheap
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[A-Z]|\(\?[a-zA-Z:=!<>]*|[+*](?=[+?]?)|.", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9_-]{1,20}\Z")
_FLAG = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
Finding = tuple[int, str, str, str]  # line, id of the rule, what is wrong in Chinese and in English


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


def of(tables: Mapping[str, bytes]) -> tuple[tuple[TermRule, ...], str]:
    """(rules, the table's SHA-256) of a deployment; one made before the table was part of it uses the shipped one."""
    content = tables.get(NAME)
    return (shipped(), _digest(PATH.read_bytes())) if content is None else (read(content), _digest(content))


@lru_cache(maxsize=32)
def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=32)
def read(content: bytes) -> tuple[TermRule, ...]:
    """The rules of a table. Raises Invalid with every problem, by id and line."""
    found: dict[str, Text] = {}
    for line, rule, zh, en in problems(content):
        before = found.get(f"{rule}:{line}", {"zh-CN": "", "en": ""})
        parts = [(before["zh-CN"], "；", zh), (before["en"], "; ", en)]
        said = [said + (between if said else "") + more for said, between, more in parts]
        found[f"{rule}:{line}"] = {"zh-CN": said[0], "en": said[1]}
    if found:
        raise Invalid(found)
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
        for _, row in _rows(content)
    )


def problems(content: bytes) -> list[Finding]:
    """Everything wrong with a table, by line; empty when it may be deployed. Never raises."""
    try:
        rows = list(_rows(content))
    except (UnicodeDecodeError, csv.Error):
        return [(1, "", "不是 UTF-8 的 CSV 文件", "It is no CSV file in UTF-8")]
    if not rows:
        return [(1, "", "没有规则", "It holds no rules")]
    if len(rows) > MOST_ROWS:
        return [(1, "", f"规则超过 {MOST_ROWS} 条", f"It has more than {MOST_ROWS} rules")]
    found: list[Finding] = []
    lines: dict[str, int] = {}
    cost = 0
    for line, row in rows:
        wrong = list(_wrong(row))
        if (first := lines.setdefault(row.get("id") or "", line)) != line:
            wrong.append((f"编号与第 {first} 行重复", f"repeats the id of line {first}"))
        if not wrong:
            cost += sum(steps(bounded(row[name])) for name in ("regex", "allow_regex") if row[name])
            if cost > MOST_STEPS_IN_ALL:
                zh, en = (
                    "到本行为止，整张表过于复杂，长文会扫描过久",
                    "with this row the whole table gets too slow for long texts",
                )
                return [*found, (line, row["id"], zh, en)]
        found += [(line, str(row.get("id") or ""), zh, en) for zh, en in wrong]
    return found


def _rows(content: bytes) -> Iterator[tuple[int, dict[Any, Any]]]:
    """(line it ends on, row) of each row that is not blank."""
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    for row in reader:
        yield reader.line_num, row


def _wrong(row: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    missing = [name for name in COLUMNS if row.get(name) is None]
    if missing or None in row or set(row) != set(COLUMNS):
        yield f"栏目须为 {'、'.join(COLUMNS)}", f"must have the columns {', '.join(COLUMNS)}"
        return
    if not _ID.match(row["id"]):
        yield "编号须为 1 至 20 位字母、数字、-、_", "needs an id of 1 to 20 letters, digits, - or _"
    if not _FLAG.match(row["flag"]):
        yield "标记须为小写字母、数字、_", "needs a flag of small letters, digits and _"
    if row["severity"] not in SEVERITIES:
        yield "severity 须为 block 或 warn", "severity must be block or warn"
    if any(len(row[name]) > LONGEST_CELL or "\0" in row[name] for name in COLUMNS):
        yield f"每格最多 {LONGEST_CELL} 个字，且不得含空字符", f"a cell takes {LONGEST_CELL} characters and no NUL"
        return
    for name in ("regex", "allow_regex"):
        if (row[name] or name == "regex") and (found := refused(row[name])):
            yield f"{name} {found[0]}", f"{name} {found[1]}"


def refused(source: str) -> tuple[str, str] | None:
    """Why a pattern is not taken, in Chinese and English; None when it is fine. Never raises, never takes long."""
    try:
        plain = bounded(source)
        if (cost := steps(plain)) > MOST_STEPS:
            return (
                f"太复杂，可能卡死：每处至多 {MOST_STEPS} 步，此式须 {cost} 步；请缩短重复次数、拆成几条",
                f"could hang: {cost} steps at one place, at most {MOST_STEPS} are allowed; shorten repeats, split it",
            )
        if least_length(plain) == 0:
            return "会匹配空文字", "matches no text at all"
        re.compile(plain)
    except (re.error, OverflowError, RecursionError) as error:
        return f"不是有效的正则表达式：{error}", f"is no regular expression: {error}"
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
