"""What tests of the mailbox share: a mail, settings for the servers, passes over the mailbox, what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from engine import Engine, queries
from processes.complaint.mail.polling import poll
from processes.complaint.mail.settings import MailSettings
from processes.scenario_runner import ScenarioClock
from tests.processes.mail_servers import Imap, Smtp

NOW = datetime.fromisoformat("2026-11-09T09:00:00+08:00")
WHO = "王小凳 <wang.stool@customer.example>"


def settings(imap: Imap, smtp: Smtp | None = None, **more: str) -> MailSettings:
    place = f"imap://report%40guiju.example:pass%20word@127.0.0.1:{imap.port}/INBOX"
    sending = {"GUIJU_SMTP_URL": f"smtp://127.0.0.1:{smtp.port}"} if smtp else {}
    found = MailSettings.from_environment({"GUIJU_MAIL_URL": place, **sending, **more}, "https://guiju.example")
    assert found
    return found


def mail(text: str = "十月三日，江抱枕收了客户的钱删差评。", **headers: str) -> EmailMessage:
    made = EmailMessage()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"From": WHO, "Subject": "反映情况", "Message-ID": "<one@customer.example>", **given}.items():
        made[name] = value
    made.set_content(text)
    return made


class Passing:
    """Passes over the mailbox, each in its turn."""

    def __init__(self, company: tuple[Engine, ScenarioClock]) -> None:
        self.engine, self.clock = company
        self.at = NOW

    def __call__(self, settings: MailSettings) -> int:
        self.at += timedelta(seconds=settings.every)
        self.clock.set(self.at)
        return poll(self.engine, settings)


def cases(engine: Engine) -> dict[str, dict[str, Any]]:
    return {key: dict(row) for key, row in queries.register_rows_of(engine, "complaint").items()}


def variables(engine: Engine, number: str = "TS-2026-0001") -> dict[str, Any]:
    return dict(queries.inspect(engine, queries.instance_of(engine, number)).variables)


def stored(engine: Engine) -> bytes:
    found = []
    with engine.db.read() as connection:
        for table in sa.inspect(connection).get_table_names():
            found += [repr(tuple(row)) for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))]
        bodies = connection.execute(sa.text("SELECT body FROM history")).scalars()
        found += [bytes(body).decode() for body in bodies]
    return "\n".join(found).encode()
