"""What was filled in, in words, without a request: names for ids, titles for values, in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.calendar import SHANGHAI
from engine.models import departments, groups, people, register_rows
from engine.moments import moment


@dataclass
class Words:
    """One language: `w(zh, en)` picks, `w.of(text)` reads a {"zh-CN", "en"}."""

    language: str
    names: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, zh: str, en: str) -> str:
        return en if self.language == "en" else zh

    def of(self, text: Mapping[str, str] | str | None) -> str:
        """That text in this language, else in Chinese."""
        if isinstance(text, str):
            return text
        if not text:
            return ""
        return str(text.get(self.language) or text.get("zh-CN") or next(iter(text.values()), ""))

    def at(self, when: datetime) -> str:
        """Local date and time to the second."""
        return f"{when.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"

    def load(self, connection: Connection) -> None:
        """Read the names of people, departments, groups and accounts: small tables, read whole."""
        for source, table, key in (
            ("people", people, "username"),
            ("departments", departments, "id"),
            ("groups", groups, "id"),
        ):
            rows = connection.execute(sa.select(table.c[key], table.c.names))
            self.names[source] = {name: self.of(names) for name, names in rows}
        accounts = sa.select(register_rows.c.key, register_rows.c.data).where(register_rows.c.register == "account")
        self.names["accounts"] = {key: str(data.get("name") or key) for key, data in connection.execute(accounts)}

    def person(self, username: str | None) -> str:
        """A person's name with the username that tells namesakes apart."""
        if not username:
            return self("系统", "System")
        name = self.names.get("people", {}).get(username)
        return f"{name} ({username})" if name and name != username else username

    def value(self, part: Mapping[str, Any], value: Any) -> str:
        """A field's value; several lines for lists of records."""
        if value is None or value == "" or value == []:
            return ""
        if isinstance(value, bool):
            return self("是", "Yes") if value else self("否", "No")
        if isinstance(value, list):
            each = {**part.get("items", {}), **{k: part[k] for k in ("x-source", "x-enum-titles") if k in part}}
            said = [self.value(each, one) for one in value]
            return "\n".join(said) if any("\n" in one or len(one) > 40 for one in said) else self("、", ", ").join(said)
        if isinstance(value, Mapping):
            return self._mapping(part, value)
        text = str(value)
        source = "people" if part.get("x-auto") == "initiator" else part.get("x-source")
        if source:
            name = self.names.get(source, {}).get(text)
            return f"{name} ({text})" if name else text
        told = part.get("x-outcomes", {}).get(text, {}).get("title") or part.get("x-enum-titles", {}).get(text)
        if told:
            return self.of(told)
        if part.get("format") == "date-time":
            return self._moment(text)
        return text

    def _moment(self, text: str) -> str:
        try:
            return self.at(moment(text))
        except ValueError:
            return text

    def _mapping(self, part: Mapping[str, Any], value: Mapping[str, Any]) -> str:
        if "erased" in value and isinstance(value["erased"], Mapping):
            return self.tombstone(value["erased"])
        if {"personal", "box"} <= value.keys():
            return self("〔个人信息，已加密〕", "[personal data, encrypted]")
        if "zh-CN" in value:
            return self.of({str(k): str(v) for k, v in value.items()})
        inner: Mapping[str, Any] = part.get("properties", {})
        pairs = [
            (self.of(inner.get(name, {}).get("title")) or name, self.value(inner.get(name, {}), one))
            for name, one in value.items()
        ]
        return "\n".join(f"{title}{self('：', ': ')}{said}" for title, said in pairs if said)

    def tombstone(self, erased: Mapping[str, Any]) -> str:
        """What stands where personal data was: when, by which rule, approved by whom."""
        by = self("、", ", ").join(self.person(str(one)) for one in erased.get("by") or ())
        at, rule, reason = (
            self._moment(str(erased.get("at", ""))),
            erased.get("rule", ""),
            self.of(erased.get("reason")),
        )
        return self(
            f"〔已删除：{at}，依据 {rule}，批准 {by}，原因：{reason}〕",
            f"[erased {at} under {rule}, approved by {by}: {reason}]",
        )
