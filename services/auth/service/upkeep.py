"""What must happen without anybody asking; each method is one bounded run, and repeating it is harmless."""

from contextlib import suppress

from chassis.errors import SallyportError
from services.auth.model.consents import CONSENT_IDLE_MAX, REFUSAL_CONFIRMED_AFTER
from services.auth.model.devices import DEVICE_IDLE_MAX
from services.auth.model.refusals import GrantInUse
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Refresher

PURGED_ROWS_MAX = 5_000
DOUBTFUL_ROWS_MAX = 20
IDLE_ROWS_MAX = 50
# One run of one worker; the next follows within seconds.
RENEWED_ROWS_MAX = 500


class Upkeep:
    """Auth's periodic work."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        *,
        devices: DeviceService,
        refresher: Refresher,
    ) -> None:
        self._store = ports.store
        self._clock = ports.clock
        self._ledger = ledger
        self._devices = devices
        self._refresher = refresher

    async def purge(self) -> int:
        """Remove what is over from storage; return how many rows went."""
        return await self._store.purge(self._clock.now(), PURGED_ROWS_MAX)

    async def settle(self) -> int:
        """Tell the audit log what it may have missed; return how many events that were."""
        return await self._ledger.settle()

    async def confirm_refusals(self) -> int:
        """Ask Amazon again about consents that it refused some minutes ago; return how many."""
        refused_before = self._clock.now() - REFUSAL_CONFIRMED_AFTER
        doubtful = await self._store.list_doubtful(refused_before, DOUBTFUL_ROWS_MAX)
        for consent in doubtful:
            try:
                await self._refresher.confirm(consent)
            except SallyportError:
                continue
        return len(doubtful)

    async def renew_ahead(self) -> int:
        """Renew tokens that are due, one by one, until none is or it is better to rest; return how many.

        Any number of workers, of any number of replicas, may do so at the same time.
        """
        for renewed in range(RENEWED_ROWS_MAX):
            if not await self._refresher.renew_due():
                return renewed
        return RENEWED_ROWS_MAX

    async def retire_idle(self) -> int:
        """Disable the grants that nobody used for too long (T-18); return how many that were."""
        now, retired = self._clock.now(), 0
        used_before = now - CONSENT_IDLE_MAX
        for consent in await self._store.list_idle(used_before, IDLE_ROWS_MAX):
            with suppress(GrantInUse):
                await self._refresher.retire(consent, used_before=used_before)
                retired += 1
        used_before = now - DEVICE_IDLE_MAX
        for device in await self._store.list_idle_devices(used_before, IDLE_ROWS_MAX):
            with suppress(GrantInUse):
                await self._devices.retire(device, used_before=used_before)
                retired += 1
        return retired
