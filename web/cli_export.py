"""`guiju export`: one case's evidence as a file to take away."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from web.cli_text import Tongue, database_option, examples, existing, fail, progress

if TYPE_CHECKING:
    from engine import Engine, SigningKey


def add(group: click.Group, t: Tongue) -> None:
    """Add the command."""

    @group.command(
        name="export",
        help=t(
            "导出一个案件的存证。json、pdf：签名的卷宗，可用 guiju_verify.py 离线校验；"
            "xes（IEEE 1849）、ocel（OCEL 2.0）、csv：事件日志，供流程挖掘与表格使用。",
            "Export one case's evidence. json, pdf: the signed dossier, verified offline with guiju_verify.py; "
            "xes (IEEE 1849), ocel (OCEL 2.0), csv: the event log for process mining and spreadsheets.",
        )
        + examples(
            "guiju export ZC-2026-0001 --format json -o dossier.json",
            "guiju export ZC-2026-0001 --format pdf -o dossier.pdf",
            "guiju export --where 'process=content_review&outcome=return' --format xes -o returned.xes",
        ),
    )
    @click.argument("instance", required=False)
    @click.option(
        "--where",
        metavar="QUESTION",
        help=t(
            "符合条件的全部案件，写法同审计查询页面的地址；仅 xes、ocel、csv",
            "every case that answers, written as in the address of the audit search; xes, ocel, csv only",
        ),
    )
    @click.option(
        "--format",
        "kind",
        type=click.Choice(["json", "pdf", "xes", "ocel", "csv"]),
        default="json",
        show_default=True,
        help=t("文件格式", "format of the file"),
    )
    @click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=t("写入文件", "file to write")
    )
    @database_option(t)
    def export(instance: str | None, where: str | None, kind: str, output: Path | None, database: str) -> None:
        from engine import queries

        if (instance is None) == (where is None):
            raise click.UsageError(
                t("请给出一个案件，或用 --where 给出条件", "Give a case, or a question with --where")
            )
        with existing(database, t) as engine:
            if instance is None:
                write_many(engine, where or "", kind, output, t)
                return
            content = FORMATS[kind](engine, queries.instance_of(engine, instance), database, t)
        if output is not None:
            output.write_bytes(content)
        else:
            sys.stdout.buffer.write(content)


def write_many(engine: Engine, where: str, kind: str, output: Path | None, t: Tongue) -> None:
    """Write every case that answers as one event log, case by case as they are read."""
    from urllib.parse import parse_qsl

    from engine.errors import Invalid
    from engine.exports import chosen
    from engine.queries import asked
    from web.audit_export import MIME, pieces

    if kind not in MIME:
        raise click.UsageError(t("--where 只用于 xes、ocel、csv", "--where goes with xes, ocel and csv only"))
    pairs = parse_qsl(where, keep_blank_values=True)
    try:
        question = asked.read(dict(pairs), [value for name, value in pairs if name == "value"])
    except Invalid as error:
        fail("\n".join(f"{name}: {t.of(said)}" for name, said in error.fields.items()))
    with progress(t("导出案件", "Exporting cases")) as advance, _opened(output) as file:
        trails = chosen.every(engine, question, progress=advance)
        for piece in pieces(kind, trails, language=t.language, name=where or t("全部案件", "All cases")):
            file.write(piece)


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """The file, whole or not at all; standard output without one."""
    if output is None:
        yield sys.stdout.buffer
        return
    unfinished = output.with_name(f".{output.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


def signing_key(engine: Engine, database: str, t: Tongue) -> SigningKey:
    """The key to sign with; what is new in the history is signed for first."""
    from web.config import Config
    from web.signing import demo_key_beside, signer_of

    environment = {**os.environ, "GUIJU_DATABASE_URL": database}
    demo_key_beside(database, environment)
    signer = signer_of(engine, Config.from_environment(environment, demo=True))
    if signer is None:
        fail(t("没有签名密钥：请设置 GUIJU_SIGNING_KEY", "There is no signing key: set GUIJU_SIGNING_KEY"))
    signer.run()
    return signer.key


def signed_dossier(engine: Engine, instance_id: str, database: str, t: Tongue) -> bytes:
    """The JSON dossier."""
    from engine.dossier import dossier_bytes

    return dossier_bytes(engine, instance_id, key=signing_key(engine, database, t), by=None)


def signed_pdf(engine: Engine, instance_id: str, database: str, t: Tongue) -> bytes:
    """The PDF dossier, in the language of the terminal."""
    import sqlalchemy as sa

    from engine.models import instances
    from web.dossier import make

    key = signing_key(engine, database, t)
    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).one()
        return make(engine, connection, row, key=key, language=t.language, by=None)


def event_log(kind: str) -> Callable[[Engine, str, str, Tongue], bytes]:
    """The case as an event log of that kind."""

    def write(engine: Engine, instance_id: str, database: str, t: Tongue) -> bytes:
        from engine.exports import chosen
        from web.audit_export import pieces

        trail = chosen.one(engine, instance_id, actor=None)
        return b"".join(pieces(kind, [trail], language=t.language, name=trail.called))

    return write


FORMATS: dict[str, Callable[[Engine, str, str, Tongue], bytes]] = {
    "json": signed_dossier,
    "pdf": signed_pdf,
    **{kind: event_log(kind) for kind in ("xes", "ocel", "csv")},
}
