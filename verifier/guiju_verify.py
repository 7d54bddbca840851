#!/usr/bin/env python3
# ruff: noqa: E501
"""Checks what Guiju hands out, on a machine that has never seen Guiju: this one file, Python 3.9 or newer, and
`cryptography`.

    python3 guiju_verify.py dossier.json | dossier.pdf | export.jsonl | checkpoint-folder/ … --key KEY

What is checked: every event's body hashes to its place in its chain; every event stands in the RFC 9162 tree that an
Ed25519 checkpoint (C2SP signed note) was signed about; the whole file carries a signature of the same key. `--key` is
the published key (`name+id+base64`, or a file of such lines); without it the file's own key is used and said so.
Exit status: 0 all holds; 1 something does not, the first bad event is named; 2 wrong usage. Shares no code with what
writes these files.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

TEXT = {
    "hash": ("事件 {seq} 的内容与记录的哈希不符：内容被改动", "the content of event {seq} is not what its hash says: it was changed"),
    "link": ("事件 {seq} 与前一事件脱节", "event {seq} does not follow the one before it"),
    "row": ("事件 {seq} 的内容说的是另一个位置", "event {seq} says it belongs elsewhere"),
    "missing": ("事件 {seq} 缺失", "event {seq} is missing"),
    "unreadable": ("事件 {seq} 无法读取", "event {seq} cannot be read"),
    "proof": ("事件 {seq} 不在检查点 {size} 的存证树中", "event {seq} is not in the tree of checkpoint {size}"),
    "order": ("事件 {seq} 在存证树中的位次不对", "event {seq} stands in the wrong place of the tree"),
    "cut": ("文件在事件 {seq} 之后被截断", "the file is cut off after event {seq}"),
    "format": ("不是规矩的卷宗、导出文件或检查点", "neither a dossier nor an export nor a checkpoint of Guiju"),
    "note": ("检查点 {size} 无法读取", "checkpoint {size} cannot be read"),
    "key": ("检查点 {size} 由密钥 {found} 签名，不是公布的密钥 {wanted}", "checkpoint {size} is signed with key {found}, not with the published key {wanted}"),
    "badly_signed": ("检查点 {size} 的签名无效", "the signature of checkpoint {size} does not hold"),
    "root": ("检查点 {size} 与事件不符：第 {first} 至 {last} 位的事件中有改动", "checkpoint {size} contradicts the events: something between places {first} and {last} was changed"),
    "after": ("检查点 {after} 缺失：检查点 {size} 说它在自己之前", "checkpoint {after} is missing: checkpoint {size} names it as the one before"),
    "origin": ("检查点 {size} 属于另一个日志 {origin}", "checkpoint {size} belongs to another log, {origin}"),
    "contradiction": ("大小同为 {size} 的检查点有两个，内容不同", "there are two different checkpoints of size {size}"),
    "no_checkpoint": ("没有检查点，无法证明任何事件", "there is no checkpoint: nothing is proved"),
    "unsigned": ("整份文件没有签名", "the file as a whole is not signed"),
    "altered": ("整份文件在签名之后被改动", "the file as a whole was changed after it was signed"),
    "whole_key": ("整份文件由密钥 {found} 签名，不是公布的密钥 {wanted}", "the file as a whole is signed with key {found}, not with the published key {wanted}"),
    "file": ("流程文件 {path} 与发布时的不同", "the file {path} is not the one that was deployed"),
    "deployment": ("流程发布记录无法证明", "the record of the deployment is not proved"),
    "attachment": ("附件 {name} 与事件中的记录不符", "the attachment {name} is not the one in the events"),
    "state": ("案件状态与事件中的哈希不符", "the stored state is not the one the events recorded"),
    "head": ("案件记录的末尾与事件不符：末尾被截断或添加", "the case does not end with its last event: the tail was cut off or added to"),
    "no_dossier": ("PDF 中没有卷宗数据", "the PDF carries no dossier data"),
}  # fmt: skip
SAID = {
    "ok": ("✓ 全部属实", "✓ everything holds"),
    "bad": ("✗ 发现 {count} 处问题；第一处：{first}", "✗ {count} problems; the first: {first}"),
    "counted": ("{events} 个事件，{checkpoints} 个检查点", "{events} events, {checkpoints} checkpoints"),
    "own_key": ("密钥取自文件本身，请与公布的公钥核对：{key}", "the key is the file's own; compare it with the published one: {key}"),
    "published_key": ("按公布的密钥校验：{key}", "checked with the published key: {key}"),
}  # fmt: skip


@dataclass
class Fault:
    """Something that does not hold. `where` is a case, a file or empty."""

    code: str
    where: str = ""
    args: dict[str, Any] = field(default_factory=dict)

    def text(self, chinese: bool) -> str:
        """The sentence."""
        sentence = TEXT[self.code][0 if chinese else 1].format_map(self.args)
        return f"{self.where}: {sentence}" if self.where else sentence


@dataclass
class Findings:
    """What was looked at and what does not hold, in the order it was met."""

    faults: list[Fault] = field(default_factory=list)
    events: list[tuple[bool, dict[str, Any]]] = field(default_factory=list)  # (holds, body) of a dossier's events
    counted: int = 0
    checkpoints: int = 0
    own_key: str = ""  # the key was the file's own

    def add(self, code: str, where: str = "", **args: Any) -> None:
        """Note a fault."""
        self.faults.append(Fault(code, where, args))


class Key:
    """A published key, `name+id+base64`. Raises ValueError."""

    def __init__(self, text: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        self.text = text.strip()
        self.name, identity, encoded = self.text.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        self.id = sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if raw[:1] != b"\x01" or len(raw) != 33 or self.id.hex() != identity:
            raise ValueError("not a key")
        self._key = Ed25519PublicKey.from_public_bytes(raw[1:])

    def holds(self, signature: bytes, text: str) -> bool:
        """Whether that is this key's signature over the text."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass
class Note:
    """A C2SP signed note: its text, and (key name, key id, signature) for each of its signatures."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def read(cls, note: str) -> Note:
        """Take a note apart. Raises ValueError."""
        text, found, lines = note.rpartition("\n\n")
        if not found or not lines.endswith("\n"):
            raise ValueError("not a note")
        signatures = []
        for line in lines[:-1].split("\n"):
            dash, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if dash != "—" or base64.b64encode(raw).decode() != encoded:
                raise ValueError("not a signature line")
            signatures.append((name, raw[:4], raw[4:]))
        return cls(text + "\n", signatures)

    def fault(self, keys: list[Key]) -> str | None:
        """None when one of the keys signed it, else `key` (another did) or `badly_signed`."""
        mine = [
            (key, raw)
            for name, identity, raw in self.signatures
            for key in keys
            if (key.name, key.id) == (name, identity)
        ]
        if not mine:
            return "key"
        return None if any(key.holds(raw, self.text) for key, raw in mine) else "badly_signed"

    @property
    def signer(self) -> str:
        """Whose signature it bears."""
        return ", ".join(f"{name}+{identity.hex()}" for name, identity, _ in self.signatures)


@dataclass
class Checkpoint:
    """What a checkpoint says: `size` events with that `root`; `after` is the size of the one before it."""

    note: Note
    origin: str
    size: int
    root: bytes
    after: int
    time: str

    FORM = re.compile(r"([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\ntime (\S+)\nafter (0|[1-9][0-9]*)\n")

    @classmethod
    def read(cls, note: str) -> Checkpoint:
        """Take a checkpoint apart. Raises ValueError."""
        parts = Note.read(note)
        found = cls.FORM.fullmatch(parts.text)
        if found is None:
            raise ValueError("not a checkpoint")
        origin, size, root, time, after = found.groups()
        return cls(parts, origin, int(size), base64.b64decode(root), int(after), time)


def leaf_of(event_hash: bytes) -> bytes:
    """RFC 9162 §2.1.1: the tree's entries are the events' hashes."""
    return sha256(b"\0" + event_hash).digest()


def root_by(leaf: bytes, place: int, size: int, path: Iterable[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2: the root that the path leads to from a leaf; b"" when the path does not fit."""
    if not 0 <= place < size:
        return b""
    this, last, found = place, size - 1, leaf
    for step in path:
        if last == 0:
            return b""
        if this & 1 or this == last:
            found = sha256(b"\1" + step + found).digest()
            while not this & 1 and this:
                this, last = this >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + step).digest()
        this, last = this >> 1, last >> 1
    return found if last == 0 else b""


class Growing:
    """A tree that leaves are added to one by one; it keeps only the roots of its complete subtrees."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        size, peaks = self.size, self.peaks
        while size & 1:
            leaf = sha256(b"\1" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def add_subtree(self, root: bytes) -> None:
        """Add a complete subtree; all that are added are of one size, and then `size` counts them."""
        self.add(root)

    def copy(self) -> Growing:
        """Another that goes on from here."""
        other = Growing()
        other.size, other.peaks = self.size, list(self.peaks)
        return other

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return self.root_with([])

    def root_with(self, leaves: list[bytes]) -> bytes:
        """The root with a few more leaves behind, fewer than a subtree that was added."""
        rest = Growing()
        for leaf in leaves:
            rest.add(leaf)
        found = b""
        for peak in reversed(self.peaks + rest.peaks):
            found = sha256(b"\1" + peak + found).digest() if found else peak
        return found or sha256(b"").digest()


class Chains:
    """Where each case's chain has got to: seq, hash and the last recorded state."""

    def __init__(self) -> None:
        self.ends: dict[str, tuple[int, bytes, str | None]] = {}

    def check(self, instance: str, seq: Any, raw: bytes, body: Any) -> tuple[str | None, int]:
        """What is wrong with the next event of a case (or None) and which seq that is; the chain goes on either way."""
        at, before, state = self.ends.get(instance, (0, bytes(32), None))
        said = body if isinstance(body, dict) else {}
        if said.get("type") == "state.saved":
            state = (said.get("data") or {}).get("state")
        self.ends[instance] = (seq if isinstance(seq, int) else at + 1, sha256(raw).digest(), state)
        if body is None:
            return "unreadable", at + 1
        if seq != at + 1:
            return "missing", at + 1
        if (said.get("instance"), said.get("seq")) != (instance, seq):
            return "row", seq
        return (None if said.get("prev") == before.hex() else "link"), seq


def check_checkpoint(text: Any, keys: list[Key], found: Findings, where: str) -> Checkpoint | None:
    """Read a checkpoint and its signature; None when it cannot be read."""
    try:
        checkpoint = Checkpoint.read(text)
    except (ValueError, AttributeError, binascii.Error):
        found.add("note", where, size="?")
        return None
    found.checkpoints += 1
    if fault := checkpoint.note.fault(keys):
        wanted = ", ".join(f"{key.name}+{key.id.hex()}" for key in keys)
        found.add(fault, where, size=checkpoint.size, found=checkpoint.note.signer, wanted=wanted)
    elif checkpoint.origin not in [name for name, _, _ in checkpoint.note.signatures]:
        found.add("origin", where, size=checkpoint.size, origin=checkpoint.origin)
    return checkpoint


def check_whole(note: Any, kind: str, digest: str, keys: list[Key], found: Findings) -> None:
    """Check the signature over a whole file: its text says the kind and the SHA-256."""
    if not isinstance(note, str) or not note:
        return found.add("unsigned")
    try:
        parts = Note.read(note)
    except (ValueError, binascii.Error):
        return found.add("altered")
    if fault := parts.fault(keys):
        wanted = ", ".join(f"{key.name}+{key.id.hex()}" for key in keys)
        found.add("whole_key" if fault == "key" else "altered", found=parts.signer, wanted=wanted)
    elif parts.text.split("\n")[0] != kind or f"sha256 {digest}" not in parts.text.split("\n"):
        found.add("altered")
    return None


def load(raw: bytes) -> tuple[dict[str, Any], bool]:
    """A dossier's content, and whether it was whole; from a damaged one, every line that can still be read."""
    try:
        whole = json.loads(raw)
        return (whole if isinstance(whole, dict) else {}), True
    except ValueError:
        pass
    kept: dict[str, Any] = {"events": []}
    inside = False
    for line in raw.decode("utf-8", "replace").splitlines():
        if line.startswith('"events": ['):
            inside = True
        elif inside and line.startswith("]"):
            inside = False
        elif inside:
            try:
                kept["events"].append(json.loads(line.rstrip(",")))
            except ValueError:
                kept["events"].append(None)
        else:
            try:
                kept.update(json.loads("{" + line.lstrip("{").rstrip(",}") + "}"))
            except ValueError:
                try:
                    kept.update(json.loads("{" + line.lstrip("{").rstrip(",") + "}"))
                except ValueError:
                    continue
    return kept, False


def check_dossier(raw: bytes, keys: list[Key], found: Findings) -> None:
    """One case: chain, proofs, checkpoint, deployment files, attachments, and the signature over the whole."""
    dossier, whole = load(raw)
    if dossier.get("format") != "guiju-dossier":
        return found.add("format")
    keys = keys or own_key(dossier.get("key"), found)
    checkpoint = check_checkpoint(dossier.get("checkpoint"), keys, found, "")
    stated = dossier.get("case")
    case: dict[str, Any] = stated if isinstance(stated, dict) else {}
    instance, chains, texts = str(case.get("instance", "")), Chains(), []
    for event in dossier.get("events") or []:
        fault, seq, body = check_event(event, instance, chains, checkpoint)
        texts.append(event.get("body") if isinstance(event, dict) else None)
        found.events.append((fault is None, body))
        found.counted += 1
        if fault:
            found.add(fault, seq=seq, size=checkpoint.size if checkpoint else 0)
    last = chains.ends.get(instance, (0, b"", None))[0]
    if not whole:
        found.add("cut", seq=last)
    elif last != case.get("events"):
        found.add("missing", seq=last + 1)
    check_deployment(dossier.get("deployment"), checkpoint, found)
    for attachment in dossier.get("attachments") or []:
        named = f'"sha256":"{attachment.get("sha256")}"'
        if not any(text and named in text for text in texts):
            found.add("attachment", name=attachment.get("name"))
    signature = dossier.pop("signature", None)
    canonical = json.dumps(dossier, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )
    return check_whole(signature, "guiju dossier v1", sha256(canonical).hexdigest(), keys, found)


def check_event(
    event: Any, instance: str, chains: Chains, checkpoint: Checkpoint | None
) -> tuple[str | None, int, dict[str, Any]]:
    """What is wrong with an event (or None), which seq that is, and its body as far as it can be read."""
    try:
        raw = event["body"].encode()
        body, seq, place = json.loads(raw), event["seq"], event["place"]
        path = [base64.b64decode(step, validate=True) for step in event["proof"]]
        stated = bytes.fromhex(event["hash"])
    except (TypeError, KeyError, AttributeError, ValueError):
        fault, seq = chains.check(instance, None, b"", None)
        return fault, seq, {"seq": seq}
    fault, named = chains.check(instance, seq, raw, body)
    said = body if isinstance(body, dict) else {"seq": seq}
    if sha256(raw).digest() != stated and fault != "missing":
        return "hash", seq, said
    if fault:
        return fault, named, said
    proved = checkpoint is not None and root_by(leaf_of(stated), place, checkpoint.size, path) == checkpoint.root
    return (None if proved else "proof"), seq, said


def check_deployment(deployment: Any, checkpoint: Checkpoint | None, found: Findings) -> None:
    """The files the case ran on: each has the SHA-256 that the proved record of the deployment names."""
    try:
        event = deployment["event"]
        raw = event["body"].encode()
        path = [base64.b64decode(step, validate=True) for step in event["proof"]]
        proved = (
            checkpoint
            and root_by(leaf_of(sha256(raw).digest()), event["place"], checkpoint.size, path) == checkpoint.root
        )
        said = json.loads(raw)["data"]
        if not proved or said["number"] != deployment["number"]:
            found.add("deployment")
        for name, content in deployment["files"].items():
            if sha256(content.encode()).hexdigest() != said["files"].get(name):
                found.add("file", path=name)
    except (TypeError, KeyError, AttributeError, ValueError):
        found.add("deployment")


def own_key(text: Any, found: Findings) -> list[Key]:
    """The key a file names itself, when none was given."""
    try:
        keys = [Key(line) for line in str(text).splitlines() if line.strip()]
    except (ValueError, binascii.Error):
        return []
    found.own_key = ", ".join(key.text for key in keys)
    return keys


def streams(raw: bytes) -> Iterator[bytes]:
    """What a PDF's streams hold, as far as they are plain, Flate, or ASCII85 over Flate."""
    for match in re.finditer(rb"stream\r?\n", raw):
        end = raw.find(b"endstream", match.end())
        if raw[match.start() - 3 : match.start()] == b"end" or end < 0:
            continue
        body = raw[match.end() : end]
        yield body
        for unpack in (lambda data: data, lambda data: base64.a85decode(data.strip().removesuffix(b"~>"))):
            try:
                yield zlib.decompressobj().decompress(unpack(body))
            except (zlib.error, ValueError):
                continue


def check_pdf(raw: bytes, keys: list[Key], found: Findings) -> None:
    """A dossier as PDF: the data inside, and the signature behind its last line over every byte before."""
    inside = next(
        (
            part
            for part in streams(raw)
            if part[:32].lstrip().startswith((b'{"format": "guiju-dossier"', b'{"format":"guiju-dossier"'))
        ),
        None,
    )
    if inside is None:
        found.add("no_dossier")
    else:
        check_dossier(inside.strip(), keys, found)
    before, mark, trailer = raw.rpartition(b"%guiju-signature ")
    try:
        note = base64.b64decode(trailer.strip(), validate=True).decode() if mark else ""
    except ValueError:
        note = "?"
    if not keys and inside is not None:
        keys = own_key(load(inside.strip())[0].get("key"), found)
    check_whole(note, "guiju pdf v1", sha256(before).hexdigest(), keys, found)


def check_export(lines: Iterable[bytes], keys: list[Key], found: Findings) -> None:
    """A whole database: events in the order of the tree with the checkpoints between them, then what is not signed for
    yet, then each case's end. One pass; memory grows with the number of cases only."""
    tree, chains, whole = Growing(), Chains(), sha256()
    newest, good, bad_chains, ended = None, 0, set(), False
    for number, line in enumerate(lines):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            row = {}
        if number == 0:
            if row.get("format") != "guiju-export":
                return found.add("format")
            keys = keys or own_key(row.get("key"), found)
        elif "end" in row:
            ended = True
            check_whole(row.get("signature"), "guiju export v1", whole.hexdigest(), keys, found)
        elif "checkpoint" in row:
            newest, good = follow(row["checkpoint"], newest, good, tree, keys, found)
        elif "state" in row:
            seq, head, state = chains.ends.pop(row["instance"], (0, bytes(32), None))
            if (row["seq"], row["head"]) != (seq, head.hex()):
                found.add("head", row["instance"])
            elif row["state"] != state:
                found.add("state", row["instance"])
        else:
            found.counted += 1
            instance = str(row.get("instance", "?"))
            raw = base64.b64decode(row["raw"]) if "raw" in row else str(row.get("body", "")).encode()
            fault, seq = chains.check(instance, row.get("seq"), raw, parsed(raw))
            if row.get("place") is not None:
                fault = fault or (None if row["place"] == tree.size else "order")
                tree.add(leaf_of(sha256(raw).digest()))
            if fault and instance not in bad_chains:
                bad_chains.add(instance)
                found.add(fault, instance, seq=seq)
        whole.update(line)
    if not ended:
        found.add("cut", seq=found.counted)
    elif newest is None:
        found.add("no_checkpoint")
    for instance in sorted(chains.ends):
        if instance not in ("deployments", "access") and ended:
            found.add("head", instance)
    return None


def parsed(raw: bytes) -> Any:
    """The JSON, or None."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def follow(
    text: Any, newest: Checkpoint | None, good: int, tree: Growing, keys: list[Key], found: Findings
) -> tuple[Checkpoint | None, int]:
    """Check a checkpoint against the tree as far as it has grown; return the newest, and up to where all held."""
    checkpoint = check_checkpoint(text, keys, found, "")
    if checkpoint is None:
        return newest, good
    if checkpoint.after != (newest.size if newest else 0):
        found.add("after", after=checkpoint.after, size=checkpoint.size)
    if (checkpoint.size, checkpoint.root) == (tree.size, tree.root()):
        return checkpoint, checkpoint.size
    if good >= 0:  # what follows the first contradiction contradicts as well
        found.add("root", size=checkpoint.size, first=good, last=checkpoint.size - 1)
    return checkpoint, -1


def published(folder: Path) -> Iterator[str]:
    """The notes in a folder that checkpoints are published to, by size."""
    for path in sorted(folder.glob("*/*.checkpoint"), key=lambda path: path.name):
        yield path.read_text(encoding="utf-8", errors="replace")


def check_published(folder: Path, keys: list[Key], found: Findings) -> None:
    """A folder of checkpoints: each signed, each naming the one before, no two of one size."""
    if not keys and (folder / "key.pub").exists():
        keys = own_key((folder / "key.pub").read_text(encoding="utf-8", errors="replace"), found)
    before: dict[str, Checkpoint] = {}
    for note in published(folder):
        checkpoint = check_checkpoint(note, keys, found, "")
        if checkpoint is None:
            continue
        newest = before.get(checkpoint.origin)
        if newest and newest.size == checkpoint.size:
            if newest.note.text != checkpoint.note.text:
                found.add("contradiction", size=checkpoint.size)
        elif newest and checkpoint.after != newest.size:
            found.add("after", after=checkpoint.after, size=checkpoint.size)
        before[checkpoint.origin] = checkpoint
    if not before:
        found.add("no_checkpoint")


def check_file(path: Path, keys: list[Key]) -> Findings:
    """Look at one file or folder, whatever of ours it is."""
    found = Findings()
    if path.is_dir():
        check_published(path, keys, found)
        return found
    with path.open("rb") as file:
        start = file.read(200)
        file.seek(0)
        if start.startswith(b"%PDF"):
            check_pdf(file.read(), keys, found)
        elif b"guiju-export" in start:
            check_export(file, keys, found)
        elif b"guiju-dossier" in start:
            check_dossier(file.read(), keys, found)
        else:
            text = file.read(100_000).decode("utf-8", "replace")
            if check_checkpoint(text, keys, found, "") is None:
                found.faults[:] = [Fault("format")]
    return found


def show(path: str, found: Findings, chinese: bool, quiet: bool) -> None:
    """Print every event of a dossier with whether it holds, then the faults, then the sum."""

    def say(code: str, **args: Any) -> str:
        return SAID[code][0 if chinese else 1].format_map(args)

    print(path)
    for holds, body in found.events if not quiet else ():
        words = [body.get(name) for name in ("at", "type", "element", "actor")]
        print(f"  {'✓' if holds else '✗'} {body.get('seq', '?'):>5}  " + "  ".join(str(word) for word in words if word))
    for fault in found.faults:
        print(f"  ✗ {fault.text(chinese)}")
    print("  " + say("counted", events=found.counted, checkpoints=found.checkpoints))
    if found.own_key:
        print("  " + say("own_key", key=found.own_key))
    print(
        "  " + (say("bad", count=len(found.faults), first=found.faults[0].text(chinese)) if found.faults else say("ok"))
    )


def read_keys(given: Iterable[str]) -> list[Key]:
    """Keys from the command line: the text itself, or a file of such lines. Raises ValueError, OSError."""
    keys = []
    for text in given:
        try:
            keys.append(Key(text))
        except (ValueError, binascii.Error):
            lines = Path(text).read_text(encoding="utf-8").splitlines()
            keys += [Key(line) for line in lines if line.strip()]
    return keys


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    language = next(
        (os.environ[name] for name in ("GUIJU_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "zh"
    )
    parser = argparse.ArgumentParser(
        prog="guiju_verify.py",
        description="校验规矩的卷宗、导出文件与检查点 · verify dossiers, exports and checkpoints of Guiju",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="dossier.json · dossier.pdf · export.jsonl · checkpoint folder"
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="公布的公钥或其文件，可多次 · the published key or a file of it; may be repeated",
    )
    parser.add_argument(
        "--lang", choices=("zh", "en"), default="zh" if language.lower().startswith(("zh", "c", "posix")) else "en"
    )
    parser.add_argument("--quiet", action="store_true", help="不逐个列出事件 · do not list every event")
    parser.add_argument("--json", action="store_true", help="输出 JSON · print JSON")
    options = parser.parse_args(arguments)
    try:
        keys = read_keys(options.key)
        results = {name: check_file(Path(name), keys) for name in options.files}
    except (OSError, ValueError) as error:
        parser.error(str(error))
    chinese = options.lang == "zh"
    if options.json:
        print(json.dumps([{"file": name, "events": found.counted, "checkpoints": found.checkpoints, "key": found.own_key or options.key,
                           "faults": [{"code": fault.code, "where": fault.where, **fault.args, "message": fault.text(chinese)} for fault in found.faults]}
                          for name, found in results.items()], ensure_ascii=False))  # fmt: skip
    else:
        for name, found in results.items():
            show(name, found, chinese, options.quiet)
    return 1 if any(found.faults for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
