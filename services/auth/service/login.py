"""Login with Amazon (LWA), asked in turn: within the application's pace over all replicas, at most twice.

- Each request takes a turn of its own, a second attempt too (R-10). What LWA says to the whole application is
  noted where all replicas see it: how long to hold back, and that it refuses the application itself.
- `invalid_client` is the vendor's trouble: one alarm and one audit fact when it begins, and from then on one
  request each PROBE_S, whoever wants a token, until LWA takes the application again or its secret is renewed.
- The client secrets are read for each request, and held only while they are used (T-20).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from chassis.secrecy import Secret
from services.auth.model import turns
from services.auth.model.audit import SELF, Deed, Kind
from services.auth.model.consents import Credentials
from services.auth.model.grantless import Scope
from services.auth.model.lending import Grant
from services.auth.model.refusals import (
    AmazonThrottled,
    ApplicationPaused,
    ApplicationRefused,
    AuthorizationUnavailable,
    GrantRefused,
    TurnTooFar,
)
from services.auth.model.turns import CALLER_WAIT_S_MAX, Pace
from services.auth.service.credentials import CredentialService
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.retrying import retried
from services.auth.service.turns import Turnstile

# What a token is asked for that shows whether a secret is accepted; it is not used.
TRIAL = "client_secret"

Ask = Callable[[Credentials], Awaitable[Grant]]


@dataclass
class _Presentation:
    """One showing of an application's secrets, each in a turn of its own; a probe's turn serves them all."""

    is_probe: bool = False


class Login:
    """LWA's token endpoint, for everybody in this process who asks it."""

    def __init__(self, ports: Ports, ledger: Ledger, *, credentials: CredentialService, pace: Pace) -> None:
        self._store = ports.store
        self._credentials = credentials
        self._amazon = ports.amazon
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._ledger = ledger
        self._turnstile = Turnstile(ports, pace)

    async def exchange_code(self, application_id: str, code: Secret[str], redirect_uri: str) -> Grant:
        """Return what a consent's code is worth.

        Raises:
            GrantRefused, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        return await self._ask(
            application_id,
            lambda credentials: self._amazon.exchange_code(credentials, code, redirect_uri),
            until_s=self._clock.monotonic_s() + CALLER_WAIT_S_MAX,
        )

    async def refresh(
        self,
        application_id: str,
        refresh_token: Secret[str],
        *,
        until_s: float,
        patience_s: float = CALLER_WAIT_S_MAX,
    ) -> Grant:
        """Return a fresh access token; LWA is not asked after the monotonic moment `until_s`.

        Raises:
            GrantRefused, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        return await self._ask(
            application_id,
            lambda credentials: self._amazon.refresh(credentials, refresh_token),
            until_s=until_s,
            patience_s=patience_s,
        )

    async def fetch_grantless(self, application_id: str, scope: Scope, *, until_s: float) -> Grant:
        """Return a token of the application's own; LWA is not asked after the monotonic moment `until_s`.

        Raises:
            ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        return await self._ask(
            application_id,
            lambda credentials: self._amazon.grantless(credentials, scope),
            until_s=until_s,
        )

    async def try_secret(self, application_id: str, credentials: Credentials) -> None:
        """Return if LWA accepts a client secret, be it kept or not; nobody else is told of the answer.

        While LWA refuses the application no turn is awaited: a new secret is what may end that.

        Raises:
            ApplicationRefused: it does not.
            AuthorizationUnavailable, UpstreamInvalid, AuditUnavailable: that is not known.
        """
        details = {"application_id": application_id, "purpose": TRIAL}
        await self._ledger.fact(Deed(kind=Kind.AMAZON_TOKEN_REQUESTED, actor=SELF, details=details))

        async def once() -> Grant:
            until_s = self._clock.monotonic_s() + CALLER_WAIT_S_MAX
            with suppress(ApplicationPaused):
                await self._turnstile.enter(application_id, patience_s=CALLER_WAIT_S_MAX, until_s=until_s)
            return await self._amazon.grantless(credentials, Scope.ROTATION)

        await retried(once, self._clock, self._entropy)

    async def check(self, application_id: str) -> None:
        """Return if there is a point in preparing to ask.

        Raises:
            ApplicationRefused, AuthorizationUnavailable: LWA is not to be asked for a while.
        """
        try:
            await self._turnstile.check(application_id)
        except ApplicationPaused as error:
            raise ApplicationRefused(retry_after_s=error.retry_after_s) from error

    async def _ask(
        self, application_id: str, ask: Ask, *, until_s: float, patience_s: float = CALLER_WAIT_S_MAX
    ) -> Grant:
        async def once() -> Grant:
            presentation = _Presentation()

            async def in_turn(credentials: Credentials) -> Grant:
                if not presentation.is_probe:
                    presentation.is_probe = await self._turnstile.enter(
                        application_id, patience_s=patience_s, until_s=until_s
                    )
                return await ask(credentials)

            async with self._heard(application_id, presentation):
                return await self._credentials.present(await self._credentials.find(application_id), in_turn)

        return await retried(once, self._clock, self._entropy)

    @asynccontextmanager
    async def _heard(self, application_id: str, presentation: _Presentation) -> AsyncIterator[None]:
        """Take note of what LWA's answer says about the application."""
        try:
            yield
        except ApplicationPaused as error:
            raise ApplicationRefused(retry_after_s=error.retry_after_s) from error
        except ApplicationRefused as error:
            await self._note_refusal(application_id)
            raise ApplicationRefused(retry_after_s=turns.PROBE_S) from error
        except TurnTooFar:
            # Said by ourselves. Held back for that, everybody would wait for everybody, for ever.
            raise
        except AuthorizationUnavailable as error:
            await self._note_hold(application_id, error)
            raise
        except GrantRefused:
            # Only an application that was let in is told so.
            await self._note_welcome(application_id, presentation)
            raise
        await self._note_welcome(application_id, presentation)

    async def _note_welcome(self, application_id: str, presentation: _Presentation) -> None:
        if presentation.is_probe:
            await self._store.end_refusal(application_id)

    async def _note_hold(self, application_id: str, error: AuthorizationUnavailable) -> None:
        """Hold every replica back when LWA named a time, or said that the application asks too often."""
        is_throttled = isinstance(error, AmazonThrottled)
        hold_s = error.retry_after_s or (turns.THROTTLED_HOLD_S if is_throttled else 0.0)
        if hold_s > 0:
            self._signals.held_back()
            await self._store.hold_turns(application_id, hold_s)

    async def _note_refusal(self, application_id: str) -> None:
        """Raise the alarm once for all replicas and all sellers."""
        if await self._store.begin_refusal(application_id):
            self._signals.application_refused()
            details = {"application_id": application_id}
            await self._ledger.refusal(
                Deed(kind=Kind.APPLICATION_REFUSED, actor=SELF, result="invalid_client", details=details)
            )
