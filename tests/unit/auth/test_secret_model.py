"""Two client secrets and their dates: which is shown, which is kept, which end counts."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from fakes.clock import START
from services.auth.model.credentials import (
    MARKS_DAYS,
    SECRET_LIFE,
    SECRET_OVERLAP,
    ClientSecret,
    Origin,
    SecretPair,
    check_expiry,
    check_secret,
)
from services.auth.model.rotation import ROTATION_PAUSE, RotationPlan, RotationState
from services.auth.model.secret_refusals import InvalidExpiry, InvalidSecret, RotationTooSoon

DAY = timedelta(days=1)


def secret(
    name: str,
    kept_at: datetime = START,
    *,
    origin: Origin = Origin.QUEUE,
    expires_at: datetime | None = None,
    is_accepted: bool = True,
) -> ClientSecret:
    return ClientSecret(
        secret_id=name,
        secret=Secret(f"amzn1.oa2-cs.v1.{name}"),
        origin=origin,
        kept_at=kept_at,
        expires_at=expires_at or kept_at + SECRET_LIFE,
        is_estimated=expires_at is None and origin is not Origin.QUEUE,
        accepted_at=kept_at if is_accepted else None,
    )


def pair(newest: ClientSecret, older: ClientSecret | None = None) -> SecretPair:
    return SecretPair(client_id="client", newest=newest, older=older)


def names(held: SecretPair) -> list[str]:
    return [one.secret_id for one in held.held]


def test_amazons_numbers_are_these() -> None:
    assert timedelta(days=180) == SECRET_LIFE
    assert timedelta(days=7) == SECRET_OVERLAP
    assert MARKS_DAYS == (90, 60, 30, 15, 7, 1)
    assert timedelta(days=1) == ROTATION_PAUSE


def test_a_new_secret_goes_first_and_the_one_before_it_has_seven_days() -> None:
    after = pair(secret("a")).with_secret(secret("b", START + 150 * DAY))
    assert names(after) == ["b", "a"]
    assert after.older_ends_at() == START + 157 * DAY


def test_the_end_that_amazon_states_for_the_older_one_counts() -> None:
    stated, held = START + 153 * DAY, pair(secret("a", origin=Origin.REGISTERED))
    after = held.with_secret(secret("b", START + 150 * DAY), older_expires_at=stated)
    assert after.older_ends_at() == stated
    assert [one.is_estimated for one in (*held.held, *after.held)] == [True, False, False]


def test_a_known_secret_says_nothing_new_R12() -> None:
    held = pair(secret("a"))
    again = replace(secret("other id"), secret=Secret("amzn1.oa2-cs.v1.a"))
    assert held.with_secret(again) == held


def test_a_secret_is_accepted_once_and_says_nothing_new_by_working_on() -> None:
    held = pair(secret("b", START + DAY, is_accepted=False), secret("a"))
    accepted = held.with_acceptance(held.newest.secret, START + 2 * DAY)
    assert (accepted.newest.accepted_at, accepted.older) == (START + 2 * DAY, held.older)
    for known in accepted.held:
        assert accepted.with_acceptance(known.secret, START + 3 * DAY) == accepted


def test_a_stated_date_takes_an_estimates_place() -> None:
    held = pair(secret("a", origin=Origin.REGISTERED))
    assert held.newest.is_estimated
    stated = replace(secret("x", expires_at=START + 40 * DAY), secret=held.newest.secret)
    dated = held.with_secret(stated)
    assert (names(dated), dated.newest.expires_at, dated.newest.is_estimated) == (
        ["a"],
        START + 40 * DAY,
        False,
    )


def test_a_third_secret_pushes_out_the_oldest() -> None:
    two = pair(secret("b", START + DAY), secret("a"))
    assert names(two.with_secret(secret("c", START + 2 * DAY))) == ["c", "b"]


def test_an_accepted_secret_is_not_pushed_out_by_two_that_were_never_accepted() -> None:
    held = pair(secret("a"))
    for day in (1, 2, 3):
        held = held.with_secret(secret(f"wrong {day}", START + day * DAY, is_accepted=False))
        assert names(held) == [f"wrong {day}", "a"]
    assert held.relied_on.secret_id == "a"


def test_a_secret_that_was_replaced_before_it_arrived_does_not_go_first() -> None:
    held = pair(secret("b", START + DAY))
    late = secret("a", START + DAY, expires_at=START + SECRET_LIFE)
    assert names(held.with_secret(late)) == ["b", "a"]
    too_late = replace(late, kept_at=START + 9 * DAY)
    assert held.with_secret(too_late) == held


def test_a_secret_that_is_pasted_goes_first_however_early_it_ends() -> None:
    held = pair(secret("b", START + DAY))
    pasted = secret("a", START + 2 * DAY, origin=Origin.PASTED, expires_at=START + 30 * DAY)
    assert names(held.with_secret(pasted)) == ["a", "b"]


def test_an_older_secret_that_is_pasted_goes_first_again() -> None:
    held = pair(secret("wrong", START + DAY, is_accepted=False), secret("a"))
    again = replace(secret("x", START + 2 * DAY, origin=Origin.PASTED), secret=Secret("amzn1.oa2-cs.v1.a"))
    assert names(held.with_secret(again)) == ["a", "wrong"]


def test_a_reminder_dates_the_newest_secret_and_none_that_came_after_it() -> None:
    held = pair(secret("b", START + 10 * DAY))
    assert held.with_expiry(START + 12 * DAY, stated_at=START + 9 * DAY) == held
    dated = held.with_expiry(START + 100 * DAY, stated_at=START + 11 * DAY)
    assert dated.newest.expires_at == START + 100 * DAY


def test_a_new_secret_counts_for_a_day_even_if_it_is_not_accepted() -> None:
    held = pair(secret("b", START + DAY, is_accepted=False), secret("a", expires_at=START + 8 * DAY))
    plan = RotationPlan(is_heard=True)
    assert held.counted(START + 1.9 * DAY).secret_id == "b"
    assert held.counted(START + 2 * DAY).secret_id == "a"
    assert not RotationState().is_due(held, plan, START + 1.9 * DAY)
    assert RotationState().is_due(held, plan, START + 2 * DAY)


@pytest.mark.parametrize(
    ("left", "mark"), [(91, None), (90, 90), (60.5, 90), (30, 30), (14, 15), (7, 7), (1, 1), (0, 1), (-5, 1)]
)
def test_the_lowest_mark_reached_is_the_one_to_tell(left: float, mark: int | None) -> None:
    ending = secret("a", expires_at=START + left * DAY)
    assert ending.mark(START) == mark
    assert RotationState().untold_mark(ending, START) == mark


def test_each_mark_of_a_secret_is_told_once() -> None:
    ending = secret("a", expires_at=START + 30 * DAY)
    told = RotationState(told_secret_id="a", told_days=30)
    assert told.untold_mark(ending, START) is None
    assert told.untold_mark(ending, START + 15 * DAY) == 15
    assert told.untold_mark(replace(ending, secret_id="b"), START) == 30


def test_amazon_is_asked_once_a_day() -> None:
    held, plan = pair(secret("a", expires_at=START + 30 * DAY)), RotationPlan(is_heard=True)
    assert RotationState().is_due(held, plan, START)
    assert not RotationState().is_due(held, plan, START - timedelta(seconds=1))
    assert not RotationState().is_due(held, replace(plan, is_heard=False), START)
    for state in (RotationState(asked_at=START), RotationState(refused_at=START, refusal="x")):
        assert not state.is_due(held, plan, START + 0.9 * DAY)
        assert state.is_due(held, plan, START + DAY)
    with pytest.raises(RotationTooSoon) as refusal:
        RotationState(asked_at=START).check(START + 0.5 * DAY)
    assert refusal.value.retry_after_s == 43_200
    RotationState(refused_at=START, refusal="x").check(START)


@pytest.mark.parametrize("text", ["", "two words", "line\n", "ünïcode", "x" * 513])
def test_what_cannot_be_a_secret_is_refused(text: str) -> None:
    with pytest.raises(InvalidSecret):
        check_secret(Secret(text))


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_an_end_that_cannot_be_is_refused(days: float) -> None:
    with pytest.raises(InvalidExpiry):
        check_expiry(START + days * DAY, START)


def test_a_pair_shows_no_secret_T28() -> None:
    assert "oa2-cs" not in repr(pair(secret("b"), secret("a")))


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(Origin), st.booleans(), st.integers(0, 400)), max_size=12
    )
)
def test_whatever_comes_an_accepted_secret_is_given_up_only_for_another_accepted_one(
    arrivals: list[tuple[int, Origin, bool, int]],
) -> None:
    """The model of R-12: two at most, none twice, and the last accepted one is among them."""
    held = pair(secret("0"))
    for hour, (number, origin, is_accepted, days) in enumerate(arrivals, start=1):
        now = START + timedelta(hours=hour)
        came = replace(
            secret(str(number), now, origin=origin, expires_at=now + days * DAY, is_accepted=False),
            secret_id=f"{hour}",
            secret=Secret(f"amzn1.oa2-cs.v1.{number}"),
        )
        before = held
        held = held.with_secret(came)
        if is_accepted:
            held = held.with_acceptance(came.secret, now)
        values = [one.secret.reveal() for one in held.held]
        assert 1 <= len(values) == len(set(values)) <= 2
        assert any(one.accepted_at for one in held.held)
        assert before.relied_on.secret in [one.secret for one in held.held]
