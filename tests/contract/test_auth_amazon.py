"""What Amazon's token endpoints promise, on the fake and through the real client to a server over TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.secrecy import Secret
from fakes.auth_amazon import FakeAmazon
from fakes.auth_amazon_server import AmazonServer
from fakes.auth_house import RestlessClock
from fakes.clock import FakeClock
from services.auth.amazon import Endpoints, connect
from services.auth.model.consents import Credentials, Region
from services.auth.model.grantless import Scope
from services.auth.model.refusals import ApplicationRefused, GrantRefused, RestrictionRefused
from services.auth.model.restricted import Resource, Restriction
from services.auth.model.secret_refusals import RotationRefused, RotationUnenrolled
from services.auth.service.ports import Amazon

REDIRECT = "https://gateway.example/consent/callback"
ADDRESS = Resource(restriction=Restriction(method="GET", path="/orders/v0/orders/{orderId}/address"))
CODE = Secret("ANcode")


class Counter:
    """The port under test, and the back door to what it grants."""

    def __init__(self, amazon: Amazon, behind: FakeAmazon | AmazonServer) -> None:
        self.amazon = amazon
        self.behind = behind
        behind.codes.add(CODE.reveal())
        self.credentials = Credentials(client_id="client", client_secret=Secret(behind.secret))


@pytest.fixture
async def fake_counter() -> Counter:
    fake = FakeAmazon(RestlessClock())
    return Counter(fake, fake)


@pytest.fixture
async def real_counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with AmazonServer().serve(tmp_path) as server:
        endpoints = Endpoints(
            lwa_url=server.url,
            spapi_urls=dict.fromkeys(Region, server.url),
            ca_file=server.ca_file,
            timeout_s=5.0,
        )
        async with connect(endpoints, FakeClock()) as amazon:
            yield Counter(amazon, server)


@pytest.fixture(params=["fake_counter", "real_counter"])
def counter(request: pytest.FixtureRequest) -> Counter:
    counter: Counter = request.getfixturevalue(request.param)
    return counter


async def test_a_code_is_worth_a_refresh_token_once(counter: Counter) -> None:
    grant = await counter.amazon.exchange_code(counter.credentials, CODE, REDIRECT)
    assert grant.refresh_token is not None
    assert grant.refresh_token.reveal() in counter.behind.refresh_tokens
    assert grant.expires_in_s == 3600
    with pytest.raises(GrantRefused):
        await counter.amazon.exchange_code(counter.credentials, CODE, REDIRECT)


async def test_a_refresh_gives_a_fresh_access_token(counter: Counter) -> None:
    grant = await counter.amazon.exchange_code(counter.credentials, CODE, REDIRECT)
    assert grant.refresh_token is not None
    first = await counter.amazon.refresh(counter.credentials, grant.refresh_token)
    second = await counter.amazon.refresh(counter.credentials, grant.refresh_token)
    assert first.access_token != second.access_token
    assert first.refresh_token == grant.refresh_token


async def test_a_dead_refresh_token_is_the_grants_fault(counter: Counter) -> None:
    with pytest.raises(GrantRefused):
        await counter.amazon.refresh(counter.credentials, Secret("Atzr|dead"))


async def test_a_wrong_secret_is_the_applications_fault(counter: Counter) -> None:
    wrong = Credentials(client_id="client", client_secret=Secret("amzn1.oa2-cs.v1.wrong"))
    with pytest.raises(ApplicationRefused):
        await counter.amazon.exchange_code(wrong, CODE, REDIRECT)
    with pytest.raises(ApplicationRefused):
        await counter.amazon.refresh(wrong, Secret("Atzr|any"))


async def test_a_restricted_token_is_given_for_an_operation(counter: Counter) -> None:
    grant = await counter.amazon.restrict(Region.EU, Secret("Atza|access"), ADDRESS)
    assert grant.access_token.reveal().startswith("Atz.sprdt|")
    assert (grant.refresh_token, grant.expires_in_s) == (None, 3600)


async def test_without_the_role_there_is_no_restricted_token(counter: Counter) -> None:
    counter.behind.roles_missing = True
    with pytest.raises(RestrictionRefused):
        await counter.amazon.restrict(Region.EU, Secret("Atza|access"), ADDRESS)


async def test_a_token_of_no_seller_is_given_to_the_application(counter: Counter) -> None:
    grant = await counter.amazon.grantless(counter.credentials, Scope.ROTATION)
    assert grant.access_token.reveal().startswith("Atza|")
    assert (grant.refresh_token, grant.expires_in_s) == (None, 3600)
    wrong = Credentials(client_id="client", client_secret=Secret("amzn1.oa2-cs.v1.wrong"))
    with pytest.raises(ApplicationRefused):
        await counter.amazon.grantless(wrong, Scope.ROTATION)


async def test_a_rotation_makes_a_new_secret_beside_the_old(counter: Counter) -> None:
    grant = await counter.amazon.grantless(counter.credentials, Scope.ROTATION)
    await counter.amazon.rotate_secret(Region.NA, grant.access_token)
    assert counter.behind.secret != counter.credentials.client_secret.reveal()
    for secret in (counter.behind.secret, counter.credentials.client_secret.reveal()):
        await counter.amazon.grantless(
            Credentials(client_id="client", client_secret=Secret(secret)), Scope.ROTATION
        )


async def test_a_rotation_that_amazon_refuses_changes_nothing(counter: Counter) -> None:
    with pytest.raises(RotationRefused):
        await counter.amazon.rotate_secret(Region.NA, Secret("Atza|of a seller"))
    counter.behind.is_enrolled = False
    grant = await counter.amazon.grantless(counter.credentials, Scope.ROTATION)
    with pytest.raises(RotationUnenrolled):
        await counter.amazon.rotate_secret(Region.NA, grant.access_token)
    assert counter.behind.secret == counter.credentials.client_secret.reveal()
