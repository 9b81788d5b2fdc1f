"""The review of who has access to what: asked for, told row by row, and overdue after a quarter (DPP-1.2c).

A review that breaks off half way is none: it counts, and is told as done, once its last row was taken.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from chassis.secrecy import Secret
from services.auth.model.audit import OPERATOR, Actor, Deed, Kind
from services.auth.model.devices import Device
from services.auth.model.people import Seller
from services.auth.model.reviews import MEMBERS_PAGE_MAX, REVIEW_PERIOD, Access, AccessRow
from services.auth.model.roles import Right
from services.auth.service.ledger import Ledger
from services.auth.service.mint import Mint
from services.auth.service.names import Names
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor


class ReviewService:
    """Who has access to what."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger, *, sessions: SessionService) -> None:
        self._store = ports.store
        self._names = Names(ports)
        self._signals = ports.signals
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions

    async def review(self, session_token: Secret[str]) -> AsyncGenerator[AccessRow, None]:
        """Yield who has access to what, by people's ids, each followed by the devices they let in.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing
        """
        session = await self._sessions.require(session_token, right=Right.REVIEW_ACCESS)
        async with aclosing(self._reviewed(actor(session))) as rows:
            async for row in rows:
                yield row

    def export(self) -> AsyncGenerator[AccessRow, None]:
        """Yield the same for the console."""
        return self._reviewed(OPERATOR)

    async def watch(self) -> float:
        """Show how long ago access was last reviewed, and raise the alarm after REVIEW_PERIOD; return it."""
        due = await self._store.find_review_due()
        age_s = 0.0 if due is None else max(0.0, (self._clock.now() - due).total_seconds())
        self._signals.access_review_age(age_s, is_overdue=age_s > REVIEW_PERIOD.total_seconds())
        return age_s

    async def _reviewed(self, who: Actor) -> AsyncGenerator[AccessRow, None]:
        review_id = self._mint.new_id()
        deed = Deed(kind=Kind.ACCESS_REVIEWED, actor=who, details={"review_id": review_id})
        async with self._ledger.effect(deed):
            async for row in self._rows():
                yield row
            await self._store.record_review(review_id, who, self._clock.now())

    async def _rows(self) -> AsyncGenerator[AccessRow, None]:
        """Yield all rows, holding one page of people at a time."""
        after = ""
        while page := await self._store.list_access(after, MEMBERS_PAGE_MAX):
            for access in page:
                for row in await self._told(access):
                    yield row
            after = page[-1].member.user.user_id

    async def _told(self, access: Access) -> list[AccessRow]:
        user = access.member.user
        own = AccessRow(
            seller_id=user.seller_id,
            seller_name=await self._seller_name(access.seller),
            user_id=user.user_id,
            user_name=await self._names.open(user.name_place, user.name_sealed),
            role=user.role,
            credentials=access.member.credentials,
            since=user.created_at,
            used_at=access.member.signed_in_at,
        )
        return [own, *[await self._device_row(own, device) for device in access.devices]]

    async def _device_row(self, own: AccessRow, device: Device) -> AccessRow:
        return AccessRow(
            seller_id=own.seller_id,
            seller_name=own.seller_name,
            user_id=own.user_id,
            user_name=own.user_name,
            role=own.role,
            credentials=(),
            since=device.enrolled_at,
            used_at=device.used_at,
            device_id=device.device_id,
            device_name=await self._names.open(device.name_place, device.name_sealed),
            scopes=device.scopes,
        )

    async def _seller_name(self, seller: Seller | None) -> str:
        return "" if seller is None else await self._names.open(seller.name_place, seller.name_sealed)
