"""Getting an access token from Amazon: once per expiry, whichever replica does it (R-09).

Whoever wants a newer token either finds that another replica shared one, or takes the lease, looks again
at what is stored, asks Amazon, and writes the outcome in one step that only the lease's holder can make.
The new token is used after that, never before. A holder that dies leaves a lease that ends by itself.

A refusal by Amazon ends a consent only when it is repeated, with the token read anew, after
REFUSAL_CONFIRMED_AFTER; until then the answer is "not available" (R-08).
"""

from contextlib import suppress
from dataclasses import dataclass

from chassis.errors import SallyportError, Unavailable
from chassis.secrecy import Secret
from services.auth.model import lending
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.consents import REFUSAL_CONFIRMED_AFTER, Consent, Ending
from services.auth.model.lending import Grant, Lease, Lent, Refreshed, SealedAccess
from services.auth.model.refusals import AuthorizationUnavailable, ConsentRevoked, GrantRefused
from services.auth.service.credentials import CredentialService
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.retrying import retried

INTEGRITY_FAILURE = "integrity_failure"


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Why a token is wanted: the consent it comes from, who asks, and for what.

    Attributes:
        purpose: "access", "confirm", or an operation's method and path.
    """

    consent: Consent
    actor: Actor
    purpose: str


class Refresher:
    """Asks Amazon for access tokens, under a lease."""

    def __init__(self, ports: Ports, ledger: Ledger, *, credentials: CredentialService) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._amazon = ports.amazon
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._ledger = ledger
        self._credentials = credentials

    async def renew(self, errand: Errand, held: Lent | None) -> Lent:
        """Return a newer token than the one held; the held one while it is usable and another renews it.

        Raises:
            ConsentRevoked, ConsentExpired: the seller must consent again.
            ApplicationRefused: the vendor must renew the application's secret.
            AuthorizationUnavailable: Amazon gives no answer, or its refusal is in doubt.
        """
        try:
            return await self._renew(errand, held)
        except SallyportError as error:
            self._signals.refreshed(error.code)
            raise

    async def end(self, consent: Consent, ending: Ending, who: Actor = SELF) -> None:
        """End a consent and destroy its refresh token; a QUARANTINED one is kept for inquiry."""
        details = {"consent_id": consent.consent_id, "region": consent.region, "reason": ending}
        deed = Deed(kind=Kind.CONSENT_REVOKED, actor=who, seller_id=consent.seller_id, details=details)
        async with self._ledger.effect(deed):
            if await self._store.end_consent(consent.consent_id, ending, self._clock.now()):
                self._signals.ended("consent", ending)

    async def _renew(self, errand: Errand, held: Lent | None) -> Lent:
        consent_id = errand.consent.consent_id
        for _ in range(lending.WAITS_MAX):
            shared = await self._store.find_access(consent_id)
            if shared is not None and shared.is_newer(held, self._clock.now()):
                return await self._open(shared)
            # A lease runs from the moment it is given, which may be long before we hear of it.
            asked_s = self._clock.monotonic_s()
            lease = await self._store.acquire(consent_id, lending.LEASE_S)
            if lease is not None:
                renewed = await self._renew_under(lease, errand, held=held, asked_s=asked_s)
                if renewed is not None:
                    return renewed
            elif held is not None and held.is_usable(self._clock.now()):
                return held
            await self._clock.sleep(self._entropy.uniform(lending.WAIT_S_MIN, lending.WAIT_S_MAX))
        raise AuthorizationUnavailable(retry_after_s=lending.LEASE_S)

    async def _renew_under(
        self, lease: Lease, errand: Errand, *, held: Lent | None, asked_s: float
    ) -> Lent | None:
        """Return the newer token; None when the lease was lost meanwhile."""
        try:
            if lease.access is not None and lease.access.is_newer(held, self._clock.now()):
                shared = await self._open(lease.access)
                await self._store.release(lease.consent.consent_id, lease.fence)
                return shared
            renewed = await self._refresh(lease, errand, asked_s=asked_s)
        except BaseException:
            with suppress(Unavailable):
                await self._store.release(lease.consent.consent_id, lease.fence)
            raise
        self._signals.refreshed("lease_lost" if renewed is None else "done")
        return renewed

    async def _refresh(self, lease: Lease, errand: Errand, *, asked_s: float) -> Lent | None:
        consent, now = lease.consent, self._clock.now()
        consent.check(now)
        if consent.doubt_s(now) > 0:
            raise AuthorizationUnavailable(retry_after_s=consent.doubt_s(now))
        await self._ledger.fact(_requested(errand))
        refresh_token = await self._refresh_token(consent)
        secrets = await self._credentials.find(consent.application_id)
        if self._clock.monotonic_s() - asked_s > lending.LEASE_START_S_MAX:
            raise AuthorizationUnavailable(retry_after_s=lending.LEASE_S)
        try:
            grant = await retried(
                lambda: self._credentials.present(
                    secrets, lambda credentials: self._amazon.refresh(credentials, refresh_token)
                ),
                self._clock,
                self._entropy,
            )
        except GrantRefused as error:
            await self._note_refusal(lease)
            raise AuthorizationUnavailable(retry_after_s=REFUSAL_CONFIRMED_AFTER.total_seconds()) from error
        return await self._settle(lease, grant, refresh_token)

    async def _refresh_token(self, consent: Consent) -> Secret[str]:
        if consent.refresh_token_sealed is None:
            raise ConsentRevoked
        try:
            return await self._vault.open(consent.refresh_token_place, consent.refresh_token_sealed)
        except Unavailable as error:
            if error.code == INTEGRITY_FAILURE:
                await self.end(consent, Ending.QUARANTINED)
            raise

    async def _note_refusal(self, lease: Lease) -> None:
        """Keep the first refusal in mind; end the consent on the repeated one."""
        if lease.consent.refused_at is None:
            await self._store.note_refusal(lease.consent.consent_id, lease.fence, self._clock.now())
            return
        await self.end(lease.consent, Ending.REFUSED)
        raise ConsentRevoked

    async def _settle(self, lease: Lease, grant: Grant, refresh_token: Secret[str]) -> Lent | None:
        consent, now = lease.consent, self._clock.now()
        lent = lending.lent(grant, now)
        place = lending.access_place(consent.seller_id, consent.consent_id, lease.fence)
        access = SealedAccess(
            consent_id=consent.consent_id,
            seller_id=consent.seller_id,
            token_sealed=await self._vault.seal(place, lent.token),
            expires_at=lent.expires_at,
            fence=lease.fence,
        )
        next_sealed = None
        if grant.refresh_token is not None and grant.refresh_token != refresh_token:
            next_sealed = await self._vault.seal(consent.next_refresh_token_place, grant.refresh_token)
        refreshed = Refreshed(access=access, refresh_token_sealed=next_sealed, refreshed_at=now)
        is_kept = await self._store.settle(consent.consent_id, lease.fence, refreshed)
        return lent if is_kept else None

    async def _open(self, shared: SealedAccess) -> Lent:
        token = await self._vault.open(shared.place, shared.token_sealed)
        return Lent(token=token, expires_at=shared.expires_at)


def _requested(errand: Errand) -> Deed:
    return Deed(
        kind=Kind.AMAZON_TOKEN_REQUESTED,
        actor=errand.actor,
        seller_id=errand.consent.seller_id,
        details={
            "consent_id": errand.consent.consent_id,
            "region": errand.consent.region,
            "purpose": errand.purpose,
        },
    )
