"""One seller's access token as the replicas share it: what `leasing` needs to know to have it refreshed.

A refusal by Amazon ends a consent only when it is repeated, with the token read anew, after
REFUSAL_CONFIRMED_AFTER; until then the answer is "not available" (R-08).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from services.auth.model import lending
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.consents import REFUSAL_CONFIRMED_AFTER, Consent, Ending
from services.auth.model.lending import Grant, Lease, Lent, Refreshed, SealedAccess
from services.auth.model.refusals import AuthorizationUnavailable, ConsentRevoked, GrantRefused
from services.auth.model.sealing import INTEGRITY_FAILURE
from services.auth.model.turns import CALLER_WAIT_S_MAX, RENEWAL_WAIT_S_MAX
from services.auth.service.ledger import Ledger
from services.auth.service.login import Login
from services.auth.service.ports import Ports, Sealer

PURPOSE_RENEW = "renew"
PURPOSE_CONFIRM = "confirm"

End = Callable[[Consent, Ending], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Why a token is wanted: the consent it comes from, who asks, and for what.

    Attributes:
        purpose: "access", "renew", "confirm", or an operation's method and path.
    """

    consent: Consent
    actor: Actor
    purpose: str

    @property
    def is_own(self) -> bool:
        """Whether auth itself wants it, so that nobody is lent the token."""
        return self.purpose in {PURPOSE_RENEW, PURPOSE_CONFIRM}


class SellerToken:
    """Fits `leasing.Shared`, for one errand."""

    def __init__(self, ports: Ports, ledger: Ledger, login: Login, *, errand: Errand, end: End) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._ledger = ledger
        self._login = login
        self._errand = errand
        self._end = end

    async def find(self, held: Lent | None) -> Lent | None:
        """Return the shared token if it is usable and newer than the one held."""
        return await self._newer(await self._store.find_access(self._errand.consent.consent_id), held)

    async def acquire(self) -> Lease | None:
        """Return the lease; None while another holds it."""
        return await self._store.acquire(self._errand.consent.consent_id, lending.LEASE_S)

    async def look(self, lease: Lease, held: Lent | None) -> Lent | None:
        """Return what `find` would have returned when the lease was taken."""
        return await self._newer(lease.access, held)

    async def refresh(self, lease: Lease, *, until_s: float) -> Lent | None:
        """Return a newer token from Amazon, written; None when the lease was lost meanwhile.

        Raises:
            ConsentRevoked, ConsentExpired: the seller must consent again.
            ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid: Amazon gives none now.
        """
        consent, now = lease.consent, self._clock.now()
        consent.check(now)
        if consent.doubt_s(now) > 0:
            raise AuthorizationUnavailable(retry_after_s=consent.doubt_s(now))
        await self._login.check(consent.application_id)
        await self._ledger.fact(_requested(self._errand))
        refresh_token = await self._refresh_token(consent)
        try:
            grant = await self._login.refresh(
                consent.application_id,
                refresh_token,
                until_s=until_s,
                patience_s=RENEWAL_WAIT_S_MAX if self._errand.is_own else CALLER_WAIT_S_MAX,
            )
        except GrantRefused as error:
            await self._note_refusal(lease)
            raise AuthorizationUnavailable(retry_after_s=REFUSAL_CONFIRMED_AFTER.total_seconds()) from error
        return await self._settle(lease, grant, refresh_token)

    async def release(self, lease: Lease) -> None:
        """Give the lease back if it is still held."""
        await self._store.release(lease.consent.consent_id, lease.fence)

    async def _newer(self, shared: SealedAccess | None, held: Lent | None) -> Lent | None:
        if shared is None or not shared.is_newer(held, self._clock.now()):
            return None
        return await opened(self._vault, shared)

    async def _refresh_token(self, consent: Consent) -> Secret[str]:
        if consent.refresh_token_sealed is None:
            raise ConsentRevoked
        try:
            return await self._vault.open(consent.refresh_token_place, consent.refresh_token_sealed)
        except Unavailable as error:
            if error.code == INTEGRITY_FAILURE:
                await self._end(consent, Ending.QUARANTINED)
            raise

    async def _note_refusal(self, lease: Lease) -> None:
        """Keep the first refusal in mind; end the consent on the repeated one."""
        if lease.consent.refused_at is None:
            await self._store.note_refusal(lease.consent.consent_id, lease.fence, self._clock.now())
            return
        await self._end(lease.consent, Ending.REFUSED)
        raise ConsentRevoked

    async def _settle(self, lease: Lease, grant: Grant, refresh_token: Secret[str]) -> Lent | None:
        consent, now = lease.consent, self._clock.now()
        fresh = lending.lent(grant, now, lease.fence)
        early_s = self._entropy.uniform(lending.RENEW_EARLY_S_MIN, lending.RENEW_EARLY_S_MAX)
        is_replaced = grant.refresh_token is not None and grant.refresh_token != refresh_token
        refreshed = Refreshed(
            access=await self._sealed(consent, fresh),
            renew_at=lending.renew_at(fresh.expires_at, now, early_s),
            refresh_token_sealed=(
                await self._vault.seal(consent.next_refresh_token_place, grant.refresh_token)
                if is_replaced and grant.refresh_token is not None
                else None
            ),
            refresh_version=consent.refresh_version + is_replaced,
            refreshed_at=now,
        )
        return fresh if await self._written(lease, refreshed) else None

    async def _sealed(self, consent: Consent, fresh: Lent) -> SealedAccess:
        place = lending.access_place(consent.seller_id, consent.consent_id, fresh.fence)
        return SealedAccess(
            consent_id=consent.consent_id,
            seller_id=consent.seller_id,
            token_sealed=await self._vault.seal(place, fresh.token),
            expires_at=fresh.expires_at,
            fence=fresh.fence,
        )

    async def _written(self, lease: Lease, refreshed: Refreshed) -> bool:
        """Return whether the outcome was written under the lease; storage gets a few moments to come back."""
        for _ in range(lending.SETTLE_ATTEMPTS_MAX - 1):
            try:
                return await self._store.settle(lease.consent.consent_id, lease.fence, refreshed)
            except Unavailable:
                await self._clock.sleep(lending.SETTLE_PAUSE_S)
        return await self._store.settle(lease.consent.consent_id, lease.fence, refreshed)


async def opened(vault: Sealer, shared: SealedAccess) -> Lent:
    """Return a shared token.

    Raises:
        Unavailable: `integrity_failure` when it was not sealed for its row.
    """
    token = await vault.open(shared.place, shared.token_sealed)
    return Lent(token=token, expires_at=shared.expires_at, fence=shared.fence)


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
