"""The pages for those who report: without a log-in, without JavaScript, and without a trace of who it was."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from engine import Engine, queries
from processes.complaint import correspondence, mailbox
from processes.scenario_runner import Stage
from web import Config, create_app, sessions

NOW = datetime.fromisoformat("2026-11-09T09:00:00+08:00")
REPORT = {
    "respondent_scope": "行政部",
    "reporter_mode": "匿名",
    "category": "打击报复/滥用检查",
    "target": "fangchaji",
    "description": "要求打开手机给他看私聊",
    "pi_exposed": "false",
    "safe_followup": "true",
}
Door = Callable[[], FlaskClient]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[Engine]:
    with stage.company(NOW) as (engine, _clock):
        yield engine


def application(engine: Engine, rate: str = "1000 per minute") -> Flask:
    config = Config(secret_key="k" * 32, public_url="http://localhost", report_rate=rate, login_rate="100 per minute")
    return create_app(config, engine=engine)


@pytest.fixture
def app(company: Engine) -> Flask:
    return application(company)


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, fields: dict[str, Any], start: str = "/report", **more: Any) -> Any:
    return client.post(path, data={**fields, "csrf_token": token(client.get(start).text)}, **more)


def receipt_of(page: str) -> str:
    return "".join(re.findall(r"<span>(\d{4})</span>", page))


def test_who_may_be_involved_is_asked_first_and_told_on_the_form(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/report")
    assert first.status_code == 200 and "首先：可能涉及谁" in first.text and 'name="description"' not in first.text
    assert post(client, "/report/form", {}).status_code == 422
    form = post(client, "/report/form", {"respondent_scope": "行政部"})
    assert form.status_code == 200 and "涉及：行政部" in form.text and 'name="description"' in form.text


def test_a_report_is_filed_and_its_receipt_opens_the_mailbox(app: Flask, company: Engine) -> None:
    client = app.test_client()
    sent = post(client, "/report/send", {**REPORT, "key": "a" * 32})
    code = receipt_of(sent.text)
    assert sent.status_code == 200 and len(code) == 16 and sent.headers["Cache-Control"] == "no-store"
    assert code not in client.get("/report").text
    another = app.test_client()
    opened = post(another, "/report/receipt", {"code": f"{code[:4]} {code[4:]}"}, "/report/receipt")
    assert opened.status_code == 200 and "还没有消息" in opened.text and code not in opened.text
    mark = re.search(r'name="mark" value="([^"]+)"', opened.text)
    assert mark
    said = {"mark": mark[1], "key": "m1", "text": "补充：十一月三日", "kind": "received"}
    answer = post(another, "/report/message", said, "/report/receipt")
    assert "消息已送达" in answer.text and "补充：十一月三日" in answer.text
    assert "没有再次收下" in post(another, "/report/message", said, "/report/receipt").text
    assert queries.inbox(company, actor="yepingfeng", tab="claimable").items == []
    assert [row.element for row in queries.inbox(company, actor="liangyigui", tab="claimable").items] == ["triage"]


def test_wrong_entries_come_back_beside_their_fields_and_nothing_is_filed(app: Flask, company: Engine) -> None:
    client = app.test_client()
    answer = post(client, "/report/send", {"respondent_scope": "行政部", "description": "只写了这些"})
    assert answer.status_code == 422 and "只写了这些" in answer.text and "「类别」尚未填写" in answer.text
    named = post(client, "/report/send", {**REPORT, "reporter_contact": "13800000000"})
    assert named.status_code == 422 and "匿名举报请勿留联系方式" in named.text
    assert queries.register_rows_of(company, "complaint") == {}


@pytest.mark.parametrize("text", ["零\x00字节", "\u202e反向", "长" * 8001, ""])
def test_what_no_report_may_carry_is_refused_in_words(app: Flask, company: Engine, text: str) -> None:
    answer = post(app.test_client(), "/report/send", {**REPORT, "description": text})
    assert answer.status_code == 422 and "情况说明" in answer.text
    assert queries.register_rows_of(company, "complaint") == {}


def test_emoji_and_markup_are_kept_as_they_were_written(app: Flask, company: Engine) -> None:
    post(app.test_client(), "/report/send", {**REPORT, "description": "😡<script>alert(1)</script>"})
    case = queries.instance_of(company, "TS-2026-0001")
    assert queries.inspect(company, case).variables["description"] == "😡<script>alert(1)</script>"


def test_a_wrong_receipt_says_so_and_nothing_else(app: Flask) -> None:
    client = app.test_client()
    pages = {post(client, "/report/receipt", {"code": code}, "/report/receipt").status_code for code in ("1" * 16, "x")}
    assert pages == {422}
    answer = post(client, "/report/receipt", {"code": "9" * 16}, "/report/receipt")
    assert "没有这个查询码" in answer.text and "9" * 16 not in answer.text


def test_guessing_is_slowed_for_the_guesser_and_for_nobody_else(company: Engine) -> None:
    client = application(company, rate="3 per minute").test_client()
    code = receipt_of(post(client, "/report/send", REPORT, environ_base={"REMOTE_ADDR": "192.0.2.7"}).text)

    def guess(typed: str, source: str) -> int:
        where = {"REMOTE_ADDR": source}
        return int(post(client, "/report/receipt", {"code": typed}, environ_base=where).status_code)

    tried = [guess(f"{number:016d}", "192.0.2.66") for number in range(5)]
    assert tried == [422, 422, 422, 429, 429]
    assert guess(code, "192.0.2.7") == 200, "whoever holds the receipt still gets in"


def test_no_address_and_no_login_is_kept(app: Flask, company: Engine) -> None:
    sessions.set_password(company.db, "fangchaji", "walnut-and-brass")
    client = app.test_client()
    entry = {"username": "fangchaji", "password": "walnut-and-brass"}
    post(client, "/login", entry, "/login")

    def rows(table: str) -> list[Any]:
        with company.db.read() as connection:
            return list(connection.execute(sa.text(f"SELECT * FROM {table}")).all())

    before = rows("web_sessions")
    page = client.get("/report", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert "方茶几" not in page.text and "退出登录" not in page.text
    post(client, "/report/send", REPORT, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert rows("web_sessions") == before
    for table in ("history", "idempotency", "instances", "complaint_threads", "complaint_messages", "register_changes"):
        kept = "".join(map(repr, rows(table)))
        assert "203.0.113.9" not in kept
        if table in ("idempotency", "complaint_threads", "register_changes"):
            assert "fangchaji" not in kept, table


def test_a_report_needs_its_pages_token_and_its_own_site(app: Flask, company: Engine) -> None:
    client = app.test_client()
    assert client.post("/report/send", data=REPORT).status_code == 400
    foreign = post(client, "/report/send", REPORT, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert queries.register_rows_of(company, "complaint") == {}


def test_a_forged_or_old_mark_opens_no_mailbox(app: Flask) -> None:
    answer = post(app.test_client(), "/report/message", {"mark": "forged", "text": "x"}, "/report/receipt")
    assert answer.status_code == 422 and "重新输入查询码" in answer.text


def test_the_pages_run_no_script_of_their_own_and_say_all_in_english_too(app: Flask) -> None:
    client = app.test_client()
    english = {"Accept-Language": "en"}
    for page in (client.get("/report", headers=english), client.get("/report/receipt", headers=english)):
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        plain = re.sub(r'<[^>]*lang="zh-CN"[^>]*>[^<]*|value="[^"]*"|<title>.*?</title>', "", page.text)
        assert not re.findall(r"[\u4e00-\u9fff]+", plain)


def test_staff_enter_a_call_and_are_given_the_receipt_to_tell(app: Flask, company: Engine) -> None:
    sessions.set_password(company.db, "yepingfeng", "walnut-and-brass")
    client = app.test_client()
    post(client, "/login", {"username": "yepingfeng", "password": "walnut-and-brass"}, "/login")
    assert client.get("/start/complaint").headers["Location"].endswith("/complaints/enter")
    entered: dict[str, Any] = {
        **REPORT,
        "channel": "电话",
        "reporter_mode": "保密实名",
        "reporter_contact": "分机 8123",
    }
    letter = (io.BytesIO("来信全文".encode()), "方茶几的来信.txt")
    answer = post(client, "/complaints/enter", {**entered, "evidence": letter}, "/complaints/enter")
    assert len(receipt_of(answer.text)) == 16 and "分机 8123" not in answer.text
    case = queries.instance_of(company, "TS-2026-0001")
    assert [row.name for row in queries.attachments_of(company, case, actor="liangyigui").values()] == [
        "evidence-1.txt"
    ]
    assert client.get(f"/cases/{case}").status_code == 403, "it is about her own department"
    assert client.get(f"/complaints/{case}/messages").status_code == 403
    assert client.get(f"/complaints/{case}/identity").status_code == 403


def test_evidence_is_cleaned_of_what_would_tell_on_the_reporter(app: Flask, company: Engine) -> None:
    picture = Image.linear_gradient("L").convert("RGB")
    exif = Image.Exif()
    exif[0x013B] = "方茶几的手机"
    made = io.BytesIO()
    picture.save(made, "JPEG", exif=exif)
    made.seek(0)
    client = app.test_client()
    answer = post(client, "/report/send", {**REPORT, "evidence": (made, "工位3号-IMG_1024.jpg")})
    assert answer.status_code == 200
    case = queries.instance_of(company, "TS-2026-0001")
    [row] = queries.attachments_of(company, case, actor="liangyigui").values()
    assert (row.name, row.type, row.by) == ("evidence-1.jpg", "image/jpeg", None)
    content = queries.attachment(company, row.id, actor="liangyigui").content
    assert "方茶几".encode() not in content and Image.open(io.BytesIO(content)).size == picture.size


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 author", "第 1 个文件已损坏或加密"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "只收JPEG、PNG、GIF、WebP 图片，PDF"),
        (b"MZ\x90\x00", "不能上传可执行文件"),
    ],
)
def test_a_file_that_cannot_be_cleaned_is_refused_with_the_reason(
    app: Flask, company: Engine, content: bytes, said: str
) -> None:
    paper = (io.BytesIO(content), "letter.pdf")
    answer = post(app.test_client(), "/report/send", {**REPORT, "evidence": paper})
    assert answer.status_code == 422 and said in answer.text
    assert queries.register_rows_of(company, "complaint") == {}


def test_files_that_staff_send_to_the_api_are_cleaned_as_well(app: Flask, company: Engine) -> None:
    exif = Image.Exif()
    exif[0x013B] = "举报人的手机"
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "JPEG", exif=exif)
    raw = company.attach(None, "工位3号.jpg", made.getvalue(), by="yepingfeng")
    sessions.set_password(company.db, "yepingfeng", "walnut-and-brass")
    client = app.test_client()
    post(client, "/login", {"username": "yepingfeng", "password": "walnut-and-brass"}, "/login")
    header = {"X-CSRFToken": token(client.get("/inbox").text)}
    stated = {**REPORT, "channel": "信函", "pi_exposed": False, "safe_followup": True, "evidence": [raw]}
    answer = client.post("/api/v1/processes/complaint/instances", json={"variables": stated}, headers=header)
    assert answer.status_code == 201, answer.text
    case = queries.instance_of(company, "TS-2026-0001")
    [row] = queries.attachments_of(company, case, actor="liangyigui").values()
    content = queries.attachment(company, row.id, actor="liangyigui").content
    assert row.name == "evidence-1.jpg" and "举报人".encode() not in content


def test_a_number_that_came_by_mail_opens_once_and_shows_a_receipt_of_ones_own(app: Flask, company: Engine) -> None:
    stated = {**REPORT, "channel": "邮箱", "pi_exposed": False, "safe_followup": True}
    case = correspondence.start(company, stated, by=None, key="mail").instance_id
    code = mailbox.draw()
    hashed, mark = mailbox.hashed_receipt(code), mailbox.ONCE + correspondence.seal_of(company).tag(code)
    assert company.db.write(lambda connection: mailbox.keep_once(connection, case, mark, hashed))
    client = app.test_client()
    page = post(client, "/report/receipt", {"code": code}, "/report/receipt")
    own = receipt_of(page.text)
    assert page.status_code == 200 and "新的查询码，只显示这一次" in page.text and len(own) == 16 and own != code
    assert post(client, "/report/receipt", {"code": code}, "/report/receipt").status_code == 422
    again = post(client, "/report/receipt", {"code": own}, "/report/receipt")
    assert again.status_code == 200 and receipt_of(again.text) == ""
