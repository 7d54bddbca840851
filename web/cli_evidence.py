"""`guiju verify`, `replay` and `key`: whether what the database says is what happened, and what it is signed with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web import cli_verify
from web.cli_text import Tongue, database_option, examples, existing, fail, json_option

if TYPE_CHECKING:
    from engine.replay import Replay


def add(group: click.Group, t: Tongue) -> None:
    """Add the commands."""

    cli_verify.add(group, t)

    @group.command(
        name="replay",
        help=t(
            "按记录的命令重新执行一个案件，显示某个事件之后的状态；与当时不符时返回 1。",
            "Re-execute a case from its recorded commands and show the state after an event; exit 1 when it differs.",
        )
        + examples("guiju replay ZC-2026-0001", "guiju replay ZC-2026-0001 --at 12 --json"),
    )
    @click.argument("instance")
    @click.option("--at", type=click.IntRange(min=1), metavar="SEQ", help=t("到此事件为止", "stop after this event"))
    @database_option(t)
    @json_option(t)
    def replay(instance: str, at: int | None, database: str, as_json: bool) -> None:
        from engine import queries
        from engine import replay as replay_case

        with existing(database, t) as engine:
            done = replay_case(engine, queries.instance_of(engine, instance), at=at)
        if as_json:
            click.echo(json.dumps(replay_row(done, t), ensure_ascii=False))
        else:
            print_replay(done, t)
        raise SystemExit(0 if done.same else 1)

    @group.command(
        name="key",
        help=t(
            "生成签名密钥并写入新文件，显示公钥。签名密钥与数据库分开保管；公钥公布出去，供他人校验存证。",
            "Make a signing key in a new file and print its public key. Keep the file apart from the database; "
            "publish the public key, others verify with it.",
        )
        + examples("guiju key /etc/guiju/signing.key --name guiju.example.com"),
    )
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @click.option(
        "--name",
        required=True,
        metavar="NAME",
        help=t("存证日志的名称，通常是对外的域名", "the log's name, usually the public host name"),
    )
    def key(file: Path, name: str) -> None:
        from engine import SigningKey

        made = SigningKey.make(name)
        try:
            made.save(file)
        except FileExistsError:
            fail(t(f"文件「{file}」已存在，不会覆盖", f"The file “{file}” exists; it is not overwritten"))
        click.echo(made.public)


def replay_row(done: Replay, t: Tongue) -> dict[str, Any]:
    """A replay as `--json` shows it."""
    return {
        "instance": done.instance_id,
        "seq": done.seq,
        "same": done.same,
        "first_difference": done.difference.seq if done.difference else None,
        "reason": t.of(done.reason) if done.reason else None,
        "status": done.status,
        "end": done.end,
        "open": list(done.open),
        "variables": done.variables,
        "steps": [
            {
                "seq": step.seq,
                "last": step.last,
                "command": step.command,
                "recorded": step.recorded,
                "found": step.found,
                "same": step.same,
            }
            for step in done.steps
        ],
    }


def print_replay(done: Replay, t: Tongue) -> None:
    """A line for each command, then the state it led to."""
    for step in done.steps:
        click.echo(f"{'✓' if step.same else '✗'} {step.seq:>5} {step.command:<12} {step.recorded[:16]}")
    if done.reason:
        click.echo(t.of(done.reason))
    events = sum(step.last - step.seq + 1 for step in done.steps)
    same = sum(step.same for step in done.steps)
    click.echo(
        t(
            f"重新执行 {len(done.steps)} 条命令、{events} 个事件，{same} 条相同",
            f"Re-executed {len(done.steps)} commands, {events} events; {same} the same",
        )
    )
    state = f"{done.status} {done.end or ''}".rstrip()
    click.echo(t(f"事件 {done.seq} 之后：{state}", f"After event {done.seq}: {state}"))
    click.echo(f"{t('未办', 'open')}: {', '.join(done.open) or '-'}")
    click.echo(json.dumps(done.variables, ensure_ascii=False, indent=2))
