"""A demo company on a throw-away stage, for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from engine import Engine
from processes.scenario_runner import ScenarioClock, Stage
from tests.processes.content_driving import NOW


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(datetime.fromisoformat(NOW)) as opened:
        yield opened


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]
