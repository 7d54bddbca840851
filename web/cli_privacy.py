"""`guiju audit-role` and `rewrap`: the auditors' own database role, and a new key around those of personal data."""

from __future__ import annotations

import click

from web.cli_text import Tongue, database_option, examples, existing, progress


def add(group: click.Group, t: Tongue) -> None:
    """Add the commands."""

    @group.command(
        name="audit-role",
        help=t(
            "在 PostgreSQL 建立或修复审计角色 guiju_auditor：只能查询审计所需的表，"
            "读不到密码、登录、封存身份与举报往来。以有建角色权限的用户运行。SQLite 无需此步。",
            "Make or mend the role guiju_auditor on PostgreSQL: it can only SELECT what an audit shows, and no "
            "password, session, sealed identity or mailbox. Run it as a user who may create roles. SQLite needs none.",
        )
        + examples("guiju audit-role --database postgresql://postgres@localhost/guiju"),
    )
    @database_option(t)
    def audit_role(database: str) -> None:
        from engine import readonly

        with existing(database, t) as engine:
            if engine.db.sqlite:
                click.echo(
                    t(
                        "SQLite 以只读方式打开文件，无需角色",
                        "SQLite opens the file read-only; there is no role to make",
                    )
                )
                return
            engine.db.write(readonly.make_role)
        click.echo(
            t(
                f"角色 {readonly.ROLE} 已就绪；如需专用登录：CREATE ROLE … LOGIN IN ROLE {readonly.ROLE}，"
                "并设 GUIJU_AUDIT_DATABASE_URL",
                f"The role {readonly.ROLE} is ready; for a login of its own: CREATE ROLE … LOGIN IN ROLE "
                f"{readonly.ROLE}, and set GUIJU_AUDIT_DATABASE_URL",
            )
        )

    @group.command(
        name="rewrap",
        help=t(
            "更换个人信息的包裹密钥：GUIJU_PERSONAL_KEY=新,旧 时运行，之后只留新的。数据本身不动，可随时中断重来。",
            "Change the key that wraps the keys of personal data: run it with GUIJU_PERSONAL_KEY=new,old, then keep "
            "the new one alone. The data itself is not touched; it may be stopped and run again.",
        )
        + examples("guiju rewrap", "guiju rewrap --database postgresql://guiju@localhost/guiju"),
    )
    @database_option(t)
    def rewrap(database: str) -> None:
        from engine import personal

        with existing(database, t) as engine:
            keyring, done = engine.personal, 0
            assert keyring is not None
            with progress(t("重新包裹", "Wrapping again")) as advance:
                while some := engine.db.write(lambda connection: personal.rewrap(keyring, connection)):
                    done += some
                    advance(done, None)
        click.echo(t(f"已用新密钥包裹 {done} 把钥匙", f"{done} keys are wrapped under the new one"))
