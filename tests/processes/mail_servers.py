"""A little IMAP server and a little SMTP server on this machine, speaking as much as is needed, over real sockets."""

from __future__ import annotations

import re
import socketserver
import threading
from typing import Any


class _Served(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler: type[socketserver.StreamRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = int(self.server_address[1])
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


class Imap(_Served):
    """One folder of mails by UID. `log` keeps what clients said, `silent` makes it hang up."""

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.validity, self.next_uid, self.silent, self.claimed = 7, 1, False, 0
        self.log: list[str] = []
        self.left = threading.Event()  # a client said goodbye
        super().__init__(_ImapSession)

    def put(self, raw: bytes) -> int:
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.mails[uid], self.flags[uid] = raw, set()
        return uid


class _ImapSession(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        if self.server.silent:
            return
        self._say("* OK [CAPABILITY IMAP4rev1 UIDPLUS] ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            self.server.log.append(rest)
            if self.server.silent:
                return
            verb = rest.upper()
            if verb.startswith("LOGIN"):
                if rest != 'LOGIN "report@guiju.example" "pass word"':
                    self._say(f"{tag} NO wrong")
                    continue
            elif verb.startswith("CAPABILITY"):
                self._say("* CAPABILITY IMAP4rev1 UIDPLUS")
            elif verb.startswith("SELECT"):
                self._say(f"* {len(self.server.mails)} EXISTS")
            elif verb.startswith("STATUS"):
                self._say(f'* STATUS "INBOX" (UIDVALIDITY {self.server.validity})')
            elif verb.startswith("UID SEARCH"):
                self._search(rest)
            elif verb.startswith("UID FETCH"):
                self._fetch(rest)
            elif verb.startswith("UID STORE"):
                self.server.flags[int(rest.split()[2])].add("\\Deleted")
            elif verb == "EXPUNGE":
                for uid in [uid for uid, flags in self.server.flags.items() if "\\Deleted" in flags]:
                    self.server.mails.pop(uid, None)
            elif verb == "LOGOUT":
                self._say("* BYE")
                self._say(f"{tag} OK done")
                self.server.left.set()
                return
            self._say(f"{tag} OK done")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def _search(self, rest: str) -> None:
        found = re.search(r"UID (\d+):\*", rest)
        assert found, rest
        uids = [uid for uid in self.server.mails if uid >= int(found[1])]
        if not uids and self.server.mails:
            uids = [max(self.server.mails)]  # RFC 3501: `*` is the last one, even below the range
        self._say("* SEARCH " + " ".join(map(str, uids)))

    def _fetch(self, rest: str) -> None:
        uid = int(rest.split()[2])
        raw = self.server.mails.get(uid)
        if raw is None:
            return
        if "RFC822.SIZE" in rest:
            self._say(f"* 1 FETCH (UID {uid} RFC822.SIZE {self.server.claimed or len(raw)})")
            return
        part = re.search(r"BODY\.PEEK\[\](<0\.(\d+)>)?", rest)
        assert part, "reading must set no flag"
        sent = raw[: int(part[2])] if part[2] else raw
        name = "BODY[]<0>" if part[2] else "BODY[]"
        self.wfile.write(f"* 1 FETCH (UID {uid} {name} {{{len(sent)}}}\r\n".encode() + sent + b")\r\n")


class Smtp(_Served):
    """Takes mails: `taken` holds (envelope sender, recipients, the mail). `refuse` answers every recipient so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.refuse = ""
        super().__init__(_SmtpSession)


class _SmtpSession(socketserver.StreamRequestHandler):
    server: Any

    def handle(self) -> None:
        self._say("220 ready")
        sender, to = "", []
        while line := self.rfile.readline():
            said = line.decode().strip()
            verb = said.upper()
            if verb.startswith("MAIL"):
                sender, to = said[said.index("<") + 1 : said.index(">")], []
            elif verb.startswith("RCPT"):
                if self.server.refuse:
                    self._say(self.server.refuse)
                    continue
                to.append(said[said.index("<") + 1 : said.index(">")])
            elif verb == "DATA":
                self._say("354 go on")
                body = b""
                while (piece := self.rfile.readline()) not in (b".\r\n", b""):
                    body += piece
                self.server.taken.append((sender, to, body))
            elif verb == "QUIT":
                self._say("221 bye")
                return
            self._say("250 OK")

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
