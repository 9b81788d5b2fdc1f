"""When an order's data must die."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.retention_house import SELLER, seen
from services.retention.model.orders import (
    DAYS_MAX,
    Observation,
    OrderClock,
    OrderState,
    Term,
    begins_at,
    erase_day,
    is_dead,
    observe,
    record_expiry,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
TERM = Term()


def learn(known: OrderClock | None, seen: Observation, now: datetime = NOW) -> OrderClock:
    clock = observe(SELLER, known, seen, term=TERM, now=now)
    assert clock is not None
    return clock


def test_nothing_may_be_kept_longer_than_30_days_R18() -> None:
    assert DAYS_MAX == 30
    assert Term().length == timedelta(days=30)
    with pytest.raises(ValueError, match="longer than 30"):
        Term(days=31)


def test_keys_die_early_by_the_lifetime_of_their_snapshots_R18() -> None:
    assert Term(days=30, key_snapshot_days=7).length == timedelta(days=23)
    assert Term(days=30, key_snapshot_days=28).length == timedelta(days=2)
    with pytest.raises(ValueError, match="leave at least 2"):
        Term(days=30, key_snapshot_days=29)


def test_a_shorter_term_cannot_be_made_longer_by_negative_snapshots() -> None:
    with pytest.raises(ValueError, match="longer than"):
        Term(days=30, key_snapshot_days=-1)


def test_an_unshipped_order_counts_from_when_it_was_seen() -> None:
    clock = learn(None, seen(NOW, OrderState.UNSHIPPED))
    assert clock.expires_at == NOW + MONTH
    assert clock.left_at is None


def test_a_fresh_look_renews_an_unshipped_order() -> None:
    first = learn(None, seen(NOW, OrderState.UNSHIPPED))
    later = NOW + 5 * DAY
    assert learn(first, seen(later, OrderState.UNSHIPPED), later).expires_at == later + MONTH


def test_a_look_soon_after_another_is_not_worth_a_write() -> None:
    first = learn(None, seen(NOW, OrderState.UNSHIPPED))
    later = NOW + timedelta(minutes=59)
    assert learn(first, seen(later, OrderState.UNSHIPPED), later) is first


def test_a_look_from_before_the_last_one_changes_nothing() -> None:
    first = learn(None, seen(NOW, OrderState.UNSHIPPED))
    assert learn(first, seen(NOW - 2 * DAY, OrderState.UNSHIPPED)) is first


def test_a_look_into_the_future_counts_as_now_R14() -> None:
    clock = learn(None, seen(NOW, OrderState.UNSHIPPED, observed_at=NOW + DAY))
    assert clock.expires_at == NOW + MONTH


def test_a_told_shipment_starts_the_clock() -> None:
    clock = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - 4 * DAY))
    assert clock.expires_at == NOW - 4 * DAY + MONTH


def test_a_delivery_before_the_told_shipment_counts_instead() -> None:
    told = {"shipped_at": NOW - 2 * DAY, "delivered_at": NOW - 3 * DAY}
    clock = learn(None, seen(NOW, OrderState.DELIVERED, **told))
    assert clock.left_at == NOW - 3 * DAY


def test_an_untold_shipment_counts_from_the_last_time_it_was_seen_unshipped() -> None:
    first = learn(None, seen(NOW, OrderState.UNSHIPPED))
    later = NOW + 3 * DAY
    clock = learn(first, seen(later, OrderState.SHIPPED, purchased_at=NOW - DAY), later)
    assert clock.left_at == NOW
    assert clock.expires_at == NOW + MONTH


def test_an_untold_shipment_never_seen_unshipped_counts_from_the_purchase() -> None:
    clock = learn(None, seen(NOW, OrderState.SHIPPED, purchased_at=NOW - 9 * DAY))
    assert clock.left_at == NOW - 9 * DAY


def test_without_any_time_there_is_no_clock() -> None:
    told = seen(NOW, OrderState.SHIPPED, purchased_at=None)
    assert observe(SELLER, None, told, term=TERM, now=NOW) is None


def test_a_delivery_alone_does_not_tell_when_it_shipped() -> None:
    told = seen(NOW, OrderState.DELIVERED, purchased_at=None, delivered_at=NOW - DAY)
    assert observe(SELLER, None, told, term=TERM, now=NOW) is None


def test_an_earlier_shipment_learnt_later_moves_the_clock_and_its_records() -> None:
    first = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - DAY))
    moved = learn(first, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - 3 * DAY))
    assert moved.expires_at == NOW - 3 * DAY + MONTH
    assert moved.is_move_due


def test_a_later_shipment_learnt_later_changes_nothing_R18() -> None:
    first = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - 3 * DAY))
    assert learn(first, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - DAY)) is first


def test_a_shipment_after_an_expired_import_does_not_extend_R18() -> None:
    first = learn(None, seen(NOW, OrderState.UNSHIPPED))
    later = NOW + 40 * DAY
    clock = learn(first, seen(later, OrderState.SHIPPED, shipped_at=later - DAY), later)
    assert clock.expires_at == NOW + MONTH


def test_an_order_that_left_does_not_come_back() -> None:
    left = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - DAY))
    later = NOW + DAY
    assert learn(left, seen(later, OrderState.UNSHIPPED), later) is left


def test_a_known_shipment_is_not_unlearnt_by_an_answer_that_does_not_tell() -> None:
    left = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - DAY))
    assert learn(left, seen(NOW, OrderState.SHIPPED, purchased_at=NOW - 9 * DAY)) is left


@pytest.mark.parametrize("told", ["shipped_at", "delivered_at"])
def test_an_order_called_unshipped_of_which_a_shipment_or_a_delivery_is_told_has_left_R18(told: str) -> None:
    clock = learn(None, seen(NOW, OrderState.UNSHIPPED, purchased_at=NOW - DAY, **{told: NOW - DAY}))
    assert clock.left_at == NOW - DAY


def test_a_copy_lives_30_days_from_its_fetch_or_as_long_as_the_order_allows() -> None:
    clock = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW - 10 * DAY))
    assert record_expiry(clock, NOW, term=TERM, now=NOW, before=None) == NOW + 20 * DAY
    unshipped = learn(None, seen(NOW, OrderState.UNSHIPPED))
    earlier = NOW - 2 * DAY
    assert record_expiry(unshipped, earlier, term=TERM, now=NOW, before=None) == earlier + MONTH


def test_a_copy_from_the_future_counts_as_fetched_now_even_under_a_fast_hosts_clock_R14() -> None:
    fast = NOW + timedelta(minutes=10)
    clock = learn(None, seen(fast, OrderState.UNSHIPPED), fast)
    assert record_expiry(clock, NOW + DAY, term=TERM, now=NOW, before=None) == NOW + MONTH


def test_a_fetch_after_shipment_never_extends_R18() -> None:
    clock = learn(None, seen(NOW, OrderState.SHIPPED, shipped_at=NOW))
    before = NOW + 5 * DAY
    assert record_expiry(clock, NOW, term=TERM, now=NOW, before=before) == before
    too_late = clock.expires_at + DAY
    assert record_expiry(clock, NOW, term=TERM, now=NOW, before=too_late) == clock.expires_at


def test_a_fresh_copy_of_an_order_that_has_not_left_lives_longer_than_the_one_it_replaces() -> None:
    clock = learn(None, seen(NOW, OrderState.UNSHIPPED))
    before = NOW - 5 * DAY + MONTH
    assert record_expiry(clock, NOW, term=TERM, now=NOW, before=before) == NOW + MONTH


@pytest.mark.parametrize(
    ("expires_at", "day"),
    [
        (datetime(2026, 12, 22, 18, 0, tzinfo=UTC), date(2026, 12, 22)),
        (datetime(2026, 12, 22, 0, 10, tzinfo=UTC), date(2026, 12, 22)),
        (datetime(2026, 12, 22, 0, 9, 59, tzinfo=UTC), date(2026, 12, 21)),
        (datetime(2026, 12, 22, 0, 0, tzinfo=UTC), date(2026, 12, 21)),
    ],
)
def test_a_days_key_dies_before_the_first_clock_in_it_even_on_a_late_host_R14(
    expires_at: datetime, day: date
) -> None:
    assert erase_day(expires_at) == day
    assert begins_at(day) + timedelta(minutes=10) <= expires_at


def test_what_lies_under_a_day_is_dead_when_the_day_begins() -> None:
    expires_at = datetime(2026, 12, 22, 18, 0, tzinfo=UTC)
    midnight = datetime(2026, 12, 22, tzinfo=UTC)
    assert is_dead(expires_at, midnight)
    assert not is_dead(expires_at, midnight - timedelta(microseconds=1))


@given(st.timedeltas(timedelta(0), timedelta(days=30_000)).map(lambda span: NOW + span))
def test_no_day_begins_later_than_ten_minutes_before_any_clock_in_it_R14(expires_at: datetime) -> None:
    begins = begins_at(erase_day(expires_at))
    assert expires_at - DAY - timedelta(minutes=10) < begins <= expires_at - timedelta(minutes=10)
