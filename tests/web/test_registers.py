"""The registers: who sees which rows, on the page and in the files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from flask import Flask

from engine import Engine, Registers
from processes.registers.books import BOOKS, READERS
from web import export

Browse = Callable[[str | None], Any]
ROWS = {
    "account": {
        "A001": {"name": "样木家居", "platform": "抖音", "responsible": "luyaoyi", "status": "active", "followers": 12},
        "A002": {"name": "=cmd|' /C calc'!A0", "platform": "微博", "status": "draft", "has_payment": True},
    },
    "sanction": {
        "CF-1": {"respondent": "luyaoyi", "sanction": "WARNING", "status": "effective", "case_no": "CF-1"},
        "CF-2": {"respondent": "yepingfeng", "sanction": "COACHING", "status": "settled", "case_no": "CF-2"},
    },
    "complaint": {"TS-1": {"category": "未标广告", "status": "closed", "case_no": "TS-1"}},
}


@pytest.fixture(autouse=True)
def filled(engine: Engine) -> None:
    """The registers with a few rows, under the policy's permissions."""
    engine.registers = READERS

    def work(connection: Any) -> None:
        registers = Registers(connection, now=engine.now())
        for name, rows in ROWS.items():
            for key, fields in rows.items():
                registers.put(name, key, fields)

    engine.db.write(work)


def test_everybody_reads_the_accounts_and_searches_them(browse: Browse) -> None:
    page = browse("michuangdian").get("/registers/account").text
    assert "样木家居" in page and "陆摇椅" in page
    assert "微博" not in browse("michuangdian").get("/registers/account?search=抖音").text
    assert "样木家居" not in browse("michuangdian").get("/registers/account?status=draft").text
    row = browse("michuangdian").get("/registers/account/A001").text
    assert "登记内容" in row and "陆摇椅" in row


def test_a_sanction_is_seen_by_whom_it_is_about_and_those_who_keep_the_register(browse: Browse) -> None:
    mine = browse("luyaoyi").get("/registers/sanction").text
    assert "CF-1" in mine and "CF-2" not in mine and "书面警告" in mine
    assert browse("luyaoyi").get("/registers/sanction/CF-2").status_code == 404
    assert "CF-1" not in browse("michuangdian").get("/registers/sanction").text
    audited = browse("jianchigui").get("/registers/sanction").text
    assert "CF-1" in audited and "CF-2" in audited
    assert "TS-1" not in browse("michuangdian").get("/registers/complaint").text
    assert "TS-1" in browse("jianchigui").get("/registers/complaint").text


def test_a_register_that_is_not_for_the_reader_is_refused(engine: Engine, browse: Browse) -> None:
    engine.registers = {"account": READERS["account"]}
    assert browse("michuangdian").get("/registers/sanction").status_code == 403
    assert browse("michuangdian").get("/registers/sanction/export/csv").status_code == 403
    assert "处分台账" not in browse("michuangdian").get("/registers/account").text
    assert browse("jianchigui").get("/registers/sanction").status_code == 200
    assert browse("michuangdian").get("/registers/nothing").status_code == 404


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_csv_holds_what_the_reader_may_see_and_runs_nothing(browse: Browse) -> None:
    sent = browse("luyaoyi").get("/registers/account/export/csv")
    assert sent.headers["Content-Disposition"].startswith("attachment;")
    assert "%E8%B4%A6%E5%8F%B7%E5%8F%B0%E8%B4%A6-2026-11-09.csv" in sent.headers["Content-Disposition"]
    assert sent.data.startswith(b"\xef\xbb\xbf")
    header, first, second = lines(sent.data)
    told = dict(zip(header, first, strict=True))
    assert (told["编号"], told["名称"], told["账号负责人"], told["粉丝量"]) == ("A001", "样木家居", "陆摇椅", "12")
    assert dict(zip(header, second, strict=True))["名称"] == "'=cmd|' /C calc'!A0"
    sanctions = lines(browse("luyaoyi").get("/registers/sanction/export/csv").data)
    assert [line[0] for line in sanctions[1:]] == ["CF-1"]


def test_an_xlsx_holds_text_as_text_and_numbers_as_numbers(browse: Browse) -> None:
    sent = browse("michuangdian").get("/registers/account/export/xlsx?search=A00")
    sheet = openpyxl.load_workbook(io.BytesIO(sent.data)).active
    assert sheet is not None
    header, first, second = list(sheet.iter_rows())
    names = [cell.value for cell in header]
    followers, name = first[names.index("粉丝量")], second[names.index("名称")]
    assert (followers.value, followers.data_type) == (12, "n")
    assert (name.value, name.data_type) == ("=cmd|' /C calc'!A0", "s")
    assert sheet.title == "账号台账" and sheet.freeze_panes == "A2"


def test_an_export_speaks_the_readers_language(browse: Browse) -> None:
    english = {"Accept-Language": "en"}
    header, first, *_ = lines(browse("michuangdian").get("/registers/account/export/csv", headers=english).data)
    told = dict(zip(header, first, strict=True))
    assert (told["Number"], told["Status"], told["Responsible person"]) == ("A001", "Active", "Lu Yaoyi")


def test_an_unknown_kind_of_file_is_not_found(browse: Browse) -> None:
    assert browse("michuangdian").get("/registers/account/export/exe").status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(a1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_marked(text: str) -> None:
    content = export.csv_file(["a"], [[text]]).decode("utf-8-sig")
    [[_], [cell]] = list(csv.reader(io.StringIO(content, newline="")))
    assert cell == f"'{text}"
    assert lines(export.csv_file(["a"], [[-1]]))[1] == ["-1"]


def test_control_characters_and_long_texts_do_not_break_a_file() -> None:
    content = export.xlsx_file("a/b", ["x"], [["a\x00b" + "长" * 40_000], [None], [True]], at=datetime(2026, 1, 1))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None and str(sheet["A2"].value).startswith("ab长")


@pytest.mark.parametrize("book", BOOKS.values(), ids=lambda book: book.name)
def test_a_register_shows_only_fields_that_have_a_title(book: Any, app: Flask) -> None:
    wanted = {book.heading, *book.columns, *book.persons, *book.departments, *book.words, *book.readers.own}
    assert wanted - {"using_dept"} <= set(book.titles)
    assert all({"zh-CN", "en"} <= set(title) for title in [*book.titles.values(), *book.statuses.values()])
