"""Sellers, people, consents and desktops in storage, fake or Postgres, as the tests of auth need them."""

import asyncio
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import chassis.db
from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.consents import Application, Consent, Region, State
from services.auth.model.devices import Code, Device, Profile, Revocation
from services.auth.model.lending import Refreshed, SealedAccess
from services.auth.model.people import Invitation, NewSession, Seller, User
from services.auth.model.restricted import Restriction
from services.auth.model.roles import Role
from services.auth.model.tokens import Enrolment, NewAccess
from services.auth.store import Store

AnyStore = FakeStore | Store

_numbers = count(1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
APPLICATION = Application(application_id="amzn1.sellerapps.app.1", client_id="client", is_draft=True)


async def fake() -> FakeStore:
    store = FakeStore(FakeClock())
    await store.register_application(APPLICATION, START)
    return store


async def real(pool: chassis.db.Pool) -> Store:
    store = Store(pool)
    await store.register_application(APPLICATION, START)
    return store


def new_id() -> str:
    return str(UUID(int=next(_numbers)))


def digest() -> bytes:
    return next(_numbers).to_bytes(32, "big")


async def seller(store: AnyStore) -> Seller:
    made = Seller(seller_id=new_id(), name_sealed="sealed name", created_at=START)
    await store.create_seller(made)
    return made


async def user(store: AnyStore, seller_id: str) -> tuple[User, Invitation]:
    made = User(
        user_id=new_id(),
        seller_id=seller_id,
        role=Role.OWNER,
        name_sealed="sealed user",
        created_at=START,
    )
    invitation = Invitation(invitation_digest=digest(), user_id=made.user_id, expires_at=START + DAY)
    await store.invite_user(made, invitation)
    return made, invitation


def session_for(owner: User) -> NewSession:
    return NewSession(
        session_id=new_id(),
        token_digest=digest(),
        user_id=owner.user_id,
        opened_at=START,
        expires_at=START + DAY,
    )


def state(seller_id: str) -> State:
    return State(
        state_digest=digest(),
        session_id=new_id(),
        seller_id=seller_id,
        marketplace_id="A1",
        region=Region.EU,
        application_id=APPLICATION.application_id,
        expires_at=START + DAY,
    )


def consent(seller_id: str, region: Region = Region.EU, granted_at: datetime = START) -> Consent:
    return Consent(
        consent_id=new_id(),
        seller_id=seller_id,
        region=region,
        marketplace_id=f"marketplace {region}",
        application_id=APPLICATION.application_id,
        selling_partner_sealed="sealed partner",
        refresh_token_sealed="sealed refresh token",
        granted_at=granted_at,
        expires_at=granted_at + timedelta(days=365),
        used_at=granted_at,
    )


async def connected(store: AnyStore, region: Region = Region.EU) -> Consent:
    made = consent((await seller(store)).seller_id, region)
    await store.record_consent(made, digest())
    return made


def device(owner: User, enrolled_at: datetime = START, profile: Profile = Profile.BOUND) -> Device:
    return Device(
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        profile=profile,
        scopes=("orders",),
        client_id="desktop",
        key_thumbprint="k" * 43 if profile is Profile.BOUND else "",
        name_sealed="sealed device",
        enrolled_at=enrolled_at,
        used_at=enrolled_at,
    )


async def enrolled(
    store: AnyStore, owner: User | None = None, enrolled_at: datetime = START
) -> tuple[Device, bytes]:
    owner = owner or (await user(store, (await seller(store)).seller_id))[0]
    made, refresh_digest = device(owner, enrolled_at), digest()
    await store.enrol(Enrolment(device=made, refresh_digest=refresh_digest))
    return made, refresh_digest


def access(issued_at: datetime = START, *restrictions: Restriction) -> NewAccess:
    return NewAccess(token_digest=digest(), issued_at=issued_at, restrictions=restrictions)


def code(owner: User) -> Code:
    return Code(
        code_digest=digest(),
        device_id=new_id(),
        seller_id=owner.seller_id,
        user_id=owner.user_id,
        client_id="desktop",
        redirect_uri="http://127.0.0.1:1/",
        code_challenge="c" * 43,
        name_sealed="sealed device",
        expires_at=START + SECOND,
    )


def refreshed(held: Consent, fence: int, refresh_token_sealed: str | None = None) -> Refreshed:
    shared = SealedAccess(
        consent_id=held.consent_id,
        seller_id=held.seller_id,
        token_sealed=f"sealed access token {fence}",
        expires_at=START + timedelta(hours=1),
        fence=fence,
    )
    return Refreshed(
        access=shared,
        renew_at=START + timedelta(minutes=50),
        refresh_token_sealed=refresh_token_sealed,
        refresh_version=held.refresh_version + (refresh_token_sealed is not None),
        refreshed_at=START + SECOND,
    )


class Ear:
    """Hears a store's news, be it the fake's or Postgres'."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Revocation] = asyncio.Queue()
        self.is_open = asyncio.Event()

    async def listen(self, store: AnyStore) -> asyncio.Task[None] | None:
        if isinstance(store, FakeStore):
            store.listeners.append(self.heard.put_nowait)
            return None
        listening = asyncio.create_task(
            store.listen(FakeClock(), opened=self.is_open.set, tell=self.heard.put_nowait)
        )
        await self.is_open.wait()
        return listening

    async def next(self) -> Revocation:
        async with asyncio.timeout(10):
            return await self.heard.get()
