"""The demo company 样木家居: its people, groups, accounts, and the procedures deployed for it.

Everybody is invented, and named after furniture so that nobody mistakes them for real people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from engine import Directory, Engine, queries, read_setting, write_setting
from processes import organisation
from processes.bundle import shipped
from processes.registers import account

Progress = Callable[[int, int], Any]  # (done, in all)

HERE = Path(__file__).parent
TOLD_ON = date(2026, 11, 24)  # the day from which the company's dates are told
MARK = "demo"  # the setting that says when the company was loaded, and whether its month has been played
_DATE = re.compile(r"(?<![\d-])20\d\d-[01]\d-[0-3]\d(?!\d)")
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
    (
        "baixiangmu",
        {"zh-CN": "白橡木", "en": "Bai Xiangmu"},
        {"zh-CN": "市场部副经理，候补一级审核、账号巡查", "en": "deputy in Marketing, patrols accounts"},
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
    (
        "yepingfeng",
        {"zh-CN": "叶屏风", "en": "Ye Pingfeng"},
        {"zh-CN": "投诉受理专员", "en": "takes in complaints"},
    ),
    (
        "baishuzhuo",
        {"zh-CN": "柏书桌", "en": "Bai Shuzhuo"},
        {"zh-CN": "调查主办", "en": "investigates complaints"},
    ),
    (
        "jinguimian",
        {"zh-CN": "金柜面", "en": "Jin Guimian"},
        {"zh-CN": "违规处理经办", "en": "discipline officer"},
    ),
    (
        "guogongyu",
        {"zh-CN": "郭公榆", "en": "Guo Gongyu"},
        {"zh-CN": "工会主席", "en": "chair of the union"},
    ),
    (
        "jianchigui",
        {"zh-CN": "简尺规", "en": "Jian Chigui"},
        {"zh-CN": "内审专员，审计员", "en": "internal audit, auditor"},
    ),
    (
        "kongjuchi",
        {"zh-CN": "孔矩尺", "en": "Kong Juchi"},
        {"zh-CN": "外部审计员，只看不办", "en": "external auditor, takes no part"},
    ),
    ("lutuyang", {"zh-CN": "路图样", "en": "Lu Tuyang"}, {"zh-CN": "流程设计员", "en": "process designer"}),
    (
        "modouxian",
        {"zh-CN": "墨斗线", "en": "Mo Douxian"},
        {"zh-CN": "流程设计员，复核变更", "en": "process designer, reviews changes"},
    ),
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


def _moved(rows: Any, by: timedelta) -> Any:
    """Data with every date in it moved."""
    if isinstance(rows, dict):
        return {name: _moved(each, by) for name, each in rows.items()}
    if isinstance(rows, (list, tuple)):
        return [_moved(each, by) for each in rows]
    if isinstance(rows, str):
        return _DATE.sub(lambda found: (date.fromisoformat(found.group()) + by).isoformat(), rows)
    return rows


def load_demo(engine: Engine, *, moved: bool = False, progress: Progress | None = None) -> None:
    """People, departments, groups, accounts, and the shipped procedures. No cases.

    `moved`: the company's dates (passwords changed, policy signed, somebody left) lie as far before today as they do
    before TOLD_ON, so that on any day the same is due soon and nothing is years late.
    """

    today = engine.now().astimezone(UTC).date()
    by = today - TOLD_ON if moved else timedelta()

    def work(connection: Connection) -> None:
        company = _moved(data(), by)
        organisation.load(connection, company | {"people": [_signed_by(row, today) for row in company["people"]]})
        accounts = account.read(HERE / "accounts.csv")
        account.load(connection, _moved(accounts, by) if by else accounts, now=engine.now())
        if read_setting(connection, MARK) is None:
            write_setting(connection, MARK, {"at": engine.now().isoformat(), "played": False})

    engine.db.write(work)
    if progress:
        progress(1, 2)
    engine.deploy(shipped(), by=DEPLOYER)
    if progress:
        progress(2, 2)
