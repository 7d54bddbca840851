"""What the steps of a content review share: the register row, the fate of each version, notices, who is at work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine import OperationContext
from engine.errors import Text
from processes.registers.content import CONTENT


def note(
    ctx: OperationContext, title: str, authors: Iterable[str], account_ids: Iterable[str] | None, **fields: Any
) -> None:
    """Write what is known now into the submission's register row; None leaves a field as it is."""
    if ctx.business_key:
        base = {"title": title, "authors": list(authors), "case_no": ctx.business_key}
        known = {name: value for name, value in fields.items() if value is not None or name == "status_reason"}
        ctx.registers.put(CONTENT, ctx.business_key, {**base, "account_ids": list(account_ids or ()), **known})


def note_version(ctx: OperationContext, version: int, sha256: str | None, status: str) -> None:
    """What became of a version: one entry each, in order."""
    if not ctx.business_key:
        return
    known = list((ctx.registers.get(CONTENT, ctx.business_key) or {}).get("versions") or ())
    before: dict[str, Any] = next((each for each in known if each["version"] == version), {})
    entry = {**before, "version": version, "status": status, "at": ctx.now.isoformat()}
    entry["sha256"] = sha256 or before.get("sha256")
    others = [each for each in known if each["version"] != version]
    ctx.registers.put(CONTENT, ctx.business_key, {"versions": [*others, entry]})


def tell(ctx: OperationContext, principals: Iterable[str], title: str, said: Text) -> None:
    """Notify people and groups about a submission by its title."""
    text = {"zh-CN": f"「{title}」{said['zh-CN']}", "en": f"“{title}”: {said['en']}"}
    ctx.notify(list(dict.fromkeys(principals)), text)


def members(ctx: OperationContext, group: str) -> list[str]:
    """The active members of a group."""
    found = ctx.directory.group(group)
    return list(found.members) if found else []


def names_of(ctx: OperationContext, username: str) -> set[str]:
    """What somebody goes by: the username and the name in every language."""
    person = ctx.directory.person(username)
    return {username, *(person.names.values() if person else ())}


def at_work(ctx: OperationContext, username: str) -> bool:
    """Whether somebody works here now."""
    person = ctx.directory.person(username)
    return person is not None and person.active
