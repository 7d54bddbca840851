"""The answer to a mailed report: that it arrived, and a receipt good for one opening. Never a word of the case."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate

from processes.complaint.mail.settings import Account, MailSettings

TIMEOUT = 20  # seconds
_TEXT = """\
来信已收到，由与所涉人员无关的人受理。为保护来信人，邮件里不谈案情。

请用自己的设备和网络打开 {address}
输入下面的一次性号码打开信箱。打开后会显示一个新的查询码，只显示一次，这个号码随即失效；
如果这个号码打不开，可能已被他人使用，请不要再用邮件，改在 {form} 重新反映。

{code}

要补充情况，可在信箱里写，也可直接回复本邮件（附件将另行登记）。

----

Your mail has arrived. People with no part in the matter will look at it. To protect you, nothing about it is ever
said by mail.

With a device and network of your own, open {address}
and enter the number above. It opens your mailbox once: you are then shown a new receipt, once only, and the number is
void. Should it not open, somebody else may have used it: please stop using mail and report at {form}

You may add to your report in the mailbox, or by replying to this mail (files are registered separately).
"""


def compose(settings: MailSettings, to: str, code: str, mark: str, in_reply_to: str) -> EmailMessage:
    """The answer. It says by its headers that a machine wrote it, so that no machine answers it (RFC 3834)."""
    groups = " ".join(code[place : place + 4] for place in range(0, len(code), 4))
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.sender, to
    mail["Subject"] = "来信已收到 · Your mail has arrived"
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<guiju.{mark}@{settings.sender.rsplit('@', 1)[1]}>"
    if in_reply_to:
        mail["In-Reply-To"] = in_reply_to
    mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"] = "auto-replied", "All"
    place = settings.public_url
    mail.set_content(_TEXT.format(address=f"{place}/report/receipt", form=f"{place}/report", code=groups))
    return mail


def send(settings: MailSettings, mail: EmailMessage) -> None:
    """Send it, with an empty envelope sender: what bounces comes back to nobody. Raises OSError, smtplib errors."""
    if settings.smtp is None:
        return
    with _connected(settings.smtp) as server:
        server.send_message(mail, from_addr="", to_addrs=[str(mail["To"])])


@contextmanager
def _connected(account: Account) -> Iterator[smtplib.SMTP]:
    if account.security == "tls":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(account.host, account.port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(account.host, account.port, timeout=TIMEOUT)
    with server:
        if account.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if account.username:
            server.login(account.username, account.password)
        yield server
