"""The people of a run: the vendor's operators at the console, and sellers in their browsers.

They behave as people do: when no answer comes they try again, and when a page says that something cannot be
completed they start it over.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from chassis.errors import SallyportError, Unauthenticated
from chassis.secrecy import Secret
from fakes.passkey_device import PasskeyDevice
from sallyport.simulate.amazon import CLIENT_SECRET
from sallyport.simulate.houses.auth import CLIENT_ID, MARKETPLACE_ID
from sallyport.simulate.world import World
from services.gateway.model.credentials import CeremonyAnswer
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import AuthorizationRequest
from services.gateway.model.people import CompatCredentials, ConsentAnswer, Visit
from wire.auth.v1 import auth_pb2, auth_pb2_grpc
from wire.retention.v1 import retention_pb2, retention_pb2_grpc
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

T = TypeVar("T")

APPLICATION_ID = "amzn1.sellerapps.app.0a1b2c3d-0000-4000-8000-000000000001"
APPLICATION_CLIENT_ID = "amzn1.application-oa2-client.0a1b2c3d4e5f"
REDIRECT = "http://127.0.0.1:49152/callback"
SCOPES = ("orders", "pii")
REASON = "support contract"

TRIES_MAX = 200
PAUSE_S = (0.5, 3.0)
"""Between which times a person waits before trying again."""


class GaveUp(Exception):
    """Nobody tries this often: the world does not serve its people at all."""


async def insist(world: World, work: Callable[[], Awaitable[T]]) -> T:
    """Return what some work gives, trying it again whenever it fails.

    Raises:
        GaveUp: it failed TRIES_MAX times.
    """
    for _ in range(TRIES_MAX):
        try:
            return await work()
        except SallyportError as error:
            world.trace.write(f"refused {error.code}")
            await world.clock.sleep(world.choices.uniform(*PAUSE_S))
    raise GaveUp


class Console:
    """The vendor's operators."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._auth = world.console("auth").stub(auth_pb2_grpc.AuthAdminStub)
        self._retention = world.console("retention").stub(retention_pb2_grpc.RetentionAdminStub)
        self._telemetry = world.console("telemetry").stub(telemetry_pb2_grpc.TelemetryAdminStub)

    async def register(self) -> None:
        """Register the vendor's application."""
        request = auth_pb2.RegisterApplicationRequest(
            application_id=APPLICATION_ID, client_id=APPLICATION_CLIENT_ID, client_secret=CLIENT_SECRET
        )
        await insist(self._world, lambda: self._auth.RegisterApplication(request))

    async def create_seller(self, name: str) -> str:
        """Return a new seller's id; one whose answer was lost stays behind."""
        request = auth_pb2.CreateSellerRequest(name=name)
        return (await insist(self._world, lambda: self._auth.CreateSeller(request))).seller_id

    async def invite(self, seller_id: str, user_name: str) -> Secret[str]:
        """Return an invitation."""
        request = auth_pb2.InviteUserRequest(seller_id=seller_id, user_name=user_name)
        return Secret((await insist(self._world, lambda: self._auth.InviteUser(request))).invitation)

    async def allow_buyers(self, seller_id: str, device_id: str) -> None:
        """Let a device see buyers' data."""
        request = auth_pb2.SetDeviceScopesRequest(
            seller_id=seller_id, device_id=device_id, scopes=SCOPES, reason=REASON
        )
        await insist(self._world, lambda: self._auth.SetDeviceScopes(request))

    async def erase_seller(self, seller_id: str) -> None:
        """Erase everything that is kept for a seller."""
        request = retention_pb2.EraseSellerRequest(seller_id=seller_id)
        await insist(self._world, lambda: self._retention.EraseSeller(request))

    async def export(self) -> list[bytes]:
        """Return the audit log as the lines of its export."""
        stream = self._telemetry.Export(telemetry_pb2.ExportRequest())
        return [told.line + b"\n" async for told in stream]


class Person:
    """Somebody of a seller, in a browser."""

    def __init__(self, world: World, console: Console, *, seller_id: str, partner_id: str) -> None:
        self.seller_id = seller_id
        self.partner_id = partner_id
        self._world = world
        self._console = console
        self._device = PasskeyDevice(seed=partner_id)
        self._visit: Visit | None = None

    async def connect(self) -> None:
        """Connect the seller's account at Amazon, from the first page to the last."""

        async def once(visit: Visit) -> None:
            begin = self._world.visit(
                self.partner_id, "begin", lambda house: house.portal.begin_consent(visit, MARKETPLACE_ID)
            )
            state = parse_qs(urlsplit(await begin).query)["state"][0]
            code = self._world.amazon.consent(self.partner_id)
            answer = ConsentAnswer(Secret(state), self.partner_id, Secret(code))
            await self._world.visit(
                self.partner_id, "complete", lambda house: house.portal.complete_consent(visit, answer)
            )

        await self._signed_in(once)

    async def approve(self, name: str, code_challenge: str) -> Secret[str]:
        """Return the code for a desktop of a name that is used once."""
        request = AuthorizationRequest(
            client_id=CLIENT_ID,
            redirect_uri=REDIRECT,
            code_challenge=code_challenge,
            scopes=("orders",),
            state="state",
            facts=DeviceFacts(),
            key_thumbprint="",
        )

        async def once(visit: Visit) -> str:
            return await self._world.visit(
                self.partner_id,
                "approve",
                lambda house: house.native_apps.approve(visit, request, {"device_name": name}),
            )

        target = await self._signed_in(once)
        return Secret(parse_qs(urlsplit(target).query)["code"][0])

    async def enrol_program(self, name: str) -> CompatCredentials:
        """Return the credentials of a new device for an unmodified library."""

        async def once(visit: Visit) -> CompatCredentials:
            return await self._world.visit(
                self.partner_id, "enrol", lambda house: house.portal.enrol_program(visit, name)
            )

        return await self._signed_in(once)

    async def find_device(self, name: str) -> str:
        """Return the id of the device of a name."""

        async def once(visit: Visit) -> str:
            home = await self._world.visit(self.partner_id, "home", lambda house: house.portal.home(visit))
            return next(each.device_id for each in home.desktops if each.name == name)

        return await self._signed_in(once)

    async def revoke(self, device_id: str) -> None:
        """End a device's access."""

        async def once(visit: Visit) -> None:
            await self._world.visit(
                self.partner_id, "revoke", lambda house: house.portal.revoke_device(visit, device_id)
            )

        await self._signed_in(once)

    async def _signed_in(self, work: Callable[[Visit], Awaitable[T]]) -> T:
        async def once() -> T:
            if self._visit is None:
                self._visit = await self._sign_in()
            try:
                return await work(self._visit)
            except Unauthenticated:
                self._visit = None
                raise

        return await insist(self._world, once)

    async def _sign_in(self) -> Visit:
        """Come in with the passkey or, where there is none that is taken, by invitation once more."""
        if self._device.keys:
            try:
                return await self._with_passkey()
            except Unauthenticated:
                self._device.keys.clear()
        invitation = await self._console.invite(self.seller_id, "Ana Example")
        visit = await self._world.visit(
            self.partner_id, "enter", lambda house: house.portal.enter(invitation)
        )
        return await self._set_up(visit)

    async def _set_up(self, visit: Visit) -> Visit:
        asked = await self._world.visit(
            self.partner_id, "begin_passkey", lambda house: house.security.begin_passkey(visit)
        )
        answer = CeremonyAnswer(asked.ceremony, self._device.create(asked.options_json))
        return await self._world.visit(
            self.partner_id,
            "register_passkey",
            lambda house: house.security.register_passkey(visit, answer, "Phone"),
        )

    async def _with_passkey(self) -> Visit:
        asked = await self._world.visit(
            self.partner_id, "ask_passkey", lambda house: house.entry.begin_passkey()
        )
        answer = CeremonyAnswer(asked.ceremony, self._device.get(asked.options_json))
        return await self._world.visit(
            self.partner_id, "with_passkey", lambda house: house.entry.with_passkey(answer)
        )
