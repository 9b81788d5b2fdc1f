"""Two gateways on two auth processes: what ends at one ends at the other, pushed and not polled (T-01)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

import chassis.clock
import chassis.entropy
from chassis.errors import SallyportError
from fakes.gateway_ports import FakeForwardSignals
from services.gateway.forward.identities import Identities
from services.gateway.model.calls import Device
from services.gateway.peers.auth import AuthClient
from tests.integration.auth.conftest import CallerFor, ProcessFor
from tests.integration.auth.process import AuthProcess, Caller
from tests.integration.auth.story import Story
from tests.integration.service import until
from wire.auth.v1 import auth_pb2, authorization_pb2

# Source: T-01. Pushed news come at once; a test that waits so long fails.
EFFECTIVE_S_MAX = 60.0


class CountingAuth(AuthClient):
    """Auth as a gateway asks it; counts the questions that a cache spares."""

    questions = 0

    async def introspect(self, access_token: str) -> Device:
        self.questions += 1
        return await super().introspect(access_token)


@dataclass
class Gateway:
    """What one gateway process knows of devices."""

    auth: CountingAuth
    identities: Identities

    async def answer(self, access_token: str) -> Device | str:
        """Return the device, or the code of the refusal."""
        try:
            return await self.identities.who(access_token, "192.0.2.1")
        except SallyportError as refusal:
            return refusal.code


@asynccontextmanager
async def listening(caller: Caller) -> AsyncIterator[Gateway]:
    """Give a gateway that hears of revocations."""
    auth = CountingAuth(caller.channel)
    clock, entropy = chassis.clock.SystemClock(), chassis.entropy.SystemEntropy()
    identities = Identities(auth=auth, clock=clock, entropy=entropy, signals=FakeForwardSignals())
    watching = asyncio.create_task(identities.watch())
    try:
        await until(_truth(identities.is_listening), limit_s=EFFECTIVE_S_MAX)
        yield Gateway(auth, identities)
    finally:
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


@pytest.fixture
async def gateways(
    process: AuthProcess, process_for: ProcessFor, caller_for: CallerFor
) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways, each on an auth process of its own."""
    first = await caller_for("gateway", process)
    second = await caller_for("gateway", await process_for("second"))
    async with listening(first) as one, listening(second) as other:
        yield one, other


async def test_what_ends_anywhere_ends_at_every_gateway_T01(
    story: Story, gateways: tuple[Gateway, Gateway]
) -> None:
    session_token, access_token, device = await story.begin()
    second_token = (await story.enrol(session_token)).access_token
    for gateway in gateways:
        for _ in range(3):
            for token in (access_token, second_token):
                assert isinstance(await gateway.answer(token), Device)
        assert gateway.auth.questions == 2

    await story.authorization.WithholdScopes(
        authorization_pb2.WithholdScopesRequest(
            session_token=session_token, device_id=device.device_id, scopes=["pii"]
        )
    )
    await story.authorization.RevokeToken(
        authorization_pb2.RevokeTokenRequest(client_id="desktop", token=second_token)
    )
    for gateway in gateways:
        await hears(gateway, second_token, "token_invalid")
        assert isinstance(await gateway.answer(access_token), Device)

    await story.gateway.RevokeDevice(
        auth_pb2.RevokeDeviceRequest(session_token=session_token, device_id=device.device_id)
    )
    for gateway in gateways:
        await hears(gateway, access_token, "device_revoked")


def _truth(fact: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return fact()

    return ask


async def hears(gateway: Gateway, access_token: str, code: str) -> None:
    """Return once a gateway refuses a token so."""

    async def is_refused() -> bool:
        return await gateway.answer(access_token) == code

    await until(is_refused, limit_s=EFFECTIVE_S_MAX)
