"""XES, IEEE 1849-2023: a log of traces of events, with the standard extensions concept, time, lifecycle and org.

Our own attributes have the prefix `guiju` and an extension that declares it (docs/guiju.xesext). Everything global in
the log stands in every trace and event, and the classifiers use global attributes only, as the standard demands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from xml.sax.saxutils import quoteattr

from engine.exports.trail import Happening, Trail

EXTENSIONS = (
    ("Concept", "concept", "http://www.xes-standard.org/concept.xesext"),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    ("Lifecycle", "lifecycle", "http://www.xes-standard.org/lifecycle.xesext"),
    ("Organizational", "org", "http://www.xes-standard.org/org.xesext"),
    ("Guiju", "guiju", "urn:guiju:xes:1"),
)
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2023" xes.features="" xmlns="http://www.xes-standard.org/">
"""
_GLOBALS = """  <global scope="trace">
    <string key="concept:name" value="__INVALID__"/>
    <id key="guiju:instance" value="00000000-0000-0000-0000-000000000000"/>
  </global>
  <global scope="event">
    <string key="concept:name" value="__INVALID__"/>
    <string key="lifecycle:transition" value="complete"/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
    <int key="guiju:seq" value="0"/>
    <string key="guiju:hash" value=""/>
  </global>
  <classifier name="Step" scope="event" keys="concept:name"/>
  <classifier name="Step and transition" scope="event" keys="concept:name lifecycle:transition"/>
"""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xes(trails: Iterable[Trail], *, language: str, name: str) -> Iterator[str]:
    """The log in pieces. Step names are written in `language` (`zh-CN` or `en`), ids beside them."""
    yield _HEAD
    for title, prefix, uri in EXTENSIONS:
        yield f'  <extension name="{title}" prefix="{prefix}" uri="{uri}"/>\n'
    yield _GLOBALS
    yield _string("concept:name", name, 2) + _string("lifecycle:model", "standard", 2)
    for trail in trails:
        yield "".join(_trace(trail, language))
    yield "</log>\n"


def _trace(trail: Trail, language: str) -> Iterator[str]:
    yield "  <trace>\n"
    yield _string("concept:name", trail.called)
    yield f'    <id key="guiju:instance" value="{trail.instance_id}"/>\n'
    yield _string("guiju:title", trail.title)
    yield _string("guiju:process", trail.process)
    yield _string("guiju:process_name", trail.process_name.get(language))
    yield f'    <int key="guiju:version" value="{trail.version}"/>\n'
    yield _string("guiju:status", trail.status)
    yield _string("guiju:end", trail.end)
    yield _string("guiju:started_by", trail.initiator)
    yield _date("guiju:started_at", trail.started_at)
    yield _date("guiju:ended_at", trail.ended_at)
    yield _string("guiju:head", trail.head)
    for account in trail.accounts:  # a list: the same key may not stand twice in one place
        yield _string(f"guiju:account:{account}", account)
    for happening in trail.happenings:
        yield "".join(_event(happening, language))
    yield "  </trace>\n"


def _event(event: Happening, language: str) -> Iterator[str]:
    yield "    <event>\n"
    yield _string("concept:name", event.name.get(language) or event.element or event.type, 6)
    yield _string("concept:instance", event.token, 6)
    yield _string("lifecycle:transition", event.transition, 6)
    yield _date("time:timestamp", event.at, 6)
    yield _string("org:resource", event.actor, 6)
    yield f'      <int key="guiju:seq" value="{event.seq}"/>\n'
    yield _string("guiju:type", event.type, 6)
    yield _string("guiju:element", event.element, 6)
    yield _string("guiju:process", event.process, 6)
    yield _string("guiju:on_behalf_of", event.behalf, 6)
    yield _string("guiju:outcome", event.outcome, 6)
    yield _string("guiju:comment", event.comment, 6)
    yield _string("guiju:decision", event.decision, 6)
    for file in event.attachments:
        yield _string(f"guiju:attachment:{file.get('id')}", str(file.get("sha256")), 6)
    yield _string("guiju:hash", event.hash, 6)
    yield "    </event>\n"


def _string(key: str, value: str | None, indent: int = 4) -> str:
    if value is None or value == "":
        return ""
    clean = quoteattr(_NOT_XML.sub("\ufffd", value), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return f"{' ' * indent}<string key={quoteattr(key)} value={clean}/>\n"


def _date(key: str, value: datetime | None, indent: int = 4) -> str:
    if value is None:
        return ""
    return f'{" " * indent}<date key="{key}" value="{value.isoformat(timespec="milliseconds")}"/>\n'
