"""Looking into the mailbox, by the clock, on whichever node's turn it is.

A pass goes through the mails in the order of their UIDs and moves its mark past a mail only once it is filed: a crash
in between files it again, which is the same complaint (its key is the Message-ID). Flags play no part, so a mail that
somebody has read is filed as well. What fails three times for itself is kept as unreadable; what fails for want of the
database or the server waits, and everything behind it.
"""

from __future__ import annotations

import imaplib
import json
import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from sqlalchemy.engine import Connection

from engine import Engine
from engine.errors import Unavailable
from processes.complaint.correspondence import seal_of
from processes.complaint.mail.answering import compose, send
from processes.complaint.mail.filing import Filed, file_letter, file_unreadable, mark_of_thread
from processes.complaint.mail.reading import Letter, key_of, read
from processes.complaint.mail.settings import Account, MailSettings

TIMEOUT = 30  # seconds without a word from the server
AT_ONCE = 100  # mails a pass
LARGEST = 40 * 1024 * 1024  # bytes of a mail; of a larger one the beginning is kept, and the mail on the server
BEGINNING = 256 * 1024
TRIES = 3
log = logging.getLogger(__name__)
_settings = sa.table("settings", sa.column("name", sa.String), sa.column("value", sa.JSON))


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """How far a mailbox was gone through: its UIDVALIDITY, the last UID that is done, tries at the next."""

    validity: int = 0
    last: int = 0
    tries: int = 0


class _Refused(Exception):
    """The mail is at fault, not the server or the database."""


def poll(engine: Engine, settings: MailSettings) -> int:
    """Go through what is new, if it is this node's turn. Returns how many mails were done. Raises nothing that passes
    by itself: it is logged, without a word of any mail."""
    if not _my_turn(engine, settings):
        return 0
    try:
        with _connected(settings.imap) as box:
            return sum(1 for _ in _go_through(engine, settings, box))
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        log.warning("the mailbox cannot be read now: %s", type(error).__name__)
    except Unavailable:
        log.warning("the database is unavailable, mails wait")
    return 0


def _go_through(engine: Engine, settings: MailSettings, box: BaseMailBox) -> Iterator[int]:
    name = f"mailbox {settings.imap.digest}"
    validity = box.folder.status(settings.imap.folder, ["UIDVALIDITY"])["UIDVALIDITY"]
    mark = _mark(engine, name)
    if mark.validity != validity:
        mark = Mark(validity=validity)
    found = sorted(int(uid) for uid in box.uids(f"UID {mark.last + 1}:*"))
    for uid in [uid for uid in found if uid > mark.last][:AT_ONCE]:
        mark = replace(mark, tries=mark.tries + 1)
        _keep(engine, name, mark)
        whole = _one(engine, settings, box, uid, mark.tries)
        mark = Mark(validity=validity, last=uid)
        _keep(engine, name, mark)
        if settings.delete and whole:
            box.delete(str(uid))
        yield uid


def _one(engine: Engine, settings: MailSettings, box: BaseMailBox, uid: int, tries: int) -> bool:
    """File one mail and answer it; whether all of it is kept here."""
    raw, whole = _fetched(box, uid)
    if not raw:
        return False  # deleted meanwhile
    try:
        if not whole:
            raise _Refused("too large")
        letter = _read(raw)
        if letter.machine or letter.address.lower() == settings.sender.lower():
            log.info("a mail sent by a machine was left where it is")
            return False
        filed = _filed(engine, letter, raw)
    except _Refused as refused:
        if tries < TRIES and str(refused) == "cannot be filed":
            raise Unavailable from refused
        file_unreadable(engine, key_of(raw), raw, str(refused))
        return whole
    if letter.address and filed.code and settings.smtp:
        _answer(engine, settings, letter, filed, tries)
    return filed.whole


def _read(raw: bytes) -> Letter:
    try:
        return read(raw)
    except Exception as error:  # the standard parser fails in many ways on what is no mail
        raise _Refused(f"cannot be read: {type(error).__name__}") from error


def _filed(engine: Engine, letter: Letter, raw: bytes) -> Filed:
    try:
        return file_letter(engine, letter, raw)
    except Unavailable:
        raise
    except Exception as error:  # whatever it is about this mail: it must not stop those behind it
        raise _Refused("cannot be filed") from error


def _answer(engine: Engine, settings: MailSettings, letter: Letter, filed: Filed, tries: int) -> None:
    mail = compose(settings, letter.address, filed.code or "", mark_of_thread(seal_of(engine), filed.thread), "")
    try:
        send(settings, mail)
    except (OSError, smtplib.SMTPException) as error:
        log.warning("an answer could not be sent: %s", type(error).__name__)
        passing = not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
        if passing and tries < TRIES:  # the next pass files the same complaint and draws another number
            raise


def _fetched(box: BaseMailBox, uid: int) -> tuple[bytes, bool]:
    """(the mail, or the beginning of one that is too large, and whether it is all of it); reading it sets no flag."""
    size = _number(box.client.uid("FETCH", str(uid), "(RFC822.SIZE)"))
    part = "BODY.PEEK[]" if size <= LARGEST else f"BODY.PEEK[]<0.{BEGINNING}>"
    _status, data = box.client.uid("FETCH", str(uid), f"({part})")
    raw = next((bytes(item[1]) for item in data or () if isinstance(item, tuple)), b"")
    return raw, size <= LARGEST


def _number(answer: tuple[str, list[object]]) -> int:
    said = " ".join(item.decode("ascii", "replace") for item in answer[1] or () if isinstance(item, bytes))
    digits = said.upper().partition("RFC822.SIZE ")[2].split(")")[0].split(" ")[0]
    return int(digits) if digits.isdigit() else 0


@contextmanager
def _connected(account: Account) -> Iterator[BaseMailBox]:
    context = ssl.create_default_context() if account.security != "none" else None
    box: BaseMailBox
    if account.security == "tls":
        box = MailBox(account.host, account.port, timeout=TIMEOUT, ssl_context=context)
    elif account.security == "starttls":
        box = MailBoxStartTls(account.host, account.port, timeout=TIMEOUT, ssl_context=context)
    else:
        box = MailBoxUnencrypted(account.host, account.port, timeout=TIMEOUT)
    with box.login(account.username, account.password, initial_folder=account.folder):
        yield box


def _my_turn(engine: Engine, settings: MailSettings) -> bool:
    """Whether this node looks now: one of them does, once in every `every` seconds."""
    now = int(engine.now().timestamp()) - 1_600_000_000
    row = {"name": f"mailbox {settings.imap.digest}", "now": now, "next": now + settings.every}
    taken = "UPDATE counters SET value = :next WHERE name = :name AND value <= :now"
    first = "INSERT INTO counters (name, value) VALUES (:name, :next) ON CONFLICT (name) DO NOTHING"
    try:
        return engine.db.write(
            lambda connection: any(connection.execute(sa.text(each), row).rowcount == 1 for each in (taken, first))
        )
    except Unavailable:
        return False


def _mark(engine: Engine, name: str) -> Mark:
    with engine.db.read() as connection:
        value = connection.scalar(sa.select(_settings.c.value).where(_settings.c.name == name))
    kept = json.loads(value) if isinstance(value, str) else value
    return Mark(**kept) if kept else Mark()


def _keep(engine: Engine, name: str, mark: Mark) -> None:
    value = {"validity": mark.validity, "last": mark.last, "tries": mark.tries}

    def work(connection: Connection) -> None:
        mine = _settings.c.name == name
        if connection.execute(sa.update(_settings).where(mine).values(value=value)).rowcount == 0:
            connection.execute(sa.insert(_settings).values(name=name, value=value))

    engine.db.write(work)
