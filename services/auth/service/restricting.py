"""Restricted data tokens: one for each operation and set of data elements, kept for its hour.

Asked for by the operation's template, one serves all calls of a seller, whichever device makes them. They are
each process's own: Amazon counts how often they are asked for by seller, and there are few of them.
"""

from dataclasses import dataclass

from chassis.errors import Unavailable
from chassis.recent import Recent
from services.auth.model import lending
from services.auth.model.audit import Deed, Kind
from services.auth.model.lending import Grant, Lent, Source, Standing
from services.auth.model.refusals import AccessTokenRefused, RestrictionRefused
from services.auth.model.restricted import Resource
from services.auth.service.access import AccessTokens
from services.auth.service.gates import Gates
from services.auth.service.ledger import Ledger
from services.auth.service.pauses import Pauses
from services.auth.service.ports import Ports
from services.auth.service.retrying import retried
from services.auth.service.seller_token import Errand

ENTRIES_MAX = 20_000

Key = tuple[str, Resource]


@dataclass(frozen=True)
class _Kept:
    """A restricted token, and when it came by the monotonic clock."""

    lent: Lent
    fetched_s: float


class RestrictedTokens:
    """Restricted data tokens, by consent and resource."""

    def __init__(self, ports: Ports, ledger: Ledger, access: AccessTokens) -> None:
        self._amazon = ports.amazon
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._ledger = ledger
        self._access = access
        self._kept: Recent[Key, _Kept] = Recent(ENTRIES_MAX)
        self._pauses: Pauses[Key] = Pauses(ports.clock)
        self._gates: Gates[Key] = Gates()

    async def lend(
        self, errand: Errand, resource: Resource, standing: Standing, *, refused_digest: bytes = b""
    ) -> Lent:
        """Return a usable restricted token under a consent that was found good.

        Args:
            errand: who wants it.
            resource: what it is to be good for.
            standing: as it was found for this very call.
            refused_digest: of the token that Amazon did not take; that one is forgotten first.

        Raises:
            RestrictionRefused: Amazon gives none for this.
            ConsentRevoked, ConsentExpired, ApplicationRefused, AuthorizationUnavailable
        """
        key = (errand.consent.consent_id, resource)
        async with self._gates.of(key):
            kept = self._kept.get(key)
            if kept is not None and refused_digest and self._is_over(kept, refused_digest):
                kept = None
            if kept is not None and kept.lent.is_usable(self._clock.now()):
                self._signals.lent("restricted", Source.SHARED)
                return kept.lent
            self._pauses.check(key)
            try:
                fresh = await self._fetch(errand, resource, standing)
            except (Unavailable, RestrictionRefused) as error:
                self._pauses.begin(key, error)
                raise
            self._kept.put(key, _Kept(fresh, self._clock.monotonic_s()))
            self._signals.lent("restricted", Source.RENEWED)
            return fresh

    def _is_over(self, kept: _Kept, digest: bytes) -> bool:
        """Return whether this is the token reported, and old enough for the report to be believed."""
        if not kept.lent.is_meant(digest):
            return False
        is_old = self._clock.monotonic_s() - kept.fetched_s >= lending.REPORT_AGE_S_MIN
        self._signals.reported("forgotten" if is_old else "kept")
        return is_old

    async def _fetch(self, errand: Errand, resource: Resource, standing: Standing) -> Lent:
        access = await self._access.lend(errand, standing)
        if resource.target_application:
            await self._ledger.fact(_delegated(errand, resource))
        try:
            grant = await self._ask(errand, resource, access)
        except AccessTokenRefused:
            another = await self._access.replace(errand, access)
            if another.token == access.token:
                raise
            grant = await self._ask(errand, resource, another)
        return lending.lent(grant, self._clock.now())

    async def _ask(self, errand: Errand, resource: Resource, access: Lent) -> Grant:
        return await retried(
            lambda: self._amazon.restrict(errand.consent.region, access.token, resource),
            self._clock,
            self._entropy,
        )


def _delegated(errand: Errand, resource: Resource) -> Deed:
    return Deed(
        kind=Kind.TOKEN_DELEGATED,
        actor=errand.actor,
        seller_id=errand.consent.seller_id,
        details={
            "consent_id": errand.consent.consent_id,
            "target_application": resource.target_application,
            "operation": resource.restriction.name,
            "data_elements": " ".join(resource.restriction.data_elements),
        },
    )
