"""`guiju backup` and `restore`: the whole database as one file, checked after it is back."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from web.cli_text import Tongue, database_option, examples, existing, fail, progress
from web.cli_verify import public_keys, say


def add(group: click.Group, t: Tongue) -> None:
    """Add the two commands."""

    @group.command(
        name="backup",
        help=t(
            "把整个数据库写成一个文件（不含密钥）；服务器可以照常运行。",
            "Write the whole database to one file (keys are not in it); the server may go on running.",
        )
        + examples("guiju backup /backup/guiju-2026-11-23.gz"),
    )
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @database_option(t)
    def backup(file: Path, database: str) -> None:
        from engine.backup import backup as write_backup
        from engine.moments import stamp

        if file.exists():
            fail(t(f"文件「{file}」已存在，不会覆盖", f"The file “{file}” exists; it is not overwritten"))
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_name(f".{file.name}.{os.getpid()}")
        with existing(database, t) as engine, progress(t("备份", "Backing up")) as advance:
            try:
                with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    rows = write_backup(engine.db, out, at=stamp(datetime.now(UTC)), progress=advance)
                    out.flush()
                    os.fsync(out.fileno())
                scratch.replace(file)
            finally:
                scratch.unlink(missing_ok=True)
        click.echo(t(f"已备份 {rows} 行到 {file}", f"Backed up {rows} rows to {file}"))

    @group.command(
        name="restore",
        help=t(
            "把备份恢复到一个空的数据库，然后校验每条链、存证树与检查点；有误时返回 1。",
            "Restore a backup into an empty database, then check every chain, the tree and the checkpoints; exit 1 "
            "when something is wrong.",
        )
        + examples("guiju restore /backup/guiju-2026-11-23.gz --database sqlite:////srv/guiju.db"),
    )
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
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
        help=t("公布的公钥或其文件", "the published key or a file of it"),
    )
    @database_option(t)
    def restore(file: Path, published: Path | None, given: tuple[str, ...], database: str) -> None:
        from engine import Database, verify
        from engine.backup import restore as read_backup

        keys = public_keys(given, published, database, t)
        db = Database.open(database)
        try:
            with file.open("rb") as source, progress(t("恢复", "Restoring")) as advance:
                rows = read_backup(db, source, progress=advance)
            click.echo(t(f"已恢复 {rows} 行", f"Restored {rows} rows"))
            with progress(t("校验事件", "Verifying events")) as advance:
                report = verify(db, keys=keys, published=published, progress=advance)
        finally:
            db.close()
        say(report, t)
        raise SystemExit(1 if report.broken else 0)
