"""What auth tells the audit log, by the rules of the audit log itself."""

from datetime import timedelta

import pytest

import services.telemetry.model.events as rules
from chassis.errors import SallyportError
from fakes.auth_house import CLIENT_ID, DELEGATE, House, redemption
from fakes.auth_rotation_house import RotationHouse, expiry_letter
from services.auth.model.audit import AuditEvent, Kind
from services.auth.model.loans import Budget, LendingTerms
from services.auth.model.passwords import FAILURES_MAX
from services.auth.model.restricted import Restriction
from services.auth.model.rewrapping import SETTLING_S
from services.auth.model.roles import Role
from services.auth.model.turns import Pace
from tests.unit.auth.holders import set_password
from tests.unit.auth.passkeys import sign_in

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")
ENDLESS = Pace(rate_per_s=1_000.0, burst=1_000)
DAY = timedelta(days=1)


async def desktops() -> House:
    """Everything about consents and devices."""
    house = House()
    person = await house.person()
    state = await house.begin(person)
    await house.use.consents.complete(person.session_token, house.callback(state))
    with pytest.raises(SallyportError):
        await house.use.consents.complete(person.session_token, house.callback(state))
    desktop, other = await house.bound(person), await house.granted(person, "second")
    await house.lend(desktop.device_id, restriction=ADDRESS)
    await house.lend(desktop.device_id, restriction=ADDRESS, target_application=DELEGATE)
    await house.use.admin.set_device_scopes(
        person.seller_id, desktop.device_id, ("orders", "pii"), reason="Contract 17"
    )
    await house.use.devices.withhold(person.session_token, desktop.device_id, ("pii",))
    for token in (other.tokens.access_token, other.tokens.refresh_token):
        await house.use.own_tokens.revoke(CLIENT_ID, token)
    with pytest.raises(SallyportError):
        await house.use.enrolment.exchange(redemption(desktop.code))
    await house.use.sessions.end(person.session_token)
    house.pass_(91 * DAY)
    await house.use.upkeep.retire_idle()
    return house


async def people() -> House:
    """Everything about who comes in, with what, and who leaves."""
    house = House()
    owner = await house.person()
    holder, _ = await set_password(house, owner.session_token)
    await house.use.people.password_changes.remove(owner.session_token)
    for _ in range(FAILURES_MAX):
        with pytest.raises(SallyportError):
            await holder.sign_in()
    member = await house.colleague(owner.seller_id, role=Role.MEMBER)
    await house.bound(member)
    members = house.use.people.members
    owners, _ = await sign_in(house, owner.device)
    await members.change_role(owners, member.user_id, Role.OWNER)
    await members.remove_own(owners, member.user_id)
    with pytest.raises(SallyportError):
        await sign_in(house, member.device)
    _ = [row async for row in house.use.people.reviews.export()]
    return house


async def ends() -> House:
    """Everything that ends by itself or for good."""
    house = House()
    person = await house.person()
    await house.connect(person)
    for days in (340, 30):
        house.pass_(days * DAY)
        for _ in range(10):
            await house.use.reminding.remind()
    await house.use.offboarding.offboard(person.seller_id, reason="Contract ended")
    for _ in range(10):
        await house.use.offboarding.pursue()
        house.pass_(timedelta(hours=1))
    return house


async def keys() -> House:
    """Everything about sealing keys."""
    house = House()
    await house.person()
    await house.use.keys.begin(None)
    for _ in range(3):
        await house.use.keys.work()
        house.clock.pass_(SETTLING_S)
    return house


async def secrets() -> House:
    """Everything about the application's client secret."""
    house = RotationHouse()
    await house.register()
    house.inbox.put(expiry_letter(house.clock.now() + 40 * DAY, house.clock.now()))
    for _ in range(200):
        await house.day()
    return house


async def refusals() -> House:
    """What Amazon and the budget refuse."""
    house = House(terms=LendingTerms(pace=ENDLESS, budget=Budget(sellers_max=1)))
    first, second = await house.person("One Ltd"), await house.person("Two Ltd")
    devices = []
    for person in (first, second):
        await house.connect(person)
        devices.append((await house.bound(person)).device_id)
    await house.lend(devices[0])
    for _ in range(2):
        with pytest.raises(SallyportError):
            await house.lend(devices[1])
    house.pass_(timedelta(hours=2))
    house.amazon.secret = "amzn1.oa2-cs.v1.another"
    with pytest.raises(SallyportError):
        await house.lend(devices[0])
    return house


async def live() -> list[AuditEvent]:
    """Do everything that leaves a trace in the audit log, and return the trace."""
    houses = [await work() for work in (desktops, people, ends, keys, secrets, refusals)]
    return [event for house in houses for event in house.audit.events.values()]


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
    events = await live()
    assert {event.kind for event in events} == set(Kind)
    for event in events:
        rules.check("auth", as_telemetry_reads_it(event))


async def test_no_event_holds_a_name_or_a_token_T14() -> None:
    told = repr(await live())
    for word in ("Kettle", "Ana", "Packing", "sp_", "Atz", "amzn1.oa2"):
        assert word not in told
