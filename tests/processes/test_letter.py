"""The served letter: what it says in both languages, and a PDF that shows Chinese on any machine."""

from __future__ import annotations

from typing import Any

import pytest

from processes.discipline import letter, letter_pdf
from processes.discipline.decision import evidence_text

FACTS: dict[str, Any] = {
    "sanction": "WARNING",
    "facts": "漏回复客户私信 9 条",
    "clauses": ["四.2.3"],
    "evidence": "巡查截图，SHA-256 9f2c",
    "reasons": "未尽职责",
    "basis": "六.2.2",
    "heard": "given",
    "statement": "当周轮岗，已补回复",
    "plan_text": {"zh-CN": "合计 5,000.00 元，分 3 期", "en": "5,000.00 yuan in 3 instalments"},
}


def made(**changed: Any) -> bytes:
    facts = {**FACTS, **changed}
    return letter_pdf.pdf(
        facts, company="样木家居有限公司", number="CF-2026-0001", name="江抱枕", on="2026 年 11 月 9 日"
    )


def test_the_letter_says_what_a_served_decision_must_say_in_both_languages() -> None:
    said = letter.text(FACTS)
    for needle in (
        "事实",
        "违反条款",
        "证据",
        "已听取本人陈述申辩",
        "书面警告，自生效起 12 个月后失效",
        "分 3 期",
        "7 日内",
    ):
        assert needle in said["zh-CN"], needle
    for needle in (
        "Facts",
        "Clauses",
        "Evidence",
        "statement was heard",
        "expires 12 months",
        "3 instalments",
        "7 days",
    ):
        assert needle in said["en"], needle


@pytest.mark.parametrize(
    ("heard", "words"),
    [("waived", "书面放弃"), ("hearing", "举行听证"), ("silent", "期满未陈述"), (None, "期满未陈述")],
)
def test_the_letter_says_how_the_employee_was_heard(heard: str | None, words: str) -> None:
    assert words in letter.text({**FACTS, "heard": heard, "statement": None})["zh-CN"]


def test_the_font_is_embedded() -> None:
    content = made()
    assert content.startswith(b"%PDF-")
    assert b"/FontFile2" in content
    assert b"NotoSansSC-Letter" in content
    assert b"STSong" not in content


def test_names_in_rarer_characters_of_the_standard_list_are_embedded_too() -> None:
    assert b"STSong" not in made(facts="李喆、王镕、赵玥、陈翀")


def test_a_character_the_font_lacks_is_left_to_the_viewer_rather_than_dropped() -> None:
    assert b"STSong-Light" in made(facts="龘")


def test_the_same_decision_gives_the_same_bytes() -> None:
    assert made() == made()


def test_markup_in_what_people_wrote_is_text() -> None:
    hostile = '<b>&lt;font size="90">x</b> <para></i> & </para>'
    assert made(facts=hostile).startswith(b"%PDF-")


def test_long_facts_take_more_pages() -> None:
    assert made(facts="一段很长的事实。" * 600).count(b"/Type /Page\n") > made().count(b"/Type /Page\n")


def test_a_coaching_talk_is_not_called_a_sanction() -> None:
    assert "不属处分" in letter.text({**FACTS, "sanction": "COACHING"})["zh-CN"]


def test_evidence_is_listed_whatever_shape_it_was_given_in() -> None:
    assert evidence_text("截图") == "截图"
    assert evidence_text([{"what": "截图", "sha256": "9f", "obtained": ""}, "录屏"]) == "截图，9f；录屏"
    assert evidence_text(None) == ""
