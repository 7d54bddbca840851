"""The scenario file: what it may say, checked before anything runs, because an unknown word would pass silently.

    {"name", "process", "now", "diagrams": [...], "start": {"by", "variables"}, "steps": [...], "expect": {...}}

`"recurring": true` lets the clock start cases by itself, as it does outside scenarios.

A step does exactly one of KINDS; docs/designers.md describes each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from processes.scenario_expect import EXPECTATIONS

Text = dict[str, str]

DEFAULT_NOW = "2026-11-09T09:00:00+08:00"
KINDS = ("complete", "denied", "claim", "withdraw", "after", "until", "expect")
_REMARKS = {"note", "comment", "description", "source"}  # for people; nothing reads them
_KEYS = {"name", "process", "now", "start", "steps", "expect", "diagrams", "recurring", *_REMARKS}
_STEP_KEYS = {"by", "variables", "reason", *KINDS, *_REMARKS}


class StepFailed(Exception):
    """A step did not do what the file says."""

    def __init__(self, zh: str, en: str, *, expected: Any = None, actual: Any = None) -> None:
        super().__init__(en)
        self.what, self.expected, self.actual = {"zh-CN": zh, "en": en}, expected, actual


def read(path: Path) -> Mapping[str, Any]:
    """The scenario at `path`, its shape checked: an unknown word would otherwise pass silently."""
    try:
        scenario = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StepFailed(f"无法读取「{path}」：{error}", f"Cannot read “{path}”: {error}") from error
    if not isinstance(scenario, dict) or "process" not in scenario:
        raise StepFailed("场景文件缺少「process」", "The scenario names no “process”")
    _known(scenario, _KEYS, "scenario")
    _known(scenario.get("start", {}), {"by", "variables", *_REMARKS}, "start")
    _known(scenario.get("expect", {}), set(EXPECTATIONS), "expect")
    steps = scenario.get("steps", [])
    if not isinstance(steps, Sequence):
        raise StepFailed("「steps」应为数组", "“steps” must be an array")
    for number, step in enumerate(steps, 1):
        _known(step, _STEP_KEYS, f"steps[{number}]")
        kinds = [kind for kind in KINDS if kind in step]
        if len(kinds) != 1:
            raise StepFailed(
                f"第 {number} 步应恰有一个动作",
                f"Step {number} must do exactly one thing",
                expected=KINDS,
                actual=kinds,
            )
        if kinds[0] in ("complete", "claim", "denied", "withdraw") and not step.get("by"):
            raise StepFailed(f"第 {number} 步没有写明「by」", f"Step {number} names no “by”")
        if kinds[0] == "expect":
            _known(step["expect"], set(EXPECTATIONS), f"steps[{number}].expect")
    return scenario


def _known(value: Any, words: set[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise StepFailed(f"「{where}」应为对象", f"“{where}” must be an object")
    if unknown := sorted(set(value) - words):
        raise StepFailed(
            f"「{where}」中有不认识的字段：{'、'.join(unknown)}",
            f"Unknown fields in “{where}”: {', '.join(unknown)}",
            expected=sorted(words),
            actual=sorted(value),
        )


def moment(text: str) -> datetime:
    """An ISO 8601 moment with its time zone; raises StepFailed."""
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise StepFailed(f"「{text}」不是时间", f"“{text}” is not a moment") from error
    if at.tzinfo is None:
        raise StepFailed(f"「{text}」没有时区", f"“{text}” has no time zone")
    return at
