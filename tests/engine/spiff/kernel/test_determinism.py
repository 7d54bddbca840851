"""The same record gives the same bytes: in another process, with another hash seed, on another thread."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import SpiffWorkflow.bpmn.specs.event_definitions.timer as library_timer
import SpiffWorkflow.task as library_task

from engine.spiff import determinism
from engine.spiff.case import Case
from tests.engine.spiff.kernel.driving import NOW, Answers, Play, corpus

TOP = Path(__file__).parents[4]
PLAYED = [name for name in sorted(corpus().processes) if name != "thrower"]


def fingerprint() -> str:
    """Every state on the way of every process of the corpus."""
    digest = hashlib.sha256()
    for process in PLAYED:
        for seed in range(4):
            for state in Play(process).at_random(seed).states:
                digest.update(state)
    return digest.hexdigest()


def test_the_same_answers_give_the_same_bytes() -> None:
    assert fingerprint() == fingerprint()


def test_other_ids_give_other_bytes() -> None:
    one = Case.start(corpus(), "approval", {}, Answers(1))
    other = Case.start(corpus(), "approval", {}, Answers(2))
    assert one.dump() != other.dump()


def test_hash_seed_and_process_make_no_difference() -> None:
    code = "from tests.engine.spiff.kernel.test_determinism import fingerprint; print(fingerprint())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=TOP,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "4711")
    }
    assert printed == {fingerprint()}


def test_six_threads_on_one_set_of_definitions_do_not_touch_each_other() -> None:
    alone = {(process, seed): Play(process).at_random(seed).states for process in PLAYED for seed in range(6)}
    with ThreadPoolExecutor(6) as threads:
        games = {
            key: threads.submit(lambda key: Play(key[0], reload="command").at_random(key[1]).states, key)
            for key in alone
        }
        assert {key: game.result() for key, game in games.items()} == alone


def test_no_id_and_no_time_outside_a_command() -> None:
    with pytest.raises(determinism.OutsideCommand):
        library_task.uuid4()
    with pytest.raises(determinism.OutsideCommand):
        library_task.time.time()
    with pytest.raises(determinism.OutsideCommand):
        library_timer.datetime.now(UTC)


def test_the_librarys_own_globals_answer_from_the_running_command() -> None:
    with determinism.running(Answers(7)):
        assert library_task.uuid4() == Answers(7).new_id()
        assert library_task.time.time() == NOW.timestamp()
        assert library_timer.datetime.now(UTC) == NOW
    assert library_timer.datetime.fromisoformat("2026-01-01") == datetime.fromisoformat("2026-01-01")


def test_loading_and_saving_ask_for_nothing() -> None:
    play = Play("caller").do("propose", title="x")
    assert Case.load(corpus(), play.case.dump()).dump() == play.case.dump()


def test_due_times_come_from_the_context_alone() -> None:
    class Later(Answers):
        def due(self, element: str, value: str, start: datetime) -> datetime:
            return datetime(2030, 1, 1, tzinfo=UTC)

    case = Case.start(corpus(), "approval", {}, Answers(0))
    case.complete(case.waiting().tasks[0].token, {"outcome": "agree"}, Later(1))
    assert [timer.due for timer in case.waiting().timers] == [datetime(2030, 1, 1, tzinfo=UTC)]
