"""A tiny Amazon for the deterministic runs: consents, tokens, orders with a buyer behind each.

Both services see it through their own ports: auth as LWA and Tokens API, the gateway as SP-API. It misbehaves
a little until `calm`: it is busy, throttles, and refuses a good refresh token once in a while, which real
sellers see too (Source: SP-API field reports, models#2840). Whoever watches is told what reached it.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from chassis.clock import Clock
from chassis.secrecy import Secret
from sallyport.simulate import orders
from sallyport.simulate.orders import Order
from services.auth.model.consents import Credentials
from services.auth.model.consents import Region as AuthRegion
from services.auth.model.grantless import Scope
from services.auth.model.lending import Grant
from services.auth.model.refusals import (
    ApplicationRefused,
    AuthorizationUnavailable,
    GrantRefused,
    RestrictionRefused,
)
from services.auth.model.restricted import Resource
from services.auth.model.secret_refusals import RotationUnenrolled
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest

CLIENT_SECRET = "amzn1.oa2-cs.v1.simulated"  # noqa: S105 - of a simulation
LIFE_S = 3_600
CODE_LIFE = timedelta(minutes=5)
ANSWERS_S_MAX = (0.5, 1.5, 4.9)
BUSY_SHARES = (0.02, 0.05, 0.2)
"""How slow and how busy it is, of which each run draws one."""

ALARM_SHARE = 0.1
ROTATION_SHARE = 0.3


class Watch(Protocol):
    """Who looks at what reaches Amazon, at that very moment."""

    def refreshing(self, partner_id: str, in_flight: int) -> None:
        """See a refresh begin, with how many of the seller's are now in flight."""
        ...

    def used(self, refresh_token: str) -> None:
        """See a token used that came with this refresh token."""
        ...

    def showing(self, order: Order) -> None:
        """See an answer made that holds a buyer's data."""
        ...


@dataclass
class _Account:
    in_flight: int = 0
    was_alarmed: bool = False


@dataclass(frozen=True)
class _Token:
    partner_id: str
    refresh_token: str
    expires_at: datetime
    path: str = ""


@dataclass
class Amazon:
    """Every seller's account.

    Attributes:
        is_calm: nothing of its own goes wrong.
        is_alarming: it may refuse a good refresh token, once for each seller.
        refreshes: how many access tokens were given for a refresh token.
    """

    clock: Clock
    choices: random.Random
    watch: Watch
    is_calm: bool = False
    is_alarming: bool = True
    refreshes: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    _accounts: dict[str, _Account] = field(default_factory=dict)
    _codes: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _refresh_tokens: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, _Token] = field(default_factory=dict)
    _made: int = 0

    def __post_init__(self) -> None:
        self._answer_s_max = self.choices.choice(ANSWERS_S_MAX)
        self._busy_share = self.choices.choice(BUSY_SHARES)

    def consent(self, partner_id: str) -> str:
        """Return the code that a seller's consent gives; it is good once."""
        code = f"AN{self._next()}"
        self._codes[code] = (partner_id, self.clock.now() + CODE_LIFE)
        return code

    async def exchange_code(self, credentials: Credentials, code: Secret[str], redirect_uri: str) -> Grant:
        """Return what a code is worth."""
        await self._answer_login(credentials)
        partner_id, until = self._codes.pop(code.reveal(), ("", self.clock.now()))
        if not partner_id or not redirect_uri or self.clock.now() >= until:
            raise GrantRefused
        return self._grant(partner_id, self._new_refresh_token(partner_id))

    async def refresh(self, credentials: Credentials, refresh_token: Secret[str]) -> Grant:
        """Return a fresh access token; older refresh tokens stay alive."""
        partner_id = self._refresh_tokens.get(refresh_token.reveal())
        if partner_id is None:
            raise GrantRefused
        account = self._accounts.setdefault(partner_id, _Account())
        account.in_flight += 1
        self.watch.refreshing(partner_id, account.in_flight)
        try:
            await self._answer_login(credentials)
        finally:
            account.in_flight -= 1
        if self._raises_alarm(account):
            raise GrantRefused
        self.refreshes += 1
        is_rotated = self.choices.random() < ROTATION_SHARE
        kept = self._new_refresh_token(partner_id) if is_rotated else refresh_token.reveal()
        return self._grant(partner_id, kept)

    async def grantless(self, credentials: Credentials, scope: Scope) -> Grant:
        """Return a token of the application's own; nothing here takes one."""
        await self._answer_login(credentials)
        token = Secret(f"Atza|{self._next()}|{scope}")
        return Grant(access_token=token, refresh_token=None, expires_in_s=LIFE_S)

    async def rotate_secret(self, region: AuthRegion, access_token: Secret[str]) -> None:
        """Refuse to make a new client secret: nobody here has a queue to hear of it."""
        await self._work()
        assert region
        assert access_token.reveal()
        raise RotationUnenrolled

    async def restrict(self, region: AuthRegion, access_token: Secret[str], resource: Resource) -> Grant:
        """Return a restricted data token."""
        await self._work()
        token = self._tokens.get(access_token.reveal())
        if not region or token is None or token.expires_at <= self.clock.now():
            raise RestrictionRefused
        self.watch.used(token.refresh_token)
        text = f"Atz.sprdt|{self._next()}"
        path = resource.restriction.path
        self._tokens[text] = _Token(token.partner_id, token.refresh_token, self._end(), path)
        return Grant(access_token=Secret(text), refresh_token=None, expires_in_s=LIFE_S)

    async def send(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Return SP-API's answer."""
        await self._work()
        token = self._tokens.get(request.token.reveal())
        if token is None or token.expires_at <= self.clock.now():
            return orders.failure(403, "Unauthorized", "The access token you provided has expired.")
        self.watch.used(token.refresh_token)
        if self._is_busy():
            return orders.failure(self.choices.choice((429, 500, 503)), "InternalFailure", "Come back later.")
        path = orders.parse(request.path)
        order = self.orders.get(path.order_id)
        if order is None or order.partner_id != token.partner_id:
            return orders.failure(404, "NotFound", "No such order.")
        if path.is_restricted and token.path != orders.ADDRESS_TEMPLATE:
            return orders.failure(403, "Unauthorized", "A restricted data token is needed.")
        if path.shows_buyer:
            self.watch.showing(order)
        return orders.success(path, order)

    async def _answer_login(self, credentials: Credentials) -> None:
        await self._work()
        if credentials.client_secret.reveal() != CLIENT_SECRET:
            raise ApplicationRefused
        if self._is_busy():
            raise AuthorizationUnavailable(retry_after_s=5.0)

    async def _work(self) -> None:
        await self.clock.sleep(self.choices.uniform(0.0, self._answer_s_max))

    def _is_busy(self) -> bool:
        return not self.is_calm and self.choices.random() < self._busy_share

    def _raises_alarm(self, account: _Account) -> bool:
        is_possible = self.is_alarming and not self.is_calm and not account.was_alarmed
        is_raised = is_possible and self.choices.random() < ALARM_SHARE
        account.was_alarmed |= is_raised
        return is_raised

    def _grant(self, partner_id: str, refresh_token: str) -> Grant:
        text = f"Atza|{self._next()}"
        self._tokens[text] = _Token(partner_id, refresh_token, self._end())
        return Grant(access_token=Secret(text), refresh_token=Secret(refresh_token), expires_in_s=LIFE_S)

    def _new_refresh_token(self, partner_id: str) -> str:
        text = f"Atzr|{self._next()}"
        self._refresh_tokens[text] = partner_id
        return text

    def _end(self) -> datetime:
        return self.clock.now() + timedelta(seconds=LIFE_S)

    def _next(self) -> str:
        self._made += 1
        return f"{self._made:08d}"
