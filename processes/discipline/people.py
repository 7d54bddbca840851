"""Who may act in a disciplinary case: investigator, proposer, decider and appeal reviewer are different people (X10).

The respondent's superior counts as the respondent's line (X06): out of the proposal, the vote and the appeal, but a
coaching talk is decided by exactly this person. Whoever is named as witness or reporter stays out of everything (X11).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine import Directory
from engine.errors import Text
from processes.organisation import CHAIR, DEPUTY, dept_head, superior

LEFT: Text = {
    "zh-CN": "当事人在处理期间离职，不再作处分；已证实的损失可另行协商或依法追偿",
    "en": "The employee left meanwhile, so there is no sanction; proven loss may be settled or claimed otherwise",
}
GROUP, HEADS = "mgmt_group", "dept_head"


def at_work(directory: Directory, username: str) -> bool:
    """Whether somebody still works here: a sanction needs an employment to act on."""
    person = directory.person(username)
    return person is not None and person.active


def members(directory: Directory, group: str) -> list[str]:
    """The active members of a group, in its order."""
    found = directory.group(group)
    people = [directory.person(name) for name in (found.members if found else ())]
    return [person.username for person in people if person is not None and person.active]


def deciders(directory: Directory, approval: str, respondent: str, out: Iterable[str]) -> list[str]:
    """Who decides without a vote: the superior for `dept_head`, the heads of Administration and HR for
    `admin_head_and_hr`; whoever is `out` is replaced by the deputy chair, then the chair."""
    if approval == "dept_head":
        wanted = [superior(directory, respondent)]
    else:
        wanted = [dept_head(directory, "admin"), dept_head(directory, "hr")]
    barred = {respondent, *out}
    spare = [name for group in (DEPUTY, CHAIR) for name in members(directory, group)]
    found: list[str] = []
    for name in wanted:
        able = [each for each in (name, *spare) if each and each not in barred and each not in found]
        found.extend(able[:1])
    return found


def reviewers(directory: Directory, out: Iterable[str]) -> list[str]:
    """Who may review an appeal: department heads and members of the Management Group who had no part in the case."""
    barred = set(out)
    able = [*members(directory, HEADS), *members(directory, GROUP)]
    return [name for name in dict.fromkeys(able) if name not in barred]
