"""Randomness and identifiers."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

import chassis.entropy
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KnownEntropy(FakeEntropy):
    """Gives the bytes of an example."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def token(self, size_bytes: int) -> bytes:
        return self._data[:size_bytes]


def test_an_id_is_the_example_of_rfc_9562() -> None:
    clock = FakeClock(datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC))
    chance = 0xCC3 << 68 | 0x18C4DC0C0C07398F
    entropy = KnownEntropy(chance.to_bytes(10, "big"))
    assert chassis.entropy.new_id(clock, entropy) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(
    seed=st.integers(),
    after_s=st.integers(min_value=0, max_value=4_000_000_000),
    later_ms=st.integers(min_value=1, max_value=10**9),
)
def test_ids_are_valid_and_later_ones_sort_later(seed: int, after_s: int, later_ms: int) -> None:
    clock, entropy = FakeClock(EPOCH + timedelta(seconds=after_s)), FakeEntropy(seed)
    first = chassis.entropy.new_id(clock, entropy)
    clock.pass_((later_ms + 1) / 1000)
    second = chassis.entropy.new_id(clock, entropy)
    assert first < second
    assert {uuid.UUID(text).version for text in (first, second)} == {7}
    assert {uuid.UUID(text).variant for text in (first, second)} == {uuid.RFC_4122}


def test_system_entropy_gives_what_was_asked_for_and_not_twice() -> None:
    entropy = chassis.entropy.SystemEntropy()
    assert len(entropy.token(32)) == 32
    assert entropy.token(32) != entropy.token(32)
    assert 1.0 <= entropy.uniform(1.0, 2.0) <= 2.0


def test_the_same_seed_gives_the_same_chance_R27() -> None:
    assert FakeEntropy(7).token(16) == FakeEntropy(7).token(16)
    assert FakeEntropy(7).token(16) != FakeEntropy(8).token(16)
