"""How the Management Group's ballots become a decision: pure arithmetic, no clock, no store.

Shapes (JSON, so that a diagram may carry them):

- a *rule* is a row of the decision table `vote_rule`: `quorum_ratio`, `pass_ratio`, `base` ("votes", "eligible",
  "two_named_approvers"), `deadline_workdays`, `legal_block`, `tie` ("chair_casting", "not_passed");
- a *ballot* is what a member entered: `outcome` (one of `BALLOTS`), `comment`, `by`, `at`, `for` when a delegate voted;
- a *roll* is the frozen list of a vote, made by `open_roll` and carried on by `count`:
  `eligible`, `recused`, `presiders`, `presider`, `endorser`, `cast` (ballots so far), `pending` (who has not voted), …

Source: the vote rule of 《社交媒体管理办法》 as adopted by the Group. Silence never counts as consent (K-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

Record = Mapping[str, Any]

BALLOTS = ("approve", "conditional", "return", "reject", "abstain", "recuse", "convert")
FOR = ("approve", "conditional")
AGAINST = ("return", "reject", "convert")
CONVERTIBLE = ("deregistration",)  # matters where the Group may decide on a handover instead
FEWEST = 3  # X14: with fewer members entitled to vote, substitutes are named


def fewest(rule: Record) -> int:
    """How many must be entitled to vote; two named approvers are a body of two by their own rule."""
    return 2 if rule.get("base") == "two_named_approvers" else FEWEST


def voter(ballot: Record) -> str:
    """Whose vote this is: the member a delegate stood in for, else who cast it."""
    return str(ballot.get("for") or ballot.get("by"))


def merge(roll: Record, ballots: Iterable[Record] | None) -> dict[str, Record]:
    """The first ballot of every member on the roll, by member. Ballots of anybody else do not count."""
    on_roll = set(roll["eligible"])
    merged: dict[str, Record] = {}
    for ballot in [*(roll.get("cast") or ()), *(ballots or ())]:
        if ballot.get("outcome") in BALLOTS and voter(ballot) in on_roll:
            merged.setdefault(voter(ballot), ballot)
    return merged


def open_roll(
    *,
    members: Sequence[str],
    recused: Iterable[str],
    presiders: Sequence[str],
    endorser: str | None = None,
    matter: str | None = None,
) -> dict[str, Any]:
    """The roll as it is frozen when a vote opens: members minus whoever is recused, and who presides."""
    out = set(recused)
    eligible = [member for member in members if member not in out]
    roll: dict[str, Any] = {
        "members": list(members),
        "eligible": eligible,
        "recused": sorted(out),
        "presiders": list(presiders),
        "endorser": endorser if endorser in eligible else None,
        "convertible": matter in CONVERTIBLE,
        "substitutes": [],
        "substituted": False,
        "self_recused": [],
        "cast": [],
        "pending": eligible,
    }
    return roll | {"presider": presider(roll)}


def presider(roll: Record) -> str | None:
    """The chair; when recused the deputy; when both are, the first member of the roll who may vote."""
    able = [member for member in roll["eligible"] if member not in roll["self_recused"]]
    for candidate in [*roll["presiders"], *able]:
        if candidate in able:
            return str(candidate)
    return None


def seat(roll: Record, substitutes: Iterable[str]) -> dict[str, Any]:
    """The roll with substitutes added (X14); who sits already or is recused is not seated twice."""
    seated = [
        name for name in dict.fromkeys(substitutes) if name not in roll["members"] and name not in roll["recused"]
    ]
    eligible = [*roll["eligible"], *seated]
    cast = {voter(ballot) for ballot in roll["cast"]}
    carried: dict[str, Any] = {
        **roll,
        "eligible": eligible,
        "substitutes": seated,
        "substituted": True,
        "pending": [member for member in eligible if member not in cast],
    }
    return carried | {"presider": presider(carried)}


def count(roll: Record, rule: Record, ballots: Iterable[Record] | None) -> dict[str, Any]:
    """The roll with the ballots of this round: who is still to vote, who recused themselves, is there a quorum."""
    cast = merge(roll, ballots)
    self_recused = [member for member, ballot in cast.items() if ballot["outcome"] == "recuse"]
    base = len(roll["eligible"]) - len(self_recused)
    present = len(cast) - len(self_recused)
    carried: dict[str, Any] = {
        **roll,
        "cast": [dict(ballot) for ballot in cast.values()],
        "pending": [member for member in roll["eligible"] if member not in cast],
        "self_recused": self_recused,
        "base": base,
        "present": present,
        "quorum": quorum_needed(rule, base),
        "quorum_met": present >= quorum_needed(rule, base) and present > 0,
        "short": base < fewest(rule),
    }
    return carried | {"presider": presider(carried)}


def reached(ratio: float, part: int, whole: int) -> bool:
    """Whether `part` of `whole` reaches a ratio of the table: more than one half, but *at least* two thirds or all.

    0.667 in the table means two thirds exactly, so 4 of 6 reach it.
    """
    share = Fraction(ratio).limit_denominator(12)
    return part > share * whole if share == Fraction(1, 2) else part >= share * whole


def quorum_needed(rule: Record, base: int) -> int:
    """The smallest number present that makes a quorum of `base` members entitled to vote."""
    return next((n for n in range(base + 1) if reached(rule["quorum_ratio"], n, base)), base + 1)


def result(roll: Record, rule: Record, *, legal_outcome: str | None = None, casting: Record | None = None) -> str:
    """What the ballots on a counted roll decide.

    "passed", "passed_with_conditions", "convert", "returned", "not_passed", "tie" (the presider must cast a vote) or
    "no_quorum". Abstentions make a quorum but are no votes. When it does not pass, votes for a handover instead that
    would themselves have passed convert it; otherwise it is returned if at least half of the votes against it ask for
    changes only, a handover being one. In a tie the presider's own ballot decides; without one, the casting vote.
    """
    if rule["legal_block"] and legal_outcome == "illegal":
        return "not_passed"
    if not roll["quorum_met"]:
        return "no_quorum"
    outcomes = [ballot["outcome"] for ballot in roll["cast"]]
    yes = sum(outcome in FOR for outcome in outcomes)
    no = sum(outcome in AGAINST for outcome in outcomes)
    conditional = "conditional" in outcomes or legal_outcome == "conditional"
    passes = yes > 0 and reached(rule["pass_ratio"], yes, yes + no if rule["base"] == "votes" else roll["base"])
    if yes == no and yes > 0 and rule["tie"] == "chair_casting" and rule["base"] == "votes":
        deciding = deciding_vote(roll, casting)
        if deciding is None:
            return "tie"
        passes = deciding in FOR
        conditional = conditional or deciding == "conditional"
    if passes:
        return "passed_with_conditions" if conditional else "passed"
    converts = outcomes.count("convert")
    whole = yes + no if rule["base"] == "votes" else roll["base"]
    if roll.get("convertible") and converts and reached(rule["pass_ratio"], converts, whole):
        return "convert"
    returns = outcomes.count("return") + converts
    return "returned" if returns and returns >= outcomes.count("reject") else "not_passed"


def deciding_vote(roll: Record, casting: Record | None) -> str | None:
    """How the presider breaks a tie: their own ballot for or against, else their casting vote, else not yet."""
    own = next((b["outcome"] for b in roll["cast"] if voter(b) == roll["presider"]), None)
    if own in FOR or own in AGAINST:
        return str(own)
    return str(casting["outcome"]) if casting and casting.get("outcome") else None


def vote_decided(roll: Record, rule: Record, legal_outcome: str | None, ballots: Sequence[Record] | None) -> bool:
    """Whether a ballot may close before its deadline: everybody voted, or nothing can change the result any more.

    "Result" includes passing with conditions and being returned, so six approvals of seven still wait for the seventh.
    The result is fixed when closing now and every way the rest could vote as one give the same: outcomes are monotone
    in each kind of ballot, so mixtures lie between (checked by brute force in the tests). Before `early_close_from`
    only "everybody voted" closes it, so that each member has a fair time to speak. Too few left closes it too (X14).
    """
    counted = count(roll, rule, ballots)
    if not counted["pending"] or counted["short"]:
        return True
    if not _may_close_early(roll, counted["cast"]):
        return False
    now = result(counted, rule, legal_outcome=legal_outcome)
    if now in ("no_quorum", "tie"):
        return False
    for outcome in BALLOTS:
        rest = [{"outcome": outcome, "by": member} for member in counted["pending"]]
        if result(count(counted, rule, rest), rule, legal_outcome=legal_outcome) != now:
            return False
    return True


def _may_close_early(roll: Record, cast: Sequence[Record]) -> bool:
    start = roll.get("early_close_from")
    times = [ballot["at"] for ballot in cast if ballot.get("at")]
    return not start or not times or max(map(datetime.fromisoformat, times)) >= datetime.fromisoformat(start)
