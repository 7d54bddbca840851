"""The dossier of a case as JSON, and the signature over whole files; what `verifier/guiju_verify.py` checks offline.

    {"format": "guiju-dossier", "version": 1,
     "made": {"at", "by"}, "key": the public key, "checkpoint": the signed note the proofs are against,
     "case": {"instance", "business_key", "process", "version", "title", "status", "end", "initiator", "started_at",
              "ended_at", "events": how many},
     "deployment": {"number", "files": {path: text}, "event": the record of the deployment, with its proof},
     "attachments": [{"id", "name", "type", "size", "sha256", "element", "task", "at"}],
     "events": [{"seq", "hash": hex, "place", "proof": [base64 …], "body": the exact text that was hashed}, …],
     "signature": a signed note over the SHA-256 of everything else as canonical JSON (sorted keys, no spaces, UTF-8)}

One event stands on one line, so that a damaged file can be read around the damage. There are no floating-point numbers
outside the bodies, which are text: the canonical form is the same in every JSON library.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import deployment
from engine.checkpoints import Checkpoint, SigningKey, latest
from engine.errors import Conflict, NotFound
from engine.history import DEPLOYMENTS
from engine.models import attachment_uses, attachments, history, instances
from engine.moments import stamp
from engine.tree import Proof, inclusion

if TYPE_CHECKING:
    from engine.runtime import Engine

CASE = ("business_key", "process", "version", "title", "status", "end", "initiator", "started_at", "ended_at")


def dossier(engine: Engine, instance_id: str, *, key: SigningKey, by: str | None) -> dict[str, Any]:
    """The dossier, not signed as a whole yet. Authorisation is the caller's. Raises NotFound, also while the newest
    events are not covered by a checkpoint yet (let the signer run first), and Conflict when nothing was ever signed.
    """
    with engine.db.snapshot() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).first()
        if row is None:
            raise NotFound(
                "case_not_found", text={"zh-CN": "没有找到该案件", "en": "The case was not found"}, id=instance_id
            )
        checkpoint = latest(connection)
        if checkpoint is None:
            raise Conflict(
                "nothing_signed",
                text={
                    "zh-CN": "存证尚未签名：请设置 GUIJU_SIGNING_KEY 并启动服务",
                    "en": "Nothing is signed yet: set GUIJU_SIGNING_KEY and start the server",
                },
            )
        events = _events(connection, instance_id, 1, row.seq, checkpoint)
        return {
            "format": "guiju-dossier",
            "version": 1,
            "made": {"at": stamp(engine.now()), "by": by},
            "key": key.public,
            "checkpoint": checkpoint.note,
            "case": {"instance": instance_id, **{name: getattr(row, name) for name in CASE}, "events": len(events)},
            "deployment": _deployment(engine, connection, row, checkpoint),
            "attachments": _attachments(connection, instance_id),
            "events": events,
        }


def dossier_bytes(engine: Engine, instance_id: str, *, key: SigningKey, by: str | None) -> bytes:
    """The dossier as a file, signed as a whole. Raises as `dossier` does."""
    return signed_file(dossier(engine, instance_id, key=key, by=by), key)


def signed_file(content: dict[str, Any], key: SigningKey) -> bytes:
    """A dossier's content as a file, a line for each event, with the signature over the whole."""
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    signature = statement("dossier", content["case"]["instance"], canonical, key)
    lines = []
    for name, value in content.items():
        if name == "events":
            rows = ",\n".join(orjson.dumps(event).decode() for event in value)
            lines.append(f'"events": [\n{rows}\n]')
        else:
            lines.append(f'"{name}": {orjson.dumps(value).decode()}')
    return ("{" + ",\n".join([*lines, f'"signature": {orjson.dumps(signature).decode()}']) + "}\n").encode()


def sealed_pdf(pdf: bytes, instance_id: str, key: SigningKey) -> bytes:
    """The PDF with a signature over every byte of it behind its last line, where readers of PDF do not look."""
    whole = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    note = statement("pdf", instance_id, whole, key)
    return whole + b"%guiju-signature " + base64.b64encode(note.encode()) + b"\n"


def statement(kind: str, subject: str, content: bytes, key: SigningKey) -> str:
    """A signed note that says what kind of file this is, what it is about, and its SHA-256."""
    return statement_of(kind, subject, sha256(content).hexdigest(), key)


def statement_of(kind: str, subject: str, digest: str, key: SigningKey) -> str:
    """Like `statement`, of a SHA-256 in hex."""
    return key.sign(f"guiju {kind} v1\nabout {subject}\nsha256 {digest}\n")


def _events(
    connection: Connection, instance_id: str, first: int, last: int, checkpoint: Checkpoint
) -> list[dict[str, Any]]:
    proofs = inclusion(connection, instance_id, first, last, checkpoint.size)
    query = sa.select(history.c.body, history.c.hash).where(
        history.c.instance_id == instance_id, history.c.seq >= first, history.c.seq <= last
    )
    rows = connection.execute(query.order_by(history.c.seq)).all()
    if len(rows) != len(proofs):
        raise Conflict(
            "events_gone",
            text={
                "zh-CN": "案件的历史不完整，无法制作卷宗。请运行 guiju verify",
                "en": "The history of this case is not whole, so no dossier can be made. Run guiju verify",
            },
        )
    return [_event(proof, bytes(row.body), bytes(row.hash)) for proof, row in zip(proofs, rows, strict=True)]


def _event(proof: Proof, body: bytes, digest: bytes) -> dict[str, Any]:
    path = [base64.b64encode(step).decode() for step in proof.path]
    return {"seq": proof.seq, "hash": digest.hex(), "place": proof.place, "proof": path, "body": body.decode()}


def _deployment(engine: Engine, connection: Connection, row: Any, checkpoint: Checkpoint) -> dict[str, Any]:
    """The case's own files and the proved event that says which files were deployed."""
    whole = deployment.read_files(connection, row.deployment)
    digests = {path: sha256(content).hexdigest() for path, content in whole.items()}
    paths = deployment.closure_paths(engine.shelf.get(row.deployment, connection), row.process, digests)
    made = sa.select(history.c.seq, history.c.body).where(
        history.c.instance_id == DEPLOYMENTS, history.c.type == "deployment.made"
    )
    for event in connection.execute(made.order_by(history.c.seq)):
        if orjson.loads(event.body)["data"]["number"] == row.deployment:
            record = _events(connection, DEPLOYMENTS, event.seq, event.seq, checkpoint)[0]
            files = {path: whole[path].decode() for path in sorted(paths)}
            return {"number": row.deployment, "files": files, "event": record}
    raise NotFound(
        "deployment_not_found",
        text={"zh-CN": "没有第 {id} 次发布的记录", "en": "There is no record of deployment {id}"},
        id=row.deployment,
    )


def _attachments(connection: Connection, instance_id: str) -> list[dict[str, Any]]:
    query = (
        sa.select(
            attachments.c.attachment_id.label("id"),
            *(attachments.c[name] for name in ("name", "type", "size", "sha256")),
            attachment_uses.c.element,
            attachment_uses.c.task_id.label("task"),
            attachment_uses.c.at,
        )
        .join(attachments, attachments.c.attachment_id == attachment_uses.c.attachment_id)
        .where(attachment_uses.c.instance_id == instance_id)
        .order_by(attachment_uses.c.at, attachment_uses.c.attachment_id)
    )
    return [{str(name): value for name, value in row._mapping.items()} for row in connection.execute(query)]
