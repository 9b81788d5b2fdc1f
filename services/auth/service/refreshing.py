"""Sellers' tokens: got for a consent's code, refreshed for whoever wants one, renewed ahead, forgotten.

Each refresh goes through the lease on its token (`leasing`), so there is one per expiry over all replicas,
whoever wants it (R-09).
"""

from datetime import datetime, timedelta

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from services.auth.model import lending
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.consents import Consent, Ending
from services.auth.model.lending import Grant, Lent, SealedAccess
from services.auth.model.refusals import GrantInUse
from services.auth.service import seller_token
from services.auth.service.leasing import Leasing
from services.auth.service.ledger import Ledger
from services.auth.service.login import Login
from services.auth.service.ports import Ports
from services.auth.service.seller_token import PURPOSE_CONFIRM, PURPOSE_RENEW, Errand, SellerToken


class Refresher:
    """Asks Amazon for access tokens, under their leases."""

    def __init__(self, ports: Ports, ledger: Ledger, login: Login) -> None:
        self._ports = ports
        self._store = ports.store
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._ledger = ledger
        self._login = login
        self._leasing = Leasing(ports)

    async def exchange_code(self, application_id: str, code: Secret[str], redirect_uri: str) -> Grant:
        """Return what a consent's code is worth; a code works once.

        Raises:
            GrantRefused, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid
        """
        return await self._login.exchange_code(application_id, code, redirect_uri)

    async def renew(self, errand: Errand) -> Lent:
        """Return a usable token, be it one that another replica shared.

        Raises:
            ConsentRevoked, ConsentExpired: the seller must consent again.
            ApplicationRefused: the vendor must renew the application's secret.
            AuthorizationUnavailable: Amazon gives no answer, or its refusal is in doubt.
        """
        return await self._leasing.renew(self._token(errand))

    async def renew_due(self) -> bool:
        """Renew one token that was lent lately and whose time has come; False when it is better to rest now.

        That is when there is none, or when somebody said to come back later. What fails is tried again, and
        meanwhile its old token goes on serving (R-08).
        """
        now, asked_s = self._clock.now(), self._clock.monotonic_s()
        lease = await self._store.take_due(now, now - lending.USED_LATELY, lending.LEASE_S)
        if lease is None:
            return False
        token = self._token(Errand(consent=lease.consent, actor=SELF, purpose=PURPOSE_RENEW))
        try:
            await self._leasing.refresh(token, lease, asked_s=asked_s)
        except SallyportError as error:
            again_s = self._entropy.uniform(lending.RENEW_AGAIN_S_MIN, lending.RENEW_AGAIN_S_MAX)
            again_at = self._clock.now() + timedelta(seconds=max(again_s, error.retry_after_s or 0.0))
            await self._store.put_off(lease.consent.consent_id, lease.fence, again_at)
            return error.retry_after_s is None
        return True

    async def confirm(self, consent: Consent) -> None:
        """Ask Amazon again about a consent that it refused, whatever token is shared meanwhile.

        Raises:
            SallyportError: as `renew`.
        """
        asked_s = self._clock.monotonic_s()
        lease = await self._store.acquire(consent.consent_id, lending.LEASE_S)
        if lease is None:
            return
        token = self._token(Errand(consent=lease.consent, actor=SELF, purpose=PURPOSE_CONFIRM))
        if lease.consent.refused_at is None:
            # Somebody else was faster.
            await token.release(lease)
        else:
            await self._leasing.refresh(token, lease, asked_s=asked_s)

    async def open(self, shared: SealedAccess) -> Lent:
        """Return a shared token.

        Raises:
            Unavailable: `integrity_failure` when it was not sealed for its row.
        """
        return await seller_token.opened(self._ports.vault, shared)

    async def forget(self, shared: SealedAccess) -> bool:
        """Forget a shared token that Amazon is said to refuse; False when it stays.

        It stays while it is younger than REPORT_AGE_S_MIN, or when it was replaced already.
        """
        return await self._store.forget_access(shared.consent_id, shared.fence, lending.REPORT_AGE_S_MIN)

    async def end(self, consent: Consent, ending: Ending, who: Actor = SELF) -> None:
        """End a consent and destroy its refresh token; a QUARANTINED one is kept for inquiry."""
        async with self._ledger.effect(_ended(consent, ending, who)):
            if await self._store.end_consent(consent.consent_id, ending, self._clock.now()):
                self._signals.ended("consent", ending)

    async def retire(self, consent: Consent, *, used_before: datetime) -> None:
        """End a consent that is idle.

        Raises:
            GrantInUse: it was used again meanwhile, or has ended; nothing changed.
        """
        consent_id, now = consent.consent_id, self._clock.now()
        async with self._ledger.effect(_ended(consent, Ending.IDLE, SELF)):
            if not await self._store.end_consent(consent_id, Ending.IDLE, now, used_before=used_before):
                raise GrantInUse
        self._signals.ended("consent", Ending.IDLE)

    def _token(self, errand: Errand) -> SellerToken:
        return SellerToken(self._ports, self._ledger, self._login, errand=errand, end=self.end)


def _ended(consent: Consent, ending: Ending, who: Actor) -> Deed:
    details = {"consent_id": consent.consent_id, "region": consent.region, "reason": ending}
    return Deed(kind=Kind.CONSENT_REVOKED, actor=who, seller_id=consent.seller_id, details=details)
