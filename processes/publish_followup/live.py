"""Livestreams after approval: what the monitor and the review of the replay found starts a takedown review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations

Record = Mapping[str, Any]
operations = Operations()


@operations.local(
    "publish_followup.order_live_takedown",
    parameters=("content_no", "title", "watched", "replay", "targets", "authors"),
    required=("targets",),
    title={"zh-CN": "直播有问题，启动下架评估", "en": "Livestream: start a takedown review"},
)
def order_live_takedown(
    ctx: OperationContext,
    *,
    targets: Mapping[str, Record],
    title: str | None = None,
    content_no: str | None = None,
    watched: Record | None = None,
    replay: Record | None = None,
    authors: Sequence[str] | None = None,
) -> dict[str, Any]:
    """{"accounts"}: one urgent takedown review for every account that showed the livestream."""
    said = [str(each.get("comment")) for each in (watched or {}, replay or {}) if each.get("outcome") == "issue"]
    order = {
        "content_no": content_no,
        "url": (replay or {}).get("replay_url"),
        "reason": "effect",
        "description": f"直播「{title}」监看、复核发现问题：{'；'.join(said)}"[:2000],
        "urgent": True,
    }
    given = {name: value for name, value in order.items() if value}
    for account in targets:
        ctx.start_case("takedown", {**given, "account_id": account}, key=f"live {account}", in_own_name=True)
    zh, en = f"直播「{title}」有问题，已启动下架评估", f"Livestream “{title}”: a takedown review has started"
    ctx.notify(["t1_reviewer", "legal_reviewer", *(authors or ())], {"zh-CN": zh, "en": en})
    return {"accounts": list(targets)}
