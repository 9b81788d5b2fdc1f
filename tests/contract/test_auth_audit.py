"""What auth tells the audit log, by the rules of the audit log itself."""

from datetime import timedelta

import pytest

import services.telemetry.model.events as rules
from chassis.errors import SallyportError
from fakes.auth_house import House, redemption
from services.auth.model.audit import AuditEvent, Kind
from services.auth.model.restricted import Restriction

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")


async def live(house: House) -> None:
    """Do everything that leaves a trace in the audit log."""
    person = await house.person()
    state = await house.begin(person)
    await house.use.consents.complete(person.session_token, house.callback(state))
    with pytest.raises(SallyportError):
        await house.use.consents.complete(person.session_token, house.callback(state))
    desktop = await house.bound(person)
    await house.lend(desktop.device_id, restriction=ADDRESS)
    await house.use.admin.set_device_scopes(
        person.seller_id, desktop.device_id, ("orders", "pii"), reason="Contract 17"
    )
    with pytest.raises(SallyportError):
        await house.use.enrolment.exchange(redemption(desktop.code))
    await house.use.sessions.end(person.session_token)
    house.pass_(timedelta(days=91))
    await house.use.upkeep.retire_idle()


def as_telemetry_reads_it(event: AuditEvent) -> rules.Event:
    return rules.Event(
        event_id=event.event_id,
        kind=event.kind,
        phase=rules.Phase(event.phase),
        occurred_at=event.occurred_at,
        intent_id=event.intent_id or None,
        result=event.result or None,
        actor=rules.Actor(event.actor.kind, event.actor.actor_id),
        seller_id=event.seller_id or None,
        request_id=event.request_id or None,
        details=event.details,
    )


async def test_every_kind_of_event_is_one_that_the_log_takes() -> None:
    house = House()
    await live(house)
    events = list(house.audit.events.values())
    assert {event.kind for event in events} == set(Kind)
    for event in events:
        rules.check("auth", as_telemetry_reads_it(event))


async def test_no_event_holds_a_name_or_a_token_T14() -> None:
    house = House()
    await live(house)
    told = repr(list(house.audit.events.values()))
    for word in ("Kettle", "Ana", "Packing", "sp_", "Atz", "amzn1.oa2"):
        assert word not in told
