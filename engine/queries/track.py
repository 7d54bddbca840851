"""A case's history as a *track*: what moves on its diagrams, one mark per event, small enough to send to a browser.

A *view* is one diagram as one call saw it: view 0 is the case's own process; every call of a called process is a view
of its own, so that the second vote does not stand on top of the first. An embedded subprocess is drawn in its
surroundings' diagram and belongs to their view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Mark = dict[str, Any]

_KINDS = {
    "element.entered": "in",
    "element.left": "out",
    "element.cancelled": "stop",
    "timer.scheduled": "wait",
    "timer.fired": "fire",
    "instance.ended": "end",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One diagram as one call saw it. `parent` and `element`: from where it was called (None for the case's own);
    `nth`: which call of that element, from 1; `first`: the event it begins with."""

    number: int
    process: str
    parent: int | None
    element: str | None
    nth: int
    first: int


@dataclass(slots=True)
class Track:
    """`marks` in the order of events, each `{"seq", "kind": in|out|stop|wait|fire|end, "view", "element", "token"}`
    and, where they say something, `index`, `instances`, `flows`, `host`, `due`. `homes`: token id → (view, element);
    `numbers`: token id → its number in the marks."""

    views: list[View]
    marks: list[Mark] = field(default_factory=list)
    homes: dict[str, tuple[int, str]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def lay(events: Iterable[tuple[int, Mapping[str, Any]]], process: str, calls: Callable[[str, str], bool]) -> Track:
    """The track of a case of `process`. `events`: (seq, body); `calls(process, element)`: whether it calls another.

    An event that does not say what its type says is left out: a damaged history still has a track.
    """
    track = Track(views=[View(number=0, process=process, parent=None, element=None, nth=1, first=1)])
    called: dict[str, int] = {}  # token of a call → its view
    times: dict[tuple[int, str], int] = {}

    def number(token: str) -> int:
        return track.numbers.setdefault(token, len(track.numbers) + 1)

    def view_of(scope: Iterable[str], inside: str, seq: int) -> int:
        view = 0
        for token in scope:
            at, element = track.homes.get(token, (view, ""))
            if token in called:
                view = called[token]
            elif calls(track.views[at].process, element):
                nth = times[at, element] = times.get((at, element), 0) + 1
                view = called[token] = len(track.views)
                made = View(number=view, process=inside, parent=at, element=element, nth=nth, first=seq)
                track.views.append(made)
        return view

    for seq, body in events:
        kind, data = _KINDS.get(str(body.get("type"))), body.get("data")
        if kind is None or not isinstance(data, dict):
            continue
        if kind == "end":
            track.marks.append({"seq": seq, "kind": kind})
            continue
        token, element, scope = data.get("token"), body.get("element"), data.get("scope", [])
        if not isinstance(token, str) or not isinstance(element, str) or not isinstance(scope, list):
            continue
        view = view_of(scope, str(data.get("process")), seq)
        if kind in ("in", "wait"):
            track.homes[token] = (view, element)
        mark: Mark = {"seq": seq, "kind": kind, "view": view, "element": element, "token": number(token)}
        mark.update({name: data[name] for name in ("index", "instances", "flows", "due") if name in data})
        if isinstance(data.get("host"), str):
            mark["host"] = number(data["host"])
        track.marks.append(mark)
    return track
