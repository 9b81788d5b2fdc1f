"""What the gateway's doors rely on in auth beside the code flow: on the fake, and over mutual TLS."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass

import pytest

import chassis.errors
from chassis.secrecy import Secret
from fakes import gateway_auth_server, gateway_authorization_server
from fakes.clock import FakeClock
from fakes.gateway_auth import FakeAuth
from fakes.gateway_authorization import FakeAuthorization
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.device_grants import GrantRequest
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import Approval, DeviceCodeGrant
from services.gateway.model.people import Visit
from services.gateway.peers.authorization import AuthorizationClient
from services.gateway.service import Authorization
from tests.contract.gateway_channel import gateway_channel

KEY, OTHER_KEY = "k" * 43, "o" * 43
FACTS = DeviceFacts("macos", "4.2.0", "os_keystore")
REQUEST = GrantRequest(client_id="desktop", scopes=("orders", "pii"), facts=FACTS, key_thumbprint=KEY)


@dataclass
class Doorway:
    """Auth, however it is reached, and the fake at its end."""

    authorization: Authorization
    fake: FakeAuthorization

    async def visit(self) -> Visit:
        auth = self.fake.auth
        return auth.settle(await auth.redeem_invitation(Secret(auth.invite())))


@pytest.fixture(params=["fake", "wire"])
async def doorway(request: pytest.FixtureRequest) -> AsyncIterator[Doorway]:
    fake = FakeAuthorization(FakeAuth(FakeClock()))
    if request.param == "fake":
        yield Doorway(fake, fake)
        return
    services = [gateway_auth_server.service(fake.auth), gateway_authorization_server.service(fake)]
    async with gateway_channel(services) as channel:
        yield Doorway(AuthorizationClient(channel), fake)


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(chassis.errors.SallyportError) as refused:
        await attempt
    return refused.value.code


async def test_a_desktop_waits_is_seen_and_let_in(doorway: Doorway) -> None:
    visit, begun = await doorway.visit(), await doorway.authorization.begin_device_grant(REQUEST)
    assert (begun.expires_in_s, begun.interval_s) == (600, 5)
    grant = DeviceCodeGrant(client_id="desktop", device_code=begun.device_code)
    pending = doorway.authorization.redeem_device_grant(grant, KEY)
    assert await refusal(pending) == "authorization_pending"
    waiting = await doorway.authorization.find_device_grant(visit, begun.user_code)
    assert (waiting.user_code, waiting.client_id) == (begun.user_code, "desktop")
    assert (waiting.scopes, waiting.facts) == (("orders", "pii"), FACTS)
    approval = Approval("Laptop", ("pii",))
    await doorway.authorization.approve_device_grant(visit, begun.user_code, approval)
    tokens = await doorway.authorization.redeem_device_grant(grant, KEY)
    assert tokens.scopes == ("orders",)
    assert tokens.expires_in_s == 3_600
    (desktop,) = await doorway.fake.auth.list_desktops(visit)
    assert (desktop.name, desktop.facts) == ("Laptop", FACTS)
    assert desktop.withheld_scopes == frozenset({"pii"})


async def test_a_desktop_that_is_turned_away_hears_so(doorway: Doorway) -> None:
    visit, begun = await doorway.visit(), await doorway.authorization.begin_device_grant(REQUEST)
    await doorway.authorization.deny_device_grant(visit, begun.user_code)
    grant = DeviceCodeGrant(client_id="desktop", device_code=begun.device_code)
    assert await refusal(doorway.authorization.redeem_device_grant(grant, KEY)) == "access_denied"
    assert await refusal(doorway.authorization.redeem_device_grant(grant, OTHER_KEY)) == "invalid_grant"
    others = DeviceCodeGrant(client_id="another", device_code=begun.device_code)
    assert await refusal(doorway.authorization.redeem_device_grant(others, KEY)) == "invalid_grant"


async def test_a_wrong_user_code_is_refused(doorway: Doorway) -> None:
    visit = await doorway.visit()
    found = doorway.authorization.find_device_grant(visit, "WRNG-CODE")
    assert await refusal(found) == "invalid_user_code"


async def test_a_token_is_given_up(doorway: Doorway) -> None:
    await doorway.authorization.revoke_token("desktop", Secret("sp_rt_x"))
    assert doorway.fake.revoked == [("desktop", "sp_rt_x")]


async def test_a_device_hears_of_its_own_tokens_alone(doorway: Doorway) -> None:
    now = doorway.fake.auth.clock.now()
    own = Inspection(
        client_id="desktop",
        user_id="user-1",
        device_id="device-1",
        device_name="Laptop",
        scopes=("orders",),
        key_thumbprint=KEY,
        facts=FACTS,
        issued_at=now,
        expires_at=now,
    )
    doorway.fake.known["own"] = own
    inspect = doorway.authorization.inspect_token
    assert await inspect(Secret("own"), KEY, Secret("own")) == own
    assert await inspect(Secret("own"), KEY, Secret("other")) is None
    assert await refusal(inspect(Secret("own"), OTHER_KEY, Secret("own"))) == "unauthenticated"


async def test_scopes_are_withheld(doorway: Doorway) -> None:
    visit = await doorway.visit()
    device_id = (await doorway.fake.auth.enrol_compat_device(visit, "Laptop")).device_id
    await doorway.authorization.withhold_scopes(visit, device_id, ("pii",))
    (desktop,) = await doorway.fake.auth.list_desktops(visit)
    assert desktop.withheld_scopes == frozenset({"pii"})
    assert await refusal(doorway.authorization.withhold_scopes(visit, "other", ("pii",))) == "not_found"
