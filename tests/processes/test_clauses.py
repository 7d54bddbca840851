"""Every clause that belongs to one of our procedures is realised by steps that are in its diagram, and its README says
which."""

from __future__ import annotations

import pytest
from lxml import etree

from processes.bundle import shipped
from processes.clauses import HERE, PROCEDURES, Realised, clauses, written

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BELONGS = {  # the clauses of the policy that belong to each procedure, by number
    "P01": "1.2a 2b 3.3a 3.3d 4.1.1a 4.1.1b 4.1.1c 4.1.2d",
    "P02": "1.2a 3.3a 3.3d 4.1.3a 4.1.3b 4.1.3c",
    "P03": "1.2a 3.3a 4.1.3d 4.1.3e 4.1.3f",
    "P04": "1.2a 1.2b 1.3 3.2c 3.4a 3.4b 4.1.2f 4.2.1b 4.2.2a 4.2.2b 4.2.2c 4.2.2d",
    "P05": "1.2a 3.3c 4.1.2e 4.3.1b 4.3.1c 4.3.3a 6.1.2a 6.1.2b 6.1.2c",
    "P06": "1.2a 3.4b 4.3.1b 4.3.1c 4.3.3a 5.1c 5.1e 5.2a 5.2e 6.2.2a 6.2.2b 6.2.2c",
    "S01": "1.2a 3.1a 4.1.1b 4.1.3b 4.2.2c",
    "P08": "1.2a 2c 3.2c 3.2d 3.2e 4.2.3a 4.2.3b 4.2.3c 5.1g",
    "P09": "1.2a 3.3a 4.1.2a 4.1.2b 4.1.2c",
    "P10": "1.2a 4.1.2c 4.1.2e 4.1.2f 4.2.3d 5.1a 6.1.1c 6.1.1d",
    "P16": "1.2a 2a 3.5c 4.3.1a 4.3.2 5.1d 5.2c 5.2e 7.2b",
    "P22": "1.2a 5.1b",
}
# Shared with a procedure there is not, so that only a part of it can be realised here.
SHARED = {
    ("3.3c", "P05"): "P19",
    ("4.2.1b", "P04"): "P07",
    ("4.3.1a", "P16"): "P11",
    ("5.1e", "P06"): "P12",
    ("5.2a", "P06"): "P11",
}


def elements(process: str) -> set[str]:
    diagram = etree.fromstring(shipped()[f"{process}.bpmn"])
    found = diagram.find(f"{BPMN}process[@id='{process}']")
    assert found is not None, process
    return {each.get("id") for each in found.iter() if isinstance(each.tag, str) and each.tag.startswith(BPMN)}


@pytest.mark.parametrize("procedure", sorted(BELONGS))
def test_no_clause_of_a_procedure_is_without_a_step(procedure: str) -> None:
    realised = {each.clause for each in clauses() if each.procedure == procedure and any(each.steps.values())}
    assert set(BELONGS[procedure].split()) - realised == set()


@pytest.mark.parametrize("realised", clauses(), ids=lambda each: f"{each.clause}-{each.procedure}")
def test_every_step_named_is_a_step_of_the_diagram(realised: Realised) -> None:
    assert realised.steps.keys() <= set(PROCEDURES[realised.procedure])
    for process, steps in realised.steps.items():
        assert steps, process
        assert set(steps) - elements(process) == set()


def test_each_clause_stands_once_in_a_procedure() -> None:
    named = [(each.clause, each.procedure) for each in clauses()]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(("clause", "procedure"), sorted(SHARED))
def test_a_clause_shared_with_a_procedure_there_is_not_is_said_to_be_partly_realised(
    clause: str, procedure: str
) -> None:
    (found,) = (each for each in clauses() if (each.clause, each.procedure) == (clause, procedure))
    assert found.gap is not None
    assert SHARED[clause, procedure] in found.gap["zh-CN"]
    assert SHARED[clause, procedure] in found.gap["en"]


def test_everything_is_said_in_both_languages() -> None:
    for each in clauses():
        for text in (each.how, *([each.gap] if each.gap else [])):
            assert all(text[language].strip() for language in ("zh-CN", "en")), each


@pytest.mark.parametrize("process", [process for processes in PROCEDURES.values() for process in processes])
def test_the_readme_says_what_the_data_says(process: str) -> None:
    _, text, wanted = written(process)
    assert text == wanted, "python -m processes.clauses"


def test_every_procedure_with_forms_is_accounted_for() -> None:
    known = {process for processes in PROCEDURES.values() for process in processes}
    shipped_ = {path.parent.name for path in HERE.glob("*/README.md")}
    apart = {"identity_access", "personal_erasure", "diagram_change"}  # no clause of the policy speaks of these
    assert shipped_ - known <= apart
