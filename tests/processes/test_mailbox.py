"""Reports by e-mail, from a real mailbox on this machine to a complaint and back."""

from __future__ import annotations

import email
import email.policy
import io
import logging
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from PIL import Image

from engine import Database, Engine, queries
from engine.errors import Denied, Unavailable
from processes.complaint import correspondence, mailbox
from processes.complaint.mail import polling
from processes.complaint.mail.polling import poll
from processes.complaint.seal import Seal, unsealed
from processes.scenario_runner import ScenarioClock, Stage
from tests.processes.mail_servers import Imap, Smtp
from tests.processes.mailing import NOW, WHO, Passing, cases, mail, settings, stored, variables
from web import Config, create_app


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


def test_a_mail_becomes_a_complaint_whose_sender_is_sealed(
    engine: Engine, go: Passing, imap: Imap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = "江抱枕收钱删差评，请联系 wang.stool@customer.example。\n王小凳\n-- \n客户 王小凳 13800000000"
    imap.put(mail(signed).as_bytes())
    assert go(settings(imap)) == 1
    got = variables(engine)
    assert (got["channel"], got["reporter_mode"]) == ("邮箱", "保密实名")
    assert got["description"] == "江抱枕收钱删差评，请联系 ［已封存］。\n［已封存］"
    assert got["target"] == "提到：江抱枕。主题：反映情况"
    for words in ("王小凳", "13800000000", "customer.example"):
        assert words.encode() not in stored(engine) and words not in caplog.text
    case = queries.instance_of(engine, "TS-2026-0001")
    with engine.db.read() as connection:
        opened = unsealed(correspondence.seal_of(engine), connection, case)
    assert opened == {"reporter_contact": WHO, "mail_signature": "客户 王小凳 13800000000"}
    assert not any("STORE" in said or "EXPUNGE" in said for said in imap.log), "the mailbox is left as it was"


def test_whom_a_mail_names_never_sees_it(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail("方茶几要看我们的手机，行政部都知道。").as_bytes())
    go(settings(imap))
    case = queries.instance_of(engine, "TS-2026-0001")
    for who in ("fangchaji", "yepingfeng", "taochouti", "baishuzhuo"):
        assert queries.inbox(engine, actor=who, tab="claimable").items == []
        with pytest.raises(Denied):
            queries.case(engine, case, actor=who)
    assert [row.element for row in queries.inbox(engine, actor="liangyigui", tab="claimable").items] == ["triage"]


def test_the_same_mail_is_the_same_complaint_however_often_it_is_read(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail().as_bytes())
    imap.put(mail().as_bytes())
    assert go(settings(imap)) == 2 and len(cases(engine)) == 1
    imap.validity += 1  # the server numbers its mails anew: all are looked at again
    assert go(settings(imap)) == 2 and len(cases(engine)) == 1
    assert go(settings(imap)) == 0


def test_a_crash_between_filing_and_remembering_files_nothing_twice_and_loses_nothing(
    engine: Engine, go: Passing, imap: Imap, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.put(mail().as_bytes())
    imap.put(mail(Message_ID="<two@customer.example>").as_bytes())
    keep = polling._keep

    def crash(engine: Engine, name: str, mark: polling.Mark) -> None:
        if mark.tries == 0 and mark.last == 1:
            raise Unavailable
        keep(engine, name, mark)

    monkeypatch.setattr(polling, "_keep", crash)
    go(settings(imap))
    assert len(cases(engine)) == 1
    monkeypatch.setattr(polling, "_keep", keep)
    assert go(settings(imap)) == 2 and len(cases(engine)) == 2


def test_only_one_node_looks_at_a_time(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail().as_bytes())
    given = settings(imap)
    assert go(given) == 1
    imap.put(mail(Message_ID="<two@customer.example>").as_bytes())
    assert poll(engine, given) == 0, "the turn of this minute is taken"
    assert go(given) == 1


def test_a_server_that_is_away_is_asked_again_later(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail().as_bytes())
    imap.silent = True
    assert go(settings(imap)) == 0
    imap.silent = False
    assert go(settings(imap)) == 1


def test_attachments_are_cleaned_and_what_cannot_be_is_said(engine: Engine, go: Passing, imap: Imap) -> None:
    exif = Image.Exif()
    exif[0x013B] = "王小凳的手机"
    made = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(made, "JPEG", exif=exif)
    letter = mail()
    letter.add_attachment(made.getvalue(), maintype="image", subtype="jpeg", filename="王小凳-IMG_1.jpg")
    letter.add_attachment(b"MZ\x90", maintype="application", subtype="pdf", filename="letter.pdf")
    letter.add_attachment(b"", maintype="application", subtype="octet-stream", filename="empty.bin")
    imap.put(letter.as_bytes())
    go(settings(imap, GUIJU_MAIL_AFTER="delete"))
    case = queries.instance_of(engine, "TS-2026-0001")
    files = queries.attachments_of(engine, case, actor="yepingfeng").values()
    assert [(row.name, row.type) for row in files] == [("evidence-1.jpg", "image/jpeg")]
    assert "另有 2 个附件" in variables(engine)["description"]
    assert "王小凳".encode() not in stored(engine)
    assert list(imap.mails) == [1], "what is not all kept here stays on the server"


def test_what_was_filed_whole_leaves_the_server_when_wished(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail().as_bytes())
    go(settings(imap, GUIJU_MAIL_AFTER="delete"))
    assert imap.mails == {} and len(cases(engine)) == 1


def test_a_long_mail_is_kept_whole(engine: Engine, go: Passing, imap: Imap) -> None:
    imap.put(mail("江抱枕。" * 6000).as_bytes())
    go(settings(imap))
    got = variables(engine)
    assert len(got["description"]) <= 8000 and got["description"].endswith("（以下从略，全文见附件。）")
    content = queries.attachment(engine, got["evidence"][0], actor="yepingfeng").content
    assert content.decode() == "江抱枕。" * 6000


MACHINES = [
    {"Auto-Submitted": "auto-replied"},
    {"Precedence": "bulk"},
    {"List-Id": "<news.shop.example>"},
    {"Return-Path": "<>"},
    {"From": "MAILER-DAEMON@mx.example"},
    {"From": "report@guiju.example"},
]


@pytest.mark.parametrize("headers", MACHINES, ids=lambda headers: " ".join(headers.values()))
def test_machines_are_neither_filed_nor_answered(
    engine: Engine, go: Passing, imap: Imap, smtp: Smtp, headers: dict[str, str]
) -> None:
    imap.put(mail("我不在办公室", **headers).as_bytes())
    assert go(settings(imap, smtp, GUIJU_MAIL_AFTER="delete")) == 1
    assert cases(engine) == {} and smtp.taken == [] and len(imap.mails) == 1


def answer(smtp: Smtp) -> EmailMessage:
    [(sender, to, raw)] = smtp.taken
    assert sender == "" and to == ["wang.stool@customer.example"]
    got = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(got, EmailMessage)
    return got


def code_of(got: EmailMessage) -> str:
    found = re.search(r"^(\d{4} ){3}\d{4}$", got.get_content(), re.MULTILINE)
    assert found
    return found[0].replace(" ", "")


def test_the_answer_says_nothing_of_the_case_and_its_number_opens_the_mailbox_once(
    engine: Engine, go: Passing, imap: Imap, smtp: Smtp
) -> None:
    imap.put(mail().as_bytes())
    go(settings(imap, smtp))
    got = answer(smtp)
    for words in ("江抱枕", "反映情况", "TS-2026", "差评"):
        assert words not in got.as_string() and words not in got.get_content()
    assert got["Auto-Submitted"] == "auto-replied" and "https://guiju.example/report/receipt" in got.get_content()
    code = code_of(got)
    thread = correspondence.thread_by(engine, code)
    assert thread
    own = correspondence.exchanged(engine, thread, code)
    assert own and own != code
    assert correspondence.thread_by(engine, code) is None, "the mailed number is void"
    assert correspondence.thread_by(engine, own) == thread and correspondence.exchanged(engine, thread, own) is None
    imap.validity += 1
    go(settings(imap, smtp))
    assert len(smtp.taken) == 1, "read again, the reporter's own receipt stands and nothing is sent"
    assert correspondence.thread_by(engine, own) == thread


def test_a_reply_to_the_answer_goes_into_the_mailbox(engine: Engine, go: Passing, imap: Imap, smtp: Smtp) -> None:
    imap.put(mail().as_bytes())
    go(settings(imap, smtp))
    mark = str(answer(smtp)["Message-ID"])
    reply = mail(
        "补充：在十一号店。\n\n在 2026年11月9日，report 写道：\n> 来信已收到",
        Message_ID="<two@x.example>",
        In_Reply_To=mark,
    )
    imap.put(reply.as_bytes())
    imap.put(reply.as_bytes())
    go(settings(imap, smtp))
    case = queries.instance_of(engine, "TS-2026-0001")
    messages, _may = correspondence.letters(engine, case, actor="yepingfeng")
    assert [one.text for one in messages] == ["补充：在十一号店。"]
    assert len(cases(engine)) == 1 and len(smtp.taken) == 1
    more = mail("见附件", Message_ID="<three@x.example>", In_Reply_To=mark)
    more.add_attachment("聊天记录".encode(), maintype="text", subtype="plain", filename="a.txt")
    imap.put(more.as_bytes())
    go(settings(imap))
    assert cases(engine)["TS-2026-0002"]["related_case"] == "TS-2026-0001"


def test_a_forged_mark_opens_no_mailbox(engine: Engine, go: Passing, imap: Imap, smtp: Smtp) -> None:
    imap.put(mail().as_bytes())
    go(settings(imap, smtp))
    mark = str(answer(smtp)["Message-ID"])
    forged = mark[:20] + ("A" if mark[20] != "A" else "B") + mark[21:]
    imap.put(mail("伪造", Message_ID="<two@x.example>", In_Reply_To=forged).as_bytes())
    go(settings(imap, smtp))
    assert len(cases(engine)) == 2


def test_an_answer_that_cannot_be_sent_now_is_sent_later_and_a_refused_one_is_not_repeated(
    engine: Engine, go: Passing, imap: Imap, smtp: Smtp
) -> None:
    imap.put(mail().as_bytes())
    away = settings(imap, GUIJU_SMTP_URL="smtp://127.0.0.1:9")
    assert go(away) == 0
    assert go(settings(imap, smtp)) == 1 and len(smtp.taken) == 1 and len(cases(engine)) == 1
    assert correspondence.thread_by(engine, code_of(answer(smtp)))
    smtp.refuse = "550 no such user"
    imap.put(mail(Message_ID="<two@x.example>").as_bytes())
    assert go(settings(imap, smtp)) == 1 and len(cases(engine)) == 2


def test_a_receipt_for_one_opening_is_exchanged_in_every_database(db: Database) -> None:
    seal, code, own = Seal(Seal.new_key()), mailbox.draw(), mailbox.draw()
    hashed, other = mailbox.hashed_receipt(code), mailbox.hashed_receipt(own)

    def work(connection: Any) -> list[Any]:
        thread = mailbox.open_thread(connection, "case", "2026-11-09T01:00:00.000000Z")
        return [
            mailbox.keep_once(connection, thread, mailbox.ONCE + seal.tag(code), hashed),
            mailbox.find(seal, connection, code),
            mailbox.exchange(seal, connection, thread, own, own, other),
            mailbox.exchange(seal, connection, thread, code, own, other),
            mailbox.keep_once(connection, thread, mailbox.ONCE + seal.tag(code), hashed),
            mailbox.find(seal, connection, own),
            mailbox.find(seal, connection, code),
        ]

    assert db.write(work) == [True, "case", False, True, False, "case", None]


def test_the_clock_looks_into_the_mailbox_by_itself(engine: Engine, imap: Imap) -> None:
    imap.put(mail().as_bytes())
    app = create_app(Config(secret_key="k" * 32, mail=settings(imap)), engine=engine)
    ticker = app.extensions["guiju_ticker"]
    ticker.start()
    try:
        assert imap.left.wait(20)
    finally:
        ticker.stop()
    assert len(cases(engine)) == 1
