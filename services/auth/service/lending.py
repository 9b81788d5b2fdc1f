"""Lending Amazon's tokens to the gateway: cached in memory, renewed before they end, shared by waiters.

- A device gets what its own seller granted, for one region, and nothing when it is revoked (T-19).
- A masked read of personal data needs a restricted token as much as a full one, so the device's scope
  does not matter here: the gateway masks.
- While Amazon's authorization service is down, tokens that are still good go on serving (R-08).
"""

from dataclasses import dataclass
from datetime import timedelta

from chassis.errors import SallyportError, Unavailable
from services.auth.model import lending, words
from services.auth.model.audit import Actor
from services.auth.model.consents import Region
from services.auth.model.devices import Device
from services.auth.model.lending import Lent, Remembered, Restriction, Source
from services.auth.model.refusals import DeviceNotFound, RestrictionRefused
from services.auth.service.memory import Gates, Memory
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Errand, Refresher
from services.auth.service.retrying import retried

ACCESS_ENTRIES_MAX = 10_000
RESTRICTED_ENTRIES_MAX = 20_000
PAUSES_MAX = 10_000
# Callers who come within this time after a failure share it, so that Amazon is not asked by each of them.
PAUSE_S = 3.0
PURPOSE_ACCESS = "access"

Key = tuple[str, Restriction | None]


@dataclass(frozen=True)
class _Pause:
    error: SallyportError
    until_s: float


class LendingService:
    """Amazon's tokens, one seller and one region at a time."""

    def __init__(self, ports: Ports, refresher: Refresher) -> None:
        self._store = ports.store
        self._amazon = ports.amazon
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._refresher = refresher
        self._access: Memory[str, Remembered] = Memory(ACCESS_ENTRIES_MAX)
        self._restricted: Memory[Key, Lent] = Memory(RESTRICTED_ENTRIES_MAX)
        self._pauses: Memory[Key, _Pause] = Memory(PAUSES_MAX)
        self._gates: Gates[Key] = Gates()

    async def lend(self, device_id: str, region: Region, restriction: Restriction | None) -> Lent:
        """Return an access token, or a restricted data token for one operation, of the device's seller.

        Raises:
            DeviceNotFound, DeviceRevoked: the device may not have any.
            ConsentMissing, ConsentRevoked, ConsentExpired: the seller must consent (again).
            InvalidRestriction, RestrictionRefused: not for this operation.
            ApplicationRefused, AuthorizationUnavailable: Amazon gives none now.
        """
        if restriction is not None:
            restriction.check()
        device = await self._find_device(device_id)
        consent = await self._store.find_consent(device.seller_id, region)
        consent.check(self._clock.now())
        actor = Actor(kind="device", actor_id=device_id)
        if restriction is None:
            return await self.access(Errand(consent=consent, actor=actor, purpose=PURPOSE_ACCESS))
        purpose = f"{restriction.method} {restriction.path}"
        return await self._restrict(Errand(consent=consent, actor=actor, purpose=purpose), restriction)

    async def access(self, errand: Errand) -> Lent:
        """Return an access token for a consent that was found good.

        Raises:
            ConsentRevoked, ConsentExpired, ApplicationRefused, AuthorizationUnavailable
        """
        consent_id = errand.consent.consent_id
        quiet = self._remembered(consent_id)
        if quiet is not None:
            return quiet
        gate = self._gates.of((consent_id, None))
        held = self._access.get(consent_id)
        if held is not None and held.lent.is_usable(self._clock.now()) and gate.locked():
            return self._lent(held.lent, Source.MEMORY)
        async with gate:
            return self._remembered(consent_id) or await self._renewed(errand)

    def _remembered(self, consent_id: str) -> Lent | None:
        held = self._access.get(consent_id)
        if held is None or not held.is_quiet(self._clock.now()):
            return None
        return self._lent(held.lent, Source.MEMORY)

    async def _renewed(self, errand: Errand) -> Lent:
        consent_id = errand.consent.consent_id
        held = self._access.get(consent_id)
        usable = held.lent if held is not None and held.lent.is_usable(self._clock.now()) else None
        self._check_pause((consent_id, None))
        try:
            fresh = await self._refresher.renew(errand, usable)
        except SallyportError as error:
            if usable is None or not isinstance(error, Unavailable):
                self._pause((consent_id, None), error)
                raise
            fresh = usable
        early_s = self._entropy.uniform(lending.RENEW_EARLY_S_MIN, lending.RENEW_EARLY_S_MAX)
        renew_at = fresh.expires_at - timedelta(seconds=early_s)
        if fresh is usable:
            renew_at = self._clock.now() + timedelta(seconds=lending.RENEW_AGAIN_S)
        self._access.put(consent_id, Remembered(lent=fresh, renew_at=renew_at))
        return self._lent(fresh, Source.RENEWED)

    async def _restrict(self, errand: Errand, restriction: Restriction) -> Lent:
        key = (errand.consent.consent_id, restriction)
        async with self._gates.of(key):
            kept = self._restricted.get(key)
            if kept is not None and kept.is_usable(self._clock.now()):
                self._signals.lent("restricted", Source.MEMORY)
                return kept
            self._check_pause(key)
            access = await self.access(errand)
            try:
                grant = await retried(
                    lambda: self._amazon.restrict(errand.consent.region, access.token, restriction),
                    self._clock,
                    self._entropy,
                )
            except (Unavailable, RestrictionRefused) as error:
                self._pause(key, error)
                raise
            fresh = lending.lent(grant, self._clock.now())
            self._restricted.put(key, fresh)
            self._signals.lent("restricted", Source.RENEWED)
            return fresh

    async def _find_device(self, device_id: str) -> Device:
        if not words.is_id(device_id):
            raise DeviceNotFound
        device = await self._store.find_device(device_id)
        device.check()
        return device

    def _lent(self, lent: Lent, source: Source) -> Lent:
        self._signals.lent("access", source)
        return lent

    def _pause(self, key: Key, error: SallyportError) -> None:
        self._pauses.put(key, _Pause(error, self._clock.monotonic_s() + PAUSE_S))

    def _check_pause(self, key: Key) -> None:
        pause = self._pauses.get(key)
        if pause is not None and self._clock.monotonic_s() < pause.until_s:
            raise type(pause.error)(pause.error.text, retry_after_s=pause.error.retry_after_s)
