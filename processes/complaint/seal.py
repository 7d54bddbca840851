"""What is kept sealed apart from process data: identities and what reporters write, under a key outside the database.

The key is 32 bytes in base64 (`GUIJU_SEAL_KEY`). Keys for encrypting and for finding receipts are derived from it, so
that neither gives away the other. A value is bound to the place it was sealed for: moved elsewhere it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import Connection

from engine.errors import GuijuError, Unavailable
from engine.moments import stamp
from processes.complaint.tables import sealed_values

NONCE = 12  # bytes
TAG_BITS = 16


class Seal:
    """Seals and opens under one key; without a key every use raises Unavailable."""

    def __init__(self, key: str | None) -> None:
        self._cipher: AESGCM | None = None
        self._tagging = b""
        if key:
            secret = _decode(key)
            self._cipher = AESGCM(_derive(secret, b"guiju seal"))
            self._tagging = _derive(secret, b"guiju receipt lookup")

    @staticmethod
    def new_key() -> str:
        """A fresh key."""
        return base64.b64encode(os.urandom(32)).decode()

    def close(self, text: str, where: str) -> bytes:
        """The text sealed for the place `where`."""
        nonce = os.urandom(NONCE)
        return nonce + self._opened().encrypt(nonce, text.encode(), where.encode())

    def open(self, sealed: bytes, where: str) -> str:
        """The text again. Raises Unavailable when the key is another one or the value was tampered with."""
        try:
            return self._opened().decrypt(sealed[:NONCE], sealed[NONCE:], where.encode()).decode()
        except InvalidTag:
            text = {
                "zh-CN": "封存内容无法打开：密钥不符或内容被改动",
                "en": "The seal does not open: another key, or altered",
            }
            raise Unavailable("seal_broken", text=text) from None

    def tag(self, code: str) -> str:
        """A short keyed mark of a receipt, to find its row by. 16 bits: many receipts share one, so that even with the
        key a mark is far from giving the code away; without the key it says nothing."""
        self._opened()
        return hmac.digest(self._tagging, code.encode(), "sha256")[: TAG_BITS // 8].hex()

    def seal(
        self, connection: Connection, instance_id: str, name: str, value: Any, *, at: datetime | None = None
    ) -> str:
        """Store a start form's `x-sealed` value; the case keeps only that there is one."""
        row = {"instance_id": instance_id, "name": name, "at": stamp(at or datetime.now(UTC)), "destroyed_at": None}
        sealed = self.close(str(value), f"{instance_id}/{name}")
        connection.execute(sa.insert(sealed_values).values(**row, sealed=sealed))
        return f"sealed:{name}"

    def _opened(self) -> AESGCM:
        if self._cipher is None:
            raise Unavailable(
                "seal_key_missing",
                text={
                    "zh-CN": "系统未配置封存密钥（GUIJU_SEAL_KEY），不能保存身份信息",
                    "en": "No sealing key (GUIJU_SEAL_KEY) is set, so no identity can be kept",
                },
            )
        return self._cipher


def unsealed(seal: Seal, connection: Connection, instance_id: str) -> dict[str, str]:
    """Every sealed value of a case, opened: field → text. Destroyed ones are gone. Never behind a page without asking
    who may."""
    mine = sa.and_(sealed_values.c.instance_id == instance_id, sealed_values.c.sealed.is_not(None))
    rows = connection.execute(sa.select(sealed_values).where(mine)).all()
    return {row.name: seal.open(bytes(row.sealed), f"{instance_id}/{row.name}") for row in rows}


def destroy(connection: Connection, instance_id: str, at: str) -> int:
    """Forget the sealed values of a case for good, leaving when that was; return how many."""
    mine = sa.and_(sealed_values.c.instance_id == instance_id, sealed_values.c.sealed.is_not(None))
    gone = connection.execute(sa.update(sealed_values).where(mine).values(sealed=None, destroyed_at=at))
    return int(gone.rowcount)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)


def _decode(key: str) -> bytes:
    try:
        secret = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise GuijuError(
            "seal_key_invalid",
            text={
                "zh-CN": "GUIJU_SEAL_KEY 须是 32 字节随机数的 base64，可用 {recipe} 生成",
                "en": "GUIJU_SEAL_KEY must be 32 random bytes in base64; make one with {recipe}",
            },
            recipe="python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'",
        )
    return secret
