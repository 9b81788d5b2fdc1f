"""Rules about telling a receiver: which kinds are chosen, which addresses are public, how long a pause is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.telemetry.model.webhooks import RETRY_S_MAX, Selection, retry_s


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


@given(attempts=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_pause_is_never_longer_than_ten_minutes(attempts: int, chance: float) -> None:
    assert 2.5 <= retry_s(attempts, chance) <= RETRY_S_MAX == 600
