from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator.core
from simulator.events import (
    Born,
    CodeIssued,
    CodeUsed,
    ConsentGranted,
    ConsentRevoked,
    Event,
    NotAnEvent,
    OrderDelivered,
    PackageConfirmed,
    PickupReported,
    SecretRotated,
    Started,
    TokenIssued,
    decode,
    encode,
)
from simulator.journal import JournalRefused
from simulator.ledger import State
from tests.unit.simulator.rig import APPLICATION, BORN_AT, MemoryJournal, Rig

texts = st.text(max_size=8)
instants = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Born, st.integers(), instants),
    st.builds(Started, st.integers(1)),
    st.builds(ConsentGranted, texts, texts, texts, instants),
    st.builds(ConsentRevoked, texts, instants),
    st.builds(CodeIssued, texts, texts, texts, instants),
    st.builds(CodeUsed, texts),
    st.builds(
        TokenIssued,
        texts,
        texts,
        texts,
        instants,
        st.none() | texts,
        st.none() | texts,
        st.lists(st.tuples(texts, texts, st.lists(texts).map(tuple))).map(tuple),
    ),
    st.builds(SecretRotated, texts, texts, instants),
    st.builds(
        PackageConfirmed,
        order_id=texts,
        reference=texts,
        carrier=texts,
        service=texts,
        tracking=texts,
        ship_at=instants,
        confirmed_at=instants,
        items=st.lists(st.tuples(texts, st.integers())).map(tuple),
    ),
    st.builds(PickupReported, texts, texts, instants),
    st.builds(OrderDelivered, texts, instants),
)


@given(events)
def test_an_event_comes_back_from_its_line_unchanged(event: Event) -> None:
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event


@given(st.binary())
def test_what_is_no_event_is_refused_and_nothing_else_happens(line: bytes) -> None:
    with pytest.raises(NotAnEvent):
        decode(line)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["connect", "refresh", "ship", "revoke", "rotate", "hour"]), max_size=12))
def test_reading_the_journal_again_gives_the_same_state_R12(steps: list[str]) -> None:
    rig = Rig()
    refresh = rig.connect()["refresh_token"]
    numbers = iter(range(23, 0, -1))
    for step in steps:
        if step == "connect":
            refresh = rig.connect()["refresh_token"]
        elif step == "refresh":
            rig.lwa(grant_type="refresh_token", refresh_token=refresh)
        elif step == "ship":
            number = next(number for number in numbers if number % 10 != 7)
            if rig.controls.order(rig.orders()[number].order_id)["status"] != "Shipped":
                rig.controls.ship(rig.orders()[number].order_id)
        elif step == "revoke":
            rig.controls.revoke({"seller_id": rig.sellers[0].seller_id})
        elif step == "rotate":
            rig.controls.rotate_secret("amzn1.sellerapps.app.11111111-aaaa", {})
        else:
            rig.clock.advance(hours=1)
    assert State.of(decode(encode(event)) for event in rig.journal.events) == rig.core.ledger.state


def test_a_restarted_simulator_knows_the_tokens_it_gave_and_gives_no_token_twice() -> None:
    first = Rig()
    connected = first.connect()
    second = Rig(journal=MemoryJournal(first.journal.events), clock=first.clock)
    again = second.lwa(grant_type="refresh_token", refresh_token=connected["refresh_token"])
    assert again.status == 200
    assert second.get("/orders/v0/orders/x", connected["access_token"]).status == 404
    tokens = [connected["access_token"], again.document()["access_token"], second.access()]
    assert len(set(tokens)) == 3


def test_a_state_of_another_seed_is_refused() -> None:
    rig = Rig(seed=1)
    with pytest.raises(JournalRefused) as refused:
        simulator.core.start_ledger(rig.journal, rig.journal.events, seed=2, born_at=rig.clock.now)
    assert refused.value.code == "seed_mismatch"


def test_a_world_keeps_its_birth_whatever_the_clock_says_later() -> None:
    first = Rig()
    first.clock.advance(days=40)
    second = Rig(journal=MemoryJournal(first.journal.events), clock=first.clock)
    assert second.core.ledger.state.born == Born(1, BORN_AT)
    assert second.orders() == first.orders()


def test_what_the_journal_refuses_did_not_happen_R13() -> None:
    rig = Rig()
    code = rig.code()
    rig.journal.is_broken = True
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://vendor.example/consent/callback",
    }
    with pytest.raises(OSError, match="No space"):
        rig.lwa(APPLICATION, **fields)
    rig.journal.is_broken = False
    assert rig.lwa(APPLICATION, **fields).status == 200


def test_no_token_code_or_secret_is_kept() -> None:
    rig = Rig()
    code = rig.code()
    connected = rig.connect()
    restricted = rig.restricted(connected["access_token"])
    secret = rig.controls.rotate_secret("amzn1.sellerapps.app.11111111-aaaa", {})["client_secret"]
    kept = b"".join(map(encode, rig.journal.events)).decode() + repr(rig.shelf.calls)
    for text in (code, connected["access_token"], connected["refresh_token"], restricted, secret):
        assert text not in kept
    assert "amzn1.oa2-cs.v1.first" not in kept


def test_expired_consents_are_not_in_force() -> None:
    rig = Rig()
    rig.connect()
    seller_id = rig.sellers[0].seller_id
    now = rig.clock.now()
    assert len(rig.core.ledger.consents(seller_id=seller_id, now=now)) == 1
    assert rig.core.ledger.consents(seller_id=seller_id, now=now + timedelta(days=365)) == []
