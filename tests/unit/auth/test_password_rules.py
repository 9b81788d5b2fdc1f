"""What a password must be (DPP-1.4a), what an address is, and how failures add up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from services.auth.model.passwords import (
    FAILURES_MAX,
    LOCKED,
    PASSWORD_AGE_MAX,
    PASSWORD_AGE_MIN,
    PASSWORD_CHARS_MIN,
    PASSWORDS_REMEMBERED,
    Failures,
    check_age,
    check_password,
    email,
    is_hashable,
    normalised,
)
from services.auth.model.people_refusals import EmailRefused, PasswordRefused, PasswordTooNew

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAME, ADDRESS = "Ana-María Example", "a.kettle77@blue-kettle.example"


def check(text: str) -> None:
    check_password(normalised(Secret(text)), person_name=NAME, email=ADDRESS)


def test_the_numbers_are_those_of_the_policy() -> None:
    assert (PASSWORD_CHARS_MIN, PASSWORDS_REMEMBERED, FAILURES_MAX) == (12, 10, 10)
    ages = (PASSWORD_AGE_MIN, PASSWORD_AGE_MAX, LOCKED)
    assert ages == (timedelta(days=1), timedelta(days=365), timedelta(minutes=30))


@pytest.mark.parametrize(
    "text",
    ["Correct horse 7!", "aB3$aB3$aB3$", "Ünïcödé ist 1 Wort", "密码 Is long 4 us", "Aa1 " + "x" * 124],
)
def test_a_password_that_keeps_the_rules_is_taken(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aB3$aB3$aB3",
        "Aa1 " + "x" * 125,
        "correct horse 7!",
        "CORRECT HORSE 7!",
        "Correct horse !!",
        "Correcthorse77",
        "Correct horse 7!\x00",
        "Correct horse 7!\u200b",
        "Correct horse 7!\u202e",
        "Correct horse\u20287!",
        "Correct horse 7!\ue000",
        "Correct horse 7!\U000e0001",
        "Correct horse 7!\u0378",
    ],
)
def test_a_password_that_breaks_a_rule_is_refused(text: str) -> None:
    with pytest.raises(PasswordRefused):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        "My ana is 7 fine!",
        "MARÍA has 7 ideas!",
        "mari\u0301a has 7 IDEAS!",
        "one EXAMPLE too 7!",
        "a Kettle77 is hot!",
        "Deep Blue 7 waters!",
    ],
)
def test_no_part_of_the_name_or_the_address_is_in_a_password(text: str) -> None:
    with pytest.raises(PasswordRefused):
        check(text)


def test_letters_that_keyboards_compose_differently_are_the_same_password() -> None:
    assert normalised(Secret("Cafe\u0301 №7 ﬁne!")) == normalised(Secret("Café No7 fine!"))


def test_a_password_is_never_shown_by_its_refusal_T28() -> None:
    with pytest.raises(PasswordRefused) as refusal:
        check("correct horse")
    assert "correct" not in str(refusal.value)


def test_only_what_could_be_a_password_is_hashed() -> None:
    assert is_hashable(Secret("x"))
    assert not any(is_hashable(Secret(text)) for text in ("", "x" * 129, "tab\there"))


def test_a_password_is_replaced_after_a_day_at_the_earliest() -> None:
    with pytest.raises(PasswordTooNew):
        check_age(NOW, NOW + PASSWORD_AGE_MIN - timedelta(seconds=1))
    check_age(NOW, NOW + PASSWORD_AGE_MIN)


@pytest.mark.parametrize(
    "text", [" Ana@Blue-Kettle.Example ", "ANA@BLUE-KETTLE.EXAMPLE", "\uff41na@blue-kettle.example"]
)
def test_an_address_is_known_in_one_form(text: str) -> None:
    assert email(text) == "ana@blue-kettle.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@localhost",
        "a b@example.com",
        "ana@exa mple.com",
        "a@b@example.com",
        "ana@.com",
        "ana@example..com",
        "ana\x00@example.com",
        "ana\u202e@example.com",
        f"{'a' * 250}@b.co",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(EmailRefused):
        email(text)


@given(st.lists(st.tuples(st.integers(0, 2_400), st.booleans()), max_size=60))
def test_ten_failures_lock_for_half_an_hour_and_no_lock_grows_by_trying(
    attempts: list[tuple[int, bool]],
) -> None:
    """Against a list of failures: whoever failed ten times, with no pause of LOCKED, waits for LOCKED."""
    count, now = Failures(failures=0, failed_at=NOW), NOW
    failed: list[datetime] = []
    for pause_s, succeeds in attempts:
        now += timedelta(seconds=pause_s)
        if failed and now >= failed[-1] + LOCKED:
            failed.clear()
        counted = count.count(now, FAILURES_MAX)
        assert (counted is None) == (len(failed) >= FAILURES_MAX)
        if counted is None:
            assert count.locked_s(now) == (failed[-1] + LOCKED - now).total_seconds() > 0
            continue
        count = counted
        failed.append(now)
        if succeeds:
            count = Failures(failures=0, failed_at=now)
            failed.clear()


@pytest.mark.parametrize("ahead", [LOCKED, timedelta(days=400)])
def test_a_clock_that_once_jumped_ahead_locks_nobody_out_until_then_R14(ahead: timedelta) -> None:
    counted = Failures(failures=FAILURES_MAX, failed_at=NOW + ahead).count(NOW, FAILURES_MAX)
    assert counted == Failures(failures=1, failed_at=NOW)


@given(st.lists(st.integers(-600, 600), min_size=FAILURES_MAX + 1, max_size=FAILURES_MAX + 1))
def test_guesses_add_up_over_hosts_whose_clocks_are_ten_minutes_apart_R14(skews_s: list[int]) -> None:
    count: Failures | None = Failures(failures=0, failed_at=NOW)
    for skew_s in skews_s:
        assert count is not None
        count = count.count(NOW + timedelta(seconds=skew_s), FAILURES_MAX)
    assert count is None
