"""The application's own tokens, by scope: one refresh per expiry over all replicas, sealed for the others.

Only what calls Amazon in the application's own name needs them: notifications' destinations, and the renewal
of the client secret. A token stays in no process's memory: these calls are rare, and opening it is cheap.
"""

from services.auth.model import lending
from services.auth.model.audit import SELF, Deed, Kind
from services.auth.model.grantless import GrantlessLease, Scope, SealedGrantless, grantless_place
from services.auth.model.lending import Lent
from services.auth.service.leasing import Leasing
from services.auth.service.ledger import Ledger
from services.auth.service.login import Login
from services.auth.service.ports import Ports


class GrantlessService:
    """Grantless tokens of the vendor's application."""

    def __init__(self, ports: Ports, ledger: Ledger, login: Login) -> None:
        self._ports = ports
        self._store = ports.store
        self._ledger = ledger
        self._login = login
        self._leasing = Leasing(ports)

    async def token(
        self, scope: Scope, application_id: str | None = None, *, refused_digest: bytes = b""
    ) -> Lent:
        """Return a usable token of one scope, for one application or the present one.

        Raises:
            ApplicationMissing: the vendor registered none.
            ApplicationRefused: the vendor must renew the application's secret.
            AuthorizationUnavailable, UpstreamInvalid: Amazon gives none now.
        """
        application = await self._store.find_application(application_id)
        shared = _GrantlessToken(
            self._ports, self._ledger, self._login, application_id=application.application_id, scope=scope
        )
        if refused_digest:
            await shared.forget(refused_digest)
        return await self._leasing.renew(shared)


class _GrantlessToken:
    """Fits `leasing.Shared`, for one application and scope."""

    def __init__(
        self, ports: Ports, ledger: Ledger, login: Login, *, application_id: str, scope: Scope
    ) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger
        self._login = login
        self._application_id = application_id
        self._scope = scope

    async def forget(self, refused_digest: bytes) -> None:
        """Forget the shared token when it is the one that Amazon did not take.

        It stays while it is younger than REPORT_AGE_S_MIN.
        """
        shared = await self._store.find_grantless(self._application_id, self._scope)
        held = await self._newer(shared, None)
        if held is None or not held.is_meant(refused_digest):
            return
        is_forgotten = await self._store.forget_grantless(
            self._application_id, self._scope, fence=held.fence, age_s_min=lending.REPORT_AGE_S_MIN
        )
        self._signals.reported("forgotten" if is_forgotten else "kept")

    async def find(self, held: Lent | None) -> Lent | None:
        """Return the shared token if it is usable and newer than the one held."""
        return await self._newer(await self._store.find_grantless(self._application_id, self._scope), held)

    async def acquire(self) -> GrantlessLease | None:
        """Return the lease; None while another holds it."""
        return await self._store.acquire_grantless(self._application_id, self._scope, lending.LEASE_S)

    async def look(self, lease: GrantlessLease, held: Lent | None) -> Lent | None:
        """Return what `find` would have returned when the lease was taken."""
        return await self._newer(lease.token, held)

    async def refresh(self, lease: GrantlessLease, *, until_s: float) -> Lent | None:
        """Return a newer token from Amazon, written; None when the lease was lost meanwhile.

        Raises:
            ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid: Amazon gives none now.
        """
        await self._login.check(self._application_id)
        details = {"application_id": self._application_id, "purpose": self._scope}
        await self._ledger.fact(Deed(kind=Kind.AMAZON_TOKEN_REQUESTED, actor=SELF, details=details))
        # An application that was registered by an older release has no key yet.
        await self._vault.create_application_key(self._application_id)
        grant = await self._login.fetch_grantless(self._application_id, self._scope, until_s=until_s)
        fresh = lending.lent(grant, self._clock.now(), lease.fence)
        place = grantless_place(self._application_id, self._scope, lease.fence)
        sealed = SealedGrantless(
            application_id=self._application_id,
            scope=self._scope,
            token_sealed=await self._vault.seal(place, fresh.token),
            expires_at=fresh.expires_at,
            fence=fresh.fence,
        )
        return fresh if await self._store.settle_grantless(sealed) else None

    async def release(self, lease: GrantlessLease) -> None:
        """Give the lease back if it is still held."""
        await self._store.release_grantless(self._application_id, self._scope, lease.fence)

    async def _newer(self, shared: SealedGrantless | None, held: Lent | None) -> Lent | None:
        if shared is None or not shared.is_newer(held, self._clock.now()):
            return None
        token = await self._vault.open(shared.place, shared.token_sealed)
        return Lent(token=token, expires_at=shared.expires_at, fence=shared.fence)
