"""What strangers may throw at the pages for those who report: refused in words, nothing stored, nobody locked out."""

from __future__ import annotations

import gc
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from limits import parse_many

from engine import Database, Engine, queries
from processes.complaint import mailbox
from processes.complaint.seal import Seal
from processes.scenario_runner import ScenarioClock, Stage
from web import Config, create_app
from web.rates import Rates

NOW = datetime.fromisoformat("2026-11-09T09:00:00+08:00")
GUESSER, REPORTER = "192.0.2.66", "192.0.2.7"
REPORT = {
    "respondent_scope": "行政部",
    "reporter_mode": "匿名",
    "category": "打击报复/滥用检查",
    "target": "fangchaji",
    "description": "要求打开手机给他看私聊",
    "pi_exposed": "false",
    "safe_followup": "true",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def opened(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(NOW) as (engine, clock):
        yield engine, clock


@pytest.fixture
def company(opened: tuple[Engine, ScenarioClock]) -> Engine:
    return opened[0]


def application(engine: Engine, rate: str = "1000 per minute") -> Flask:
    config = Config(secret_key="k" * 32, public_url="http://localhost", report_rate=rate, login_rate="9 per minute")
    return create_app(config, engine=engine)


@pytest.fixture
def client(company: Engine) -> FlaskClient:
    return application(company).test_client()


def post(client: FlaskClient, path: str, fields: dict[str, Any], start: str = "/report", source: str = REPORTER) -> Any:
    where = {"REMOTE_ADDR": source}
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(start, environ_base=where).text)
    assert found
    return client.post(path, data={**fields, "csrf_token": found[1]}, environ_base=where)


def receipt_of(page: str) -> str:
    return "".join(re.findall(r"<span>(\d{4})</span>", page))


def everything(engine: Engine) -> int:
    """How many rows of cases, files and answers there are."""
    tables = ("instances", "attachments", "attachment_chunks", "sealed_values", "idempotency", "complaint_messages")
    with engine.db.read() as connection:
        return sum(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables)


# -- entries ----------------------------------------------------------------------------------------------------------
FIELDS = {
    "respondent_scope": "首先：可能涉及谁",
    "reporter_mode": "「举报方式」",
    "reporter_contact": "「联系方式」",
    "relation": "「与公司关系」",
    "category": "「类别」",
    "target": "「账号、链接或人员」",
    "occurred_at": "「发生时间」",
    "description": "「情况说明」",
    "pi_exposed": "「现在有个人信息正在暴露吗？」",
    "wish": "「希望的处理」",
    "safe_followup": "「愿意凭查询码补充情况吗？」",
}
HOSTILE = {"long": "名" * 10_000, "right to left": "茶几\u202e几茶", "NUL": "茶\x00几", "escape": "\x1b[2J"}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("what", HOSTILE)
def test_no_field_takes_what_no_form_may_carry(client: FlaskClient, company: Engine, field: str, what: str) -> None:
    before = everything(company)
    answer = post(client, "/report/send", {**REPORT, "reporter_mode": "保密实名", field: HOSTILE[what]})
    assert answer.status_code == 422
    assert FIELDS[field] in answer.text, "the page names the field"
    assert everything(company) == before


@pytest.mark.parametrize("name", ["名" * 10_000 + ".txt", "\u202etxt.exe", "../../etc/passwd", "a\x00b.txt", "😀.txt"])
def test_the_name_of_a_file_never_reaches_the_case(client: FlaskClient, company: Engine, name: str) -> None:
    file = (io.BytesIO("聊天记录".encode()), name)
    assert post(client, "/report/send", {**REPORT, "evidence": file}).status_code == 200
    case = queries.instance_of(company, "TS-2026-0001")
    assert [row.name for row in queries.attachments_of(company, case, actor="liangyigui").values()] == [
        "evidence-1.txt"
    ]


@pytest.mark.parametrize("text", ["名" * 8_001, "茶几\u202e几茶", "茶\x00几"])
def test_a_message_is_held_to_the_same(client: FlaskClient, company: Engine, text: str) -> None:
    code = receipt_of(post(client, "/report/send", REPORT).text)
    page = post(client, "/report/receipt", {"code": code}, "/report/receipt").text
    mark = re.search(r'name="mark" value="([^"]+)"', page)
    assert mark
    before = everything(company)
    answer = post(client, "/report/message", {"mark": mark[1], "key": "k", "text": text})
    assert answer.status_code == 422 and "「消息」" in answer.text and everything(company) == before


# -- sizes ------------------------------------------------------------------------------------------------------------
class Endless(io.RawIOBase):
    """A body that goes on for `size` bytes and counts what was read of it."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.left, self.taken = head, size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        room = min(len(buffer), self.left, 65_536)
        piece, self.head = self.head[:room], self.head[room:]
        piece = piece or b"x" * room
        buffer[: len(piece)] = piece
        self.left -= len(piece)
        self.taken += len(piece)
        return len(piece)


HEAD = b'--b\r\nContent-Disposition: form-data; name="evidence"; filename="film.mp4"\r\n\r\n'


def test_two_gigabytes_are_refused_by_their_announcement_and_not_read(client: FlaskClient, company: Engine) -> None:
    before = everything(company)
    for path in ("/report/form", "/report/send", "/report/receipt", "/report/message"):
        body = Endless(HEAD, 2 * 1024**3)
        announced = {"CONTENT_LENGTH": str(2 * 1024**3), "CONTENT_TYPE": "multipart/form-data; boundary=b"}
        answer = client.post(path, environ_overrides={**announced, "wsgi.input": body})
        assert answer.status_code == 413 and "提交的内容太大" in answer.text, path
        assert "20 MB" in answer.text
        assert body.taken == 0
    assert everything(company) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("path", "most"), [("/report/receipt", 1_100_000), ("/report/send", 121 * 1024**2)])
def test_a_body_of_unknown_length_is_counted_and_cut_off(
    client: FlaskClient, company: Engine, path: str, most: int
) -> None:
    before = everything(company)
    body = Endless(HEAD, 2 * 1024**3)
    chunked = {"wsgi.input_terminated": True, "CONTENT_TYPE": "multipart/form-data; boundary=b"}
    answer = client.post(path, environ_overrides={**chunked, "wsgi.input": body, "CONTENT_LENGTH": ""})
    gc.collect()  # the half file that was dropped has no name; its warning belongs to this test
    assert answer.status_code == 413 and body.taken <= most
    assert everything(company) == before


# -- guessing ---------------------------------------------------------------------------------------------------------
def guess(client: FlaskClient, typed: str, source: str) -> int:
    return int(post(client, "/report/receipt", {"code": typed}, source=source).status_code)


def test_whoever_holds_a_receipt_gets_in_beside_somebody_who_guesses_from_the_same_address(company: Engine) -> None:
    client = application(company, rate="4 per minute; 4 per hour").test_client()
    code = receipt_of(post(client, "/report/send", REPORT).text)
    tried = [guess(client, f"{number:016d}", REPORTER) for number in range(30)]
    assert tried[:4] == [422] * 4 and tried.count(429) == 26
    assert [guess(client, code, REPORTER) for _ in range(8)] == [200] * 8, "and being right costs nothing"
    assert guess(client, "1" * 16, REPORTER) == 429


def test_a_mark_alone_is_worth_five_tries_an_hour(company: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Seal, "tag", lambda _self, _code: "abcd")
    hashed: list[str] = []
    find = mailbox.find
    monkeypatch.setattr(mailbox, "find", lambda *given: (hashed.append(given[2]), find(*given))[1])
    client = application(company, rate="1 per minute; 1 per hour").test_client()
    post(client, "/report/send", REPORT)
    assert {guess(client, f"{number:016d}", GUESSER) for number in range(12)} == {422, 429}
    assert len(hashed) == 1 + 5, "one of the source's own, five of the mark's"


def test_waiting_opens_the_door_again(opened: tuple[Engine, ScenarioClock]) -> None:
    engine, clock = opened
    client = application(engine, rate="2 per minute").test_client()
    assert [guess(client, "0" * 16, GUESSER) for _ in range(4)] == [422, 422, 429, 429]
    clock.set(NOW + timedelta(seconds=61))
    assert guess(client, "0" * 16, GUESSER) == 422


def test_nodes_count_together_in_every_database_and_no_address_is_kept(db: Database) -> None:
    class Still:
        at = NOW

        def now(self) -> datetime:
            return self.at

    clock, allowed = Still(), parse_many("3 per minute; 5 per hour")
    one, other = (Rates(engine=Engine(db, clock=clock), key=b"k" * 32) for _ in range(2))
    tried = [node.hit(allowed, "receipt", "203.0.113.9") for node in (one, other, one, other, one)]
    assert tried == [True, True, True, False, False]
    assert one.hit(allowed, "receipt", "203.0.113.10") and one.hit(allowed, "send", "203.0.113.9")

    def rows() -> dict[str, int]:
        with db.read() as connection:
            query = "SELECT name, value FROM counters WHERE name LIKE 'rate/%'"
            return {row.name: row.value for row in connection.execute(sa.text(query))}

    assert "203.0" not in repr(rows()) and all(len(name.rsplit("/", 1)[1]) == 5 for name in rows())
    first = {name.rsplit("/", 1)[1] for name in rows()}
    clock.at += timedelta(minutes=1)
    assert [one.hit(allowed, "receipt", "203.0.113.9") for _ in range(3)] == [True, True, False], "the hour's five"
    clock.at += timedelta(hours=1)
    assert one.hit(allowed, "receipt", "203.0.113.9")
    assert len(rows()) == 2, "what is over is forgotten"
    assert not first & {name.rsplit("/", 1)[1] for name in rows()}, "and cannot be joined with what comes after"


def test_one_subscriber_of_ipv6_is_one_source(db: Database) -> None:
    rates, allowed = Rates(engine=Engine(db), key=b"k" * 32), parse_many("1 per 90 day")
    assert rates.hit(allowed, "receipt", "2001:db8:1:2::1")
    assert not rates.hit(allowed, "receipt", "2001:db8:1:2:ffff::9")
    assert rates.hit(allowed, "receipt", "2001:db8:1:3::1")
    assert rates.hit(allowed, "receipt", "192.0.2.1") and not rates.hit(allowed, "receipt", "::ffff:192.0.2.1")
