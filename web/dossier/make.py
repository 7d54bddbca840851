"""The finished file: collected, laid out, the JSON dossier inside, signed as a whole."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from engine.dossier import dossier, sealed_pdf, signed_file
from web.dossier.contents import collect
from web.dossier.paper import pdf
from web.dossier.said import Words

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from engine import Engine, SigningKey


def make(engine: Engine, connection: Connection, row: Any, *, key: SigningKey, language: str, by: str | None) -> bytes:
    """The signed PDF of the case whose row this is. Authorisation is the caller's. Raises as `engine.dossier` does."""
    evidence = dossier(engine, row.instance_id, key=key, by=by)
    inside = signed_file(evidence, key)
    contents = collect(engine, connection, row, language=language)
    paper = pdf(
        contents,
        json_file=inside,
        evidence=evidence,
        sha256=sha256(inside).hexdigest(),
        at=Words(language).at(engine.now()),
    )
    return sealed_pdf(paper, row.instance_id, key)
