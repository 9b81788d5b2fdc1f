"""The audit log around sealing and opening: intent before, outcome after, refusals as facts."""

from dataclasses import replace

import pytest

import chassis.errors
import chassis.vault.errors
from fakes.retention_house import DAY, GATEWAY, NAME, PLAINTEXT, SELLER, House
from services.retention.model.audit import AuditEvent, Kind, Phase, Result
from services.retention.model.errors import AuditUnavailable, Expired, NothingKept

OTHER = replace(NAME, field_set="ordersV0.getOrderBuyerInfo")


async def test_without_the_audit_log_nothing_is_sealed_or_opened_R02() -> None:
    house = House()
    await house.observe()
    await house.seal()
    unwraps = house.keys.unwraps
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.seal(OTHER)
    with pytest.raises(AuditUnavailable):
        await house.open()
    assert house.keys.unwraps == unwraps
    assert len(house.tables.records) == 1


async def test_a_failing_audit_log_does_not_hide_why_a_read_is_refused() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(31 * DAY)
    house.audit.is_down = True
    with pytest.raises(Expired):
        await house.open()


async def test_the_intent_is_durable_before_and_the_outcome_follows_R01() -> None:
    house = House()
    await house.observe()
    await house.seal()
    await house.open()
    assert house.audit.told() == [
        (Kind.RECORD_SEALED, Phase.INTENT, ""),
        (Kind.RECORD_SEALED, Phase.OUTCOME, Result.DONE),
        (Kind.RECORD_OPENED, Phase.INTENT, ""),
        (Kind.RECORD_OPENED, Phase.OUTCOME, Result.DONE),
    ]
    intent, outcome = house.audit.of(Kind.RECORD_OPENED)
    assert (intent.intent_id, outcome.intent_id) == ("", intent.event_id)
    for event in house.audit.events.values():
        assert event.details == {"order_id": NAME.order_id, "field_set": NAME.field_set}
        assert event.origin == GATEWAY
        assert event.seller_id == SELLER


async def test_a_refused_read_is_a_fact_and_a_refused_effect_is_not_done() -> None:
    house = House()
    await house.observe()
    await house.seal()
    house.pass_(31 * DAY)
    house.audit.events.clear()
    with pytest.raises(Expired):
        await house.open()
    with pytest.raises(Expired):
        await house.seal()
    assert house.audit.told() == [
        (Kind.RECORD_REFUSED, Phase.FACT, "expired"),
        (Kind.RECORD_SEALED, Phase.INTENT, ""),
        (Kind.RECORD_SEALED, Phase.OUTCOME, Result.NOT_DONE),
    ]


async def test_asking_for_what_was_never_kept_is_no_fact_of_the_log() -> None:
    house = House()
    await house.observe()
    with pytest.raises(NothingKept):
        await house.open()
    assert house.audit.told() == []


async def test_an_effect_whose_fate_is_open_is_recorded_as_unknown() -> None:
    house = House()
    await house.observe()
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
    with pytest.raises(chassis.errors.Unavailable):
        await house.seal()
    assert house.audit.told()[-1] == (Kind.RECORD_SEALED, Phase.OUTCOME, Result.UNKNOWN)


async def test_a_lost_outcome_does_not_deny_what_was_done_R02() -> None:
    house = House()
    await house.observe()
    record = house.audit.record

    async def record_intents_only(event: AuditEvent) -> None:
        if event.phase is Phase.OUTCOME:
            raise AuditUnavailable
        await record(event)

    house.audit.record = record_intents_only  # type: ignore[method-assign]
    await house.seal()
    assert await house.open() == PLAINTEXT
    assert house.signals.counts["outcome lost retention.record.sealed"] == 1
    assert house.signals.counts["outcome lost retention.record.opened"] == 1
