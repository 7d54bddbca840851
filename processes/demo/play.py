"""Plays the registration cases on the demo company, so that no inbox, register or timeline is empty."""

from __future__ import annotations

from engine import Engine
from processes.demo.company import Progress


def play_demo(engine: Engine, *, progress: Progress | None = None) -> None:
    """Cases of past weeks: some finished, some waiting at each step."""
