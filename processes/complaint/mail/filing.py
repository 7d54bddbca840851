"""A mail becomes a complaint, or a message to the complaint it answers.

1. A mail that answers ours goes into that mailbox; with files it is filed anew, naming the earlier case.
2. Otherwise a complaint is started as an outsider's, under the mail's key, so that a repetition is the same complaint.
3. Whom it names or which departments decides whom it is kept from before anybody sees it; else nobody is known, which
   is the safest row of the table.
4. Name, address and signature are sealed; the text has them masked.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Directory, Engine, queries
from engine.errors import Invalid
from processes.complaint import correspondence, mailbox
from processes.complaint.cleaning import cleaned
from processes.complaint.involved import account_in, named_in
from processes.complaint.mail.reading import Letter, answer_only
from processes.complaint.seal import Seal
from processes.complaint.tables import instances, sealed_values
from processes.registers.account import ACCOUNT

FILES = 10  # a complaint takes
LONG = 8000  # characters of a description
_SCOPES = (  # words of a mail → who is involved; the more sensitive first
    ("组长", r"(?<!副)组长|\bthe chair\b"),
    ("副组长", r"副组长|\bdeputy chair\b"),
    ("法务部", r"法务|\blegal department\b"),
    ("行政部", r"行政部|行政经理|行政主管|\badministration\b"),
    ("市场部负责人", r"(市场部|市场)(负责人|经理|总监)|\bhead of marketing\b"),
    ("小组成员", r"管理小组|\bmanagement group\b"),
)
_PLACE = "mail thread"
_UNREADABLE = {
    "zh-CN": "一封举报来信无法自动读取；原件已封存于本案，须经两人批准查看，内容不在本页",
    "en": "A mailed report could not be read by itself; it is sealed with this case and opens with two approvals",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """What a mail became. `code`: a receipt to be told, good for one opening; None: there is nothing new to tell.
    `whole`: everything that was in the mail is kept here."""

    thread: str
    code: str | None
    whole: bool


def file_letter(engine: Engine, letter: Letter, raw: bytes) -> Filed:
    """File a mail, as often as wanted; the mail itself is sealed with the case when its text did not come through
    whole. Raises Unavailable, and whatever starting a complaint raises."""
    known = next((thread for mark in letter.replies_to if (thread := thread_of_mark(engine, mark))), None)
    if known and not letter.files and not letter.garbled:
        text = answer_only(letter.text) or letter.subject
        correspondence.write_in(engine, known, text[: mailbox.LONGEST], kind="received", key=letter.key[:36])
        return Filed(thread=known, code=None, whole=len(text) <= mailbox.LONGEST)
    evidence, left_out = _evidence(engine, letter)
    about = f"{letter.subject}\n{letter.text}"
    values: dict[str, Any] = {
        **_asked(),
        "respondent_scope": _scope(about),
        "reporter_mode": "保密实名" if letter.sender else "匿名",
        "target": _target(engine, about, letter.subject),
        "description": _description(letter, left_out),
        "evidence": evidence,
        "safe_followup": bool(letter.address),
    }
    if letter.sender:
        values["reporter_contact"] = letter.sender if len(letter.sender) <= 120 else letter.address[:120]
    if known:
        values["related_case"] = _number(engine, known)
    sealed = {"mail_signature": letter.signature} if letter.signature else {}
    if letter.garbled:
        sealed["mail"] = base64.b64encode(raw).decode()
    return _file(engine, values, letter.key, sealed, whole=not left_out)


def file_unreadable(engine: Engine, key: str, raw: bytes, reason: str) -> Filed:
    """Keep a mail that cannot be read: sealed in a complaint of its own, with an incident."""
    values = {
        **_asked(),
        "respondent_scope": "不清楚",
        "reporter_mode": "匿名",
        "target": "不明",
        "description": _UNREADABLE["zh-CN"] + "。",
        "safe_followup": False,
    }
    filed = _file(engine, values, key, {"mail": base64.b64encode(raw).decode()}, whole=True)
    with engine.db.read() as connection:
        case = mailbox.case_of(connection, filed.thread) or filed.thread
        known = sa.select(sa.literal(1)).select_from(sa.table("incidents")).where(sa.column("instance_id") == case)
        if connection.execute(known.limit(1)).first() is not None:
            return filed
    engine.note(
        case, "message.received", by=None, incident=_UNREADABLE, thread=filed.thread, kind="unreadable", why=reason
    )
    return filed


def _file(engine: Engine, values: dict[str, Any], key: str, sealed: dict[str, str], *, whole: bool) -> Filed:
    """Start the complaint, seal what goes with it, and give it a receipt for one opening."""
    seal = correspondence.seal_of(engine)
    code = mailbox.draw()
    hashed, mark = mailbox.hashed_receipt(code), mailbox.ONCE + seal.tag(code)
    result = engine.start(correspondence.PROCESS, values, by=None, key=f"mail {key}")
    thread = result.instance_id

    def work(connection: Connection) -> bool:
        for name, value in sealed.items():
            mine = sa.and_(sealed_values.c.instance_id == thread, sealed_values.c.name == name)
            if connection.execute(sa.select(sealed_values.c.name).where(mine)).first() is None:
                seal.seal(connection, thread, name, value, at=engine.now())
        return mailbox.keep_once(connection, thread, mark, hashed)

    return Filed(thread=thread, code=code if engine.db.write(work) else None, whole=whole)


def mark_of_thread(seal: Seal, thread: str) -> str:
    """What the Message-ID of an answer carries, so that a reply to it finds its mailbox; it tells nothing."""
    return base64.urlsafe_b64encode(seal.close(thread, _PLACE)).decode().rstrip("=")


def thread_of_mark(engine: Engine, message_id: str) -> str | None:
    """The thread whose answer has this Message-ID, or None."""
    found = re.fullmatch(r"<guiju\.([A-Za-z0-9_-]{20,200})@[^>]+>", message_id)
    if not found:
        return None
    try:
        sealed = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        thread = correspondence.seal_of(engine).open(sealed, _PLACE)
    except Exception:  # forged, or of another key: it is no reply of ours then
        return None
    with engine.db.read() as connection:
        return thread if mailbox.case_of(connection, thread) else None


def _asked() -> dict[str, Any]:
    """What the form asks and a mail does not say; whoever triages corrects it."""
    return {"channel": "邮箱", "category": "其他", "pi_exposed": False}


def _scope(text: str) -> str:
    return next((scope for scope, words in _SCOPES if re.search(words, text, re.IGNORECASE)), "不清楚")


def _target(engine: Engine, text: str, subject: str) -> str:
    """Whom and which account the mail names, so that they are kept out, then its subject."""
    with engine.db.read() as connection:
        directory = Directory(connection)
        people = [who.names["zh-CN"] for name in named_in(directory, text) if (who := directory.person(name))]
    accounts = queries.register_rows_of(engine, ACCOUNT)
    account = account_in(accounts, text)
    named = "、".join([*people, *([account] if account else [])])
    return ((f"提到：{named}。" if named else "") + (f"主题：{subject}" if subject else ""))[:500] or "见来信"


def _description(letter: Letter, left_out: int) -> str:
    note = f"\n\n（另有 {left_out} 个附件无法清除其中的信息，未收入本案。）" if left_out else ""
    text = letter.text or letter.subject or "（来信没有正文，见附件。）"
    if len(text) + len(note) > LONG:
        note = "\n\n（以下从略，全文见附件。）" + note
        text = text[: LONG - len(note)]
    return text + note


def _evidence(engine: Engine, letter: Letter) -> tuple[list[str], int]:
    """(ids of the files, cleaned; how many could not be)."""
    ids: list[str] = []
    left_out = max(0, len(letter.files) - FILES)
    long = len(letter.text) > LONG - 200
    contents = [*([letter.text.encode()] if long else []), *letter.files][:FILES]
    for number, content in enumerate(contents, 1):
        try:
            name, plain = cleaned(content, number)
            ids.append(engine.attach(None, name, plain, by=None))
        except Invalid:
            left_out += 1
    return ids, left_out


def _number(engine: Engine, thread: str) -> str | None:
    with engine.db.read() as connection:
        case = mailbox.case_of(connection, thread)
        found: str | None = connection.scalar(
            sa.select(instances.c.business_key).where(instances.c.instance_id == case)
        )
        return found
