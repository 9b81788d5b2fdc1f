"""A whole auth on fakes, with the vendor's application registered; and the steps that people take in it.

`House.replica` is another process on the same database, key service, audit log and Amazon: it remembers
nothing. With a fuse it dies at one of its steps, as by kill -9.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import chassis.clock
from chassis.secrecy import Secret
from fakes.auth_amazon import FakeAmazon
from fakes.auth_audit import FakeAudit, FakeSignals
from fakes.auth_people_edges import FakeHasher, FakeProvider
from fakes.auth_safe import FakeSafe
from fakes.auth_store import FakeStore
from fakes.auth_tables import Tables
from fakes.auth_vault import FakeVault
from fakes.clock import FakeClock
from fakes.entropy import FakeEntropy
from fakes.passkey_device import ORIGIN, PasskeyDevice
from services.auth.model.consents import AccountKind, Application, Callback, OpenConsent, Region
from services.auth.model.device_facts import DeviceFacts, KeyStorage, Platform
from services.auth.model.devices import Authorization, Redemption
from services.auth.model.lending import Lent
from services.auth.model.loans import Budget, LendingTerms, Loan
from services.auth.model.marketplaces import ConsentPages, Marketplace
from services.auth.model.roles import Role
from services.auth.model.rotation import RotationPlan
from services.auth.model.sealing import STAFF
from services.auth.model.tokens import TokenSet
from services.auth.model.turns import Pace
from services.auth.passkeys import Passkeys
from services.auth.passwords import AuthenticatorApps
from services.auth.service import NOT_HEARD, UseCases, compose
from services.auth.service.members import Invited
from services.auth.service.ports import Ports

APPLICATION = Application(
    application_id="amzn1.sellerapps.app.0a1b2c3d-0000-4000-8000-000000000001",
    client_id="amzn1.application-oa2-client.0a1b2c3d4e5f",
    is_draft=False,
)
CLIENT_ID = "desktop"
FACTS = DeviceFacts(platform=Platform.LINUX, app_version="4.2.0", key_storage=KeyStorage.FILE)
REDIRECT = "http://127.0.0.1:49152/callback"
US, CA, DE, IE = "ATVPDKIKX0DER", "A2EUQ1WTGCTBG2", "A1PA6795UKMFR9", "A28R8C7NBKEWEA"


def _marketplace(marketplace_id: str, country: str, region: Region, *, domain: str) -> Marketplace:
    return Marketplace(
        marketplace_id=marketplace_id,
        country=country,
        region=region,
        seller_host=f"sc.{domain}",
        vendor_host=f"vc.{domain}",
    )


PAGES = ConsentPages(
    marketplaces={
        US: _marketplace(US, "US", Region.NA, domain="example.com"),
        CA: _marketplace(CA, "CA", Region.NA, domain="example.ca"),
        DE: _marketplace(DE, "DE", Region.EU, domain="example.de"),
        IE: Marketplace(marketplace_id=IE, country="IE", region=Region.EU, seller_host="sc.example.ie"),
    },
    redirect_uri="https://gateway.example/consent/callback",
)
DELEGATE = "amzn1.sellerapps.app.0a1b2c3d-0000-4000-8000-000000000009"
# Far beyond what a test asks for; those about pace and budget bring their own.
TERMS = LendingTerms(
    pace=Pace(rate_per_s=1_000.0, burst=1_000), budget=Budget(), delegates=frozenset({DELEGATE})
)

P = TypeVar("P")


class RestlessClock(FakeClock):
    """A fake clock that passes whatever time somebody sleeps, after giving the others a turn."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(0)
        self.pass_(max(delay_s, 0.0))


class Crash(BaseException):
    """The process died."""


class Fuse:
    """Lets the process die at one of its steps; counts them all. Nothing happens after a death."""

    def __init__(self, step: int | None = None) -> None:
        self._step = step
        self.steps = 0

    def burn(self) -> None:
        self.steps += 1
        if self._step is not None and self.steps >= self._step:
            raise Crash


class _Guarded:
    def __init__(self, port: object, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        method = getattr(self._port, name)

        async def call(*args: object, **kwargs: object) -> object:
            self._fuse.burn()
            answer = await method(*args, **kwargs)
            self._fuse.burn()
            return answer

        return call


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    seller_id: str
    session_token: Secret[str]
    user_id: str
    device: PasskeyDevice


@dataclass(frozen=True)
class Desktop:
    """A bound device with what it holds; `code` is the authorization code or the device code."""

    device_id: str
    key: str
    code: Secret[str]
    tokens: TokenSet


@dataclass(frozen=True)
class Waiting:
    """A desktop that shows a user code."""

    device_code: Secret[str]
    user_code: str


@dataclass
class House:
    clock: FakeClock = field(default_factory=RestlessClock)
    tables: Tables = field(default_factory=Tables)
    vault: FakeVault = field(default_factory=FakeVault)
    safe: FakeSafe = field(default_factory=FakeSafe)
    hasher: FakeHasher = field(default_factory=FakeHasher)
    provider: FakeProvider = field(default_factory=FakeProvider)
    audit: FakeAudit = field(default_factory=FakeAudit)
    signals: FakeSignals = field(default_factory=FakeSignals)
    store_type: type[FakeStore] = FakeStore
    terms: LendingTerms = TERMS
    rotation: RotationPlan = NOT_HEARD

    def __post_init__(self) -> None:
        self.amazon = FakeAmazon(self.clock)
        self.entropy = FakeEntropy(7)
        self._partners = 0
        self.use = self.replica()

    def replica(self, fuse: Fuse | None = None) -> UseCases:
        """Return the use cases of a fresh process; with a fuse, one that dies at its step."""
        store = self.store_type(self.clock, self.tables)
        ports = self.ports(store)
        if fuse is not None:
            names = ("store", "vault", "amazon", "safe", "audit")
            ports = replace(ports, **{name: guarded(getattr(ports, name), fuse) for name in names})
        use = compose(ports, PAGES, frozenset({CLIENT_ID}), terms=self.terms, rotation=self.rotation)
        store.listeners.append(use.news.tell)
        use.news.open()
        return use

    def ports(self, store: FakeStore) -> Ports:
        """Return what a process stands on, with its way to storage."""
        return Ports(
            store=store,
            vault=self.vault,
            amazon=self.amazon,
            passkeys=Passkeys(ORIGIN),
            hasher=self.hasher,
            codes=AuthenticatorApps(self.clock, "gateway.example"),
            provider=self.provider,
            safe=self.safe,
            audit=self.audit,
            signals=self.signals,
            clock=chassis.clock.SteadyClock(self.clock),
            entropy=self.entropy,
            request_id=lambda: "request-0001",
        )

    async def register(self, application: Application = APPLICATION) -> None:
        await self.use.admin.register_application(application, Secret(self.amazon.secret))

    async def person(self, seller_name: str = "Blue Kettle Ltd", user_name: str = "Ana Example") -> Person:
        """Return a user of a new seller, signed in; the application is registered on the way."""
        await self.register()
        seller_id = await self.use.admin.create_seller(seller_name)
        return await self.colleague(seller_id, user_name)

    async def invite(
        self, seller_id: str, user_name: str = "Ben Example", role: Role = Role.OWNER
    ) -> Invited:
        members = self.use.people.members
        if role.is_staff:
            return await members.invite_staff(user_name, role)
        return await members.invite_user(seller_id, user_name, role)

    async def colleague(
        self, seller_id: str, user_name: str = "Ben Example", role: Role = Role.OWNER
    ) -> Person:
        """Return somebody who came by invitation, set up a passkey, and so may do all that the role may."""
        invited = await self.invite(seller_id, user_name, role)
        token, _ = await self.use.sessions.redeem_invitation(invited.invitation)
        device = PasskeyDevice(seed=self.entropy.token(8).hex())
        passkeys = self.use.people.passkeys
        ceremony, options = await passkeys.begin_registration(token)
        _, opened = await passkeys.register(
            token, ceremony.text, credential_json=device.create(options), name="Phone"
        )
        assert opened is not None
        return Person(seller_id, opened[0], invited.user_id, device)

    async def staff(self, role: Role = Role.SECURITY) -> Person:
        """Return somebody of the vendor's staff, signed in."""
        return await self.colleague(STAFF, "Sam Example", role)

    async def begin(
        self, person: Person, marketplace_id: str = US, kind: AccountKind = AccountKind.SELLER
    ) -> str:
        """Return the state in the address of the consent page."""
        url = await self.use.consents.begin(person.session_token, marketplace_id, kind)
        return parse_qs(urlsplit(url.reveal()).query)["state"][0]

    def callback(self, state: str, selling_partner_id: str | None = None) -> Callback:
        """Return what Amazon sends back when somebody consents."""
        self._partners += 1
        code = f"AN{self._partners:06d}"
        self.amazon.codes.add(code)
        partner_id = selling_partner_id or f"A{self._partners:08d}"
        return Callback(state=state, selling_partner_id=partner_id, code=Secret(code))

    async def connect(
        self, person: Person, marketplace_id: str = US, selling_partner_id: str | None = None
    ) -> OpenConsent:
        state = await self.begin(person, marketplace_id)
        callback = self.callback(state, selling_partner_id)
        return await self.use.consents.complete(person.session_token, callback)

    async def authorize(self, person: Person, **changes: object) -> Secret[str]:
        return await self.use.enrolment.authorize(person.session_token, authorization(**changes))

    async def bound(self, person: Person, key: str = "first") -> Desktop:
        """Return a device that was enrolled with a code and a key."""
        code = await self.authorize(person)
        tokens = await self.use.enrolment.exchange(redemption(code, key=key))
        found = await self.use.tokens.introspect(tokens.access_token)
        return Desktop(found.named.device.device_id, thumbprint(key), code, tokens)

    async def begin_grant(self, **changes: object) -> Waiting:
        """Return a desktop that waits to be let in."""
        asked = {"client_id": CLIENT_ID, "scopes": ("orders",), "facts": FACTS, **changes}
        device_code, letters = await self.use.device_grants.begin(**asked)  # type: ignore[arg-type]
        return Waiting(device_code, letters)

    async def redeem_grant(self, waiting: Waiting, key: str = "first") -> TokenSet:
        return await self.use.device_grants.redeem(CLIENT_ID, waiting.device_code, thumbprint(key))

    async def approve_grant(self, person: Person, waiting: Waiting, *withheld: str) -> None:
        await self.use.device_grants.approve(
            person.session_token, waiting.user_code, "Packing table", withheld_scopes=withheld
        )

    async def granted(self, person: Person, key: str = "first") -> Desktop:
        """Return a device that was let in on another machine's browser."""
        waiting = await self.begin_grant()
        await self.approve_grant(person, waiting)
        tokens = await self.redeem_grant(waiting, key)
        found = await self.use.tokens.introspect(tokens.access_token)
        return Desktop(found.named.device.device_id, thumbprint(key), waiting.device_code, tokens)

    async def compat(self, person: Person) -> tuple[str, Secret[str]]:
        return await self.use.enrolment.enrol_compat(person.session_token, "Back office")

    async def refresh(self, desktop: Desktop, refresh_token: Secret[str] | None = None) -> TokenSet:
        shown = refresh_token or desktop.tokens.refresh_token
        return await self.use.tokens.refresh_bound(CLIENT_ID, shown, desktop.key)

    async def lend(self, device_id: str, region: Region = Region.NA, **changes: object) -> Lent:
        """Return what a gateway borrows for a device, from the present process."""
        return await self.use.lending.lend(loan(device_id, region, **changes))

    def pass_(self, span: timedelta) -> None:
        self.clock.pass_(span.total_seconds())


def guarded(port: P, fuse: Fuse) -> P:
    """Return the port with a fuse before and after each of its calls."""
    return cast("P", _Guarded(port, fuse))


def verifier(word: str = "first") -> str:
    return f"verifier-{word}-".ljust(64, "v")


def thumbprint(key: str) -> str:
    return _base64url(hashlib.sha256(f"key {key}".encode()).digest())


def loan(device_id: str, region: Region = Region.NA, **changes: object) -> Loan:
    """Return a gateway's request for an ordinary token, but for the changes."""
    asked = Loan(borrower="gateway/1", device_id=device_id, region=region)
    return replace(asked, **changes)  # type: ignore[arg-type]


def authorization(**changes: object) -> Authorization:
    """Return a desktop's request that is in order, but for the changes."""
    asked = Authorization(
        client_id=CLIENT_ID,
        redirect_uri=REDIRECT,
        code_challenge=_base64url(hashlib.sha256(verifier().encode()).digest()),
        scopes=("orders",),
        device_name="Packing table",
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def redemption(code: Secret[str], key: str = "first") -> Redemption:
    """Return a desktop's token request that is in order."""
    return Redemption(
        client_id=CLIENT_ID,
        redirect_uri=REDIRECT,
        key_thumbprint=thumbprint(key),
        code=code,
        code_verifier=Secret(verifier()),
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
