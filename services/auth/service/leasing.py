"""One refresh per expiry over all replicas: a token that they share, and the lease on its refresh (R-09).

Whoever wants a newer token either finds that another replica shared one, or takes the lease, looks again at
what is stored, asks Amazon, and writes the outcome in one step that only the lease's holder can make. The new
token is used after that, never before. A holder that dies leaves a lease that ends by itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol, TypeVar

from chassis.errors import SallyportError, Unavailable
from services.auth.model import lending
from services.auth.model.lending import Lent
from services.auth.model.refusals import AuthorizationUnavailable
from services.auth.service.ports import Ports

L = TypeVar("L")


class Shared(Protocol[L]):
    """A token that the replicas share; `L` is the lease on its refresh."""

    async def find(self, held: Lent | None) -> Lent | None:
        """Return the shared token if it is usable and newer than the one held."""
        ...

    async def acquire(self) -> L | None:
        """Return the lease, for LEASE_S from now; None while another holds it."""
        ...

    async def look(self, lease: L, held: Lent | None) -> Lent | None:
        """Return what `find` would have returned when the lease was taken."""
        ...

    async def refresh(self, lease: L, *, until_s: float) -> Lent | None:
        """Return a newer token from Amazon, written and usable; None when the lease was lost meanwhile.

        Args:
            lease: held.
            until_s: the monotonic moment after which Amazon is not asked any more.
        """
        ...

    async def release(self, lease: L) -> None:
        """Give the lease back if it is still held."""
        ...


class Leasing:
    """Makes one replica refresh and the others wait for what it brings."""

    def __init__(self, ports: Ports) -> None:
        self._signals = ports.signals
        self._clock = ports.clock
        self._entropy = ports.entropy

    async def renew(self, shared: Shared[L], held: Lent | None = None) -> Lent:
        """Return a usable token that is newer than the one held, whoever refreshes it.

        Raises:
            AuthorizationUnavailable: the lease never came free, or Amazon gives no answer.
            SallyportError: as `Shared.refresh`.
        """
        for _ in range(lending.WAITS_MAX):
            found = await shared.find(held)
            if found is not None:
                return found
            # A lease runs from the moment it is given, which may be long before we hear of it.
            asked_s = self._clock.monotonic_s()
            lease = await shared.acquire()
            if lease is not None:
                renewed = await self._renew_under(shared, lease, held=held, asked_s=asked_s)
                if renewed is not None:
                    return renewed
            await self._clock.sleep(self._entropy.uniform(lending.WAIT_S_MIN, lending.WAIT_S_MAX))
        raise AuthorizationUnavailable(retry_after_s=lending.LEASE_S)

    async def refresh(self, shared: Shared[L], lease: L, *, asked_s: float) -> Lent | None:
        """Return what Amazon gives under a lease that was asked for at `asked_s`, and give the lease back.

        None when the lease was lost meanwhile.

        Raises:
            SallyportError: as `Shared.refresh`.
        """
        async with self._held(shared, lease):
            renewed = await shared.refresh(lease, until_s=asked_s + lending.ASK_S_MAX)
        self._signals.refreshed("lease_lost" if renewed is None else "done")
        return renewed

    async def _renew_under(
        self, shared: Shared[L], lease: L, *, held: Lent | None, asked_s: float
    ) -> Lent | None:
        async with self._held(shared, lease):
            found = await shared.look(lease, held)
        if found is None:
            return await self.refresh(shared, lease, asked_s=asked_s)
        await shared.release(lease)
        return found

    @asynccontextmanager
    async def _held(self, shared: Shared[L], lease: L) -> AsyncIterator[None]:
        """Give the lease back when what is inside fails."""
        try:
            yield
        except BaseException as error:
            with suppress(Unavailable):
                await shared.release(lease)
            if isinstance(error, SallyportError):
                self._signals.refreshed(error.code)
            raise
