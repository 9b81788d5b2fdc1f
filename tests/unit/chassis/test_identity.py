"""When a certificate is asked for again, and what happens while nobody gives one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

import chassis.crypto.tls
import chassis.errors
import chassis.identity
from fakes.certificates import Authority
from fakes.clock import FakeClock

LIFE = timedelta(hours=24)
TWO_THIRDS_S = 16 * 3600.0


class Issuer:
    """Issues certificates that begin at the clock's now, or refuses."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._authority = Authority()
        self.life = LIFE
        self.is_refusing = False
        self.asked = 0

    async def issue(self) -> chassis.crypto.tls.Certificate:
        self.asked += 1
        if self.is_refusing:
            raise chassis.errors.Unavailable
        return self._authority.issue("auth.sallyport.internal", not_before=self._clock.now(), life=self.life)


@asynccontextmanager
async def running(keeper: chassis.identity.Keeper) -> AsyncIterator[None]:
    await keeper.start()
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def keeper(clock: FakeClock, issuer: Issuer) -> chassis.identity.Keeper:
    return chassis.identity.Keeper(issuer.issue, clock)


def test_keeper_that_was_not_started_has_no_certificate(keeper: chassis.identity.Keeper) -> None:
    with pytest.raises(RuntimeError):
        _ = keeper.current


async def test_certificate_is_renewed_at_two_thirds_of_its_life_T25(
    keeper: chassis.identity.Keeper, clock: FakeClock
) -> None:
    async with running(keeper):
        first = keeper.current
        await clock.advance(TWO_THIRDS_S - 1)
        assert keeper.current is first
        await clock.advance(2)
        assert keeper.current is not first


async def test_each_renewal_is_told_when_the_new_certificate_is_current_R15(
    keeper: chassis.identity.Keeper, clock: FakeClock
) -> None:
    told = []

    async def note() -> None:
        told.append(keeper.current)

    keeper.on_change(note)
    async with running(keeper):
        first = keeper.current
        await clock.advance(TWO_THIRDS_S + 1)
        assert told == [keeper.current]
        assert told != [first]


async def test_old_certificate_serves_while_nobody_issues_R06(
    keeper: chassis.identity.Keeper, clock: FakeClock, issuer: Issuer
) -> None:
    async with running(keeper):
        first = keeper.current
        issuer.is_refusing = True
        await clock.advance(TWO_THIRDS_S + 600)
        assert keeper.current is first
        assert 10 < issuer.asked < 30
        issuer.is_refusing = False
        await clock.advance(chassis.identity.RETRY_S_MAX)
        assert keeper.current is not first


async def test_late_renewal_is_an_error_in_the_log_R15(
    keeper: chassis.identity.Keeper,
    clock: FakeClock,
    issuer: Issuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(keeper):
        issuer.is_refusing = True
        await clock.advance(TWO_THIRDS_S + 60)
        assert {record.levelname for record in caplog.records} == {"WARNING"}
        await clock.advance(2 * 3600.0)
        assert "ERROR" in {record.levelname for record in caplog.records}


async def test_jump_of_the_wall_clock_is_noticed_within_a_look_R14(
    keeper: chassis.identity.Keeper, clock: FakeClock
) -> None:
    async with running(keeper):
        first = keeper.current
        clock.set_now(clock.now() + LIFE)
        await clock.advance(chassis.identity.LOOK_S)
        assert keeper.current is not first


async def test_certificates_born_overdue_are_not_asked_for_without_pause(
    keeper: chassis.identity.Keeper, clock: FakeClock, issuer: Issuer
) -> None:
    issuer.life = timedelta(0)
    async with running(keeper):
        await clock.advance(10 * chassis.identity.LOOK_S)
        assert issuer.asked <= 12


async def test_first_certificate_must_come(keeper: chassis.identity.Keeper, issuer: Issuer) -> None:
    issuer.is_refusing = True
    with pytest.raises(chassis.errors.Unavailable):
        await keeper.start()
