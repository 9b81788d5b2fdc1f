"""Sellers' access tokens as they are lent: what the replicas share, opened once per process.

What a process remembers counts only while it is what is shared, so a token that was replaced or forgotten
anywhere is not lent from memory. A caller for whom there is a usable token never waits for a newer one.
"""

from contextlib import suppress

from chassis.errors import SallyportError, Unavailable
from chassis.recent import Recent
from services.auth.model import lending
from services.auth.model.lending import Lent, SealedAccess, Source, Standing
from services.auth.service.gates import Gates
from services.auth.service.pauses import Pauses
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Refresher
from services.auth.service.seller_token import Errand

ENTRIES_MAX = 10_000


class AccessTokens:
    """Ordinary access tokens, one per consent."""

    def __init__(self, ports: Ports, refresher: Refresher) -> None:
        self._store = ports.store
        self._signals = ports.signals
        self._clock = ports.clock
        self._refresher = refresher
        self._opened: Recent[str, Lent] = Recent(ENTRIES_MAX)
        self._pauses: Pauses[str] = Pauses(ports.clock)
        self._gates: Gates[str] = Gates()

    async def lend(self, errand: Errand, standing: Standing, *, refused_digest: bytes = b"") -> Lent:
        """Return a usable access token for a consent that was found good.

        Args:
            errand: who wants it.
            standing: as it was found for this very call.
            refused_digest: of the token that Amazon did not take; that one is forgotten first.

        Raises:
            ConsentRevoked, ConsentExpired, ApplicationRefused, AuthorizationUnavailable
        """
        shared, seen_fence = standing.access, 0 if standing.access is None else standing.access.fence
        if shared is not None and refused_digest and await self._is_forgotten(shared, refused_digest):
            shared = None
        held = await self._open(errand.consent.consent_id, shared)
        source = Source.SHARED
        if held is None:
            held, source = await self._renewed(errand, seen_fence), Source.RENEWED
        await self._note(errand, standing)
        self._signals.lent("access", source)
        return held

    async def replace(self, errand: Errand, refused: Lent) -> Lent:
        """Return another token than one that Amazon did not take; the same when that is too young to be over.

        Raises:
            ConsentRevoked, ConsentExpired, ApplicationRefused, AuthorizationUnavailable
        """
        shared = await self._store.find_access(errand.consent.consent_id)
        is_shared = shared is not None and shared.fence == refused.fence
        if shared is not None and is_shared and not await self._refresher.forget(shared):
            return refused
        return await self._renewed(errand, refused.fence)

    async def _is_forgotten(self, shared: SealedAccess, digest: bytes) -> bool:
        held = await self._open(shared.consent_id, shared)
        if held is None or not held.is_meant(digest):
            return False
        is_forgotten = await self._refresher.forget(shared)
        self._signals.reported("forgotten" if is_forgotten else "kept")
        return is_forgotten

    async def _open(self, consent_id: str, shared: SealedAccess | None) -> Lent | None:
        """Return what is shared if it is usable, from memory or opened."""
        if shared is None or not shared.is_newer(None, self._clock.now()):
            return None
        held = self._opened.get(consent_id)
        if held is None or held.fence != shared.fence:
            held = await self._refresher.open(shared)
            self._opened.put(consent_id, held)
        return held

    async def _renewed(self, errand: Errand, seen_fence: int) -> Lent:
        """Return a token newer than the one seen: what somebody got while this caller waited, or Amazon's."""
        consent_id = errand.consent.consent_id
        async with self._gates.of(consent_id):
            held = self._opened.get(consent_id)
            if held is not None and held.fence > seen_fence and held.is_usable(self._clock.now()):
                return held
            self._pauses.check(consent_id)
            try:
                fresh = await self._refresher.renew(errand)
            except SallyportError as error:
                self._pauses.begin(consent_id, error)
                raise
            self._opened.put(consent_id, fresh)
            return fresh

    async def _note(self, errand: Errand, standing: Standing) -> None:
        """Keep that the seller is served, now and then; what is not noted is only not renewed ahead."""
        now = self._clock.now()
        if standing.lent_at is None or now - standing.lent_at >= lending.LENT_NOTED_EVERY:
            with suppress(Unavailable):
                await self._store.note_lent(errand.consent.consent_id, now)
