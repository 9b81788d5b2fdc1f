"""Hosts whose clocks differ by ten minutes, and clocks that jump: nothing outlives its life (R-14)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

import chassis.clock
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, PAGES, House, Person, loan, redemption, thumbprint
from fakes.auth_store import FakeStore
from fakes.clock import FakeClock
from services.auth.model import ages
from services.auth.model.consents import STATE_LIFE
from services.auth.model.device_grants import DEVICE_GRANT_LIFE
from services.auth.model.devices import CODE_LIFE
from services.auth.model.people import FRESH, SETUP_LIFE
from services.auth.model.tokens import ACCESS_LIFE
from services.auth.service import UseCases, compose
from tests.unit.auth.passkeys import fresh
from tests.unit.auth.shop import Shop

# Source: R-14.
SKEW = timedelta(minutes=10)
SLACK = timedelta(seconds=60)
SKEWS = (-SKEW, timedelta(0), SKEW)

Use = Callable[[UseCases], Awaitable[object]]


@dataclass
class SkewedClock:
    """The clock of a host that is wrong by a while."""

    clock: FakeClock
    skew: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.skew

    def monotonic_s(self) -> float:
        return self.clock.monotonic_s()

    async def sleep(self, delay_s: float) -> None:
        await self.clock.sleep(delay_s)


def host(house: House, skew: timedelta) -> UseCases:
    """Return a replica on a host whose clock is wrong."""
    clock = chassis.clock.SteadyClock(SkewedClock(house.clock, skew))
    ports = replace(house.ports(FakeStore(house.clock, house.tables)), clock=clock)
    return compose(ports, PAGES, frozenset({CLIENT_ID}), terms=house.terms)


async def access_token(house: House, person: Person) -> Use:
    token = (await house.bound(person)).tokens.access_token
    return lambda use: use.tokens.introspect(token)


async def code(house: House, person: Person) -> Use:
    shown = await house.authorize(person)
    return lambda use: use.enrolment.exchange(redemption(shown))


async def state(house: House, person: Person) -> Use:
    begun = await house.begin(person)
    return lambda use: use.consents.complete(person.session_token, house.callback(begun))


async def session(house: House, person: Person) -> Use:
    invited = await house.invite(person.seller_id)
    token, _ = await house.use.sessions.redeem_invitation(invited.invitation)
    return lambda use: use.sessions.find(token)


async def freshness(house: House, person: Person) -> Use:
    token = await fresh(house, person)
    return lambda use: use.people.passkeys.begin_registration(token)


async def user_code(house: House, person: Person) -> Use:
    waiting = await house.begin_grant()
    return lambda use: use.device_grants.find(person.session_token, waiting.user_code)


async def device_code(house: House, person: Person) -> Use:
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    return lambda use: use.device_grants.redeem(CLIENT_ID, waiting.device_code, thumbprint("first"))


THINGS = [
    (access_token, ACCESS_LIFE),
    (code, CODE_LIFE),
    (state, STATE_LIFE),
    (session, SETUP_LIFE),
    (freshness, FRESH),
    (user_code, DEVICE_GRANT_LIFE),
    (device_code, DEVICE_GRANT_LIFE),
]


async def is_good(use: UseCases, thing: Use) -> bool:
    try:
        await thing(use)
    except SallyportError:
        return False
    return True


@pytest.mark.parametrize("judge", SKEWS)
@pytest.mark.parametrize("maker", SKEWS)
@pytest.mark.parametrize(("make", "life"), THINGS)
async def test_nothing_outlives_its_life_whichever_hosts_clock_is_wrong_R14(
    make: Callable[[House, Person], Awaitable[Use]], life: timedelta, maker: timedelta, judge: timedelta
) -> None:
    house = House()
    person = await house.person()
    house.use = host(house, maker)
    thing, other = await make(house, person), host(house, judge)
    house.pass_(life + SLACK)
    assert not await is_good(other, thing)


@pytest.mark.parametrize(("make", "life"), THINGS)
async def test_a_clock_set_back_gives_nothing_a_longer_life_R14(
    make: Callable[[House, Person], Awaitable[Use]], life: timedelta
) -> None:
    house = House()
    person = await house.person()
    thing = await make(house, person)
    house.pass_(life - SLACK / 4)
    house.clock.set_now(house.clock.now() - SKEW)
    house.pass_(SLACK)
    assert not await is_good(house.use, thing)
    assert not await is_good(house.replica(), thing)


@pytest.mark.parametrize(("make", "life"), THINGS)
async def test_a_clock_set_forward_is_believed_and_set_right_kills_nothing_new_R14(
    make: Callable[[House, Person], Awaitable[Use]], life: timedelta
) -> None:
    house = House()
    person = await house.person()
    thing = await make(house, person)
    right = house.clock.now()
    house.clock.set_now(right + life)
    assert not await is_good(house.use, thing)
    house.clock.set_now(right)
    assert await is_good(house.replica(), await make(house, person))


async def test_amazons_token_is_not_lent_past_its_hour_by_a_host_that_is_late_R14() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    late = host(shop.house, -SKEW)
    assert await late.lending.lend(loan(shop.device_id)) == first
    shop.house.pass_(timedelta(minutes=59))
    assert await late.lending.lend(loan(shop.device_id)) != first


async def test_what_was_kept_before_ages_were_measured_is_judged_by_its_end_R26() -> None:
    now = FakeClock().now()
    assert ages.left_s(now + timedelta(seconds=5), now, life=ACCESS_LIFE, age_s=0.0) == 5.0
    assert ages.left_s(now + ACCESS_LIFE, now, life=ACCESS_LIFE, age_s=3590.0) == 10.0
    assert ages.left_s(now, now, life=ACCESS_LIFE, age_s=0.0) == 0.0


async def test_introspection_tells_how_long_is_left_so_that_no_clock_is_compared_R14() -> None:
    house = House()
    desktop = await house.bound(await house.person())
    house.pass_(timedelta(minutes=10))
    token: Secret[str] = desktop.tokens.access_token
    for skew in SKEWS:
        found = await host(house, skew).tokens.introspect(token)
        assert found.left_s == min(3000.0, 3000.0 - skew.total_seconds())
