"""How many questions in vain strangers get out of us: a bound for each address and one for all (R-23)."""

from contextlib import nullcontext, suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from chassis.recent import Recent
from services.gateway.model.faults import TooManyStrangers, TooManyUnknownTokens
from services.gateway.model.strangers import (
    ADDRESS_MAX,
    ADDRESS_PER_S,
    ALL_MAX,
    ALL_PER_S,
    Question,
    Strangers,
    place_of,
)

HERE, THERE = "192.0.2.1", "198.51.100.1"
# Sums of fractions of a second.
ROUNDING = 1e-6


def many(count: int) -> list[str]:
    """Return addresses of nobody we know."""
    return [f"10.0.{number // 250}.{number % 250}" for number in range(count)]


def fill(strangers: Strangers, addresses: list[str]) -> None:
    """Let each address ask in vain as often as all together may."""
    for number in range(ALL_MAX):
        strangers.admit(addresses[number % len(addresses)], 0.0)


def test_an_address_asks_in_vain_so_often_and_is_told_when_to_come_back_R23() -> None:
    strangers = Strangers(0.0)
    for _ in range(ADDRESS_MAX):
        strangers.admit(HERE, 0.0)
    with pytest.raises(TooManyUnknownTokens) as refusal:
        strangers.admit(HERE, 0.0)
    assert refusal.value.retry_after_s == 1 / ADDRESS_PER_S
    strangers.admit(THERE, 0.0)
    strangers.admit(HERE, 1 / ADDRESS_PER_S)


def test_a_flood_from_everywhere_ends_and_those_places_stay_open_where_devices_stand_R23() -> None:
    strangers = Strangers(0.0)
    strangers.note_device(HERE)
    fill(strangers, many(100))
    with pytest.raises(TooManyStrangers):
        strangers.admit(THERE, 0.0)
    strangers.admit(HERE, 0.0)


def test_a_flood_from_everywhere_does_not_push_out_where_devices_stand_R23(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.gateway.model.strangers.ADDRESSES_MAX", 10)
    strangers = Strangers(0.0)
    strangers.note_device(HERE)
    fill(strangers, many(100))
    strangers.admit(HERE, 0.0)
    assert all(len(known) <= 10 for known in vars(strangers).values() if isinstance(known, Recent))


def test_what_was_not_in_vain_takes_no_room() -> None:
    strangers = Strangers(0.0)
    for _ in range(3 * ALL_MAX):
        strangers.admit(HERE, 0.0).forgive()
    assert isinstance(strangers.admit(HERE, 0.0), Question)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_network_of_one_customer_counts_as_one_address(address: str, place: str) -> None:
    assert place_of(address) == place


class Tally:
    """Questions in vain: from any moment on at most `size`, and `per_s` more each second."""

    def __init__(self, size: int, per_s: float) -> None:
        self.size, self.per_s = size, per_s
        self.count, self.above, self.at_s = 0, 0.0, 0.0

    def add(self, now_s: float) -> None:
        self.above = max(0.0, self.above - (now_s - self.at_s) * self.per_s) + 1
        self.count, self.at_s = self.count + 1, now_s
        assert self.above <= self.size + ROUNDING


class Flood(RuleBasedStateMachine):
    """Strangers and devices at a few addresses; time passes as it likes."""

    ADDRESSES = (HERE, THERE, *many(10))

    def __init__(self) -> None:
        super().__init__()
        self.strangers = Strangers(0.0)
        self.now_s = 0.0
        self.places_of_devices: set[str] = set()
        self.of = {address: Tally(ADDRESS_MAX, ADDRESS_PER_S) for address in self.ADDRESSES}
        self.of_all = Tally(ALL_MAX, ALL_PER_S)

    @rule(delay_s=st.floats(0.0, 20.0))
    def pass_time(self, delay_s: float) -> None:
        self.now_s += delay_s

    @rule(address=st.sampled_from(ADDRESSES), count=st.integers(1, 2 * ADDRESS_MAX))
    def ask_in_vain(self, address: str, count: int) -> None:
        for _ in range(count):
            try:
                self.strangers.admit(address, self.now_s)
            except (TooManyUnknownTokens, TooManyStrangers) as refusal:
                self.judge(refusal, address)
                return
            self.of[address].add(self.now_s)
            if address not in self.places_of_devices:
                self.of_all.add(self.now_s)

    @rule(address=st.sampled_from(ADDRESSES), count=st.integers(1, 2 * ADDRESS_MAX))
    def ask_about_devices(self, address: str, count: int) -> None:
        for _ in range(count):
            try:
                question = self.strangers.admit(address, self.now_s)
            except (TooManyUnknownTokens, TooManyStrangers) as refusal:
                self.judge(refusal, address)
                return
            question.forgive()
            self.strangers.note_device(address)
            self.places_of_devices.add(address)

    def judge(self, refusal: TooManyUnknownTokens | TooManyStrangers, address: str) -> None:
        """Check that a refusal has its reason, and that whoever waits as long as it says is let in."""
        assert refusal.retry_after_s is not None
        assert refusal.retry_after_s > 0
        if isinstance(refusal, TooManyUnknownTokens):
            assert self.of[address].count >= ADDRESS_MAX
        else:
            assert address not in self.places_of_devices
            assert self.of_all.count >= ALL_MAX
        self.now_s += refusal.retry_after_s + ROUNDING
        is_of_address = isinstance(refusal, TooManyUnknownTokens)
        with suppress(TooManyStrangers) if is_of_address else nullcontext():
            self.strangers.admit(address, self.now_s).forgive()


TestFlood = Flood.TestCase
