"""Personal data: sealed under a key for each person in each case, opened for those who may read, gone with its key.

A field that a form marks `x-personal` is sealed when a command is taken, after validation. What the state, the history,
registers, drafts and jobs hold of it is a *box*:

    {"personal": <key id>, "field": <its name>, "box": <base64 of nonce and AES-256-GCM ciphertext>}

The box is bound to its key, case, person and field: moved elsewhere it does not open. Hashes and proofs are over boxes,
so they hold when the key is gone, and re-execution needs no key. The keys themselves are kept wrapped under
`GUIJU_PERSONAL_KEY`, which is kept outside the database; several, the newest first, while they are being changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar
from uuid import uuid4

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Connection

from engine.errors import GuijuError, Text, Unavailable
from engine.models_privacy import erasures, subject_keys
from engine.prepared import Prepared

NONCE = 12  # bytes
CASE = "case"  # the subject of what is about nobody known by name
SHAPE = frozenset({"personal", "field", "box"})
_KEY_OF = Prepared(
    sa.select(subject_keys).where(
        subject_keys.c.instance_id == sa.bindparam("instance"),
        subject_keys.c.subject == sa.bindparam("subject"),
        subject_keys.c.wrapped.is_not(None),
    )
)
_KEEP = Prepared(
    sa.insert(subject_keys), columns=("key_id", "instance_id", "subject", "wrapped", "wrapping", "made_at")
)


class Keyring:
    """The wrapping keys: the first wraps, every one unwraps."""

    def __init__(self, keys: str) -> None:
        secrets = [_decode(key.strip()) for key in keys.split(",") if key.strip()]
        self._ciphers = {hashlib.sha256(b"guiju personal" + key).hexdigest()[:16]: AESGCM(key) for key in secrets}
        self.newest = next(iter(self._ciphers), "")

    @staticmethod
    def new_key() -> str:
        """A fresh wrapping key."""
        return base64.b64encode(os.urandom(32)).decode()

    def wrap(self, key: bytes, where: bytes) -> bytes:
        """A subject's key under the newest wrapping key. Raises Unavailable without one."""
        if not self.newest:
            raise _no_key()
        nonce = os.urandom(NONCE)
        return nonce + self._ciphers[self.newest].encrypt(nonce, key, where)

    def unwrap(self, row: Any) -> bytes:
        """The key of a row of `subject_keys`. Raises Unavailable when its wrapping key is not among ours."""
        cipher = self._ciphers.get(row.wrapping)
        if cipher is None:
            raise _no_key()
        wrapped = bytes(row.wrapped)
        try:
            return cipher.decrypt(wrapped[:NONCE], wrapped[NONCE:], _bound(row.key_id, row.instance_id, row.subject))
        except InvalidTag:
            raise _altered() from None


class Subjects:
    """The keys of one case during one command: found, or made when first needed."""

    def __init__(self, keyring: Keyring | None, connection: Connection, instance_id: str, at: str) -> None:
        self._keyring, self._connection, self._instance, self._at = keyring, connection, instance_id, at
        self._known: dict[str, tuple[str, AESGCM]] = {}

    def seal(self, subject: str, field: str, value: Any) -> dict[str, str]:
        """The value as a box."""
        plain = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        key_id, box = self.encrypt(subject, field, plain)
        return {"personal": key_id, "field": field, "box": base64.b64encode(box).decode()}

    def encrypt(self, subject: str, field: str, plain: bytes) -> tuple[str, bytes]:
        """(key id, nonce and ciphertext)."""
        key_id, cipher = self._known.get(subject) or self._key(subject)
        nonce = os.urandom(NONCE)
        return key_id, nonce + cipher.encrypt(nonce, plain, _bound(key_id, self._instance, subject, field))

    def reveal(self, tree: Any) -> Any:
        """The tree with every box opened, for a trusted part of the policy."""
        return reveal(self._keyring, self._connection, tree)

    def _key(self, subject: str) -> tuple[str, AESGCM]:
        if self._keyring is None:
            raise _no_key()
        row: Any = _KEY_OF.run(self._connection, instance=self._instance, subject=subject).first()
        if row is not None:
            self._known[subject] = row.key_id, AESGCM(self._keyring.unwrap(row))
            return self._known[subject]
        key_id, key = str(uuid4()), os.urandom(32)
        values = {
            "key_id": key_id,
            "instance_id": self._instance,
            "subject": subject,
            "wrapped": self._keyring.wrap(key, _bound(key_id, self._instance, subject)),
            "wrapping": self._keyring.newest,
            "made_at": self._at,
        }
        _KEEP.run(self._connection, **values)
        self._known[subject] = key_id, AESGCM(key)
        return self._known[subject]


def is_box(value: Any) -> bool:
    """Whether a value is a sealed one."""
    return isinstance(value, Mapping) and value.keys() == SHAPE


def boxed(tree: Any) -> bool:
    """Whether there is a box anywhere in it."""
    return next(_key_ids(tree), None) is not None


def reveal(keyring: Keyring | None, connection: Connection, tree: Any) -> Any:
    """The tree with every box replaced by its value or, when its key was destroyed, by a tombstone
    `{"erased": {"at", "rule", "by": [usernames], "reason", "request"}}`. A tree without boxes comes back as it is.

    Whoever calls this has decided that the reader may read what it shows. Raises Unavailable without the wrapping key.
    """
    wanted = list(dict.fromkeys(_key_ids(tree)))
    if not wanted:
        return tree
    opened = _Opened(keyring, connection, wanted)
    return opened.replaced(tree)


def decrypt(keyring: Keyring | None, connection: Connection, key_id: str, field: str, pieces: Iterable[bytes]) -> bytes:
    """The plain bytes of what `Subjects.encrypt` made, piece by piece. Raises Erased when the key was destroyed."""
    opened = _Opened(keyring, connection, [key_id])
    return b"".join(opened.decrypt(key_id, f"{field}:{place}", bytes(piece)) for place, piece in enumerate(pieces))


class Erased(GuijuError):
    """The key of this data was destroyed."""

    status = 410
    code = "erased"
    text: ClassVar[Text] = {"zh-CN": "内容已按规定销毁", "en": "This was erased as the rules require"}


class _Opened:
    """The keys of some boxes, unwrapped for one answer and forgotten with it."""

    def __init__(self, keyring: Keyring | None, connection: Connection, key_ids: list[str]) -> None:
        self._rows: dict[str, Any] = {}
        self._ciphers: dict[str, AESGCM] = {}
        self._gone: dict[str, dict[str, Any]] = {}
        for start in range(0, len(key_ids), 500):
            some = subject_keys.c.key_id.in_(key_ids[start : start + 500])
            for row in connection.execute(sa.select(subject_keys).where(some)):
                self._rows[row.key_id] = row
        for key_id, row in self._rows.items():
            if row.wrapped is None:
                self._gone[key_id] = _tombstone(connection, row.erasure_id)
            elif keyring is None:
                raise _no_key()
            else:
                self._ciphers[key_id] = AESGCM(keyring.unwrap(row))

    def replaced(self, tree: Any) -> Any:
        if isinstance(tree, Mapping):
            if is_box(tree):
                return self._open(tree)
            return {key: self.replaced(value) for key, value in tree.items()}
        if isinstance(tree, (list, tuple)):
            return [self.replaced(value) for value in tree]
        return tree

    def decrypt(self, key_id: str, field: str, box: bytes) -> bytes:
        cipher, row = self._ciphers.get(key_id), self._rows.get(key_id)
        if cipher is None or row is None:
            raise Erased
        try:
            bound = _bound(key_id, row.instance_id, row.subject, field)
            return cipher.decrypt(box[:NONCE], box[NONCE:], bound)
        except (InvalidTag, ValueError):  # ValueError: cut to nothing
            raise _altered() from None

    def _open(self, box: Mapping[str, Any]) -> Any:
        key_id = str(box["personal"])
        if key_id not in self._ciphers:
            return {"erased": self._gone.get(key_id, {})}
        try:
            sealed = base64.b64decode(str(box["box"]), validate=True)
        except ValueError:
            raise _altered() from None
        return orjson.loads(self.decrypt(key_id, str(box["field"]), sealed))


def rewrap(keyring: Keyring, connection: Connection, limit: int = 1000) -> int:
    """Wrap up to `limit` keys again that are not yet under the newest wrapping key; return how many."""
    old = sa.and_(subject_keys.c.wrapping != keyring.newest, subject_keys.c.wrapped.is_not(None))
    rows = connection.execute(sa.select(subject_keys).where(old).order_by(subject_keys.c.key_id).limit(limit)).all()
    for row in rows:
        wrapped = keyring.wrap(keyring.unwrap(row), _bound(row.key_id, row.instance_id, row.subject))
        same = sa.and_(subject_keys.c.key_id == row.key_id, subject_keys.c.wrapping == row.wrapping)
        connection.execute(
            sa.update(subject_keys)
            .where(same, subject_keys.c.wrapped.is_not(None))
            .values(wrapped=wrapped, wrapping=keyring.newest)
        )
    return len(rows)


def _tombstone(connection: Connection, erasure_id: str | None) -> dict[str, Any]:
    row = connection.execute(sa.select(erasures).where(erasures.c.erasure_id == erasure_id)).first()
    if row is None:
        return {}
    by = list(dict.fromkeys([*row.approved_by]))
    return {"at": row.at, "rule": row.rule, "by": by, "reason": row.reason, "request": row.request}


def _key_ids(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        if is_box(tree):
            yield str(tree["personal"])
        else:
            for value in tree.values():
                yield from _key_ids(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from _key_ids(value)


def _bound(*parts: str) -> bytes:
    return orjson.dumps(parts)


def _decode(key: str) -> bytes:
    try:
        secret = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != 32:
        raise GuijuError(
            "personal_key_invalid",
            text={
                "zh-CN": "GUIJU_PERSONAL_KEY 须是 32 字节随机数的 base64，可用 {recipe} 生成",
                "en": "GUIJU_PERSONAL_KEY must be 32 random bytes in base64; make one with {recipe}",
            },
            recipe="python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'",
        )
    return secret


def _no_key() -> Unavailable:
    return Unavailable(
        "personal_key_missing",
        text={
            "zh-CN": "系统未配置个人信息密钥（GUIJU_PERSONAL_KEY），或缺少换钥前的旧密钥，不能保存或打开个人信息",
            "en": "No key for personal data (GUIJU_PERSONAL_KEY) is set, or the one before the change is missing",
        },
    )


def _altered() -> Unavailable:
    text = {
        "zh-CN": "个人信息无法打开：密钥不符或内容被改动",
        "en": "Personal data does not open: another key, or altered",
    }
    return Unavailable("personal_broken", text=text)
