"""The registration cases the demo company has had, as who did what on which working day.

A step is (working days before today, time, person, step of the procedure, what was entered). "start" files the form,
"withdraw" takes it back. Steps of all cases are played in order of time, so deadlines fall due between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Step = tuple[int, str, str, str, dict[str, Any]]

MEMBERS = ("gusunmao", "qiaodongliang", "shenshafa", "fangchaji", "liangyigui", "songchuanglian", "ouyangmuwen")
AGREE: dict[str, Any] = {"outcome": "agree"}
OK: dict[str, Any] = {"outcome": "ok"}
YES: dict[str, Any] = {"outcome": "approve"}
SIGNED: dict[str, Any] = {
    "outcome": "signed",
    "promises": ["keep_safe", "rotate", "no_lending", "review_first"],
    "login_confirmed": True,
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case: the form filed and what people did."""

    form: Mapping[str, Any]
    steps: tuple[Step, ...] = field(default=())


def form(**stated: Any) -> dict[str, Any]:
    """A complete application; what is not stated is as for a plain account of Marketing."""
    return {
        "using_dept": "marketing",
        "account_type": "企业号",
        "alt_names": [],
        "audience": "近期装修、换新家具的家庭",
        "content_scope": "每周两条，图文与短视频",
        "responsible": "luyaoyi",
        "backup": "taotaideng",
        "binding_phone_owner": "公司SIM",
        "binding_email": "media@yangmu.example",
        "real_name_admin": "taochouti",
        "interactive_features": ["评论", "私信"],
        "risk_self_assessment": "评论区可能出现售后投诉，由互动专员每日处理",
        **stated,
    }


def ballots(day: int, time: str, outcome: Mapping[str, Any], *members: str) -> tuple[Step, ...]:
    """The same ballot from several members."""
    return tuple((day, time, member, "ballot", dict(outcome)) for member in members)


def no(reason: str, outcome: str = "reject") -> dict[str, Any]:
    """A ballot or decision with a reason."""
    return {"outcome": outcome, "comment": reason}


def on_platform(uid: str) -> dict[str, Any]:
    """What the registrar records."""
    return {"outcome": "done", "platform_uid": uid, "account_subject": "样木家居有限公司（虚构）"}


def approved(day: int, *, head: str = "shenshafa", legal: Mapping[str, Any] | None = None) -> tuple[Step, ...]:
    """Confirmed, prechecked and, where needed, with a legal opinion, all on one day."""
    steps: list[Step] = [(day, "10:05", head, "dept_confirm", AGREE), (day, "11:20", "taochouti", "admin_precheck", OK)]
    if legal:
        steps.append((day, "15:40", "zhongxuanguan", "legal_opinion", dict(legal)))
    return tuple(steps)


def opened(day: int, uid: str, responsible: str) -> tuple[Step, ...]:
    """Registered, taken into custody and signed for, on three working days."""
    vault = {"outcome": "done", "vault_ref": f"vault://accounts/{uid}", "mfa_enabled": True}
    return (
        (day, "10:30", "taochouti", "platform_register", on_platform(uid)),
        (day - 1, "14:10", "sushujia", "credential_custody", vault),
        (day - 2, "09:25", responsible, "undertaking", SIGNED),
    )


CASES: tuple[Case, ...] = (
    Case(  # R01: six in favour, one silent, closed at the deadline
        form=form(
            platform="抖音",
            account_type="企业号（蓝V）",
            proposed_name="样木家居直播间",
            alt_names=["样木家居直播"],
            purpose="独立直播账号，承接双12直播",
            interactive_features=["评论", "私信", "直播"],
        ),
        steps=(
            (24, "09:10", "michuangdian", "start", {}),
            *approved(23, legal={"outcome": "ok", "comment": "直播脚本另行送审"}),
            *ballots(22, "10:00", YES, *MEMBERS[:4]),
            *ballots(21, "16:20", YES, "liangyigui", "songchuanglian"),
            *opened(18, "douyin-live", "luyaoyi"),
        ),
    ),
    Case(  # R03: resembles A007, one in favour, five against
        form=form(
            platform="微博",
            account_type="蓝V",
            proposed_name="样木家居官博",
            purpose="公司公告",
            using_dept="hr",
            responsible="jinguimian",
            backup="songchuanglian",
        ),
        steps=(
            (21, "14:00", "jinguimian", "start", {}),
            *approved(20, head="songchuanglian"),
            *ballots(
                19, "09:40", no("与 A007 样木家居重复，公告可在原账号发布"), "gusunmao", "qiaodongliang", "shenshafa"
            ),
            *ballots(19, "10:00", YES, "fangchaji"),
            *ballots(19, "10:40", no("不宜再设名称近似的账号"), "liangyigui", "ouyangmuwen"),
        ),
    ),
    Case(  # R04: the head of Marketing applies, so the deputy chair confirms
        form=form(
            platform="B站",
            proposed_name="样木木工课",
            alt_names=["样木工坊"],
            purpose="木工教学",
            backup="duwenli",
        ),
        steps=(
            (20, "10:15", "shenshafa", "start", {}),
            *approved(19, head="qiaodongliang"),
            *ballots(18, "10:00", YES, "gusunmao", "qiaodongliang", "fangchaji", "liangyigui"),
            *opened(14, "bilibili-craft", "luyaoyi"),
        ),
    ),
    Case(  # R06: does not pass the check, withdrawn
        form=form(
            platform="快手",
            account_type="个人号",
            proposed_name="样木家居小凳",
            purpose="卖货",
            using_dept="sales",
            responsible="linxiaodeng",
            backup=None,
            binding_phone_owner="个人手机号",
            real_name_admin="linxiaodeng",
        ),
        steps=(
            (12, "11:30", "linxiaodeng", "start", {}),
            (12, "15:00", "linxiaodeng", "fix", {"outcome": "withdraw", "comment": "改由部门统一申请"}),
        ),
    ),
    Case(  # R07: a tie that the chair's own ballot decides, with conditions
        form=form(
            platform="抖音",
            account_type="企业号（蓝V）",
            proposed_name="样木家居珠海店",
            purpose="本地生活",
            using_dept="sales",
            responsible="hanzhuomian",
            backup="luyaoyi",
            third_party_operator="云样传媒(虚构)",
        ),
        steps=(
            (17, "09:30", "hanzhuomian", "start", {}),
            *approved(
                16,
                head="guanzhanting",
                legal={
                    "outcome": "conditional",
                    "conditions": ["与云样传媒签订书面代运营协议", "每季度复核一次"],
                    "review_months": 3,
                    "comment": "代运营须有书面协议，并按季度复核",
                },
            ),
            *ballots(15, "10:10", YES, "gusunmao", "qiaodongliang"),
            *ballots(15, "14:45", no("代运营方此前有违规记录"), "fangchaji", "liangyigui"),
            *opened(11, "douyin-zhuhai", "hanzhuomian"),
        ),
    ),
    Case(  # returned by the check and never corrected: expired after ten working days
        form=form(
            platform="知乎",
            proposed_name="样木顶级家居",
            purpose="家居知识问答",
            responsible="duwenli",
            backup="jiangbaozhen",
        ),
        steps=((18, "16:00", "duwenli", "start", {}),),
    ),
    Case(  # the department does not agree
        form=form(
            platform="快手",
            proposed_name="样木家居工厂直播",
            purpose="工厂参观",
            responsible="taotaideng",
            backup="duwenli",
        ),
        steps=(
            (9, "09:50", "taotaideng", "start", {}),
            (9, "16:15", "shenshafa", "dept_confirm", no("A012 冻结期间暂不在快手新开账号")),
        ),
    ),
    Case(  # waiting for the responsible person's undertaking
        form=form(
            platform="小红书",
            account_type="专业号（企业）",
            proposed_name="样木收纳研究",
            alt_names=["样木收纳课"],
            purpose="收纳与小户型内容",
            responsible="taotaideng",
            backup="duwenli",
        ),
        steps=(
            (9, "10:40", "michuangdian", "start", {}),
            *approved(8),
            *ballots(7, "10:20", YES, *MEMBERS),
            (4, "15:10", "taochouti", "platform_register", {"outcome": "name_taken", "comment": "已被他人注册"}),
            (3, "10:30", "taochouti", "platform_register", on_platform("xhs-storage")),
            (1, "14:00", "sushujia", "credential_custody", {"outcome": "done", "mfa_enabled": True}),
        ),
    ),
    Case(  # waiting for custody
        form=form(
            platform="视频号",
            account_type="企业认证",
            proposed_name="样木安装服务",
            purpose="安装与保养教程",
            using_dept="cs",
            responsible="jiangbaozhen",
            backup="michuangdian",
        ),
        steps=(
            (8, "14:30", "jiangbaozhen", "start", {}),
            *approved(7, head="yanshouhou"),
            *ballots(6, "09:45", YES, *MEMBERS),
            (3, "11:00", "taochouti", "platform_register", on_platform("channels-service")),
        ),
    ),
    Case(  # waiting to be registered on the platform
        form=form(
            platform="微信公众号",
            account_type="订阅号",
            proposed_name="样木门店日历",
            purpose="门店活动预告",
            using_dept="sales",
            responsible="hanzhuomian",
            backup="michuangdian",
        ),
        steps=(
            (6, "09:20", "hanzhuomian", "start", {}),
            *approved(5, head="guanzhanting"),
            *ballots(4, "10:30", YES, *MEMBERS[:6]),
            (4, "16:30", "ouyangmuwen", "ballot", {"outcome": "conditional", "comment": "预告内容提前一天送审"}),
        ),
    ),
    Case(  # no quorum at the deadline: the chair extends or meets
        form=form(
            platform="微博",
            account_type="蓝V",
            proposed_name="样木家居设计周",
            purpose="设计周活动报道",
            using_dept="rd",
            responsible="duwenli",
            backup="taotaideng",
        ),
        steps=(
            (6, "15:00", "ouyangmuwen", "start", {}),
            *approved(5, head="qiaodongliang"),
            *ballots(4, "11:15", YES, "shenshafa", "fangchaji"),
        ),
    ),
    Case(  # a vote under way
        form=form(
            platform="B站",
            proposed_name="样木旧物改造",
            alt_names=["样木改造课"],
            purpose="旧家具改造教程，与样木实验室的工艺科普区分",
            responsible="duwenli",
            backup="luyaoyi",
        ),
        steps=(
            (2, "14:20", "duwenli", "start", {}),
            *approved(1),
            *ballots(1, "16:40", YES, "qiaodongliang", "fangchaji"),
            (1, "17:10", "liangyigui", "ballot", {"outcome": "conditional", "comment": "改造视频须加安全提示"}),
        ),
    ),
    Case(  # waiting for a legal opinion
        form=form(
            platform="抖音",
            account_type="企业号（蓝V）",
            proposed_name="样木家居佛山店",
            purpose="门店本地生活与团购",
            using_dept="sales",
            responsible="hanzhuomian",
            backup="luyaoyi",
            interactive_features=["评论", "私信", "橱窗", "支付"],
        ),
        steps=(
            (2, "10:00", "hanzhuomian", "start", {}),
            (2, "15:20", "guanzhanting", "dept_confirm", AGREE),
            (1, "15:50", "taochouti", "admin_precheck", OK),
        ),
    ),
    Case(  # returned to the applicant for correction
        form=form(
            platform="小红书",
            account_type="专业号（企业）",
            proposed_name="样木家居搭配",
            purpose="软装搭配",
            responsible="luyaoyi",
            backup="duwenli",
        ),
        steps=(
            (4, "11:10", "michuangdian", "start", {}),
            (3, "10:00", "shenshafa", "dept_confirm", AGREE),
            (
                2,
                "16:00",
                "taochouti",
                "admin_precheck",
                no("请补充与 A006 样木家居的区别，并附实名管理员书面同意", "return"),
            ),
        ),
    ),
    Case(  # waiting for the completeness check
        form=form(
            platform="视频号",
            account_type="企业认证",
            proposed_name="样木招聘",
            purpose="校园招聘",
            using_dept="hr",
            responsible="jinguimian",
            backup="michuangdian",
        ),
        steps=((2, "16:10", "jinguimian", "start", {}), (1, "16:55", "songchuanglian", "dept_confirm", AGREE)),
    ),
    Case(  # late: the head of Sales has not confirmed, the deputy chair may
        form=form(
            platform="快手",
            proposed_name="样木家居工厂价",
            purpose="门店引流",
            using_dept="sales",
            responsible="hanzhuomian",
            backup="luyaoyi",
        ),
        steps=((3, "10:25", "hanzhuomian", "start", {}),),
    ),
    Case(  # just filed
        form=form(
            platform="小红书",
            account_type="专业号（企业）",
            proposed_name="样木会员日",
            alt_names=["样木会员"],
            purpose="会员活动与福利说明",
            responsible="taotaideng",
            backup="michuangdian",
        ),
        steps=((1, "17:00", "taotaideng", "start", {}),),
    ),
)
