"""Amazon's token endpoints in memory: grants what it was told exists, and fails as a test scripts it."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chassis.clock import Clock
from chassis.secrecy import Secret
from services.auth.model.consents import Credentials, Region
from services.auth.model.credentials import SECRET_LIFE, SECRET_OVERLAP
from services.auth.model.grantless import Scope
from services.auth.model.lending import Grant
from services.auth.model.refusals import (
    AccessTokenRefused,
    ApplicationRefused,
    GrantRefused,
    RestrictionRefused,
)
from services.auth.model.restricted import Resource
from services.auth.model.secret_refusals import RotationRefused, RotationUnenrolled

LIFE_S = 3600


@dataclass
class FakeAmazon:
    """One application, its sellers' grants, and a record of what was asked.

    Attributes:
        secret: the newest client secret; it and the older ones are accepted.
        secret_ends: until when each is; one that is not here has no end.
        is_enrolled: whether a rotation has a queue to tell of the new secret.
        rotated: called with each new secret.
        codes: consent codes that can be exchanged once.
        refresh_tokens: those that are alive.
        faults: raised by the next calls, one each, before anything happens.
        calls: how often each thing was asked.
        takes_s: how long each answer takes.
        rotates: whether a refresh gives a new refresh token.
        names_refresh_tokens: whether an answer says which refresh token to keep.
        meanwhile: called while a refresh is under way.
        ended: access tokens that are not taken any more.
        asked_s: when Login with Amazon was asked.
        delegated: to which applications restricted tokens were given.
        granted: how many access tokens were given for refresh tokens.
        in_flight_max: how many refreshes were under way at once; `in_flight_each_max`: for one refresh token.
    """

    clock: Clock
    secret: str = "amzn1.oa2-cs.v1.fake"
    older_secrets: set[str] = field(default_factory=set)
    secret_ends: dict[str, datetime] = field(default_factory=dict)
    is_enrolled: bool = True
    rotated: Callable[[str], None] | None = None
    codes: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    roles_missing: bool = False
    rotates: bool = False
    names_refresh_tokens: bool = True
    takes_s: float = 0.0
    faults: deque[Exception] = field(default_factory=deque)
    calls: Counter[str] = field(default_factory=Counter)
    in_flight_max: int = 0
    in_flight_each_max: int = 0
    meanwhile: Callable[[], None] | None = None
    ended: set[str] = field(default_factory=set)
    asked_s: list[float] = field(default_factory=list)
    delegated: list[str] = field(default_factory=list)
    granted: int = 0
    _in_flight: int = 0
    _refreshing: Counter[str] = field(default_factory=Counter)
    _minted: int = 0

    async def exchange_code(self, credentials: Credentials, code: Secret[str], redirect_uri: str) -> Grant:
        self._begin("exchange", credentials)
        if code.reveal() not in self.codes or not redirect_uri:
            raise GrantRefused
        self.codes.remove(code.reveal())
        return self._grant(self._mint_refresh_token())

    async def refresh(self, credentials: Credentials, refresh_token: Secret[str]) -> Grant:
        self._in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self._in_flight)
        self._refreshing[refresh_token.reveal()] += 1
        self.in_flight_each_max = max(self.in_flight_each_max, self._refreshing[refresh_token.reveal()])
        try:
            self._begin("refresh", credentials)
            await self.clock.sleep(self.takes_s)
            if self.meanwhile is not None:
                self.meanwhile()
            if refresh_token.reveal() not in self.refresh_tokens:
                raise GrantRefused
            self.granted += 1
            return self._grant(self._mint_refresh_token() if self.rotates else refresh_token)
        finally:
            self._in_flight -= 1
            self._refreshing[refresh_token.reveal()] -= 1

    async def grantless(self, credentials: Credentials, scope: Scope) -> Grant:
        self._begin(f"grantless {scope}", credentials)
        await self.clock.sleep(self.takes_s)
        token = Secret(f"Atza|grantless-{self._next()}")
        return Grant(access_token=token, refresh_token=None, expires_in_s=LIFE_S)

    async def rotate_secret(self, region: Region, access_token: Secret[str]) -> None:
        self._begin(f"rotate {region}")
        if not access_token.reveal().startswith("Atza|grantless-"):
            raise RotationRefused
        if not self.is_enrolled:
            raise RotationUnenrolled
        self.renew_secret()
        if self.rotated is not None:
            self.rotated(self.secret)

    def renew_secret(self) -> None:
        """Make a new secret; the one before it has 7 days left."""
        now = self.clock.now()
        self.older_secrets.add(self.secret)
        self.secret_ends[self.secret] = now + SECRET_OVERLAP
        self.secret = f"amzn1.oa2-cs.v1.{self._next()}"
        self.secret_ends[self.secret] = now + SECRET_LIFE

    async def restrict(self, region: Region, access_token: Secret[str], resource: Resource) -> Grant:
        self._begin(f"restrict {region}")
        if access_token.reveal() in self.ended or not access_token.reveal().startswith("Atza|"):
            raise AccessTokenRefused
        if self.roles_missing:
            raise RestrictionRefused
        if resource.target_application:
            self.delegated.append(resource.target_application)
        token = Secret(f"Atz.sprdt|{self._next()}|{resource.restriction.name}".replace(" ", "_"))
        return Grant(access_token=token, refresh_token=None, expires_in_s=LIFE_S)

    def _begin(self, what: str, credentials: Credentials | None = None) -> None:
        self.calls[what] += 1
        if credentials is not None:
            self.asked_s.append(self.clock.monotonic_s())
        if self.faults:
            raise self.faults.popleft()
        if credentials is not None:
            shown = credentials.client_secret.reveal()
            is_over = shown in self.secret_ends and self.clock.now() >= self.secret_ends[shown]
            if is_over or shown not in {self.secret, *self.older_secrets}:
                raise ApplicationRefused

    def _grant(self, refresh_token: Secret[str]) -> Grant:
        access_token = Secret(f"Atza|{self._next()}")
        named = refresh_token if self.names_refresh_tokens else None
        return Grant(access_token=access_token, refresh_token=named, expires_in_s=LIFE_S)

    def _mint_refresh_token(self) -> Secret[str]:
        token = f"Atzr|{self._next()}"
        self.refresh_tokens.add(token)
        return Secret(token)

    def _next(self) -> str:
        self._minted += 1
        return f"fake-{self._minted:06d}"
