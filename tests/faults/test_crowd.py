"""Fifty people at the same moment, through a real server."""

from __future__ import annotations

from pathlib import Path

from bench import web


def test_fifty_simultaneous_ballots_are_all_taken_and_the_vote_advances_once(tmp_path: Path) -> None:
    found = web.ballots(tmp_path)
    assert found["ballots_acknowledged"] == found["ballots_sent"] == 50
    assert found["ballots_advances"] == 1
    assert found["ballots_errors"] == 0
    assert found["ballots_broken_chains"] == 0
