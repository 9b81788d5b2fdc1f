"""Intent before the effect, outcome after, refusals as facts."""

import asyncio
import uuid

import pytest

from chassis.errors import Unavailable
from fakes.auth_house import House
from fakes.auth_store import FakeStore
from services.auth.model.audit import SELF, Deed, Kind, Phase
from services.auth.model.refusals import AuditUnavailable, InvalidGrant
from services.auth.service.ledger import LATE_EVENTS_MAX, Ledger

DEED = Deed(kind=Kind.DEVICE_REVOKED, actor=SELF, seller_id="seller", details={"device_id": "one"})
REFUSAL = Deed(kind=Kind.GRANT_REFUSED, actor=SELF, result="token_reused")


class Desk:
    def __init__(self) -> None:
        house = House()
        self.audit, self.signals = house.audit, house.signals
        self.ledger = Ledger(house.ports(FakeStore(house.clock)))

    @property
    def told(self) -> list[tuple[Phase, str]]:
        return [(event.phase, event.result) for event in self.audit.events.values()]


async def test_an_effect_stands_between_intent_and_outcome_R01() -> None:
    desk = Desk()
    async with desk.ledger.effect(DEED):
        assert desk.told == [(Phase.INTENT, "")]
    assert desk.told == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    intent, outcome = desk.audit.events.values()
    assert outcome.intent_id == intent.event_id
    assert (outcome.kind, outcome.seller_id, outcome.request_id) == (intent.kind, "seller", "request-0001")
    assert uuid.UUID(intent.event_id).version == 7
    assert str(uuid.UUID(outcome.event_id)) == outcome.event_id


@pytest.mark.parametrize(("error", "result"), [(InvalidGrant(), "not_done"), (Unavailable(), "unknown")])
async def test_a_failed_effect_says_what_is_known_R01(error: Exception, result: str) -> None:
    desk = Desk()
    with pytest.raises(type(error)):
        async with desk.ledger.effect(DEED):
            raise error
    assert desk.told == [(Phase.INTENT, ""), (Phase.OUTCOME, result)]


async def test_no_intent_no_effect_R02() -> None:
    desk = Desk()
    desk.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        async with desk.ledger.effect(DEED):
            pytest.fail("the effect ran")


async def test_an_effect_whose_outcome_cannot_be_told_is_no_error_and_is_told_later_R02() -> None:
    desk = Desk()
    async with desk.ledger.effect(DEED):
        desk.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await desk.ledger.settle()
    desk.audit.is_down = False
    assert await desk.ledger.settle() == 1
    assert desk.told == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    assert await desk.ledger.settle() == 0


async def test_a_round_that_is_cut_short_loses_nothing_R01(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.audit.is_down = True
    await desk.ledger.refusal(REFUSAL)
    desk.audit.is_down = False
    with monkeypatch.context() as slow:
        slow.setattr(desk.audit, "record", lambda _event: asyncio.Event().wait())
        round_ = asyncio.create_task(desk.ledger.settle())
        await asyncio.sleep(0)
        round_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await round_
    assert await desk.ledger.settle() == 1
    assert desk.told == [(Phase.FACT, "token_reused")]


async def test_an_effect_whose_caller_has_gone_is_told_later_R01(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    async def act() -> None:
        async with desk.ledger.effect(DEED):
            slow.setattr(desk.audit, "record", lambda _event: asyncio.Event().wait())

    with monkeypatch.context() as slow:
        acting = asyncio.create_task(act())
        await asyncio.sleep(0)
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
    assert await desk.ledger.settle() == 1
    assert desk.told == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_a_refusal_is_answered_while_the_audit_log_is_down_and_told_later_R02() -> None:
    desk = Desk()
    desk.audit.is_down = True
    await desk.ledger.refusal(REFUSAL)
    assert desk.signals.counts["refused", "auth.grant.refused", "token_reused"] == 1
    desk.audit.is_down = False
    await desk.ledger.settle()
    assert desk.told == [(Phase.FACT, "token_reused")]


async def test_a_fact_that_must_be_durable_fails_loudly() -> None:
    desk = Desk()
    desk.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await desk.ledger.fact(DEED)


async def test_what_waits_is_bounded_and_counted_R23() -> None:
    desk = Desk()
    desk.audit.is_down = True
    for _ in range(LATE_EVENTS_MAX + 3):
        await desk.ledger.refusal(REFUSAL)
    desk.audit.is_down = False
    assert await desk.ledger.settle() == LATE_EVENTS_MAX
    assert desk.signals.counts["told_late", "lost"] == 3
