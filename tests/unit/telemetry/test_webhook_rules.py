"""Rules about telling a receiver: which kinds are chosen, which addresses are public, how long a pause is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.telemetry.model.webhooks import RETRY_S_MAX, Selection, is_public, retry_s


@pytest.mark.parametrize(
    ("words", "kind", "is_taken"),
    [
        (["auth.consent.revoked"], "auth.consent.revoked", True),
        (["auth.consent.revoked"], "auth.consent.revoked2", False),
        (["auth."], "auth.device.revoked", True),
        (["auth.device."], "auth.devices.revoked", False),
        (["telemetry."], "telemetry.log.exported", True),
        (["telemetry.webhook.gone"], "telemetry.webhook.gone", False),
    ],
)
def test_kinds_are_chosen_by_name_or_by_beginning(words: list[str], kind: str, *, is_taken: bool) -> None:
    assert Selection.of(words).takes(kind) is is_taken


@pytest.mark.parametrize("words", [[], [""], ["auth"], ["auth.consent"], ["*"], ["Auth."], ["a.b.c."] * 65])
def test_what_is_neither_a_kind_nor_a_beginning_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="kinds"):
        Selection.of(words)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("::ffff:93.184.216.34", True),
        ("2002:5db8:d822::1", True),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("::10.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("fec0::1", False),
        ("fe80::1%1", False),
        ("198.18.0.1", False),
        ("255.255.255.255", False),
    ],
)
def test_only_the_internets_addresses_are_public(address: str, *, expected: bool) -> None:
    assert is_public(address) is expected


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_is_never_longer_than_ten_minutes(attempts: int, chance: float) -> None:
    assert 2.5 <= retry_s(attempts, chance) <= RETRY_S_MAX == 600
