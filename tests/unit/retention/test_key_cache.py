"""Unwrapped keys stay for a short while only."""

from datetime import date, timedelta

from chassis.secrecy import Secret
from fakes.clock import FakeClock
from services.retention.model.erasures import Subject
from services.retention.model.orders import begins_at
from services.retention.model.records import DataKey
from services.retention.service.key_cache import FORGET_PERIOD_S, KEY_CACHE_S, KEYS_MAX, KeyCache

TODAY = date(2026, 11, 22)
LATER = TODAY + timedelta(days=20)


def data_key(number: int = 1, seller_id: str = "seller-1", erase_day: date = LATER) -> DataKey:
    return DataKey(key_id=f"key-{number}", seller_id=seller_id, erase_day=erase_day, wrapped="w")


def test_an_unwrapped_key_is_never_in_memory_for_more_than_60_s_R06() -> None:
    assert KEY_CACHE_S + FORGET_PERIOD_S <= 60


def test_a_key_is_given_out_for_50_s() -> None:
    clock = FakeClock()
    clock.pass_(1_000)
    cache = KeyCache(clock=clock)
    cache.keep(data_key(), Secret(b"k"))
    clock.pass_(49)
    assert cache.find(data_key()) == Secret(b"k")
    clock.pass_(1)
    assert cache.find(data_key()) is None


def test_a_jump_of_the_wall_clock_does_not_keep_a_key_longer_R14() -> None:
    clock = FakeClock()
    cache = KeyCache(clock=clock)
    cache.keep(data_key(), Secret(b"k"))
    clock.pass_(50)
    clock.set_now(clock.now() - timedelta(hours=1))
    assert cache.find(data_key()) is None


def test_no_key_is_given_out_once_its_day_has_begun_R19() -> None:
    clock = FakeClock(begins_at(LATER) - timedelta(seconds=10))
    cache = KeyCache(clock=clock)
    cache.keep(data_key(), Secret(b"k"))
    clock.pass_(10)
    assert cache.find(data_key()) is None
    assert not cache.holds(Subject.of_day(LATER))


def test_a_key_whose_wrapping_changed_is_not_given_out() -> None:
    cache = KeyCache(clock=FakeClock())
    cache.keep(data_key(), Secret(b"k"))
    assert cache.find(data_key(seller_id="seller-2")) is None


def test_a_subjects_keys_are_forgotten_together() -> None:
    cache = KeyCache(clock=FakeClock())
    other_day = LATER + timedelta(days=1)
    cache.keep(data_key(1), Secret(b"1"))
    cache.keep(data_key(2, "seller-2"), Secret(b"2"))
    cache.keep(data_key(3, "seller-2", other_day), Secret(b"3"))
    cache.forget(Subject.of_day(LATER))
    assert cache.find(data_key(3, "seller-2", other_day)) == Secret(b"3")
    assert not cache.holds(Subject.of_seller("seller-1"))
    cache.forget(Subject.of_seller("seller-2"))
    assert not cache.holds(Subject.of_seller("seller-2"))


def test_there_are_never_more_keys_than_the_bound_R23() -> None:
    cache = KeyCache(clock=FakeClock())
    for number in range(KEYS_MAX + 1):
        cache.keep(data_key(number), Secret(b"k"))
    assert cache.find(data_key(0)) is None
    assert cache.find(data_key(1)) is not None
