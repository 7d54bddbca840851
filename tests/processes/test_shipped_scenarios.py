"""Every scenario that ships beside a procedure passes, and each case of the demo material has one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.scenario_runner import Stage, run_file

PROCEDURES = Path(__file__).resolve().parents[2] / "processes"
SCENARIOS = sorted(PROCEDURES.glob("*/scenarios/*.json"))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_shipped_scenario_passes(path: Path, stage: Stage) -> None:
    outcome = run_file(path, stage)
    assert outcome.failure is None, (outcome.failure, outcome.path)


def test_every_registration_case_has_its_scenario() -> None:
    assert {"R01", "R03", "R04", "R06", "R07"} <= {path.stem for path in SCENARIOS}
