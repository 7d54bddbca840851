"""Signed checkpoints: C2SP `tlog-checkpoint` bodies in C2SP `signed-note` envelopes, signed with Ed25519.

    <origin>                       the log's name, for ever
    <size>                         how many events the tree holds
    <root>                         base64 of the tree's root
    time <ISO 8601, UTC>           extension: when it was signed
    after <size>                   extension: the checkpoint before it (0: the first), so that a missing one shows

    — <key name> <base64 of key id and signature>

The private key is a file outside the database in the format of Go's `note` package:
`PRIVATE+KEY+<name>+<hex key id>+<base64 of 0x01 and seed>`; the public one is `<name>+<hex key id>+<base64 of 0x01 and
key>`.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.engine import Connection

from engine.errors import GuijuError
from engine.models import checkpoints
from engine.moments import moment, stamp

ALGORITHM = b"\x01"  # Ed25519, in key ids and encoded keys
NAME = re.compile(r"[^\s+\u2014]{1,200}")
BODY = re.compile(r"([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n(?:time (\S+)\nafter (0|[1-9][0-9]*)\n)")


class KeyUnusable(GuijuError):
    """The signing key's file is missing or cannot be read."""

    code = "signing_key_unusable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A signed statement about the tree: `size` leaves with that `root`, signed at `at`; `after` is the one before."""

    note: str
    origin: str
    size: int
    root: bytes
    at: datetime
    after: int


class SigningKey:
    """An Ed25519 key with a name. `public` is what others verify with."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = name
        self._private = private
        raw = private.public_key().public_bytes_raw()
        self.id = _key_id(name, raw)
        self.public = f"{name}+{self.id.hex()}+{_encode(ALGORITHM + raw)}"

    @classmethod
    def make(cls, name: str) -> SigningKey:
        """A new key. Raises KeyUnusable for a name with spaces or a plus sign."""
        if not NAME.fullmatch(name):
            raise _unusable("密钥名称不能含空格或加号", "a key's name has neither spaces nor plus signs", name)
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a key file. Raises KeyUnusable."""
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable("文件无法读取", "the file cannot be read", str(path)) from error
        try:
            private, key, name, identity, encoded = text.split("+", 4)
            raw = base64.b64decode(encoded, validate=True)
            if (private, key, raw[:1], len(raw)) != ("PRIVATE", "KEY", ALGORITHM, 33):
                raise ValueError
            made = cls(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
            if made.id.hex() != identity or not NAME.fullmatch(name):
                raise ValueError
        except (ValueError, binascii.Error) as error:
            raise _unusable(
                "不是签名密钥，可用 guiju key 生成", "it is not a signing key; make one with guiju key", str(path)
            ) from error
        return made

    def save(self, path: Path) -> None:
        """Write the key to a new file that only its owner reads. Raises FileExistsError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = f"PRIVATE+KEY+{self.name}+{self.id.hex()}+{_encode(ALGORITHM + self._private.private_bytes_raw())}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)

    def sign(self, text: str) -> str:
        """The signed note over `text`, which ends in a newline."""
        assert text.endswith("\n") and "\n\n" not in text
        return f"{text}\n— {self.name} {_encode(self.id + self._private.sign(text.encode()))}\n"

    def signed(self, note: str) -> bool:
        """Whether this key signed the note."""
        text, found, lines = note.rpartition("\n\n")
        for line in lines.splitlines() if found else ():
            try:
                dash, name, encoded = line.split(" ")
                raw = base64.b64decode(encoded, validate=True)
            except (ValueError, binascii.Error):
                continue
            if (dash, name, raw[:4]) == ("—", self.name, self.id):
                try:
                    self._private.public_key().verify(raw[4:], f"{text}\n".encode())
                except InvalidSignature:
                    return False
                return True
        return False

    def checkpoint(self, *, origin: str, size: int, root: bytes, at: datetime, after: int) -> Checkpoint:
        """Sign a statement about the tree."""
        text = f"{origin}\n{size}\n{_encode(root)}\ntime {stamp(at)}\nafter {after}\n"
        return read(self.sign(text))


def read(note: str) -> Checkpoint:
    """A checkpoint from its note; signatures are not looked at. Raises ValueError."""
    found = BODY.fullmatch(note[: note.index("\n\n") + 1])
    if found is None:
        raise ValueError("not a checkpoint")
    origin, size, root, at, after = found.groups()
    return Checkpoint(
        note=note, origin=origin, size=int(size), root=base64.b64decode(root), at=moment(at), after=int(after)
    )


def latest(connection: Connection) -> Checkpoint | None:
    """The newest stored checkpoint, or None."""
    note = connection.scalar(sa.select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1))
    return read(note) if note is not None else None


def public_key(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Name, id and key of a public key's text. Raises ValueError."""
    name, identity, encoded = text.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if raw[:1] != ALGORITHM or _key_id(name, raw[1:]).hex() != identity:
        raise ValueError("not an Ed25519 key")
    return name, bytes.fromhex(identity), Ed25519PublicKey.from_public_bytes(raw[1:])


def _key_id(name: str, raw: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ALGORITHM + raw).digest()[:4]


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _unusable(zh: str, en: str, what: str) -> KeyUnusable:
    return KeyUnusable(
        "signing_key_unusable",
        text={"zh-CN": "签名密钥「{what}」不能使用：{zh}", "en": "The signing key “{what}” cannot be used: {en}"},
        what=what,
        zh=zh,
        en=en,
    )
