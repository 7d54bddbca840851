"""The demo company 样木家居: its people, groups, accounts, and the procedures deployed for it.

Everybody is invented, and named after furniture so that nobody mistakes them for real people.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from engine import Directory, Engine, queries
from processes import organisation
from processes.bundle import shipped
from processes.registers import account

Progress = Callable[[int, int], Any]  # (done, in all)

HERE = Path(__file__).parent
DEMO_PASSWORD = "guiju"
DEPLOYER = "lutuyang"
DEMO_LOGINS: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    (
        "michuangdian",
        {"zh-CN": "米床垫", "en": "Mi Chuangdian"},
        {"zh-CN": "新媒体运营主管，发起注册", "en": "starts a registration"},
    ),
    (
        "shenshafa",
        {"zh-CN": "沈沙发", "en": "Shen Shafa"},
        {"zh-CN": "市场部负责人，小组成员", "en": "head of Marketing, votes"},
    ),
    ("taochouti", {"zh-CN": "陶抽屉", "en": "Tao Chouti"}, {"zh-CN": "账号管理员", "en": "account registrar"}),
    ("zhongxuanguan", {"zh-CN": "钟玄关", "en": "Zhong Xuanguan"}, {"zh-CN": "法务专员", "en": "legal reviewer"}),
    ("gusunmao", {"zh-CN": "顾榫卯", "en": "Gu Sunmao"}, {"zh-CN": "总经理，组长", "en": "general manager, chair"}),
    ("qiaodongliang", {"zh-CN": "乔栋梁", "en": "Qiao Dongliang"}, {"zh-CN": "副总经理，副组长", "en": "deputy chair"}),
    (
        "fangchaji",
        {"zh-CN": "方茶几", "en": "Fang Chaji"},
        {"zh-CN": "行政部负责人，小组成员", "en": "head of Administration, votes"},
    ),
    (
        "liangyigui",
        {"zh-CN": "梁衣柜", "en": "Liang Yigui"},
        {"zh-CN": "法务部负责人，小组成员", "en": "head of Legal, votes"},
    ),
    (
        "songchuanglian",
        {"zh-CN": "宋窗帘", "en": "Song Chuanglian"},
        {"zh-CN": "人力资源部负责人，小组成员", "en": "head of HR, votes"},
    ),
    (
        "ouyangmuwen",
        {"zh-CN": "欧阳木纹", "en": "Ouyang Muwen"},
        {"zh-CN": "产品研发部负责人，小组成员", "en": "head of R&D, votes"},
    ),
    (
        "luyaoyi",
        {"zh-CN": "陆摇椅", "en": "Lu Yaoyi"},
        {"zh-CN": "短视频编导，账号负责人", "en": "responsible for accounts"},
    ),
    (
        "sushujia",
        {"zh-CN": "苏书架", "en": "Su Shujia"},
        {"zh-CN": "密码库与系统管理员", "en": "vault and system administrator"},
    ),
    ("jianchigui", {"zh-CN": "简尺规", "en": "Jian Chigui"}, {"zh-CN": "审计员", "en": "auditor"}),
    ("lutuyang", {"zh-CN": "路图样", "en": "Lu Tuyang"}, {"zh-CN": "流程设计员", "en": "process designer"}),
)


@cache
def data() -> dict[str, Any]:
    """The company as shipped."""
    found: dict[str, Any] = json.loads((HERE / "organisation.json").read_text(encoding="utf-8"))
    return found


def _signed_by(person: dict[str, Any], today: date) -> dict[str, Any]:
    """On a machine whose clock is behind the story, people signed the policy a month ago rather than in the future."""
    signed = person["policy_signed_on"]
    if signed and date.fromisoformat(signed) > today:
        return person | {"policy_signed_on": (today - timedelta(days=60)).isoformat()}
    return person


def groups() -> dict[str, str]:
    """Group id → Chinese name."""
    return {row["id"]: row["name_zh"] for row in data()["groups"]}


def is_demo_loaded(engine: Engine) -> bool:
    """Whether its people are there and may start something; half loaded is not loaded."""
    with engine.db.read() as connection:
        known = {person.username for person in Directory(connection).people() if person.active}
    starter = DEMO_LOGINS[0][0]
    return starter in known and bool(queries.startable(engine, actor=starter))


def load_demo(engine: Engine, *, progress: Progress | None = None) -> None:
    """People, departments, groups, accounts, and the shipped procedures. No cases."""

    today = engine.now().astimezone(UTC).date()

    def work(connection: Connection) -> None:
        organisation.load(connection, data() | {"people": [_signed_by(row, today) for row in data()["people"]]})
        account.load(connection, account.read(HERE / "accounts.csv"), now=engine.now())

    engine.db.write(work)
    if progress:
        progress(1, 2)
    engine.deploy(shipped(), by=DEPLOYER)
    if progress:
        progress(2, 2)
