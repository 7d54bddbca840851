"""The auditor's reports on pages: figures beside every drawing, and each leads to its cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine import Engine, indexing

Browse = Callable[[str | None], Any]
PAGES = ("/audit/reports/heat", "/audit/reports/heat/sample_loan", "/audit/reports/sla", "/audit/reports/segregation")


@pytest.fixture
def auditor(engine: Engine, loan: Any, clock: Any, browse: Browse) -> Any:
    """The auditor at a page; one loan was reviewed after three hours."""
    (task,) = loan.tasks
    clock.advance(hours=2)
    engine.claim(task, by="taochouti")
    engine.complete(task, {"outcome": "agree"}, by="taochouti")
    while indexing.catch_up(engine):
        pass
    return browse("jianchigui")


def test_the_heat_map_draws_the_diagram_and_says_the_same_in_a_table(auditor: Any) -> None:
    page = auditor.get("/audit/reports/heat/sample_loan").text
    assert "<svg" in page and 'class="spot warm-5"' in page and "2.0" in page
    links = re.findall(r'href="(/audit/\?[^"]*element=review[^"]*)"', page)
    assert len(links) >= 2 and "diagram=sample_loan" in links[0]
    assert "没有符合条件的案件" not in auditor.get(links[0].replace("&amp;", "&")).text


@pytest.mark.parametrize(
    "query", ["", "?by=visits", "?by=mean", "?by=%00nonsense", "?since=2999-01-01", "?until=x&since=%00"]
)
@pytest.mark.parametrize("path", PAGES)
def test_every_report_answers_whatever_it_is_asked(auditor: Any, path: str, query: str) -> None:
    page = auditor.get(f"{path}{query}")
    assert page.status_code == 200 and "<h1>" in page.text


def test_a_procedure_that_does_not_exist_is_not_found(auditor: Any) -> None:
    assert auditor.get("/audit/reports/heat/nothing").status_code == 404


def test_reports_are_written_in_the_readers_language(auditor: Any) -> None:
    for path in PAGES:
        page = auditor.get(path, headers={"Accept-Language": "en"}).text
        shown = re.sub(r"<script.*?</script>|<title>.*?</title>|<[^>]+>", " ", page, flags=re.S)
        left = set(re.findall(r"[\u3400-\u9fff]{2,}", shown))
        assert left <= {"中文", "榫卯样件", "内审", "同意"}, (
            path,
            left,
        )  # names that the sample diagram has in Chinese only


def test_reports_are_for_auditors_alone(auditor: Any, browse: Browse) -> None:
    for who in ("michuangdian", "taochouti", "sushujia"):
        for path in PAGES:
            assert browse(who).get(path).status_code == 403
