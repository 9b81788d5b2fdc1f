"""The two ways in which a desktop gets its tokens, as clients of either profile behave."""

import base64
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from chassis.errors import LimitExceeded, SallyportError, Unavailable
from chassis.secrecy import Secret
from sallyport.simulate.houses.auth import CLIENT_ID
from sallyport.simulate.houses.gateway import GatewayHouse
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.people import REDIRECT, Person
from sallyport.simulate.watching import Desk
from sallyport.simulate.world import World
from services.gateway.model.calls import Proof
from services.gateway.model.native import CodeGrant, RefreshGrant, TokenSet
from services.gateway.model.people import CompatCredentials

ACCESS_LIFE = timedelta(seconds=3_600)

NO_VERDICT = (Unavailable, LimitExceeded)
"""What says nothing about the token that was shown."""


@dataclass(frozen=True)
class Access:
    """An access token, and until when its holder may count on it."""

    token: Secret[str]
    ends_at: datetime


class Profile(Protocol):
    """How a desktop gets its tokens. Refusals, and answers that never came, are SallyportErrors."""

    proof: Proof | None

    async def enrol(self, name: str) -> str:
        """Become a new device of this name, which nobody used before; return its id."""
        ...

    async def refresh(self) -> Access:
        """Return a fresh access token."""
        ...


class Bound:
    """Bound to a key of its own; each refresh token is used up by its successor."""

    def __init__(self, world: World, person: Person, desk: Desk) -> None:
        self._world = world
        self._person = person
        self._desk = desk
        self._refresh_token = Secret("")
        self._shown_at: datetime | None = None
        self._thumbprint = _sha256(f"key of {desk.name}")
        self.proof: Proof | None = Proof(self._thumbprint)

    async def enrol(self, name: str) -> str:
        """Become a new device of this name; return its id."""
        verifier = f"verifier-of-{name.replace(' ', '-')}".ljust(64, "v")
        code = await self._person.approve(name, _sha256(verifier))
        grant = CodeGrant(
            client_id=CLIENT_ID, code=code, code_verifier=Secret(verifier), redirect_uri=REDIRECT
        )
        await self._redeem(grant)
        return await self._person.find_device(name)

    async def refresh(self) -> Access:
        """Return a fresh access token; the refresh token shown is replaced by the one in the answer."""
        is_first = self._shown_at is None
        # Shown again, it gives what it gave the first time, as old as that is by now.
        self._shown_at = self._shown_at or self._world.clock.now()
        ends_at = self._shown_at + ACCESS_LIFE
        grant = RefreshGrant(client_id=CLIENT_ID, refresh_token=self._refresh_token)
        try:
            tokens = await self._redeem(grant)
        except SallyportError as error:
            # One that was shown before and is shown again too late ends the device, and rightly (T-03).
            is_lost = is_first and not isinstance(error, NO_VERDICT) and self._desk.revoked_at_s is None
            _note_token(self._world, not is_lost, f"{self._desk.name}: {error.code} for a new refresh token")
            raise
        return Access(tokens.access_token, ends_at)

    async def _redeem(self, grant: CodeGrant | RefreshGrant) -> TokenSet:
        tokens = await self._world.visit(
            self._desk.name, "redeem", lambda house: house.native_apps.redeem(grant, self._thumbprint)
        )
        self._refresh_token, self._shown_at = tokens.refresh_token, None
        return tokens


class Compat:
    """A program with an unmodified library: one refresh token for good."""

    proof: Proof | None = None

    def __init__(self, world: World, person: Person, desk: Desk) -> None:
        self._world = world
        self._person = person
        self._desk = desk
        self._credentials = CompatCredentials("", Secret(""))

    async def enrol(self, name: str) -> str:
        """Become a new device of this name; return its id."""
        self._credentials = await self._person.enrol_program(name)
        return self._credentials.device_id

    async def refresh(self) -> Access:
        """Return a fresh access token."""
        held, ends_at = self._credentials, self._world.clock.now() + ACCESS_LIFE

        def work(house: GatewayHouse) -> Coroutine[Any, Any, TokenSet]:
            return house.library_apps.refresh(held.device_id, held.refresh_token)

        try:
            tokens = await self._world.visit(self._desk.name, "refresh", work)
        except SallyportError as error:
            is_lost = not isinstance(error, NO_VERDICT) and self._desk.revoked_at_s is None
            _note_token(self._world, not is_lost, f"{self._desk.name}: {error.code} for its refresh token")
            raise
        return Access(tokens.access_token, ends_at)


MakeProfile = Callable[[World, Person, Desk], Profile]


def _note_token(world: World, is_kept: bool, evidence: str) -> None:
    world.tally.check(Invariant.TOKENS_KEPT, is_kept, evidence)


def _sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
