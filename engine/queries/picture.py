"""The picture of a moment: where the tokens stand, what was passed and how often. A pure function of the track.

`web/frontend/src/picture.js` is the same function for the browser; the tests give both the same tracks and compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Picture = dict[str, Any]


def picture(marks: Iterable[Mapping[str, Any]], at: int) -> Picture:
    """The picture after event `at`, per view (by its number as text):

    `active` {element: tokens there} · `visits` {element: times entered; a multi-instance activity counts once} ·
    `instances` {element: [done, of]} of its latest run · `rounds` {element: rounds of a loop} · `done` [elements left]
    · `stopped` [elements cancelled and not left since] · `flows` {flow: times} · `waits` {element: when its timer is
    due}. Beside the views: `here`, the [view, element] of the last mark, or None, and `ended`.
    """
    views: dict[str, Picture] = {}
    tokens: dict[int, tuple[str, str, bool]] = {}  # token → (view, element, whether an instance)
    waits: dict[int, tuple[str, str, str, int | None]] = {}  # token → (view, element, due, token it waits beside)
    here: list[Any] | None = None
    ended = False
    for mark in marks:
        if mark["seq"] > at:
            break
        kind = mark["kind"]
        if kind == "end":
            tokens, waits, ended = {}, {}, True
            continue
        view, element, token = str(mark["view"]), mark["element"], mark["token"]
        seen = views.setdefault(
            view, {"visits": {}, "instances": {}, "rounds": {}, "done": {}, "stopped": {}, "flows": {}}
        )
        here = [mark["view"], element]
        if kind == "in":
            waits.pop(token, None)
            inner = "index" in mark
            tokens[token] = (view, element, inner)
            if not inner:
                seen["visits"][element] = seen["visits"].get(element, 0) + 1
                if "instances" in mark:
                    seen["instances"][element] = [0, mark["instances"]]
            elif element not in seen["instances"]:
                seen["rounds"][element] = mark["index"] + 1
        elif kind in ("out", "stop"):
            tokens.pop(token, None)
            for other in [other for other, wait in waits.items() if wait[3] == token]:
                del waits[other]
            waits.pop(token, None)
            if kind == "out":
                seen["stopped"].pop(element, None)
                if "index" in mark:
                    if element in seen["instances"]:
                        seen["instances"][element][0] += 1
                else:
                    seen["done"][element] = True
                for flow in mark.get("flows", ()):
                    seen["flows"][flow] = seen["flows"].get(flow, 0) + 1
            elif "index" not in mark and element not in seen["done"]:
                seen["stopped"][element] = True
        elif kind == "wait":
            waits[token] = (view, element, mark.get("due", ""), mark.get("host"))
        else:
            waits.pop(token, None)
    return {"views": _finished(views, tokens, waits), "here": here, "ended": ended}


def _finished(
    views: dict[str, Picture],
    tokens: Mapping[int, tuple[str, str, bool]],
    waits: Mapping[int, tuple[str, str, str, int | None]],
) -> dict[str, Picture]:
    """The views with their tokens and timers; an activity whose instances are at work is not counted itself."""
    for seen in views.values():
        seen.update(active={}, waits={}, done=sorted(seen["done"]), stopped=sorted(seen["stopped"]))
    inner = {(view, element) for view, element, is_inner in tokens.values() if is_inner}
    for view, element, is_inner in tokens.values():
        if is_inner or (view, element) not in inner:
            active = views[view]["active"]
            active[element] = active.get(element, 0) + 1
    for view, element, due, _ in waits.values():
        views[view]["waits"][element] = due
    return views
