"""Saving and loading changes nothing: not after a command, not between any two steps of the engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.spiff.case import Case
from engine.spiff.failures import ErrorUncaught
from tests.engine.spiff.kernel.driving import Play, corpus

PROCESSES = sorted(corpus().processes)
SEEDS = range(8)
SHIELDED = {"two_oops", "fix_two"}  # drawn so that the error of their neighbour could reach them; it must not


@pytest.fixture
def reloading_between_steps() -> Iterator[list[int]]:
    """Every step of the engine is followed by saving and loading; the list counts them."""
    count = [0]

    def reload(case: Case) -> None:
        count[0] += 1
        trace, steps = case._root.trace, case._root.steps
        case._root = Case.load(case._definitions, case.dump())._root
        case._root.trace, case._root.steps = trace, steps

    Case.between = reload
    yield count
    Case.between = None


def played(process: str, seed: int, reload: str = "") -> Play:
    play = Play(process, reload=reload)
    try:
        play.at_random(seed)
    except ErrorUncaught:
        assert process == "thrower"  # started by itself, nobody is there to catch
    return play


@pytest.mark.parametrize("process", PROCESSES)
def test_loading_after_every_command_changes_nothing(process: str) -> None:
    for seed in SEEDS:
        calm, disturbed = played(process, seed), played(process, seed, reload="command")
        assert disturbed.traces == calm.traces
        assert disturbed.states == calm.states
        assert disturbed.case.waiting() == calm.case.waiting()
        assert disturbed.case.variables() == calm.case.variables()
        assert (disturbed.case.status, disturbed.case.end) == (calm.case.status, calm.case.end)


@pytest.mark.parametrize("process", PROCESSES)
def test_loading_between_any_two_steps_changes_nothing(process: str, reloading_between_steps: list[int]) -> None:
    for seed in SEEDS:
        disturbed = played(process, seed, reload="command")
        assert reloading_between_steps[0] > 0
        between, Case.between = Case.between, None
        calm = played(process, seed)
        Case.between = between
        assert disturbed.traces == calm.traces
        assert disturbed.states == calm.states
        assert disturbed.case.variables() == calm.case.variables()


def test_the_corpus_reaches_every_element_it_draws() -> None:
    reached: dict[str, set[str]] = {process: set() for process in PROCESSES}
    for process in PROCESSES:
        for seed in range(30):
            for trace in played(process, seed).traces:
                if trace.kind == "entered":
                    reached[trace.process].add(trace.element)
    for process, info in corpus().processes.items():
        assert set(info.elements) - reached[process] == (SHIELDED if process == "errors" else set()), process


def test_the_corpus_covers_every_kind_of_element_that_can_be_parsed() -> None:
    from engine.spiff.parse import NODES

    drawn = {element.kind for info in corpus().processes.values() for element in info.elements.values()}
    assert NODES - drawn == {"task"}  # a plain task does nothing and is refused by the gate
