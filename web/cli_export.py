"""`guiju export`: one case's evidence as a file to take away."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.cli_text import Tongue, database_option, examples, existing, fail

if TYPE_CHECKING:
    from engine import Engine


def add(group: click.Group, t: Tongue) -> None:
    """Add the command."""

    @group.command(
        name="export",
        help=t(
            "导出一个案件的存证。json：签名的卷宗，可用 guiju_verify.py 离线校验。",
            "Export one case's evidence. json: the signed dossier, verified offline with guiju_verify.py.",
        )
        + examples("guiju export ZC-2026-0001 --format json -o dossier.json"),
    )
    @click.argument("instance")
    @click.option(
        "--format",
        "kind",
        type=click.Choice(["json"]),
        default="json",
        show_default=True,
        help=t("文件格式", "format of the file"),
    )
    @click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=t("写入文件", "file to write")
    )
    @database_option(t)
    def export(instance: str, kind: str, output: Path | None, database: str) -> None:
        from engine import queries

        with existing(database, t) as engine:
            content = FORMATS[kind](engine, queries.instance_of(engine, instance), database, t)
        if output is not None:
            output.write_bytes(content)
        else:
            sys.stdout.buffer.write(content)


def signed_dossier(engine: Engine, instance_id: str, database: str, t: Tongue) -> bytes:
    """The JSON dossier; what is new is signed for first."""
    from engine.dossier import dossier_bytes
    from web.config import Config
    from web.signing import demo_key_beside, signer_of

    environment = {**os.environ, "GUIJU_DATABASE_URL": database}
    demo_key_beside(database, environment)
    signer = signer_of(engine, Config.from_environment(environment, demo=True))
    if signer is None:
        fail(t("没有签名密钥：请设置 GUIJU_SIGNING_KEY", "There is no signing key: set GUIJU_SIGNING_KEY"))
    signer.run()
    return dossier_bytes(engine, instance_id, key=signer.key, by=None)


FORMATS = {"json": signed_dossier}
