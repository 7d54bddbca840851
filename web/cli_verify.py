"""`guiju verify`: whether what the database says is what happened, and what was signed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.cli_text import Tongue, database_option, examples, existing, fail, json_option, progress

if TYPE_CHECKING:
    from engine import Engine, SigningKey
    from engine.evidence import Report


def add(group: click.Group, t: Tongue) -> None:
    """Add the command."""

    @group.command(
        name="verify",
        help=t(
            "校验每个案件的历史链、存证树与检查点；有误时指出第一个坏事件并返回 1。",
            "Check every case's chain, the evidence tree and the checkpoints; exit 1 naming the first bad event.",
        )
        + examples(
            "guiju verify",
            "guiju verify --published /mnt/checkpoints --key guiju.pub",
            "guiju verify --export evidence.jsonl",
        ),
    )
    @click.option(
        "--export",
        "export",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=t(
            "校验这份卷宗或导出文件，而不是数据库；文件不存在时，校验数据库并把全部存证写入其中",
            "check this dossier or export instead of the database; where there is no such file, check the database "
            "and write all its evidence there",
        ),
    )
    @click.option(
        "--published",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="GUIJU_CHECKPOINT_FOLDER",
        help=t("同时核对发布到此文件夹的检查点", "compare with the checkpoints published to this folder"),
    )
    @click.option(
        "--key",
        "given",
        multiple=True,
        metavar="KEY",
        help=t(
            "公布的公钥或其文件，可多次；默认用 GUIJU_SIGNING_KEY 的公钥",
            "the published key or a file of it, may be repeated; by default that of GUIJU_SIGNING_KEY",
        ),
    )
    @database_option(t)
    @json_option(t)
    def verify(
        export: Path | None, published: Path | None, given: tuple[str, ...], database: str, as_json: bool
    ) -> None:
        from verifier.guiju_verify import main

        if export is not None and export.exists():
            keys = [part for key in given for part in ("--key", key)]
            flags = ["--json"] if as_json else []
            raise SystemExit(main([str(export), "--lang", t("zh", "en"), *keys, *flags]))
        from engine import verify as verify_database

        keys = public_keys(given, published, database, t)
        with existing(database, t) as engine:
            with progress(t("校验事件", "Verifying events")) as advance:
                report = verify_database(engine.db, keys=keys, published=published, progress=advance)
            if export is not None:
                write_export(engine, export, database, t)
        if as_json:
            click.echo(json.dumps(as_row(report, t), ensure_ascii=False))
        else:
            say(report, t)
        raise SystemExit(1 if report.broken else 0)


def public_keys(given: Sequence[str], published: Path | None, database: str, t: Tongue) -> list[str]:
    """The keys to check with: those given, else the signing key's public half, else those in the folder."""
    from verifier.guiju_verify import read_keys

    if given:
        try:
            return [key.text for key in read_keys(given)]
        except (OSError, ValueError):
            fail(t(f"不是公钥：{given[0]}", f"Not a public key: {given[0]}"), 2)
    key = own_key(database)
    if key is not None:
        return [key.public]
    listed = published / "key.pub" if published is not None else None
    return [one.text for one in read_keys([str(listed)])] if listed is not None and listed.exists() else []


def own_key(database: str) -> SigningKey | None:
    """The signing key of the environment, or of the demo whose database this is."""
    from web.config import Config
    from web.signing import demo_key_beside, key_of

    environment = {**os.environ}
    demo_key_beside(database, environment)
    return key_of(Config.from_environment(environment, demo=True))


def write_export(engine: Engine, file: Path, database: str, t: Tongue) -> None:
    """All evidence of the database as one file for the stand-alone verifier."""
    from engine.exporting import write_evidence

    key = own_key(database)
    if key is None:
        fail(t("没有签名密钥：请设置 GUIJU_SIGNING_KEY", "There is no signing key: set GUIJU_SIGNING_KEY"))
    with progress(t("写出存证", "Writing the evidence")) as advance, file.open("xb") as out:
        write_evidence(engine, key, out, progress=advance)


def as_row(report: Report, t: Tongue) -> dict[str, Any]:
    """A report as `--json` shows it."""
    broken = [
        {"instance": bad.instance_id, "seq": bad.seq, "code": bad.code, "message": t.of(bad.message)}
        for bad in report.broken
    ]
    names = ("chains", "events", "signed", "waiting", "checkpoints")
    return {**{name: getattr(report, name) for name in names}, "keys": list(report.keys), "broken": broken}


def say(report: Report, t: Tongue) -> None:
    """A line for each broken thing, then what was checked."""
    for bad in report.broken:
        click.echo(f"{bad.instance_id}:{bad.seq} {bad.code} {t.of(bad.message)}")
    click.echo(
        t(
            f"已校验 {report.chains} 条链、{report.events} 个事件、{report.checkpoints} 个检查点，"
            f"{len(report.broken)} 处有误",
            f"Verified {report.chains} chains, {report.events} events, {report.checkpoints} checkpoints; "
            f"{len(report.broken)} broken",
        ),
        err=bool(report.broken),
    )
    if report.waiting:
        click.echo(
            t(
                f"{report.waiting} 个事件尚未签名（服务器运行时 5 秒内签名）",
                f"{report.waiting} events are not signed for yet (a running server does so within 5 seconds)",
            ),
            err=True,
        )
    if not report.keys:
        click.echo(
            t(
                "未校验签名：没有公钥。可用 --key 给出公布的公钥",
                "Signatures were not checked: there is no public key. Give the published one with --key",
            ),
            err=True,
        )
