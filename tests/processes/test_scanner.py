"""The scanner finds what must be found, evasions included, and leaves everyday sentences alone."""

from __future__ import annotations

import pytest

from processes.scanner import scan

MUST_HIT = [
    ("顶 级 沙发", "absolute_term"),
    ("頂級沙發", "absolute_term"),
    ("全网销量NO.1", "absolute_term"),
    ("零·甲·醛", "env_health_claim"),
    ("联系13912345678", "personal_info"),
    ("di一品牌", "absolute_term"),
    ("zui好的沙发", "absolute_term"),
    ("人民大会堂专供", "national_symbol"),
    ("五星好评返现20元好评截图", "illegal"),
    ("只招女生", "recruitment"),
]
MUST_NOT_HIT = [
    "第一步先量尺寸",
    "最后把螺丝拧紧",
    "第一次装修怎么选",
    "最好避免阳光直射",
    "最佳保养时间是入冬前",
    "这款最大承重150公斤",
    "本店最大尺寸2.4米",
    "第一时间联系客服",
    "品质至上,客户为本",
    "这把椅子第一款打样是2019年",
]


@pytest.mark.parametrize(("text", "flag"), MUST_HIT)
def test_forbidden_words_are_found_even_when_disguised(text: str, flag: str) -> None:
    assert flag in {hit.rule.flag for hit in scan(text)}


@pytest.mark.parametrize("text", MUST_NOT_HIT)
def test_everyday_sentences_are_left_alone(text: str) -> None:
    assert [hit.rule.id for hit in scan(text)] == []


def test_only_the_flags_asked_for_are_looked_at() -> None:
    assert not list(scan("直播间", flags={"absolute_term"}))
    assert [hit.rule.flag for hit in scan("直播间")] == ["livestream"]
