"""`guiju init`, `password` and `leave`: an installation of one's own, with its people, their way in and their going."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from engine.errors import GuijuError
from web.cli_text import Tongue, database_option, examples, existing, fail, opened

SHORTEST = 8


def add(group: click.Group, t: Tongue) -> None:
    """Add the commands."""

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

    @group.command(
        name="leave",
        help=t(
            "登记一个人离职，并为其名下每个账号发起交接。",
            "Record that a person leaves, and start a handover for each of their accounts.",
        )
        + examples("guiju leave wangxiaoming --by lihong", "guiju leave wangxiaoming --by lihong --on 2026-12-31"),
    )
    @click.argument("user")
    @click.option("--by", required=True, help=t("谁登记的（人事、部门负责人或行政部）", "who says so"))
    @click.option(
        "--on",
        type=click.DateTime(formats=["%Y-%m-%d"]),
        help=t(
            "最后工作日，默认今天；未到的只发起交接",
            "last working day, today by default; a later one only starts handovers",
        ),
    )
    @database_option(t)
    def leave(user: str, by: str, on: datetime | None, database: str) -> None:
        from processes.leaving import leave as record

        with existing(database, t) as engine:
            try:
                left = record(engine, user, by=by, on=on.date() if on else None)
            except GuijuError as error:
                fail(t(error.message["zh-CN"], error.message["en"]))
        for account, case in left.handovers.items():
            click.echo(t(f"{account}：已发起交接 {case}", f"{account}: handover {case} started"))
        for account in left.unassigned:
            click.echo(t(f"{account}：没有可接收的人，请指定", f"{account}: nobody can take over, name somebody"))
        click.echo(t(f"「{user}」的离职已登记", f"“{user}” is recorded as leaving"))


def safe(database: str) -> str:
    """The address without its password."""
    from sqlalchemy.engine import make_url

    return make_url(database).render_as_string(hide_password=True)
