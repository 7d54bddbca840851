"""Where checkpoints go beyond the database: a folder, or an HTTP address. At least once, in order, tried again.

Each sink has a row in `checkpoint_sinks` that says how far it has got; what lies behind it is sent after the
transaction that signed it, and the row moves on when the sink has taken it. A folder holds
`<day>/<size>.checkpoint`, each written once and never over another, `checkpoint` (the newest) and `key.pub`. An HTTP
sink gets each note as a POST with the size as its Idempotency-Key; any answer 200–299 takes it.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.checkpoints import Checkpoint, read
from engine.errors import GuijuError, Text
from engine.models import checkpoint_sinks, checkpoints
from engine.moments import stamp

if TYPE_CHECKING:
    from engine.runtime import Engine

AT_ONCE = 100
BACKOFF = timedelta(seconds=5)  # doubled after each failure, up to SLOWEST
SLOWEST = timedelta(minutes=10)
TIMEOUT = 5.0  # seconds


class SinkRefused(GuijuError):
    """A place of publication cannot be used."""

    code = "sink_refused"


class Sink(Protocol):
    """Where checkpoints are published."""

    @property
    def name(self) -> str:
        """What the sink is called in the database and on the page."""
        ...

    def put(self, checkpoint: Checkpoint, public: str) -> None:
        """Publish one. Raises OSError, HTTPException or SinkRefused; the same one may come twice."""
        ...

    def newest(self) -> str | None:
        """The newest note the sink is known to hold, where that can be asked."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, best on another machine."""

    path: Path

    @property
    def name(self) -> str:
        """`folder:` and its path."""
        return f"folder:{self.path}"

    def put(self, checkpoint: Checkpoint, public: str) -> None:
        """Write the note, the newest and the key."""
        self._add_key(public)
        target = self.path / stamp(checkpoint.at)[:10] / f"{checkpoint.size:012}.checkpoint"
        if not target.exists():
            write_whole(target, checkpoint.note)
        elif target.read_text(encoding="utf-8") != checkpoint.note:
            raise _refused("已有内容不同的文件", "another file is there already", str(target))
        write_whole(self.path / "checkpoint", checkpoint.note)

    def newest(self) -> str | None:
        """The file `checkpoint`."""
        try:
            return (self.path / "checkpoint").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _add_key(self, public: str) -> None:
        file = self.path / "key.pub"
        known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        if public not in known:
            write_whole(file, "\n".join([*known, public]) + "\n")


@dataclass(frozen=True, slots=True)
class Address:
    """An HTTP address whose host stands on the list of hosts that may be called. Redirects are not followed."""

    url: str
    hosts: frozenset[str]

    @property
    def name(self) -> str:
        """The address."""
        return self.url

    def newest(self) -> str | None:
        """Nobody asks it."""
        return None

    def put(self, checkpoint: Checkpoint, public: str) -> None:
        """Send the note. The host is resolved once, and that address is connected to."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or host not in self.hosts:
            raise _refused("主机不在 GUIJU_OUTGOING_HOSTS 之列", "its host is not among GUIJU_OUTGOING_HOSTS", self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(TIMEOUT)
            plain.connect(place)
            secure = parts.scheme == "https"
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Content-Type": "text/plain; charset=utf-8", "Idempotency-Key": str(checkpoint.size)}
            connection.request("POST", path, checkpoint.note.encode(), {**headers, "Guiju-Key": public})
            answer = connection.getresponse()
            if not 200 <= answer.status < 300:
                raise _refused(f"答复 {answer.status}", f"it answered {answer.status}", self.url)
        finally:
            connection.close()
            plain.close()


def publish(engine: Engine, sinks: Sequence[Sink], public: str) -> int:
    """Send each sink what it has not taken yet; how many notes were taken. Failures are noted and tried again later."""
    return sum(_publish_to(engine, sink, public) for sink in sinks)


def _publish_to(engine: Engine, sink: Sink, public: str) -> int:
    now = stamp(engine.now())
    with engine.db.read() as connection:
        row = connection.execute(sa.select(checkpoint_sinks).where(checkpoint_sinks.c.sink == sink.name)).first()
        if row is not None and row.due_at > now:
            return 0
        done = row.size if row is not None else 0
        waiting = sa.select(checkpoints.c.note).where(checkpoints.c.size > done)
        notes = connection.scalars(waiting.order_by(checkpoints.c.size).limit(AT_ONCE)).all()
    taken, reached, error = 0, done, None
    for checkpoint in map(read, notes):
        try:
            sink.put(checkpoint, public)
        except (OSError, http.client.HTTPException, GuijuError) as failure:
            sentence = f"{type(failure).__name__}: {failure}"[:300]
            error = failure.message if isinstance(failure, GuijuError) else {"zh-CN": sentence, "en": sentence}
            break
        taken, reached = taken + 1, checkpoint.size
    if notes:
        engine.db.write(lambda connection: _note(engine, connection, sink.name, reached, error))
    return taken


def _note(engine: Engine, connection: Connection, sink: str, size: int, error: Text | None) -> None:
    """Move the sink's row on; after a failure, later and later."""
    row = connection.execute(sa.select(checkpoint_sinks).where(checkpoint_sinks.c.sink == sink)).first()
    attempts = (row.attempts if row is not None else 0) + 1 if error else 0
    wait = min(BACKOFF * 2 ** min(attempts, 12), SLOWEST) if error else timedelta(0)
    values = {"size": size, "attempts": attempts, "due_at": stamp(engine.now() + wait), "error": error}
    if row is None:
        connection.execute(sa.insert(checkpoint_sinks).values(sink=sink, **values))
    else:
        connection.execute(sa.update(checkpoint_sinks).where(checkpoint_sinks.c.sink == sink).values(**values))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _refused(zh: str, en: str, sink: str) -> SinkRefused:
    return SinkRefused(
        "sink_refused",
        text={"zh-CN": "无法发布到「{sink}」：{zh}", "en": "Cannot publish to “{sink}”: {en}"},
        sink=sink,
        zh=zh,
        en=en,
    )
