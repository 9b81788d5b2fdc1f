"""Auth's people, however the gateway reaches them: the fakes, the fakes over gRPC, auth itself over gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import chassis.rpc
import services.auth.rpc
from chassis.secrecy import Secret
from fakes import gateway_auth_server, gateway_people_server
from fakes.auth_house import House
from fakes.clock import FakeClock
from fakes.gateway_auth import FakeAuth
from fakes.gateway_people import FakePeople
from fakes.gateway_sellers import FakeSellers
from services.auth.model import roles as of_auth
from services.gateway.model.people import Visit
from services.gateway.model.roles import Role
from services.gateway.peers.credentials import CredentialsClient
from services.gateway.peers.entry import EntryClient
from services.gateway.peers.members import MembersClient
from services.gateway.peers.people import PeopleClient
from services.gateway.peers.sellers import SellersClient
from services.gateway.service import CredentialKeeper, Members, People, Sellers, WaysIn
from tests.contract.gateway_channel import gateway_channel


@dataclass(frozen=True, kw_only=True)
class World:
    """What the gateway asks, and the vendor's console.

    Attributes:
        invite: returns an invitation for somebody new: an owner of an own seller, or one of the staff.
        know: has the provider sign somebody in by a code; returns the code to come back with.
    """

    people: People
    ways: WaysIn
    keeper: CredentialKeeper
    members: Members
    sellers: Sellers
    clock: FakeClock
    invite: Callable[[Role], Awaitable[Secret[str]]]
    know: Callable[[str], str]

    async def newcomer(self, role: Role = Role.OWNER) -> Visit:
        """Return the visit of somebody who just followed an invitation."""
        return await self.people.redeem_invitation(await self.invite(role))


@asynccontextmanager
async def open_world(kind: str) -> AsyncIterator[World]:
    """Give a world: "fake", "wire" or "auth"."""
    if kind == "auth":
        async with _open_auth() as world:
            yield world
        return
    clock = FakeClock()
    auth = FakeAuth(clock)
    people = FakePeople(auth)

    async def invite(role: Role) -> Secret[str]:
        return Secret(auth.invite(role=role))

    def know(subject: str) -> str:
        return subject

    if kind == "fake":
        sellers = FakeSellers(people)
        yield World(
            people=auth,
            ways=people,
            keeper=people,
            members=people,
            sellers=sellers,
            clock=clock,
            invite=invite,
            know=know,
        )
        return
    services = [gateway_auth_server.service(auth), gateway_people_server.service(people)]
    async with gateway_channel(services) as channel:
        yield _over(channel, clock, invite, know=know)


@asynccontextmanager
async def _open_auth() -> AsyncIterator[World]:
    house = House()
    await house.register()

    async def invite(role: Role) -> Secret[str]:
        seller_id = "" if role.is_staff else await house.use.admin.create_seller("Blue Lamp Trading")
        return (await house.invite(seller_id, "Anna Berg", of_auth.Role(role.value))).invitation

    def know(subject: str) -> str:
        code = f"code-{len(house.provider.bindings)}"
        house.provider.subjects[code] = subject
        return code

    async with gateway_channel(services.auth.rpc.services(house.use)) as channel:
        yield _over(channel, house.clock, invite, know=know)


def _over(
    channel: chassis.rpc.Channel,
    clock: FakeClock,
    invite: Callable[[Role], Awaitable[Secret[str]]],
    *,
    know: Callable[[str], str],
) -> World:
    return World(
        people=PeopleClient(channel),
        ways=EntryClient(channel),
        keeper=CredentialsClient(channel),
        members=MembersClient(channel),
        sellers=SellersClient(channel),
        clock=clock,
        invite=invite,
        know=know,
    )
