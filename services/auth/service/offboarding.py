"""Sellers as the vendor's operators see them, and how one leaves for good (T-18).

offboard: intent -> everything that lets somebody in ends, in one step -> outcome
pursue: the job behind it destroys what is left, step by step, until all is done (R-12); no terminal is needed
"""

from dataclasses import replace

from chassis.errors import SallyportError
from services.auth.model import words
from services.auth.model.audit import OPERATOR, Deed, Kind
from services.auth.model.offboarding import SELLERS_LISTED_MAX, KnownSeller, NamedSeller, Offboarding
from services.auth.model.refusals import SellerNotFound
from services.auth.service.ledger import Ledger
from services.auth.service.names import Names
from services.auth.service.ports import Ports

UNDER_WAY_ROWS_MAX = 50


class OffboardingService:
    """The vendor's sellers, and their leaving."""

    def __init__(self, ports: Ports, ledger: Ledger) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._names = Names(ports)
        self._safe = ports.safe
        self._audit = ports.audit
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger

    async def offboard(self, seller_id: str, *, reason: str) -> NamedSeller:
        """Return a seller whom nobody can act for any more; one that has left stays so.

        Raises:
            SellerNotFound: there is no such seller.
            InvalidName: the reason is empty or too long.
        """
        why, known = words.reason(reason), await self._find(seller_id)
        if known.offboarding is None:
            deed = Deed(
                kind=Kind.SELLER_OFFBOARDED, actor=OPERATOR, seller_id=seller_id, details={"reason": why}
            )
            async with self._ledger.effect(deed):
                await self._store.close_seller(seller_id, self._clock.now())
        return await self.find(seller_id)

    async def find(self, seller_id: str) -> NamedSeller:
        """Return a seller.

        Raises:
            SellerNotFound: there is no such seller.
        """
        return await self._named(await self._find(seller_id))

    async def list_all(self, after: str = "") -> tuple[list[NamedSeller], bool]:
        """Return sellers by their ids, at most SELLERS_LISTED_MAX after `after`, and whether there are more.

        Raises:
            SellerNotFound: `after` is no seller's id.
        """
        if after and not words.is_id(after):
            raise SellerNotFound
        known = await self._store.list_known_sellers(after, SELLERS_LISTED_MAX + 1)
        return [await self._named(one) for one in known[:SELLERS_LISTED_MAX]], len(known) > SELLERS_LISTED_MAX

    async def pursue(self) -> int:
        """Go on with every off-boarding that is not finished; return how many those are.

        Raises:
            SallyportError: the first failure, after all others were tried; the next run tries again.
        """
        under_way = await self._store.list_offboardings(UNDER_WAY_ROWS_MAX)
        now = self._clock.now()
        overdue = sum(one.is_overdue(now) for one in under_way)
        self._signals.offboardings(under_way=len(under_way), overdue=overdue)
        failures: list[SallyportError] = []
        for offboarding in under_way:
            try:
                await self._destroy(offboarding)
            except SallyportError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return len(under_way)

    async def _destroy(self, offboarding: Offboarding) -> None:
        """Take the steps that are not taken yet, as far as their time has come."""
        seller_id, keep = offboarding.seller_id, self._store.keep_offboarding
        if offboarding.key_destroyed_at is None:
            await self._vault.destroy_key(seller_id)
            offboarding = await keep(replace(offboarding, key_destroyed_at=self._clock.now()))
        if offboarding.erased_at is None:
            receipt_id = await self._safe.erase_seller(seller_id)
            now = self._clock.now()
            offboarding = await keep(replace(offboarding, erased_at=now, receipt_id=receipt_id))
        if offboarding.finished_at is None:
            if not offboarding.have_calls_ended(self._clock.now()):
                return
            receipt_id = await self._safe.erase_seller(seller_id)
            now = self._clock.now()
            offboarding = await keep(replace(offboarding, finished_at=now, receipt_id=receipt_id))
        await self._audit.record(offboarding.event())
        await keep(replace(offboarding, told_at=self._clock.now()))

    async def _find(self, seller_id: str) -> KnownSeller:
        if not words.is_id(seller_id):
            raise SellerNotFound
        return await self._store.find_known_seller(seller_id)

    async def _named(self, known: KnownSeller) -> NamedSeller:
        name = await self._names.open(known.seller.name_place, known.seller.name_sealed)
        return NamedSeller(known=known, name=name)
