"""What the system does itself on a patrol of the official accounts: the list, findings, the register.

Clauses 五.1a, 五.1b, 六.1.1c, 六.1.1d; P10: weekly; unreviewed posts, reply rate, logins, impostors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations
from processes import care
from processes.official_monitor import live_posts
from processes.registers.account import ACCOUNT
from processes.registers.content import CONTENT

KINDS = {
    "unreviewed_post": {"zh-CN": "未经审核的发布", "en": "unreviewed post"},
    "missed_replies": {"zh-CN": "漏回复", "en": "missed replies"},
    "login_alert": {"zh-CN": "登录异常", "en": "login alert"},
    "credential_leak": {"zh-CN": "密码外传、账号转借", "en": "password passed on"},
    "impostor": {"zh-CN": "仿冒账号", "en": "impostor"},
    "shadow_account": {"zh-CN": "影子账号", "en": "shadow account"},
    "other": {"zh-CN": "其他", "en": "other"},
}
ROTATE = ("login_alert", "credential_leak")
IMPROVE = ("missed_replies", "other")
LEAD = {
    "credential_leak": "账号转借或密码管理",
    "login_alert": "账号转借或密码管理",
    "unreviewed_post": "程序违规",
    "missed_replies": "程序违规",
    "impostor": "虚假或不实信息",
    "shadow_account": "程序违规",
}
operations = Operations()


@operations.local(
    "official_monitor.collect",
    parameters=("account_ids",),
    title={"zh-CN": "巡查：列出账号", "en": "Patrol: list the accounts"},
)
def collect(ctx: OperationContext, *, account_ids: Sequence[str] | None = None) -> dict[str, Any]:
    """{"week", "accounts": [{"account_id", "title", "responsible", "known", "approved"}]}: those asked for, else all in
    use. `approved`: what was published on it this week after approval, a line each."""
    day = care.today(ctx)
    year, week, _ = day.isocalendar()
    found = []
    content = ctx.registers.all(CONTENT)
    for key, row in ctx.registers.all(ACCOUNT).items():
        wanted = key in account_ids if account_ids else row.get("status") in ("active", "orphaned", "suspended")
        if wanted and row.get("status") not in care.GONE:
            title = f"{key} {row.get('platform')} · {row.get('name')}"
            responsible = row.get("responsible")
            target = {"account_id": key, "title": title, "responsible": responsible, "known": _known(row, day)}
            found.append({**target, "approved": live_posts.of_the_week(content, key, day)[:50]})
    return {"week": f"{year}-W{week:02d}", "on": day.isoformat(), "accounts": found}


def _known(row: Mapping[str, Any], day: Any) -> str:
    """What the registers say already, for whoever looks."""
    facts = []
    due = care.rotation_due(row)
    if due and due < day:
        facts.append(f"密码应于 {due.isoformat()} 前更新，已逾期")
    if row.get("posting_locked"):
        facts.append("发布已锁定，本周不应有新内容")
    if row.get("status") == "orphaned":
        facts.append("无人负责")
    if row.get("cert_expiry") and str(row["cert_expiry"]) < day.isoformat():
        facts.append(f"认证已于 {row['cert_expiry']} 到期")
    last = row.get("patrol_result") or {}
    if last.get("outcome") == "finding":
        facts.append(f"上次巡查有发现（{last.get('case_no')}）")
    return "；".join(facts) or "无"


@operations.local(
    "official_monitor.act",
    parameters=("inspections", "patrol"),
    required=("inspections", "patrol"),
    title={"zh-CN": "巡查：处理发现", "en": "Patrol: act on findings"},
)
def act(
    ctx: OperationContext, *, inspections: Sequence[Mapping[str, Any]], patrol: Mapping[str, Any]
) -> dict[str, Any]:
    """{"number", "rotations", "takedowns", "leads", "improve": [slips]}: each kind of finding starts what it needs."""
    done: dict[str, Any] = {"number": 0, "rotations": [], "takedowns": [], "leads": [], "improve": []}
    for target, inspection in _judged(ctx, inspections, patrol):
        if inspection.get("outcome") != "finding":
            continue
        done["number"] += 1
        _follow_up(ctx, done, target, inspection)
    return done


def _pairs(
    inspections: Sequence[Mapping[str, Any]], patrol: Mapping[str, Any]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each inspection with its account: they are inspected one after the other, in the order of the list."""
    return list(zip(patrol["accounts"], inspections, strict=False))


def _judged(
    ctx: OperationContext, inspections: Sequence[Mapping[str, Any]], patrol: Mapping[str, Any]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The same, links without an approval record taken for what they are, whatever the inspector concluded."""
    content = ctx.registers.all(CONTENT)
    found: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    for target, inspection in _pairs(inspections, patrol):
        unknown = live_posts.unreviewed(content, target["account_id"], inspection.get("live_urls") or ())
        if unknown:
            facts = f"{inspection.get('comment') or ''}\n没有审核记录的链接：{'、'.join(unknown)}".strip()
            kinds = list(dict.fromkeys([*(inspection.get("kinds") or ()), "unreviewed_post"]))
            seen = {"outcome": "finding", "kinds": kinds, "comment": facts[:2000], "unreviewed": unknown}
            inspection = {**inspection, **seen}
        found.append((target, inspection))
    return found


def _follow_up(
    ctx: OperationContext, done: dict[str, Any], target: Mapping[str, Any], inspection: Mapping[str, Any]
) -> None:
    account_id = target["account_id"]
    kinds = list(inspection.get("kinds") or ["other"])
    facts = inspection.get("comment") or ""
    if any(kind in ROTATE for kind in kinds):
        variables = {"account_id": account_id, "reason": "安全事件", "note": facts[:500]}
        ctx.start_case("credential_rotation", variables, key=f"rotate {account_id}")
        ctx.registers.put(ACCOUNT, account_id, {"incident_12m": True})
        care.lock_posting(ctx, account_id, {"zh-CN": "登录或密码异常，换密前停止发布", "en": "until it is rotated"})
        done["rotations"].append(account_id)
    if "unreviewed_post" in kinds:
        named = [inspection["url"]] if inspection.get("url") else []
        urls: list[str | None] = list(dict.fromkeys([*named, *inspection.get("unreviewed", ())]))
        for number, url in enumerate(urls or [None]):
            variables = {"account_id": account_id, "reason": "unreviewed", "description": facts or "未经审核的发布"}
            more = {"url": url} if url else {}
            ctx.start_case("takedown", {**variables, **more}, key=f"takedown {account_id} {number}")
        done["takedowns"].append(account_id)
    for category in dict.fromkeys(LEAD[kind] for kind in kinds if kind in LEAD):
        seen = [kind for kind in kinds if LEAD.get(kind) == category]
        words = f"巡查发现{'、'.join(KINDS[kind]['zh-CN'] for kind in seen)}：{target['title']}。{facts}"
        care.raise_lead(ctx, target=account_id, category=category, description=words, key=f"{category} {account_id}")
        done["leads"].append({"account_id": account_id, "category": category, "kinds": seen})
    if any(kind in IMPROVE for kind in kinds):
        missed = inspection.get("missed_replies")
        text = f"{target['title']}：{facts}" + (f"（漏回复 {missed} 条）" if missed else "")
        slip = {"account_id": account_id, "responsible": target.get("responsible"), "text": text}
        done["improve"].append(slip)


@operations.local(
    "official_monitor.improve_late",
    parameters=("findings", "improvements"),
    required=("findings",),
    title={"zh-CN": "改进逾期告知", "en": "Tell that an improvement is late"},
)
def improve_late(
    ctx: OperationContext,
    *,
    findings: Mapping[str, Any],
    improvements: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """{"told"}: the heads of the departments whose slips are open."""
    depts = {care.account(ctx, slip["account_id"]).get("dept") for slip in findings["improve"]}
    heads = [care.head_of(ctx, dept) for dept in sorted(dept for dept in depts if dept)]
    zh = f"巡查 {ctx.business_key} 的改进单已逾 5 个工作日"
    return {"told": care.told(ctx, heads, zh, f"Improvement slips of patrol {ctx.business_key} are late")}


@operations.local(
    "official_monitor.file",
    parameters=("patrol", "inspections", "improvements"),
    required=("patrol",),
    title={"zh-CN": "巡查结果记入台账", "en": "File the patrol"},
)
def file(
    ctx: OperationContext,
    *,
    patrol: Mapping[str, Any],
    inspections: Sequence[Mapping[str, Any]] | None = None,
    improvements: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """{"inspected", "findings"}: each account's row says when it was looked at last and what came of it."""
    findings = 0
    pairs = _judged(ctx, inspections or (), patrol)
    for target, inspection in pairs:
        findings += inspection.get("outcome") == "finding"
        names = ("outcome", "kinds", "missed_replies", "reply_rate", "first_reply_minutes", "by")
        result = {name: inspection.get(name) for name in names} | {"case_no": ctx.business_key}
        ctx.registers.put(
            ACCOUNT, target["account_id"], {"last_patrol": care.today(ctx).isoformat(), "patrol_result": result}
        )
    return {"inspected": len(pairs), "findings": findings, "improved": len(improvements or ())}
