"""Figures that are counts, not times: what a command sends to the database, how large a case is."""

from __future__ import annotations

from pathlib import Path

from bench.durable import statements
from bench.registration import largest_state


def test_a_completion_takes_at_most_twelve_statements_and_one_commit(tmp_path: Path) -> None:
    found = statements(tmp_path)
    assert 0 < found["complete_statements"] <= 12
    assert found["complete_commits"] == 1
    assert found["start_commits"] == 1


def test_an_open_registration_packs_into_four_kilobytes(tmp_path: Path) -> None:
    found = largest_state(tmp_path)
    assert 0 < found["registration_state_median_bytes"] <= found["registration_state_bytes"] <= 4096
