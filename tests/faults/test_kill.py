"""`kill -9` of a real server under load. A few kills here; `make bench` does two hundred."""

from __future__ import annotations

from pathlib import Path

from bench import kill


def test_killing_the_server_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = kill.run(tmp_path, times=5)
    assert found["kill_acknowledged"] > 20
    assert found["kill_repeated"] > 0
    for what in ("refused", "lost", "doubled", "broken_chains"):
        assert found[f"kill_{what}"] == 0, found
