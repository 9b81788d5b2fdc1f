"""Turns at Login with Amazon: its rate is kept over all replicas, and what it says holds for all of them."""

import asyncio
import math
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.auth_house import APPLICATION, US, Crash, Fuse, House, loan
from fakes.auth_store import FakeStore
from fakes.clock import FakeClock
from services.auth.model.audit import Kind, Phase
from services.auth.model.loans import LendingTerms
from services.auth.model.refusals import (
    AmazonThrottled,
    ApplicationRefused,
    AuthorizationUnavailable,
    ConsentCodeRefused,
    TurnTooFar,
)
from services.auth.model.turns import (
    CALLER_WAIT_S_MAX,
    LATE_S_MAX,
    PROBE_S,
    RENEWAL_WAIT_S_MAX,
    THROTTLED_HOLD_S,
    TURNS_AT_ONCE_MAX,
    Pace,
    Turns,
)
from services.auth.service.turns import Turnstile
from tests.unit.auth.shop import Shop, alone, kept, together

APPLICATION_ID = APPLICATION.application_id


def house(rate_per_s: float = 5.0, burst: int = 3, store_type: type[FakeStore] = FakeStore) -> House:
    """Return a house with a clock that passes for everybody at once."""
    terms = LendingTerms(pace=Pace(rate_per_s=rate_per_s, burst=burst))
    return House(clock=FakeClock(), terms=terms, store_type=store_type)


async def shops(at: House, count: int) -> list[Shop]:
    """Return connected sellers; their own calls of Login with Amazon are over and refilled."""
    opened = [await alone(at.clock, Shop.open(at, partner_id=f"A{number}")) for number in range(count)]
    at.pass_(timedelta(minutes=1))
    at.amazon.asked_s.clear()
    return opened


@settings(max_examples=60, deadline=None)
@given(
    rate_per_s=st.floats(0.5, 50.0),
    burst=st.integers(1, 8),
    arrivals=st.lists(
        st.tuples(st.floats(0.0, 5.0), st.booleans(), st.floats(0.0, 9.0)), min_size=1, max_size=40
    ),
    hold=st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 6.0)),
)
@example(rate_per_s=1.0, burst=1, arrivals=[(0.0, True, 9.0)] * 4, hold=(0.5, 3.0))
@example(rate_per_s=1.0, burst=1, arrivals=[(0.0, True, 1.5)] * 4, hold=(5.0, 0.0))
async def test_over_all_replicas_nobody_asks_too_often_while_held_back_or_too_late_R10(
    rate_per_s: float, burst: int, arrivals: list[tuple[float, bool, float]], hold: tuple[float, float]
) -> None:
    at = house()
    store = FakeStore(at.clock, at.tables)
    stiles = [Turnstile(at.ports(store), Pace(rate_per_s=rate_per_s, burst=burst)) for _ in range(4)]
    asked_s: list[float] = []

    async def ask(number: int) -> None:
        arrival_s, is_patient, left_s = arrivals[number]
        await at.clock.sleep(arrival_s)
        patience_s = CALLER_WAIT_S_MAX if is_patient else RENEWAL_WAIT_S_MAX
        until_s = at.clock.monotonic_s() + left_s
        await stiles[number % 4].enter(APPLICATION_ID, patience_s=patience_s, until_s=until_s)
        asked_s.append(at.clock.monotonic_s())
        assert asked_s[-1] <= until_s

    async def hold_back() -> None:
        await at.clock.sleep(hold[0])
        await store.hold_turns(APPLICATION_ID, hold[1])

    answers = await together(at.clock, hold_back(), *(ask(number) for number in range(len(arrivals))))
    assert kept(rate_per_s, burst, asked_s)
    held_s = [moment - hold[0] for moment in asked_s]
    assert not [moment for moment in held_s if 0.001 < moment < hold[1] - 0.001]
    assert {type(answer) for answer in answers} <= {type(None), TurnTooFar}
    assert len(asked_s) == answers.count(None) - 1


async def test_callers_wait_for_their_turn_R10() -> None:
    at = house()
    sellers = await shops(at, 8)
    began_s = at.clock.monotonic_s()
    answers = await together(at.clock, *(one.lend() for one in sellers))
    assert not any(isinstance(answer, BaseException) for answer in answers)
    assert at.clock.monotonic_s() - began_s >= 1.0
    assert kept(5.0, 3, at.amazon.asked_s)


async def test_a_turn_too_far_away_is_refused_with_the_time_to_come_back_R10_R23() -> None:
    at = house(rate_per_s=0.5, burst=1)
    sellers = await shops(at, 9)
    answers = await together(at.clock, *(one.lend() for one in sellers))
    refused = [answer for answer in answers if isinstance(answer, AuthorizationUnavailable)]
    assert len(at.amazon.asked_s) == len(answers) - len(refused) <= CALLER_WAIT_S_MAX * 0.5 + 1
    assert refused
    assert all(refusal.retry_after_s for refusal in refused)


class CountingStore(FakeStore):
    """Counts how often turns were asked for."""

    asked = 0

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        CountingStore.asked += 1
        await asyncio.sleep(0)
        return await super().take_turns(application_id, pace, count=count, patience_s=patience_s)


async def test_callers_who_wait_at_once_share_one_question_to_storage() -> None:
    at = house(rate_per_s=1_000.0, burst=100, store_type=CountingStore)
    sellers = await shops(at, 40)
    CountingStore.asked = 0
    answers = await together(at.clock, *(one.lend() for one in sellers))
    assert not any(isinstance(answer, BaseException) for answer in answers)
    assert CountingStore.asked <= 40 / TURNS_AT_ONCE_MAX + 3


class HeldStore(FakeStore):
    """Tells of turns only once it is let."""

    asked = asyncio.Event()
    let = asyncio.Event()

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        HeldStore.asked.set()
        await HeldStore.let.wait()
        return await super().take_turns(application_id, pace, count=count, patience_s=patience_s)


@pytest.mark.parametrize("gone", range(4))
async def test_whoever_gives_up_in_line_takes_nobody_elses_turn_R23(gone: int) -> None:
    at = house(rate_per_s=1_000.0, burst=100)
    HeldStore.asked.clear()
    HeldStore.let.clear()
    stile = Turnstile(at.ports(HeldStore(at.clock, at.tables)), Pace(rate_per_s=1_000.0, burst=100))
    callers = [
        asyncio.create_task(stile.enter(APPLICATION_ID, patience_s=CALLER_WAIT_S_MAX, until_s=math.inf))
        for _ in range(4)
    ]
    await HeldStore.asked.wait()
    callers[gone].cancel()
    HeldStore.let.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(answers.pop(gone), asyncio.CancelledError)
    assert answers == [False] * 3


async def test_a_second_attempt_takes_a_turn_of_its_own_R10() -> None:
    at = house(rate_per_s=1.0, burst=1)
    (seller,) = await shops(at, 1)
    at.amazon.faults.append(AuthorizationUnavailable())
    await together(at.clock, seller.lend())
    first_s, second_s = at.amazon.asked_s
    assert second_s - first_s >= 1.0


async def test_a_time_that_lwa_named_to_one_replica_holds_them_all_R10() -> None:
    at = house(rate_per_s=100.0, burst=100)
    first, second = await shops(at, 2)
    at.amazon.faults.append(AmazonThrottled(retry_after_s=30.0))
    (refusal,) = await together(at.clock, first.lend())
    assert isinstance(refusal, AuthorizationUnavailable)
    other = at.replica()
    (refusal,) = await together(at.clock, other.lending.lend(loan(second.device_id)))
    assert isinstance(refusal, AuthorizationUnavailable)
    assert 20.0 < (refusal.retry_after_s or 0.0) <= 30.0
    assert len(at.amazon.asked_s) == 1
    assert at.audit.told(Kind.AMAZON_TOKEN_REQUESTED)[1:] == []
    at.pass_(timedelta(seconds=30))
    await alone(at.clock, second.lend())


async def test_who_waits_for_a_turn_is_held_back_too_R10() -> None:
    at = house(rate_per_s=1.0, burst=1)
    first, second = await shops(at, 2)
    at.amazon.faults.append(AmazonThrottled(retry_after_s=5.0))
    await together(at.clock, first.lend(), second.lend())
    asked_s = [moment - at.amazon.asked_s[0] for moment in at.amazon.asked_s]
    assert asked_s[1] >= 5.0


async def test_a_429_without_a_time_holds_for_a_moment_R10() -> None:
    at = house(rate_per_s=100.0, burst=100)
    (seller,) = await shops(at, 1)
    at.amazon.faults.append(AmazonThrottled())
    await together(at.clock, seller.lend())
    first_s, second_s = at.amazon.asked_s
    assert second_s - first_s >= THROTTLED_HOLD_S
    assert at.signals.counts["held_back",] == 1


async def test_a_failure_that_names_no_time_shortens_no_named_one_R10() -> None:
    at = house(rate_per_s=100.0, burst=100)
    sellers = await shops(at, 3)
    at.amazon.faults.extend([AmazonThrottled(retry_after_s=30.0), *[AmazonThrottled()] * 2])
    await together(at.clock, *(one.lend() for one in sellers))
    hold = await FakeStore(at.clock, at.tables).find_hold(APPLICATION_ID)
    assert hold.hold_s > 25.0


class SlowStore(FakeStore):
    """Gives turns at once and tells of them late, now and then."""

    late = 0

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        given = await super().take_turns(application_id, pace, count=count, patience_s=patience_s)
        if SlowStore.late > 0:
            SlowStore.late -= 1
            await self._clock.sleep(LATE_S_MAX + 0.5)
        return given


async def test_a_turn_that_was_told_of_late_is_given_up_R10() -> None:
    at = house(rate_per_s=1.0, burst=1, store_type=SlowStore)
    (seller,) = await shops(at, 1)
    SlowStore.late = 1
    await together(at.clock, seller.lend())
    assert len(at.amazon.asked_s) == 1
    assert at.signals.counts["turn_taken",] >= 1


async def test_a_replica_killed_with_a_turn_loses_only_that_turn_R12() -> None:
    step = 0
    while True:
        step += 1
        at = house(rate_per_s=1.0, burst=1)
        (seller,) = await shops(at, 1)
        (answer,) = await together(at.clock, at.replica(Fuse(step)).lending.lend(loan(seller.device_id)))
        if not isinstance(answer, Crash):
            break
        row = at.tables.turns[APPLICATION_ID]
        assert row.next_at_s - at.clock.monotonic_s() <= 1.0
        await together(at.clock, at.replica().lending.lend(loan(seller.device_id)))
        assert kept(1.0, 1, at.amazon.asked_s)
    assert step > 20


async def test_a_consents_code_waits_for_its_turn_too_R10() -> None:
    at = house(rate_per_s=1.0, burst=1)
    person = await at.person()
    at.pass_(timedelta(minutes=1))
    at.amazon.asked_s.clear()
    await together(at.clock, at.connect(person, US, "A1"), at.connect(person, US, "A1"))
    assert kept(1.0, 1, at.amazon.asked_s)
    assert len(at.amazon.asked_s) == 2


# The application itself is refused


async def refused(at: House, seller: Shop) -> ApplicationRefused:
    with pytest.raises(ApplicationRefused) as refusal:
        await alone(at.clock, seller.lend())
    return refusal.value


async def test_a_refused_application_raises_one_alarm_and_all_sellers_pause() -> None:
    at = house(rate_per_s=100.0, burst=100)
    sellers = await shops(at, 6)
    at.amazon.secret = "amzn1.oa2-cs.v1.another"
    await refused(at, sellers[0])
    for use in (at.use, at.replica()):
        at.use = use
        for seller in sellers:
            assert 0 < ((await refused(at, seller)).retry_after_s or 0.0) <= PROBE_S
    assert len(at.amazon.asked_s) == 1
    assert at.signals.counts["application_refused",] == 1
    assert at.audit.told(Kind.APPLICATION_REFUSED) == [(Phase.FACT, "invalid_client")]
    assert at.audit.details(Kind.APPLICATION_REFUSED) == [{"application_id": APPLICATION_ID}]


async def test_one_call_a_minute_finds_out_whether_the_application_is_still_refused() -> None:
    at = house(rate_per_s=100.0, burst=100)
    sellers = await shops(at, 6)
    right, at.amazon.secret = at.amazon.secret, "amzn1.oa2-cs.v1.another"
    await refused(at, sellers[0])
    for minute in range(1, 4):
        at.pass_(timedelta(seconds=PROBE_S))
        await together(at.clock, *(seller.lend() for seller in sellers))
        assert len(at.amazon.asked_s) == 1 + minute
    at.amazon.secret = right
    at.pass_(timedelta(seconds=PROBE_S))
    await together(at.clock, sellers[0].lend())
    await together(at.clock, *(seller.lend() for seller in sellers))
    assert len(at.amazon.asked_s) == 4 + len(sellers)
    assert at.signals.counts["application_refused",] == 1
    at.amazon.secret = "amzn1.oa2-cs.v1.another"
    at.pass_(timedelta(hours=1))
    await refused(at, sellers[0])
    assert at.signals.counts["application_refused",] == 2


async def test_a_new_secret_ends_the_pause_at_once() -> None:
    at = house(rate_per_s=100.0, burst=100)
    (seller,) = await shops(at, 1)
    at.amazon.secret = "amzn1.oa2-cs.v1.renewed"
    await refused(at, seller)
    await at.register()
    at.pass_(timedelta(seconds=4))
    await alone(at.clock, seller.lend())


async def test_a_refused_grant_shows_that_the_application_is_let_in_R08() -> None:
    at = house(rate_per_s=100.0, burst=100)
    first, second = await shops(at, 2)
    right, at.amazon.secret = at.amazon.secret, "amzn1.oa2-cs.v1.another"
    await refused(at, first)
    at.amazon.secret = right
    alive = set(at.amazon.refresh_tokens)
    at.amazon.refresh_tokens.clear()
    at.pass_(timedelta(seconds=PROBE_S))
    with pytest.raises(AuthorizationUnavailable):
        await alone(at.clock, first.lend())
    at.amazon.refresh_tokens |= alive
    await alone(at.clock, second.lend())


async def test_a_refused_application_ends_no_consent_and_no_connection_is_made() -> None:
    at = house(rate_per_s=100.0, burst=100)
    (seller,) = await shops(at, 1)
    at.amazon.secret = "amzn1.oa2-cs.v1.another"
    await refused(at, seller)
    with pytest.raises(ApplicationRefused):
        await alone(at.clock, at.connect(seller.person, US, "A1"))
    assert not issubclass(ApplicationRefused, ConsentCodeRefused)
    assert at.tables.consents[seller.consent_id].ended_at is None
    assert at.tables.consents[seller.consent_id].refused_at is None
