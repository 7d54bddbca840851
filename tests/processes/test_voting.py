"""The arithmetic of a vote, told by the cases of the policy and checked against brute force."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processes.group_vote import voting

SEVEN = ["gu", "qiao", "shen", "fang", "liang", "song", "ouyang"]
PRESIDERS = ["gu", "qiao"]
SIMPLE: dict[str, Any] = {
    "quorum_ratio": 0.5,
    "pass_ratio": 0.5,
    "base": "votes",
    "legal_block": True,
    "tie": "chair_casting",
}
SANCTION = SIMPLE | {"tie": "not_passed", "base": "eligible"}
TWO_THIRDS = SIMPLE | {"quorum_ratio": 0.667, "pass_ratio": 0.667, "base": "eligible", "tie": "not_passed"}


def roll(members: list[str] | None = None, recused: tuple[str, ...] = ()) -> dict[str, Any]:
    return voting.open_roll(members=members or SEVEN, recused=recused, presiders=PRESIDERS)


def ballots(**outcomes: str) -> list[dict[str, Any]]:
    return [{"outcome": outcome, "by": member, "comment": "理由"} for member, outcome in outcomes.items()]


def decide(
    rule: dict[str, Any],
    cast: list[dict[str, Any]],
    *,
    legal: str | None = None,
    opened: dict[str, Any] | None = None,
    **kw: Any,
) -> str:
    return voting.result(voting.count(opened or roll(), rule, cast), rule, legal_outcome=legal, **kw)


def all_vote(outcome: str, *members: str) -> list[dict[str, Any]]:
    return ballots(**dict.fromkeys(members, outcome))


def test_six_approvals_of_seven_pass() -> None:
    assert decide(SIMPLE, all_vote("approve", *SEVEN[:6])) == "passed"


def test_four_of_six_make_a_quorum_and_three_do_not() -> None:
    opened = roll(recused=("shen",))
    assert decide(SIMPLE, all_vote("approve", "gu", "qiao", "fang", "liang"), opened=opened) == "passed"
    assert decide(SIMPLE, all_vote("approve", "gu", "qiao", "fang"), opened=opened) == "no_quorum"


def test_silence_never_approves() -> None:
    assert decide(SIMPLE, []) == "no_quorum"
    assert decide(SIMPLE, all_vote("abstain", *SEVEN)) == "not_passed"


def test_a_tie_is_decided_by_the_presiders_own_ballot() -> None:
    two_two = ballots(gu="approve", qiao="approve", fang="reject", liang="reject")
    assert decide(SIMPLE, two_two) == "passed"
    assert decide(SIMPLE, two_two, legal="conditional") == "passed_with_conditions"
    assert decide(SIMPLE, ballots(gu="reject", qiao="approve", fang="reject", liang="approve")) == "not_passed"


def test_a_tie_waits_for_the_casting_vote_of_a_presider_who_took_no_side() -> None:
    tied = ballots(gu="abstain", qiao="approve", fang="reject", liang="reject", song="approve")
    assert decide(SIMPLE, tied) == "tie"
    assert decide(SIMPLE, tied, casting={"outcome": "approve"}) == "passed"
    assert decide(SIMPLE, tied, casting={"outcome": "reject"}) == "not_passed"


def test_a_sanction_in_a_tie_simply_fails() -> None:
    assert (
        decide(
            SANCTION,
            ballots(gu="approve", qiao="approve", shen="approve", fang="reject", liang="reject", song="reject"),
        )
        == "not_passed"
    )


def test_a_condition_of_one_member_or_of_legal_makes_it_conditional() -> None:
    assert decide(SIMPLE, all_vote("approve", *SEVEN[:4]) + ballots(song="conditional")) == "passed_with_conditions"
    assert decide(SIMPLE, all_vote("approve", *SEVEN[:5]), legal="conditional") == "passed_with_conditions"


def test_an_unlawful_matter_does_not_pass_whatever_the_votes() -> None:
    assert decide(SIMPLE, all_vote("approve", *SEVEN), legal="illegal") == "not_passed"


def test_it_is_returned_when_at_least_half_of_those_against_want_changes() -> None:
    assert decide(SIMPLE, ballots(gu="return", qiao="return", shen="reject", fang="approve")) == "returned"
    assert decide(SIMPLE, ballots(gu="return", qiao="reject", shen="reject", fang="reject")) == "not_passed"


def test_a_majority_may_hand_an_account_over_instead_of_closing_it() -> None:
    given = [*all_vote("convert", *SEVEN[:4]), *all_vote("approve", *SEVEN[4:])]
    closing = voting.count(roll() | {"convertible": True}, SIMPLE, given)
    assert voting.result(closing, SIMPLE) == "convert"
    short = voting.count(roll() | {"convertible": True}, SIMPLE, [*given[1:], *all_vote("reject", SEVEN[0])])
    assert voting.result(short, SIMPLE) == "returned"
    assert voting.result(voting.count(roll(), SIMPLE, given), SIMPLE) == "returned", "only where it may be converted"


def test_abstentions_count_for_the_quorum_but_not_as_votes() -> None:
    assert decide(SIMPLE, ballots(gu="approve", qiao="abstain", shen="abstain", fang="abstain")) == "passed"


def test_two_thirds_of_six_is_four() -> None:
    opened = roll(recused=("shen",))
    assert decide(TWO_THIRDS, all_vote("approve", "gu", "qiao", "fang", "liang"), opened=opened) == "passed"
    assert (
        decide(TWO_THIRDS, all_vote("approve", "gu", "qiao", "fang") + ballots(liang="reject"), opened=opened)
        == "not_passed"
    )


def test_whoever_recuses_themselves_leaves_the_base() -> None:
    counted = voting.count(
        roll(), SIMPLE, ballots(song="recuse", ouyang="recuse", gu="approve", qiao="approve", shen="approve")
    )
    assert (counted["base"], counted["present"], counted["quorum"], counted["quorum_met"]) == (5, 3, 3, True)


def test_the_deputy_presides_when_the_chair_is_recused_or_recuses_himself() -> None:
    assert roll()["presider"] == "gu"
    assert roll(recused=("gu",))["presider"] == "qiao"
    assert roll(recused=("gu", "qiao"))["presider"] == "shen"
    assert voting.count(roll(), SIMPLE, ballots(gu="recuse"))["presider"] == "qiao"


def test_a_delegates_ballot_is_the_vote_of_whom_it_stands_in_for() -> None:
    counted = voting.count(roll(), SIMPLE, [{"outcome": "approve", "by": "bai", "for": "shen"}])
    assert counted["pending"] == [member for member in SEVEN if member != "shen"]


def test_a_ballot_from_off_the_roll_or_a_second_one_does_not_count() -> None:
    opened = roll(recused=("shen",))
    cast = ballots(shen="approve", gu="reject") + ballots(gu="approve")
    assert [ballot["outcome"] for ballot in voting.count(opened, SIMPLE, cast)["cast"]] == ["reject"]


def test_ballots_of_an_earlier_round_stay_cast() -> None:
    first = voting.count(roll(), SIMPLE, ballots(gu="approve", qiao="approve"))
    second = voting.count(first, SIMPLE, ballots(shen="approve", fang="reject"))
    assert second["present"] == 4 and second["quorum_met"]
    assert voting.result(second, SIMPLE) == "passed"


def test_substitutes_are_seated_once_and_never_when_recused() -> None:
    opened = voting.open_roll(members=["gu", "qiao", "shen"], recused=("qiao", "zhu"), presiders=PRESIDERS)
    seated = voting.seat(opened, ["qian", "qian", "zhu", "shen", "wei"])
    assert seated["eligible"] == ["gu", "shen", "qian", "wei"] and seated["substituted"]


def test_too_few_left_to_vote_closes_the_ballot() -> None:
    opened = roll(members=["gu", "qiao", "shen"])
    assert voting.vote_decided(opened, SIMPLE, None, ballots(shen="recuse"))
    assert voting.count(opened, SIMPLE, ballots(shen="recuse"))["short"]


def test_six_approvals_of_seven_wait_for_the_seventh() -> None:
    assert not voting.vote_decided(roll(), SIMPLE, None, all_vote("approve", *SEVEN[:6]))
    assert voting.vote_decided(roll(), SIMPLE, None, all_vote("approve", *SEVEN))


def test_five_rejections_of_seven_close_it() -> None:
    assert not voting.vote_decided(roll(), SIMPLE, None, all_vote("reject", *SEVEN[:3]))
    assert voting.vote_decided(roll(), SIMPLE, None, all_vote("reject", *SEVEN[:5]))


def test_nothing_closes_early_within_the_first_day() -> None:
    opened = roll() | {"early_close_from": "2026-11-10T09:00:00+08:00"}
    early = [ballot | {"at": "2026-11-09T11:00:00+00:00"} for ballot in all_vote("reject", *SEVEN[:5])]
    late = [*early[:4], early[4] | {"at": "2026-11-10T01:00:01+00:00"}]
    assert not voting.vote_decided(opened, SIMPLE, None, early)
    assert voting.vote_decided(opened, SIMPLE, None, late)


@given(
    st.lists(st.sampled_from(voting.BALLOTS), min_size=1, max_size=6),
    st.integers(min_value=0, max_value=3),
    st.sampled_from([SIMPLE, SANCTION, TWO_THIRDS]),
    st.sampled_from([None, "ok", "conditional", "illegal"]),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_what_is_decided_early_is_what_every_continuation_decides(
    cast: list[str], more: int, rule: dict[str, Any], legal: str | None, convertible: bool
) -> None:
    members = SEVEN[: len(cast) + more] if len(cast) + more <= 7 else SEVEN
    order = members[::-1]  # the presiders vote last, the harder case
    so_far = [{"outcome": outcome, "by": member} for outcome, member in zip(cast, order, strict=False)]
    opened = roll(members=list(members)) | {"convertible": convertible}
    if not voting.vote_decided(opened, rule, legal, so_far) or voting.count(opened, rule, so_far)["short"]:
        return
    now = voting.result(voting.count(opened, rule, so_far), rule, legal_outcome=legal)
    rest = voting.count(opened, rule, so_far)["pending"]
    for combination in product([*voting.BALLOTS, None], repeat=len(rest)):
        further = [{"outcome": o, "by": m} for o, m in zip(combination, rest, strict=True) if o]
        assert voting.result(voting.count(opened, rule, [*so_far, *further]), rule, legal_outcome=legal) == now


@pytest.mark.parametrize(
    ("ratio", "part", "whole", "expected"),
    [(0.5, 3, 6, False), (0.5, 4, 6, True), (0.667, 4, 6, True), (1.0, 2, 2, True), (0, 0, 5, True)],
)
def test_one_half_must_be_exceeded_and_two_thirds_reached(ratio: float, part: int, whole: int, expected: bool) -> None:
    assert voting.reached(ratio, part, whole) is expected
