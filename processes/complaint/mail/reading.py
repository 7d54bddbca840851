"""A mail as it came, read: who wrote, what, with which files, and whether a machine sent it.

Nothing in a mail is trusted: any header may be missing, doubled or nonsense, any part in an unknown encoding.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses
from html.parser import HTMLParser

MASK = "［已封存］"
PARTS = 200  # a mail may have
TEXT = 200_000  # characters of body that are looked at
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_QUOTED = re.compile(
    r"^(>.*|-{3,} ?(原始邮件|Original Message).*|(On\b.{0,200}wrote|在.{0,200}写道|.{0,200}于.{0,80}写道)[:：]?\s*)$",
    re.MULTILINE,
)
_MACHINES = ("mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "bounce")


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A mail read. `key` is the same for the same mail. `sender` and `signature` tell who wrote: they are sealed, and
    masked in `subject` and `text`. `machine`: an automatic answer, a bounce, a list: not a report. `garbled`: some
    of the text could not be taken over as it is."""

    key: str
    address: str
    sender: str
    signature: str
    subject: str
    text: str
    replies_to: tuple[str, ...]
    files: tuple[bytes, ...]
    machine: bool
    garbled: bool


def key_of(raw: bytes) -> str:
    """What a mail is known by: its Message-ID, or all of it when it has none."""
    found = re.search(rb"^message-id:\s*(<[^>\r\n]{3,900}>)", raw[:200_000].split(b"\r\n\r\n", 1)[0], re.I | re.M)
    return hashlib.sha256(found[1] if found else raw).hexdigest()


def read(raw: bytes) -> Letter:
    """Read a mail. Raises ValueError when there is nothing in it that could be a report."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    address, sender = _sender(mail)
    texts: list[str] = []
    pages: list[str] = []
    files: list[bytes] = []
    for part in _leaves(mail):
        kind = part.get_content_type()
        attached = part.get_content_disposition() == "attachment" or part.get_filename() is not None
        if kind in ("text/plain", "text/html") and not attached:
            (texts if kind == "text/plain" else pages).append(_text(part))
        else:
            payload = part.get_payload(decode=True)
            files.append(payload if isinstance(payload, bytes) else b"")
    came = "\n".join(texts).strip() or "\n".join(_words(page) for page in pages).strip()
    body, subject = plain(came), plain(_header(mail, "Subject"))[:300]
    if not body and not subject and not files:
        raise ValueError("neither subject nor body nor file")
    text, signature = _parted(body[:TEXT])
    names = [name for name in (address, sender.split("<")[0].strip(' "')) if len(name) > 1]
    return Letter(
        key=key_of(raw),
        address=address,
        sender=sender,
        signature=signature,
        subject=masked(subject, names),
        text=masked(text, names),
        replies_to=tuple(re.findall(r"<[^<>\s]{3,400}>", _header(mail, "In-Reply-To") + _header(mail, "References"))),
        files=tuple(files),
        machine=_machine(mail, address),
        garbled="\ufffd" in came or _UNSAFE.search(came) is not None or len(body) > TEXT,
    )


def plain(text: str) -> str:
    """Text as a form takes it: no control characters, no marks that turn its direction."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def masked(text: str, names: list[str]) -> str:
    """The text with every occurrence of the names covered."""
    for name in names:
        text = re.sub(re.escape(name), MASK, text, flags=re.IGNORECASE)
    return text


def answer_only(text: str) -> str:
    """A reply without what it quotes of the mail it answers."""
    found = _QUOTED.search(text)
    return (text[: found.start()].strip() or text) if found else text


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold something; a mail within a mail is one part."""
    waiting: list[EmailMessage] = [mail]
    for _ in range(PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting = [one for one in part.iter_parts() if isinstance(one, EmailMessage)] + waiting
        else:
            yield part
    raise ValueError("more parts than a mail may have")


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail.get(name) or "")
    except (ValueError, IndexError, AttributeError, TypeError):  # the standard parser fails on some nonsense
        return ""


def _sender(mail: EmailMessage) -> tuple[str, str]:
    """(address, name and address) of the first who is said to have written, either may be empty."""
    for name in ("Reply-To", "From", "Sender"):
        header = plain(_header(mail, name)).replace("\n", " ")[:500]
        for shown, address in getaddresses([header]):
            if re.fullmatch(r"[^@\s<>,;:\"]{1,64}@[^@\s<>,;:\"]{1,190}", address):
                return address, f"{shown} <{address}>" if shown else address
        if header:
            return "", header
    return "", ""


def _machine(mail: EmailMessage, address: str) -> bool:
    """Whether a machine sent it (RFC 3834): nobody waits for an answer, and answering could go round for ever."""
    automatic = _header(mail, "Auto-Submitted").strip().lower().split(";")[0]
    return (
        automatic not in ("", "no")
        or mail.get_content_type() in ("multipart/report", "message/delivery-status")
        or _header(mail, "Precedence").strip().lower() in ("bulk", "list", "junk", "auto_reply")
        or _header(mail, "Return-Path").strip() == "<>"
        or any(_header(mail, name) for name in ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond"))
        or address.split("@")[0].lower().startswith(_MACHINES)
    )


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "replace")
    named = str(part.get_content_charset() or "utf-8")
    for charset in (named, "utf-8", "gb18030"):
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("utf-8", "replace")


def _words(page: str) -> str:
    """The words of an HTML page."""
    reader = _Words()
    reader.feed(page[: 5 * TEXT])
    reader.close()
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", "".join(reader.found))


class _Words(HTMLParser):
    """Collects the text of a page, a line for each block, nothing of what is not shown."""

    HIDDEN = ("script", "style", "head", "template", "title")
    BLOCKS = ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._within = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._within += tag in self.HIDDEN
        if tag in self.BLOCKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._within = max(0, self._within - (tag in self.HIDDEN))

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.found.append(data)


def _parted(text: str) -> tuple[str, str]:
    """(what was written, the signature below it)."""
    found = _SIGNATURE.search(text)
    return (text[: found.start()].strip(), text[found.end() :].strip()) if found else (text, "")
