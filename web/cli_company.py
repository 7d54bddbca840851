"""`guiju init` and `password`: an installation of one's own, with its people and their way in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from web.cli_text import Tongue, database_option, examples, existing, fail, opened

SHORTEST = 8


def add(group: click.Group, t: Tongue) -> None:
    """Add the two commands."""

    @group.command(
        name="init",
        help=t(
            "建立空数据库，或把已有的升级到当前版本。",
            "Make an empty database, or bring an existing one up to date.",
        )
        + examples("guiju init", "guiju init --company company.json --database postgresql://guiju@localhost/guiju"),
    )
    @click.option(
        "--company",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=t(
            "人员、部门、小组的 JSON（样例：processes/demo/organisation.json），并发布随附的流程",
            "JSON of people, departments and groups (like processes/demo/organisation.json); deploys the shipped "
            "procedures too",
        ),
    )
    @database_option(t)
    def init(company: Path | None, database: str) -> None:
        with opened(database) as engine:
            if company is not None:
                from processes import organisation
                from processes.bundle import shipped

                data = json.loads(company.read_text(encoding="utf-8"))
                engine.db.write(lambda connection: organisation.load(connection, data))
                engine.deploy(shipped(), by="init")
        click.echo(t(f"数据库已就绪：{safe(database)}", f"The database is ready: {safe(database)}"))

    @group.command(
        name="password",
        help=t(
            "设置一个人的登录密码，并结束其已有的登录。密码从终端或标准输入读取。",
            "Set a person's password and end their sessions. It is read from the terminal or standard input.",
        )
        + examples("guiju password wangxiaoming", "guiju password wangxiaoming < secret.txt"),
    )
    @click.argument("user")
    @database_option(t)
    def password(user: str, database: str) -> None:
        from engine import queries
        from web.sessions import set_password

        with existing(database, t) as engine:
            if queries.person(engine, user) is None:
                fail(t(f"没有「{user}」这个人", f"There is nobody called “{user}”"))
            if sys.stdin.isatty():
                chosen = click.prompt(t("新密码", "New password"), hide_input=True, confirmation_prompt=True)
            else:
                chosen = sys.stdin.readline().rstrip("\n")
            if len(chosen) < SHORTEST:
                fail(t(f"密码至少 {SHORTEST} 个字符", f"A password has at least {SHORTEST} characters"))
            set_password(engine.db, user, chosen)
        click.echo(t(f"「{user}」的密码已设置", f"The password of “{user}” is set"))


def safe(database: str) -> str:
    """The address without its password."""
    from sqlalchemy.engine import make_url

    return make_url(database).render_as_string(hide_password=True)
