"""Where a law bears on a decision, the step's page cites it and says how sure we are."""

from __future__ import annotations

import pytest
from lxml import etree

from processes.bundle import shipped
from processes.content_review.requirements import REQUIREMENTS
from processes.discipline import legality
from processes.law import LAWS, SURE, Law, bearing, cite

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def user_tasks(process: str) -> set[str]:
    diagram = etree.fromstring(shipped()[f"{process}.bpmn"])
    return {each.get("id") for each in diagram.iter(f"{BPMN}userTask")}


def test_all_fifty_provisions_are_there() -> None:
    assert list(LAWS) == [f"L{number:02}" for number in range(1, 51)]


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
def test_a_provision_is_shown_where_somebody_decides_or_says_why_not(law: Law) -> None:
    assert bool(law.steps) != bool(law.absent)
    for process, elements in law.steps.items():
        assert set(elements) - user_tasks(process) == set()
        assert all(law in bearing(process, element) for element in elements)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.id)
def test_a_provision_says_in_both_languages_what_it_is_and_how_sure_we_are(law: Law) -> None:
    for text in (law.instrument, law.claim, law.source, SURE[law.sure], *([law.absent] if law.absent else [])):
        assert all(text[language].strip() for language in ("zh-CN", "en"))
    for language in ("zh-CN", "en"):
        assert SURE[law.sure][language] in cite([law.id], language)
        assert law.id in cite([law.id], language)


def test_every_decision_on_discipline_content_complaints_and_accounts_names_its_law() -> None:
    for process, elements in {
        "discipline": ("rule_check", "propose", "union", "approve", "appeal_review", "execute"),
        "content_review": ("t1_review", "legal_review", "urgent"),
        "complaint": ("triage", "contain", "legal_check", "decide", "watch"),
        "takedown": ("preserve", "assess", "platform_notice"),
        "account_handover": ("confirm_successor", "prepare", "sign"),
        "account_registration": ("admin_precheck", "legal_opinion", "undertaking"),
    }.items():
        for element in elements:
            assert bearing(process, element), (process, element)


def test_every_provision_a_refusal_cites_exists() -> None:
    cited = {each for _, _, articles in (legality._ACTIONS | legality._OWN).values() for each in articles}
    assert cited
    assert cited <= LAWS.keys()


def test_every_requirement_of_content_says_how_sure_its_law_is() -> None:
    assert all(each.law and each.sure_zh and each.sure_en for each in REQUIREMENTS.values())
