"""Nothing untranslated in either language, and no words outside the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask

import web
from engine import Calendar
from web import words
from web.failures import PAGES
from web.languages import CATALOGUE

Browse = Callable[[str | None], Any]
HOME = Path(web.__file__).parent
HAN = re.compile(r"[\u3400-\u9fff]")
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS: Any = {"_": None, "gettext": None, "ngettext": (1, 2)}


def messages() -> dict[str, str]:
    """Message id → where it is first used, of all pages and views (the command line has its own words)."""
    found: dict[str, str] = {}
    for file, line, message, _comments, _context in extract_from_dir(str(HOME), METHODS, keywords=KEYWORDS):
        if not file.startswith("cli"):
            found.setdefault(message if isinstance(message, str) else message[0], f"{file}:{line}")
    return found


def test_every_message_is_written_in_chinese_and_translated() -> None:
    with CATALOGUE.open("rb") as source:
        catalogue = {
            entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in read_po(source) if entry.id
        }
    used = messages()
    missing = sorted(f"{used[message]}: {message}" for message in used.keys() - catalogue.keys())
    assert missing == [], "add these to web/translations/en/LC_MESSAGES/messages.po"
    assert sorted(catalogue.keys() - used.keys()) == [], "these are no longer used: remove them"
    for message, entry in catalogue.items():
        english = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
        assert all(english) and not any(HAN.search(one) for one in english), f"untranslated: {message}"
        assert not entry.fuzzy and list(entry.check()) == [], f"placeholders differ: {message}"
        assert HAN.search(message) or not re.search(r"[A-Za-z]{2}", message), f"written in English first: {message}"


def test_chinese_messages_use_full_width_punctuation_and_no_exclamation_marks() -> None:
    for message, where in messages().items():
        assert not re.search(r"[\u3400-\u9fff」][,:;?!]", message), f"{where}: {message}"
        assert "！" not in message and "您" not in message, f"{where}: {message}"


def test_no_template_has_words_outside_the_catalogue() -> None:
    for template in sorted((HOME / "templates").glob("*.html")):
        text = re.sub(
            r"\{#.*?#\}|\{% block width %\}.*?\{% endblock %\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->",
            "",
            template.read_text(),
            flags=re.S,
        )
        shown = re.sub(r"<[^>]*>", "\n", text)
        shown += "\n".join(re.findall(r'(?:title|aria-label|placeholder|alt)="([^"]+)"', text))
        left = [line.strip() for line in shown.splitlines() if re.search(r"[A-Za-z\u3400-\u9fff]", line)]
        left = [line for line in left if not re.fullmatch(r"&\w+;", line) and not line.startswith("aria-")]
        assert left == [], f"{template.name}: {left}"


def test_error_pages_have_both_languages() -> None:
    for status in (400, 403, 404, 409, 413, 422, 429, 500, 503):
        for texts in PAGES[status]:
            assert HAN.search(texts["zh-CN"]) and not HAN.search(texts["en"])


PAGES_TO_READ = [
    "/login", "/inbox", "/inbox?tab=claimable", "/inbox?tab=started", "/start", "/start/sample_loan", "/notifications",
    "/registers/account", "/nothing", "TASK",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES_TO_READ)
def test_an_english_page_has_no_chinese_left_but_names(browse: Browse, loan: Any, path: str) -> None:
    browser = browse("taochouti" if path != "/login" else None)
    path = path.replace("TASK", f"/tasks/{loan.tasks[0]}")
    page = browser.get(path, headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert '<html lang="en">' in page
    shown = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.S)
    allowed = {
        "中文", "陶", "米", "榫卯样件", "布艺沙发", "样品管理员", "内容策划", "主播", "系统管理员", "内审", "展厅",
        "新品短片需要实物", "一号影棚, 展厅",
    }  # fmt: skip
    left = set(re.findall(r"[\u3400-\u9fff][\u3400-\u9fff、, ]*", shown))
    assert {one.strip(" ,") for one in left} <= allowed


def test_the_reader_chooses_and_the_choice_is_kept(browse: Browse) -> None:
    browser = browse(None)
    assert '<html lang="zh-CN">' in browser.get("/login").text
    assert '<html lang="en">' in browser.get("/login", headers={"Accept-Language": "en"}).text
    assert '<html lang="zh-CN">' in browser.get("/login", headers={"Accept-Language": "fr, zh;q=0.5"}).text
    assert browser.post("/language", {"lang": "en", "next": "/login"}).location == "/login"
    assert '<html lang="en">' in browser.get("/login", headers={"Accept-Language": "zh-CN"}).text
    browser.post("/language", {"lang": "xx", "next": "//evil.example"})
    assert '<html lang="en">' in browser.get("/login").text


def test_icons_that_pages_ask_for_are_in_the_sprite() -> None:
    packed = set(json.loads((HOME / "frontend" / "src" / "icons.json").read_text()))
    sources = [*HOME.glob("templates/*.html"), *HOME.glob("*.py")]
    asked = set()
    for source in sources:
        asked |= set(re.findall(r'icon\("([\w-]+)"|icon="([\w-]+)"|empty\("([\w-]+)"', source.read_text()))
    names = {name for group in asked for name in group if name}
    assert names and names <= packed, names - packed


MONDAY = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)  # 09:00 in Foshan


@pytest.mark.parametrize(
    ("hours", "words_zh", "words_en", "tone"),
    [
        (4, "还剩 3 工作小时", "3 working hours left", "wait"),  # lunch does not count
        (1, "还剩 1 工作小时", "1 working hour left", "soon"),
        (0.5, "还剩 30 分钟", "30 minutes left", "soon"),
        (24 * 3, "还剩 3 个工作日", "3 working days left", "wait"),
        (-64, "已超期 1 工作小时", "1 working hour overdue", "late"),  # since Friday 17:00, counted in working time
        (-65, "已超期 2 工作小时", "2 working hours overdue", "late"),
    ],
)
def test_deadlines_are_told_in_working_time(app: Flask, hours: float, words_zh: str, words_en: str, tone: str) -> None:
    for language, said in (("zh-CN", words_zh), ("en", words_en)):
        with app.test_request_context(headers={"Accept-Language": language}):
            told = words.left(MONDAY + timedelta(hours=hours), MONDAY, Calendar())
            assert (told.words, told.tone) == (said, tone)


@pytest.mark.parametrize(
    ("passed", "zh", "en"),
    [
        (timedelta(seconds=5), "刚刚", "just now"),
        (timedelta(minutes=1), "1 分钟前", "1 minute ago"),
        (timedelta(hours=8), "今天 01:00", "today 01:00"),
        (timedelta(hours=20), "昨天 13:00", "yesterday 13:00"),
        (timedelta(days=20), "10 月 20 日 09:00", "20 Oct, 09:00"),
        (timedelta(days=400), "2025 年 10 月 5 日 09:00", "5 Oct 2025, 09:00"),
    ],
)
def test_moments_are_told_as_people_say_them(app: Flask, passed: timedelta, zh: str, en: str) -> None:
    for language, said in (("zh-CN", zh), ("en", en)):
        with app.test_request_context(headers={"Accept-Language": language}):
            assert words.ago(MONDAY - passed, MONDAY) == said
