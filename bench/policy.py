"""The policy's figures: how long the scenarios of a procedure take, and a complaint that goes in circles."""

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
from processes.scenario_runner import ScenarioClock, Stage

ROOT = Path(__file__).resolve().parents[1]
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
