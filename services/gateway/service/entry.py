"""Signing in: each way ends in a visit, or in one refusal that tells nothing (T-11)."""

from collections.abc import Iterator
from contextlib import contextmanager

import chassis.errors
from chassis.secrecy import Secret
from services.gateway.model.credentials import (
    Ceremony,
    CeremonyAnswer,
    PasswordLogin,
    ProviderAnswer,
    SignInRefused,
)
from services.gateway.model.people import Visit
from services.gateway.service.people_ports import WaysIn

# What auth may say of a wrong answer. Everything else is not about a guess and is told as it is: an outage,
# a lock, an account at the provider without a second factor.
_ABOUT_THE_ANSWER = (
    chassis.errors.Unauthenticated,
    chassis.errors.InvalidInput,
    chassis.errors.NotFound,
    chassis.errors.Gone,
)


class Entry:
    """Somebody without a session, who wants one.

    Every way raises SignInRefused for every wrong answer, LimitExceeded while a lock keeps people out because
    somebody guesses, and Unavailable when auth cannot tell.
    """

    def __init__(self, *, ways: WaysIn) -> None:
        self._ways = ways

    async def begin_passkey(self) -> Ceremony:
        """Return what a passkey is asked to answer."""
        return await self._ways.begin_passkey_sign_in()

    async def with_passkey(self, answer: CeremonyAnswer) -> Visit:
        """Return the visit that a passkey opens."""
        with _one_refusal():
            return await self._ways.sign_in_with_passkey(answer)

    async def with_password(self, login: PasswordLogin) -> Visit:
        """Return the visit that a password and a code open."""
        with _one_refusal():
            return await self._ways.sign_in_with_password(login)

    async def begin_provider(self, browser_secret: Secret[str], *, visit: Visit | None = None) -> str:
        """Return the address where the vendor's identity provider signs the person in.

        Args:
            browser_secret: known to this browser alone.
            visit: of the person whom the account at the provider is to be linked to, if it is.
        """
        return await self._ways.begin_provider_sign_in(browser_secret, visit)

    async def with_provider(self, browser_secret: Secret[str], answer: ProviderAnswer) -> Visit:
        """Return the visit that the provider's answer opens."""
        with _one_refusal():
            return await self._ways.complete_provider_sign_in(browser_secret, answer)


@contextmanager
def _one_refusal() -> Iterator[None]:
    try:
        yield
    except _ABOUT_THE_ANSWER as error:
        raise SignInRefused from error
