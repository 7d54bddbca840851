"""Where the mailbox is and how answers leave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from engine.errors import GuijuError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A mail server and how to log in. `security`: `tls`, `starttls`, or `none` (this machine only)."""

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"

    @property
    def digest(self) -> str:
        """A short name of this mailbox that tells nothing of it."""
        return hashlib.sha256(f"{self.host} {self.username} {self.folder}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailSettings:
    """`smtp` None: nothing is answered. `delete`: what was filed whole leaves the server. `every` in seconds."""

    imap: Account
    smtp: Account | None
    sender: str  # the address that answers
    public_url: str
    every: int = 60
    delete: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], public_url: str) -> MailSettings | None:
        """From GUIJU_MAIL_…; None when there is no mailbox. Raises GuijuError naming the setting."""
        address = environment.get("GUIJU_MAIL_URL", "")
        if not address:
            return None
        imap = _account("GUIJU_MAIL_URL", address, {"imaps": 993, "imap+starttls": 143, "imap": 143})
        sending = environment.get("GUIJU_SMTP_URL", "")
        smtp = (
            _account("GUIJU_SMTP_URL", sending, {"smtps": 465, "smtp+starttls": 587, "smtp": 25}) if sending else None
        )
        every = environment.get("GUIJU_MAIL_SECONDS", "60")
        if not every.isdigit() or not 5 <= int(every) <= 86_400:
            raise _wrong("GUIJU_MAIL_SECONDS", "须是 5 到 86400 的整数", "must be a whole number from 5 to 86400")
        after = environment.get("GUIJU_MAIL_AFTER", "keep")
        if after not in ("keep", "delete"):
            raise _wrong("GUIJU_MAIL_AFTER", "须是 keep 或 delete", "must be keep or delete")
        sender = environment.get("GUIJU_MAIL_FROM", imap.username)
        if smtp and ("@" not in sender or any(char.isspace() for char in sender)):
            raise _wrong("GUIJU_MAIL_FROM", "须是一个邮件地址", "must be a mail address")
        return cls(
            imap=imap, smtp=smtp, sender=sender, public_url=public_url, every=int(every), delete=after == "delete"
        )


def _account(name: str, address: str, schemes: Mapping[str, int]) -> Account:
    try:
        parts: SplitResult = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    plain = list(schemes)[-1]
    if parts.scheme not in schemes or not host:
        kinds = "、".join(f"{scheme}://" for scheme in schemes)
        raise _wrong(name, f"须以 {kinds} 之一开头并写明主机", f"must begin with one of {kinds} and name a host")
    if parts.scheme == plain and host not in LOOPBACK:
        raise _wrong(name, "不加密的连接只能用于本机", "may go without encryption on this machine only")
    return Account(
        host=host,
        port=port or schemes[parts.scheme],
        security="starttls" if parts.scheme.endswith("+starttls") else "none" if parts.scheme == plain else "tls",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _wrong(name: str, zh: str, en: str) -> GuijuError:
    return GuijuError("setting_invalid", text={"zh-CN": f"{name} {zh}", "en": f"{name} {en}"})
