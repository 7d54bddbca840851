"""A real `guiju serve` in a process of its own, and a keep-alive client that speaks its JSON API."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

PASSWORD = "bench-password"
SECRET = "bench-only-" + "0" * 32


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`guiju serve` over a database file."""

    def __init__(self, database: Path, *, port: int | None = None) -> None:
        self.database, self.port = database, port or free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; returns the seconds until it answered for the first time."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GUIJU_")},
            "GUIJU_DATABASE_URL": f"sqlite:///{self.database}",
            "GUIJU_SECRET_KEY": SECRET,
            "GUIJU_LOGIN_RATE": "10000 per minute",
        }
        command = [sys.executable, "-m", "web.cli", "serve", "--port", str(self.port)]
        began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=Path(__file__).parent.parent,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )
        deadline = began + 60
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server left with status {self.process.returncode}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with suppress(OSError, http.client.HTTPException), closing(connection):
                connection.request("GET", "/livez")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - began
            time.sleep(0.005)
        raise RuntimeError("the server did not answer within a minute")

    def kill(self) -> None:
        """`kill -9`, on the one process somebody would see; its worker goes with it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def resident_bytes(self) -> int:
        """Memory of the server and its worker; pages they share are counted once (PSS)."""
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        sizes: list[int] = [proportional_bytes(one) for one in [pid, *map(int, children)]]
        return sum(sizes)


def proportional_bytes(pid: int) -> int:
    """The process's PSS, from the kernel."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no PSS for process {pid}")


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


class Client:
    """One person with one keep-alive connection. Raises Refused, or OSError/HTTPException when the server is gone."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._cookie = ""

    def login(self, username: str) -> Client:
        """Open a session."""
        self.post("/session", {"username": username, "password": PASSWORD})
        return self

    def get(self, path: str) -> Any:
        """The decoded answer."""
        return self._call("GET", path, None, {})

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """The decoded answer; `key` is the idempotency key."""
        return self._call("POST", path, json.dumps(body).encode(), {"Idempotency-Key": key} if key else {})

    def page(self, path: str) -> bytes:
        """An HTML page."""
        headers = {"Cookie": self._cookie, "Accept": "text/html"}
        self._connection.request("GET", path, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise Refused(response.status, content[:200])
        return content

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes | None, extra: Mapping[str, str]) -> Any:
        headers = {"Cookie": self._cookie, "Content-Type": "application/json", **extra}
        self._connection.request(method, f"/api/v1{path}", body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if cookie := response.getheader("Set-Cookie"):
            self._cookie = cookie.split(";")[0]
        decoded = json.loads(content) if content else None
        if response.status >= 400:
            raise Refused(response.status, decoded)
        return decoded


@contextmanager
def serving(database: Path) -> Iterator[Server]:
    """A server on that database, stopped afterwards."""
    server = Server(database)
    server.start()
    try:
        yield server
    finally:
        server.stop()
