"""The scanner finds what must be found, evasions included, and leaves everyday sentences alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.errors import Invalid
from processes import scanner
from processes.scanner import normalise, plain, scan
from processes.term_cost import steps
from processes.term_rules import COLUMNS, MOST_STEPS_IN_ALL, PATH, bounded, problems, read, refused, shipped

LINES = list(csv.DictReader((Path(__file__).parent / "scan_tests.csv").read_text(encoding="utf-8").splitlines()))
SCENARIOS = Path(__file__).resolve().parents[2] / "processes" / "content_review" / "scenarios"
CASES: dict[str, list[tuple[str, str, str]]] = {  # what the scan of each case's text was judged to give
    "C01": [],
    "C02b": [],
    "C03": [
        ("T006", "block", "零甲醛"),
        ("T006", "block", "绿色无污染"),
        ("T007", "warn", "甲醛"),
        ("T007", "warn", "孕妇可用"),
    ],
    "C04": [("T015", "warn", "戳链接"), ("T015", "warn", "到手价")],
    "C05": [("T013", "block", "经销商底价")],
    "C07": [("T009", "warn", "直降"), ("T009", "warn", "原价"), ("T010", "warn", "仅限今天")],
    "C08": [("T025", "warn", "下一代新品"), ("T025", "warn", "专利申请中")],
    "C10": [("T009", "warn", "3折"), ("T017", "warn", "台风"), ("T017", "warn", "台风")],
    "C11": [],
    "C13": [],
    "C14": [("T028", "warn", "翻唱")],
    "C16": [("T011", "warn", "抽1位"), ("T011", "warn", "锦鲤")],
    "C17": [("T019", "warn", "全国门店分布图")],
    "C19": [],
    "C20": [],
    "C22": [],
    "C23": [("T009", "warn", "8折"), ("T018", "block", "国旗")],
    "C25": [],
}
DISGUISED = [
    ("頂級沙發", "absolute_term", "頂級"),
    ("这是ＺＵＩ好的沙发", "absolute_term", "ＺＵＩ好"),
    ("zui 好的沙发", "absolute_term", "zui 好"),
    ("顶\u200b级沙发", "absolute_term", "顶\u200b级"),
    ("零🌿甲🌿醛", "env_health_claim", "零🌿甲🌿醛"),
    ("甲、醛", "env_health_claim", "甲、醛"),
    ("联系１３９ １２３４ ５６７８", "personal_info", "１３９ １２３４ ５６７８"),
    ("联系139-1234-5678", "personal_info", "139-1234-5678"),
    ("联系139.1234.5678", "personal_info", "139.1234.5678"),
    ("ＴＯＰ1", "absolute_term", "ＴＯＰ1"),
    ("全场8.5折", "price_comparison", "8.5折"),
    ("顶\u0336级\u0336沙发", "absolute_term", "顶\u0336级"),
    ("顶\u20dd级沙发", "absolute_term", "顶\u20dd级"),
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["text"])
def test_every_line_judged_by_hand_is_met(line: dict[str, str]) -> None:
    flags = {hit.rule.flag for hit in scan(line["text"])}
    assert (line["flag"] in flags) if line["expect"] == "hit" else not flags


@pytest.mark.parametrize("case", CASES)
def test_every_case_gives_its_hits_in_order(case: str) -> None:
    body = json.loads((SCENARIOS / f"{case}.json").read_text(encoding="utf-8"))["start"]["variables"]["body"]
    assert [(hit.rule.id, hit.rule.severity, hit.text) for hit in scan(body)] == CASES[case]


@pytest.mark.parametrize(("text", "flag", "written"), DISGUISED)
def test_disguised_words_are_marked_where_they_were_written(text: str, flag: str, written: str) -> None:
    assert written in [text[hit.start : hit.end] for hit in scan(text) if hit.rule.flag == flag]


@pytest.mark.parametrize("text", ["单价8.5元", "共3.2万张", "2026.11.09开业"])
def test_a_decimal_point_or_a_date_is_no_gap(text: str) -> None:
    assert normalise(text) == text


def test_every_place_of_a_normalised_text_is_known() -> None:
    text = "㎡ＴＯＰ１ 零·甲·醛 e\u0301 ﾀﾞ 頂級 zui di一\u200b品牌"
    spread = plain(text)
    places = [spread.span(place, place + 1) for place in range(len(spread.text))]
    assert places == sorted(places)
    for start, stop in places:
        assert 0 <= start < stop <= len(text)


@pytest.mark.parametrize("seed", range(20))
def test_the_short_way_and_the_long_way_to_a_plain_text_agree(seed: int) -> None:
    draw = Random(seed)
    letters = [*"最好先零甲醛139.-，。、 顶级比a1", "頂級", "zui", "di一", "\u200b", "㎡", "Ａ", "é", "😀"]
    for _ in range(200):
        text = "".join(draw.choice(letters) for _ in range(draw.randint(0, 20)))
        short, long = scanner.plain(text), scanner._step_by_step(text)
        assert short.text == long.text
        places = range(len(short.text))
        assert [short.span(at, at + 1) for at in places] == [long.span(at, at + 1) for at in places]


def test_only_the_flags_asked_for_are_looked_at() -> None:
    assert not list(scan("直播间", flags={"absolute_term"}))
    assert [hit.rule.flag for hit in scan("直播间", flags={"livestream"})] == ["livestream"]


def test_once_gives_the_first_hit_of_a_rule() -> None:
    assert [hit.start for hit in scan("顶级，顶级", once=True)] == [0]
    assert [hit.start for hit in scan("顶级，顶级")] == [0, 3]


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+b",
        "(?:最|顶)*(?:最|顶)*(?:最|顶)*(?:最|顶)*级",
        ".{0,40}甲.{0,40}乙.{0,40}丙",
        "最?",
        "(?=最)",
        "(?:最{900}){900}",
        "甲.{0,90}甲.{0,90}乙",
        "(" * 900 + "最" + ")" * 900,
        "(",
        r"(最)\1",
        "",
    ],
)
def test_a_pattern_that_could_hang_or_means_nothing_is_refused(regex: str) -> None:
    assert refused(regex) is not None
    with pytest.raises(Invalid) as error:
        read(f'{HEADER}\nX1,absolute_term,warn,"{regex}",,广告法9,删除\n'.encode())
    assert set(error.value.fields) == {"X1:2"}


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"id,flag\nX1,absolute_term\n", f"{HEADER}\nX1,a,shout,x,,l,a\n".encode(), HEADER.encode()],
)
def test_a_broken_table_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


def test_every_problem_of_a_table_is_named_at_once() -> None:
    rows = ["X1,a,warn,最好,,l,d", "X1,a,warn,最大,,l,d", "X2,,loud,(,,l,d"]
    with pytest.raises(Invalid) as error:
        read("\n".join([HEADER, *rows]).encode())
    assert set(error.value.fields) == {"X1:3", "X2:4"}


def test_a_table_of_harmless_rows_that_is_slow_as_a_whole_is_refused_at_the_row_too_many() -> None:
    row = "甲.{0,40}乙.{0,40}丙"
    assert refused(row) is None
    most = MOST_STEPS_IN_ALL // steps(bounded(row))
    rows = [f'X{number},a,warn,"{row}",,l,a' for number in range(most + 2)]
    assert [(line, rule) for line, rule, *_ in problems("\n".join([HEADER, *rows]).encode())] == [
        (most + 2, f"X{most}")
    ]
    assert len(read("\n".join([HEADER, *rows[:most]]).encode())) == most


@pytest.mark.parametrize(
    ("pattern", "most"),
    [("最", 4), ("(?:最|顶)级", 9), ("甲.{0,9}乙", 60), ("1[3-9]\\d{9}", 30), ("好评\\d+元", 60), ("甲(?!乙|丙)", 12)],
)
def test_what_a_pattern_costs_is_worked_out_from_its_structure(pattern: str, most: int) -> None:
    assert 1 < steps(bounded(pattern)) <= most


def test_words_that_exclude_one_another_are_no_choices_to_come_back_to() -> None:
    assert steps("(?:最好|最佳|顶级)(?:沙发|床)") < steps("(?:最|最好|最好的)(?:沙发|床)")


def test_the_shipped_table_is_far_from_slow() -> None:
    cost = sum(steps(each.pattern) for rule in shipped() for each in (rule.pattern, rule.allowed) if each is not None)
    assert cost < MOST_STEPS_IN_ALL / 2


def test_allowed_spans_are_looked_up_not_searched_for_every_hit() -> None:
    """Ten thousand characters of an allowed phrase: each hit asks for the one span it could lie in."""
    assert not list(scan("最好先" * 3333))
    assert len(list(scan("最好先" * 1000 + "最好" * 1000, flags={"absolute_term"}))) == 1000


@pytest.mark.parametrize(
    "piece", ["比", "据", "1", "小区1", "9%的", "返现1元", "最·", "zui", "Ａ", "\u200b", "e\u0301", "…"]
)
def test_whatever_ten_thousand_characters_hold_every_hit_stands_where_it_says(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    for hit in scan(text):
        assert 0 <= hit.start < hit.end <= len(text)


def test_the_shipped_table_is_read_as_it_stands() -> None:
    rules = shipped()
    assert len(rules) == len({rule.id for rule in rules}) == 29
    assert PATH.read_bytes().count(b"\n") >= len(rules)


def test_other_rules_can_be_given() -> None:
    table: Any = read(f"{HEADER}\nX1,house_word,warn,样品,,本办法,改写\n".encode())
    assert [hit.rule.id for hit in scan("样品特价，顶级", rules=table)] == ["X1"]
