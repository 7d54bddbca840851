"""What a difference is made of, and the comparison that all kinds of files share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One property of one element.

    `element` is its id (a rule's or a field's where the file has those), "" the file itself; `kind` is added, removed,
    changed or moved (only the drawing); `type` the element's own name (userTask, rule, field); `what` the property:
    an attribute, `property:<name>`, `parameter:<name>`, a child's path. `before` and `after` are text, None where it
    is not there.
    """

    element: str
    kind: str
    type: str = ""
    what: str = ""
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDifference:
    """What changed in one file; `kind` is added, removed or changed."""

    path: str
    kind: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a file says of one element: its type and every property as text, in the order of the file."""

    type: str
    said: Mapping[str, str] = field(default_factory=dict)


def compare(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> tuple[Change, ...]:
    """The changes from `before` to `after`, in the order of `after`, what is gone last."""
    found = [change for element, new in after.items() for change in _of(element, before.get(element), new)]
    gone = (element for element in before if element not in after)
    found += [Change(element=element, kind="removed", type=before[element].type) for element in gone]
    return tuple(found)


def _of(element: str, old: Facts | None, new: Facts) -> Iterator[Change]:
    """An element of another type is another element, whatever its id."""
    if old is not None and old.type != new.type:
        yield Change(element=element, kind="removed", type=old.type)
        old = None
    if old is None:
        yield Change(element=element, kind="added", type=new.type)
        said: Mapping[str, str] = {}
    else:
        said = old.said
    for what in [*new.said, *(key for key in said if key not in new.said)]:
        was, now = said.get(what), new.said.get(what)
        if was != now and not (what == "order" and was and now and _same_order(was, now)):
            kind = "changed" if old is not None else "added"
            yield Change(element=element, kind=kind, type=new.type, what=what, before=was, after=now)


def _same_order(was: str, now: str) -> bool:
    """Whether what both name comes in the same order: what was added or removed shows by itself."""
    before, after = was.split(), now.split()
    both = {*before} & {*after}
    return [each for each in before if each in both] == [each for each in after if each in both]
