"""Mails that are odd, hostile or no mails at all, and settings that cannot be."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

import pytest

from engine import Engine, queries
from engine.errors import GuijuError
from processes.complaint import correspondence
from processes.complaint.mail import filing
from processes.complaint.mail.settings import MailSettings
from processes.complaint.seal import unsealed
from processes.scenario_runner import ScenarioClock, Stage
from tests.processes.mail_servers import Imap, Smtp
from tests.processes.mailing import NOW, Passing, cases, mail, settings, variables


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(NOW) as opened:
        yield opened


@pytest.fixture
def engine(company: tuple[Engine, ScenarioClock]) -> Engine:
    return company[0]


@pytest.fixture
def imap() -> Iterator[Imap]:
    server = Imap()
    yield server
    server.stop()


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    server = Smtp()
    yield server
    server.stop()


@pytest.fixture
def go(company: tuple[Engine, ScenarioClock]) -> Passing:
    return Passing(company)


NONSENSE = {
    "nothing at all": b"\r\n\r\n",
    "zeros": bytes(5000),
    "a thousand parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1000,
    "parts within parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(400)
    ),
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_mail_is_an_incident_and_never_lost(engine: Engine, go: Passing, imap: Imap, raw: bytes) -> None:
    imap.put(raw)
    imap.put(mail().as_bytes())
    assert go(settings(imap)) == 2
    assert len(cases(engine)) == 2, "and those behind it are read"
    [incident] = queries.open_incidents(engine, actor="sushujia")
    assert "无法自动读取" in incident.error["message"]["zh-CN"]
    case = queries.instance_of(engine, "TS-2026-0001")
    with engine.db.read() as connection:
        assert b64decode(unsealed(correspondence.seal_of(engine), connection, case)["mail"]) == raw
    imap.validity += 1
    go(settings(imap))
    assert len(cases(engine)) == 2 and len(queries.open_incidents(engine, actor="sushujia")) == 1
    engine.retry(incident.incident_id, by="sushujia")
    assert queries.open_incidents(engine, actor="sushujia") == []


HOSTILE = {
    "unknown charset": b"Content-Type: text/plain; charset=klingon\r\n\r\n" + "江抱枕".encode(),
    "wrong charset": b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "江抱枕".encode("gb18030"),
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\n5rGf5oqx5p6V!",
    "page only": b"Content-Type: text/html; charset=utf-8\r\n\r\n<style>x</style><p>"
    + "江抱枕</p><script>y</script>".encode(),
    "bytes": "江抱枕".encode() + bytes(range(256)) * 20,
    "controls": b"Subject: a\x00b\x1b[2J\r\n\r\n" + "江抱\u202e枕\x00".encode(),
    "mad headers": b"From: \xff\xfe<<>>@@\r\nSubject: =?utf-8?b?////?=\r\nDate: never\r\n\r\n" + "江抱枕".encode(),
    "long headers": b"Subject: " + b"a" * 90_000 + b"\r\nFrom: " + b"b" * 9000 + b"\r\n\r\n" + "江抱枕".encode(),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_odd_mails_are_read_as_far_as_they_go(engine: Engine, go: Passing, imap: Imap, raw: bytes) -> None:
    imap.put(raw)
    assert go(settings(imap)) == 1
    assert re.search("江抱.?枕", variables(engine)["description"])
    case = queries.instance_of(engine, "TS-2026-0001")
    with engine.db.read() as connection:
        kept = unsealed(correspondence.seal_of(engine), connection, case).get("mail")
    if b"\x00" in raw or b"\x80" in raw:
        assert kept and b64decode(kept) == raw, "what did not come through whole is sealed as it came"
    assert queries.open_incidents(engine, actor="sushujia") == []


def test_a_mail_that_no_form_takes_is_an_incident_after_three_tries(
    engine: Engine, go: Passing, imap: Imap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_target", lambda *_: 1 / 0)
    imap.put(mail().as_bytes())
    assert [go(settings(imap)) for _ in range(3)] == [0, 0, 1]
    assert len(queries.open_incidents(engine, actor="sushujia")) == 1


def test_a_mail_too_large_to_fetch_is_kept_by_its_beginning_and_stays_on_the_server(
    engine: Engine, go: Passing, imap: Imap
) -> None:
    imap.put(mail("长" * 200_000).as_bytes())
    imap.claimed = 50 * 1024 * 1024
    go(settings(imap, GUIJU_MAIL_AFTER="delete"))
    assert len(queries.open_incidents(engine, actor="sushujia")) == 1 and len(imap.mails) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"GUIJU_MAIL_URL": "imap://mail.example/INBOX"}, "GUIJU_MAIL_URL"),
        ({"GUIJU_MAIL_URL": "https://mail.example"}, "GUIJU_MAIL_URL"),
        ({"GUIJU_MAIL_URL": "imaps://a@b.example:notaport/"}, "GUIJU_MAIL_URL"),
        ({"GUIJU_MAIL_URL": "imaps://b.example", "GUIJU_MAIL_SECONDS": "1"}, "GUIJU_MAIL_SECONDS"),
        ({"GUIJU_MAIL_URL": "imaps://b.example", "GUIJU_MAIL_AFTER": "burn"}, "GUIJU_MAIL_AFTER"),
        ({"GUIJU_MAIL_URL": "imaps://b.example", "GUIJU_SMTP_URL": "smtp://b.example"}, "GUIJU_SMTP_URL"),
        ({"GUIJU_MAIL_URL": "imaps://b.example", "GUIJU_SMTP_URL": "smtps://b.example"}, "GUIJU_MAIL_FROM"),
    ],
)
def test_a_setting_that_cannot_be_is_named(given: dict[str, str], said: str) -> None:
    with pytest.raises(GuijuError, match=said):
        MailSettings.from_environment(given, "https://guiju.example")


def test_settings_are_read_with_their_defaults_and_never_show_a_password() -> None:
    assert MailSettings.from_environment({}, "https://guiju.example") is None
    found = MailSettings.from_environment({"GUIJU_MAIL_URL": "imaps://a%40b.example:s%2Fcret@mx.example"}, "x")
    assert found and (found.imap.port, found.imap.password, found.imap.folder) == (993, "s/cret", "INBOX")
    assert "s/cret" not in repr(found) and not found.delete and found.smtp is None
