"""Telling a receiver what the log holds: in order, at least once, signed, and never in the log's way."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chassis.errors
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.telemetry_webhook import FakeReceiver, FakeWebhookSecrets, FakeWebhookSignals, FakeWebhookStore
from services.telemetry.model.errors import AuditUnavailable, SensitiveContent, WebhookMissing
from services.telemetry.model.events import Event, Result
from services.telemetry.model.webhooks import REFUSALS_MAX, RETRY_S_MAX, Answer, Fate, Selection
from services.telemetry.service.webhooks import Ports, Webhooks
from tests.unit.telemetry.house import OPERATOR, House, event_id, fact, intent, outcome
from tests.unit.telemetry.receiving import check

CHOSEN = "auth.consent.reminded"
SECRET = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
DOWN, REFUSING, GONE = Answer(503), Answer(404), Answer(410)


class Desk:
    """A house, and one replica of telemetry that tells a receiver about it."""

    def __init__(self, url: str = "https://receiver.example/hook") -> None:
        self.house = House()
        self.clock = FakeClock()
        self.receiver = FakeReceiver(url)
        self.secrets = FakeWebhookSecrets()
        self.signals = FakeWebhookSignals()
        self.store = FakeWebhookStore(self.house.store, self.clock)
        self.webhooks = self.replica(self.receiver)

    def replica(self, receiver: FakeReceiver, *words: str) -> Webhooks:
        ports = Ports(
            store=self.store,
            archive=self.house.store,
            receiver=receiver,
            secrets=self.secrets,
            signals=self.signals,
            clock=self.clock,
            entropy=FakeEntropy(),
        )
        return Webhooks(ports, self.house.diary, Selection.of(words or ("auth.consent.",)))

    async def append(self, *events: Event) -> None:
        await self.house.intake.append("auth", events)

    async def say(self, *numbers: int) -> None:
        await self.append(*(news(number) for number in numbers))

    def told(self) -> list[str]:
        return [headers["webhook-id"] for _, headers in self.receiver.told]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.receiver.told]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk whose receiver has been known for a moment."""
    opened = Desk()
    async with opened.house.open():
        await opened.webhooks.tell()
        yield opened


def news(number: int, kind: str = CHOSEN) -> Event:
    return fact(number, kind=kind, result=None, details={"consent_id": f"c-{number}"})


async def test_chosen_events_are_told_once_and_in_order(desk: Desk) -> None:
    await desk.say(1, 2)
    await desk.append(news(3, "auth.device.enrolled"))
    await desk.say(4)
    await desk.webhooks.tell()
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1), event_id(2), event_id(4)]
    assert desk.signals.lag == 0
    first = desk.bodies()[0]
    assert (first["type"], first["timestamp"]) == (CHOSEN, "2026-11-22T12:00:00.000000Z")
    assert first["data"]["details"] == {"consent_id": "c-1"}
    assert set(first["data"]) == {"event_id", "sequence", "actor", "seller_id", "request_id", "details"}


async def test_what_was_there_before_the_receiver_is_not_told() -> None:
    desk = Desk()
    async with desk.house.open():
        await desk.say(1)
        await desk.webhooks.tell()
        await desk.webhooks.tell()
        await desk.say(2)
        await desk.webhooks.tell()
    assert desk.told() == [event_id(2)]


async def test_an_effect_is_told_when_it_is_done_with_what_its_intent_said(desk: Desk) -> None:
    for number, result in ((1, Result.DONE), (3, Result.NOT_DONE), (5, Result.UNKNOWN)):
        begun = intent(number, kind="auth.consent.revoked", details={"reason": "refused"})
        await desk.append(begun)
        ended = outcome(number + 1, of=number, kind="auth.consent.revoked", result=result)
        await desk.append(replace(ended, seller_id=None, details={"region": "na"}))
    await desk.webhooks.tell()
    assert desk.told() == [event_id(2)]
    (told,) = desk.bodies()
    assert told["data"]["details"] == {"reason": "refused", "region": "na"}
    assert (told["data"]["result"], told["data"]["seller_id"]) == ("done", intent(1).seller_id)


async def test_a_message_proves_itself_by_the_check_in_the_docs(desk: Desk) -> None:
    await desk.say(1)
    await desk.webhooks.tell()
    ((body, headers),) = desk.receiver.told
    now_s = desk.clock.now().timestamp()
    assert headers["Content-Type"] == "application/json"
    is_ours = check()
    assert is_ours(SECRET, headers, body, now_s)
    assert not is_ours(SECRET, headers, body + b" ", now_s)
    assert not is_ours(SECRET, headers, body, now_s + 301)
    assert not is_ours(SECRET, {**headers, "webhook-id": event_id(2)}, body, now_s)
    assert not is_ours("whsec_" + "A" * 43 + "=", headers, body, now_s)


async def test_a_rotated_secret_and_the_one_before_it_are_both_good_for_a_day(desk: Desk) -> None:
    fresh = (await desk.webhooks.rotate_secret(actor=OPERATOR, request_id="r")).reveal()
    is_ours = check()
    for number, old_is_good in ((1, True), (2, False)):
        await desk.say(number)
        await desk.webhooks.tell()
        body, headers = desk.receiver.told[-1]
        now_s = desk.clock.now().timestamp()
        assert is_ours(fresh, headers, body, now_s)
        assert is_ours(SECRET, headers, body, now_s) is old_is_good
        desk.clock.pass_(timedelta(hours=24).total_seconds())
    assert desk.house.kinds().count("telemetry.webhook.secret_rotated") == 2
    assert not any(fresh in repr(entry) for entry in desk.house.store.entries())


async def test_killed_between_post_and_bookmark_it_posts_again_under_the_same_id_R12(desk: Desk) -> None:
    await desk.say(1, 2)
    desk.store.loses_writes = True
    with pytest.raises(AuditUnavailable):
        await desk.webhooks.tell()
    desk.store.loses_writes = False
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1), event_id(1), event_id(2)]
    assert desk.receiver.told[0][0] == desk.receiver.told[1][0]


@pytest.mark.parametrize("status", [0, 408, 425, 429, 500, 503])
async def test_a_receiver_that_is_down_is_tried_again_without_end_and_the_others_wait(
    desk: Desk, status: int
) -> None:
    desk.receiver.usual = Answer(status)
    await desk.say(1, 2)
    for tries in range(1, REFUSALS_MAX + 2):
        await desk.webhooks.tell()
        await desk.webhooks.tell()
        assert desk.told() == [event_id(1)] * tries
        assert desk.signals.lag == 2
        desk.clock.pass_(RETRY_S_MAX)
    desk.receiver.usual = Answer(200)
    await desk.webhooks.tell()
    assert desk.told()[-2:] == [event_id(1), event_id(2)]


async def test_pauses_double_up_to_ten_minutes_and_patience_never_ends(desk: Desk) -> None:
    desk.receiver.usual = DOWN
    await desk.say(1)
    pauses = []
    for _ in range(20):
        desk.clock.pass_(RETRY_S_MAX)
        await desk.webhooks.tell()
        retry_at = (await desk.webhooks.view()).standing.retry_at
        assert retry_at is not None
        pauses.append((retry_at - desk.clock.now()).total_seconds())
    assert desk.told() == [event_id(1)] * 20
    for number, pause_s in enumerate(pauses):
        assert min(5 * 2**number, 600) / 2 <= pause_s <= min(5 * 2**number, 600)


async def test_a_receiver_says_when_to_come_back_within_reason_T29(desk: Desk) -> None:
    desk.receiver.answers = [Answer(429, 60.0), Answer(503, 999_999.0)]
    await desk.say(1)
    await desk.webhooks.tell()
    desk.clock.pass_(59.0)
    await desk.webhooks.tell()
    assert len(desk.told()) == 1
    desk.clock.pass_(1.0)
    await desk.webhooks.tell()
    desk.clock.pass_(RETRY_S_MAX)
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1)] * 3


async def test_a_pause_that_a_clock_counted_which_had_jumped_ahead_is_not_waited_for_R14(desk: Desk) -> None:
    desk.receiver.answers = [DOWN]
    await desk.say(1)
    desk.clock.set_now(START + timedelta(days=1))
    await desk.webhooks.tell()
    desk.clock.set_now(START)
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1)] * 2


@pytest.mark.parametrize("status", [302, 400, 404, 413, 422])
async def test_a_report_refused_too_often_is_a_dead_letter_and_the_next_one_follows(
    desk: Desk, status: int
) -> None:
    desk.receiver.answers = [Answer(status)] * REFUSALS_MAX
    await desk.say(1, 2)
    for _ in range(REFUSALS_MAX):
        await desk.webhooks.tell()
        desk.clock.pass_(RETRY_S_MAX)
    assert desk.told() == [event_id(1)] * REFUSALS_MAX + [event_id(2)]
    (letter,) = (await desk.webhooks.view()).standing.dead_letters
    assert (letter.kind, letter.status, letter.attempts) == (CHOSEN, status, REFUSALS_MAX)
    assert desk.signals.fates[-2:] == ["abandoned", "delivered"]
    assert desk.house.kinds()[-1] == "telemetry.webhook.abandoned"


async def test_a_report_has_all_its_attempts_whatever_went_before_it_in_its_round(desk: Desk) -> None:
    desk.receiver.answers = [DOWN, Answer(204), *[REFUSING] * REFUSALS_MAX]
    await desk.say(1, 2)
    for _ in range(REFUSALS_MAX + 1):
        await desk.webhooks.tell()
        desk.clock.pass_(RETRY_S_MAX)
    assert desk.told() == [event_id(1)] * 2 + [event_id(2)] * REFUSALS_MAX
    (letter,) = (await desk.webhooks.view()).standing.dead_letters
    assert (letter.sequence, letter.attempts) == (2, REFUSALS_MAX)


async def test_a_receiver_that_wants_no_more_gets_none_until_a_test_is_accepted(desk: Desk) -> None:
    desk.receiver.answers = [GONE, DOWN]
    await desk.say(1)
    await desk.webhooks.tell()
    assert desk.signals.is_gone
    desk.clock.pass_(RETRY_S_MAX)
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1)]
    assert (await desk.webhooks.view()).is_gone
    assert desk.signals.is_gone
    assert (await desk.webhooks.test(actor=OPERATOR, request_id=None)).fate is Fate.LATER
    await desk.webhooks.tell()
    assert len(desk.told()) == 2
    assert (await desk.webhooks.test(actor=OPERATOR, request_id=None)).fate is Fate.DELIVERED
    await desk.webhooks.tell()
    assert desk.told()[-1] == event_id(1)
    assert not desk.signals.is_gone


async def test_another_address_is_told_what_the_gone_one_was_not(desk: Desk) -> None:
    desk.receiver.answers = [GONE]
    await desk.say(1)
    await desk.webhooks.tell()
    moved = FakeReceiver("https://receiver.example/other")
    await desk.replica(moved).tell()
    assert [headers["webhook-id"] for _, headers in moved.told] == [event_id(1)]


async def test_one_replica_tells_at_a_time_and_a_dead_ones_turn_ends(desk: Desk) -> None:
    await desk.say(1)
    turn = await desk.store.take(40.0)
    assert turn is not None
    await desk.webhooks.tell()
    assert desk.told() == []
    desk.clock.pass_(40.0)
    await desk.webhooks.tell()
    assert desk.told() == [event_id(1)]
    assert not await desk.store.settle(turn.fence, 99)


async def test_reports_about_reports_are_never_told(desk: Desk) -> None:
    everything = desk.replica(desk.receiver, "telemetry.", "auth.")
    desk.receiver.answers = [REFUSING] * REFUSALS_MAX
    await desk.say(1)
    for _ in range(REFUSALS_MAX + 3):
        await everything.tell()
        desk.clock.pass_(RETRY_S_MAX)
    assert "telemetry.webhook.abandoned" in desk.house.kinds()
    assert set(desk.told()) == {event_id(1)}


async def test_a_receiver_that_hangs_holds_up_nobody_who_appends_R24(desk: Desk) -> None:
    hanging = HangingReceiver()
    await desk.say(1)
    telling = asyncio.create_task(desk.replica(hanging).tell())
    await hanging.reached.wait()
    await desk.say(*range(2, 60))
    assert len(desk.house.store.entries()) == 59
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    await desk.webhooks.tell()
    assert len(desk.told()) == 59


async def test_a_crowd_of_events_is_told_a_bounded_round_at_a_time_R23(desk: Desk) -> None:
    slow = SlowReceiver(desk.clock, takes_s=3.0)
    await desk.say(*range(1, 31))
    telling = desk.replica(slow)
    await telling.tell()
    assert len(slow.told) == 3
    for _ in range(10):
        await telling.tell()
    assert [headers["webhook-id"] for _, headers in slow.told] == [event_id(n) for n in range(1, 31)]


async def test_what_looks_like_a_credential_never_enters_the_log_and_so_is_never_told_T14(desk: Desk) -> None:
    with pytest.raises(SensitiveContent):
        await desk.append(replace(news(1), details={"note": "Atzr|IwEBIExample"}))
    await desk.webhooks.tell()
    assert desk.told() == []


async def test_a_test_message_reports_nothing_and_is_on_record(desk: Desk) -> None:
    answer = await desk.webhooks.test(actor=OPERATOR, request_id="req-9")
    assert answer == Answer(204)
    (told,) = desk.bodies()
    assert told["type"] == "telemetry.webhook.tested"
    assert set(told["data"]) == {"event_id"}
    assert desk.house.kinds() == ["telemetry.webhook.tested"] * 2
    begun, ended = (each.entry.event for each in desk.house.store.entries())
    assert (begun.actor, ended.result) == (OPERATOR, Result.DONE)


async def test_a_test_that_was_not_accepted_is_on_record_as_not_done(desk: Desk) -> None:
    desk.receiver.answers = [REFUSING]
    assert (await desk.webhooks.test(actor=OPERATOR, request_id=None)).fate is Fate.REFUSED
    assert desk.house.store.entries()[-1].entry.event.result == Result.NOT_DONE


async def test_one_round_goes_past_whole_pages_of_what_nobody_chose(desk: Desk) -> None:
    for start in range(1, 301, 100):
        await desk.append(*(news(n, "auth.device.enrolled") for n in range(start, start + 100)))
    await desk.say(301)
    await desk.webhooks.tell()
    assert desk.told() == [event_id(301)]


async def test_where_nobody_is_told_a_test_says_so_and_leaves_no_intent() -> None:
    desk = Desk()
    nobody = FakeReceiver(url="")
    async with desk.house.open():
        with pytest.raises(WebhookMissing):
            await desk.replica(nobody).test(actor=OPERATOR, request_id=None)
        assert desk.house.kinds() == []
        assert (await desk.replica(nobody).view()).host == ""


@settings(max_examples=60, deadline=None)
@given(
    answers=st.lists(st.sampled_from([200, 204, 0, 503, 429, 404]), max_size=40),
    kills=st.sets(st.integers(0, 39)),
)
def test_whatever_happens_every_event_is_told_in_order_or_given_up(
    answers: list[int], kills: set[int]
) -> None:
    asyncio.run(_live_through(answers, kills))


async def _live_through(answers: list[int], kills: set[int]) -> None:
    desk = Desk()
    desk.receiver.answers = [Answer(status) for status in answers]
    async with desk.house.open():
        await desk.webhooks.tell()
        await desk.say(1, 2, 3)
        for turn in range(60):
            desk.store.loses_writes = turn in kills
            try:
                await desk.webhooks.tell()
            except chassis.errors.Unavailable:
                desk.clock.pass_(40.0)
            desk.clock.pass_(RETRY_S_MAX)
        standing = (await desk.webhooks.view()).standing
    assert standing.sequence == standing.head
    told, wanted = desk.told(), [event_id(number) for number in (1, 2, 3)]
    assert list(dict.fromkeys(told)) == wanted
    statuses = [*answers, *[204] * len(told)]
    accepted = {told_id for told_id, status in zip(told, statuses, strict=False) if 200 <= status < 300}
    # The first three records are the events; what telemetry says about them comes after.
    given_up = {wanted[letter.sequence - 1] for letter in standing.dead_letters}
    assert accepted | given_up == set(wanted)


class HangingReceiver(FakeReceiver):
    """Takes a message and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert body
        assert headers["webhook-id"]
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError


class SlowReceiver(FakeReceiver):
    """Takes its time to answer."""

    def __init__(self, clock: FakeClock, *, takes_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._takes_s = takes_s

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self._clock.pass_(self._takes_s)
        return await super().post(body, headers)
