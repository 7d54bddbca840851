"""How fast the scanner reads, and the slowest it can be made: texts that hurt, and tables at the limit of the gate.

Rates are medians of turns over 10,000-character posts, in bytes of UTF-8 a second of the processor's time, so that what
else runs on the machine does not count; `scanner_slowest_ms` is the worst of
the hostile texts under the shipped terms, `scanner_limit_ms` the worst under tables that the gate only just lets pass.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from time import thread_time
from typing import Any

from processes.scanner import scan
from processes.term_cost import steps
from processes.term_rules import COLUMNS, MOST_STEPS_IN_ALL, TermRule, bounded, read, refused

LENGTH = 10_000
ROUNDS = 40
POSTS = {
    "plain": "这款沙发采用进口头层牛皮，坐感舒适，尺寸2.4米，欢迎到店体验。",
    "mixed": "这款沙发…采用㎡进口【头层】牛皮！坐感😀舒适，尺寸2.4米～欢迎到店体验。",
    "hits": "全场直降！顶级沙发零甲醛，限时3折，戳链接领优惠券码，转发抽1位锦鲤。",
}
HOSTILE = [
    "最好先",
    "最佳保养时间",
    "比家居",
    "比某家家居友商更强",
    "据1",
    "9%的",
    "返现1元",
    "小区1",
    "零·甲·醛",
    "zui",
    "di一",
    "頂級",
    "Ａ",
    "㎡",
    "é",
    "ﾞ",
    "😀",
    "1",
    "·",
    "。",
    "最",
    "第一",
    "139.1234.5678",
    "好评1元好评",
    "…",
    "\u200b",
    "顶\u0336级\u0336",
    "ＺＵＩ",
    "🌿甲",
    "一二三四五六小区1",
    "a",
    "İ",
    "ß",
    "\n",
    " ",
]
ROWS = (  # shapes of rule that go back and forth the most, each repeated until the table is full
    "甲.{0,40}乙.{0,40}丙",
    "甲.{0,60}甲.{0,60}乙",
    "(?:甲|乙|甲乙){0,8}丙",
    "[甲乙]{0,60}[甲乙]{0,60}丙",
    "(?:甲{1,9}){1,3}乙",
    "(?:甲|甲甲|甲甲甲){0,6}乙",
)


def figures(_: Path) -> dict[str, Any]:
    """The figures of the scanner."""
    found: dict[str, Any] = {}
    for name, piece in POSTS.items():
        found[f"scanner_{name}_mb_per_s"] = round(_rate((piece * LENGTH)[:LENGTH]), 2)
    found["scanner_slowest_ms"] = round(max(_once((piece * LENGTH)[:LENGTH]) for piece in HOSTILE) * 1000, 1)
    tables = [_full(row) for row in ROWS if refused(row) is None]
    texts = ["甲" * LENGTH, "甲乙" * (LENGTH // 2), "甲甲乙" * (LENGTH // 3)]
    found["scanner_limit_ms"] = round(max(_once(text, table) for table in tables for text in texts) * 1000, 1)
    found["scanner_limit_tables"] = len(tables)
    return found


def _full(row: str) -> tuple[TermRule, ...]:
    """The largest table of one row over and over that the gate lets pass."""
    number = MOST_STEPS_IN_ALL // steps(bounded(row))
    lines = [f'X{place},a,warn,"{row}",,l,a' for place in range(min(number, 900))]
    return read("\n".join([",".join(COLUMNS), *lines]).encode())


def _once(text: str, rules: tuple[TermRule, ...] | None = None) -> float:
    """Seconds for one text, the better of two tries."""
    taken = []
    for _ in range(2):
        begun = thread_time()
        for _hit in scan(text, rules=rules):
            pass
        taken.append(thread_time() - begun)
    return min(taken)


def _rate(text: str) -> float:
    """Megabytes a second."""
    list(scan(text))
    taken = []
    for _ in range(ROUNDS):
        begun = thread_time()
        for _hit in scan(text):
            pass
        taken.append(thread_time() - begun)
    return len(text.encode()) / statistics.median(taken) / 1e6
