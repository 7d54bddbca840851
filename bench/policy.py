"""The policy's figures: the scanner on long posts, the scenarios of a procedure, a complaint that goes in circles."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import Engine, queries
from processes import scanner
from processes.scenario_runner import ScenarioClock, Stage
from processes.term_rules import refused

ROOT = Path(__file__).resolve().parents[1]
POST = "实木餐桌入冬后容易因干燥开裂，先用微湿软布顺纹擦拭，晾干后薄涂木蜡油；桌面与暖气片保持 40 厘米以上。"
LENGTH = 10_000  # characters of a post
ADVERSE = {  # what makes matchers go back and forth
    "plain": POST,
    "one character": "最",
    "split by marks": "最·",
    "split by spaces": "国 家 级 ",
    "digits": "1380013800",
    "pinyin": "zuihao",
    "full width": "ＡＢＣ１２３",
    "traditional": "國家級最佳實木傢俱",
    "marks on letters": "e\u0301",
    "invisible": "最\u200b佳",
    "emoji": "🛋️最🪑佳",
}
CATASTROPHIC = ("(a+)+b", "(a|aa)+$", "(.*a){20}", "(最.*)*佳", "([一-龥]+)*价", "(x+x+)+y")
ROUNDS = 7
LOOP = (
    ("investigate", "zhongxuanguan", "done"),
    ("investigate", "jianchigui", "done"),
    ("statement", "songchuanglian", "waived"),
    ("report", "zhongxuanguan", "done"),
    ("legal_check", "liangyigui", "more"),
)
EARLY, LATE = 5, 40  # of the steps completed, the first of a round in both
SCENARIO = ROOT / "processes/complaint/scenarios/vote_returns_then_rejects.json"


def scanning(_: Path) -> dict[str, Any]:
    """Megabytes (UTF-8) a second on posts of 10,000 characters, and the longest that any kind of post takes.

    Every post is another one: the scanner remembers what it has scanned.
    """
    text = (POST * LENGTH)[:LENGTH]
    list(scanner.scan(text))
    seconds = {
        name: statistics.median(_timed(f"{turn}{(piece * LENGTH)[:LENGTH]}") for turn in range(3))
        for name, piece in ADVERSE.items()
    }
    plain = statistics.median(_timed(f"{turn}{text}"[:LENGTH]) for turn in range(30, 60))
    worst = max(seconds, key=lambda name: seconds[name])
    stopped = sum(refused(each) is not None for each in CATASTROPHIC)
    return {
        "scanner_mb_per_s": round(len(text.encode()) / plain / 1e6, 2),
        "scanner_longest_post_s": round(seconds[worst], 3),
        "scanner_longest_post_is": worst,
        "scanner_catastrophic_refused": f"{stopped}/{len(CATASTROPHIC)}",
    }


def _timed(text: str) -> float:
    began = time.perf_counter()
    list(scanner.scan(text))
    return time.perf_counter() - began


def scenarios(_: Path) -> dict[str, Any]:
    """Seconds of `guiju scenario` over all scenarios of each procedure, start-up included: elapsed, and of work."""
    found = {}
    for folder in sorted(path.parent for path in ROOT.glob("processes/*/scenarios")):
        files = sorted(map(str, (folder / "scenarios").glob("*.json")))
        used, began = _children(), time.perf_counter()
        subprocess.run([sys.executable, "-m", "web.cli", "scenario", *files], cwd=ROOT, check=True, capture_output=True)
        found[folder.name] = {
            "scenarios": len(files),
            "s": round(time.perf_counter() - began, 1),
            "cpu_s": round(_children() - used, 1),
        }
    return {
        "scenarios": found,
        "scenarios_longest_s": max(each["s"] for each in found.values()),
        "scenarios_longest_cpu_s": max(each["cpu_s"] for each in found.values()),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def complaint(_: Path) -> dict[str, Any]:
    """`complete` of the same step, as the 5th and as the 40th of a complaint sent back for more again and again."""
    early: list[float] = []
    late: list[float] = []
    with Stage() as stage:
        for _round in range(ROUNDS):
            with stage.company(datetime.fromisoformat("2026-11-09T09:00:00+08:00")) as (engine, clock):
                engine.schedules = None
                for number, seconds in _long(engine, clock):
                    if number in (EARLY, LATE):
                        (early if number == EARLY else late).append(seconds)
    first, last = statistics.median(early), statistics.median(late)
    return {
        "complaint_5th_ms": round(first * 1000, 2),
        "complaint_40th_ms": round(last * 1000, 2),
        "complaint_40th_to_5th": round(last / first, 2),
    }


def _long(engine: Engine, clock: ScenarioClock) -> Iterator[tuple[int, float]]:
    """(number of the step, seconds of processor its `complete` took) up to the 40th."""
    story = json.loads(SCENARIO.read_text(encoding="utf-8"))
    steps = [step for step in story["steps"] if "complete" in step]
    entered = {(step["complete"], step["by"], step["variables"]["outcome"]): step["variables"] for step in steps}
    instance = engine.start(story["process"], story["start"]["variables"], by=story["start"]["by"]).instance_id
    opening = [(step["complete"], step["by"], step["variables"]["outcome"]) for step in steps[:4]]
    for number, (element, who, outcome) in enumerate([*opening, *LOOP * 8][:LATE], 1):
        while (due := engine.next_due()) is not None and due <= clock.now() and engine.tick():
            pass
        task = queries.doable(engine, instance, element, actor=who)[0]
        if not task.held:
            engine.claim(task.task_id, by=who)
        began = time.thread_time()
        engine.complete(task.task_id, entered[element, who, outcome], by=who)
        yield number, time.thread_time() - began
