"""What the vendor's staff sees of sellers, and the one thing it does to them: ending a device."""

from collections.abc import Sequence

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.consents import Consent, OpenConsent
from services.auth.model.refusals import SellerNotFound
from services.auth.model.reviews import SELLERS_PAGE_MAX, NamedSeller, SellerSummary, SellerView
from services.auth.model.roles import Right
from services.auth.service.devices import DeviceService
from services.auth.service.members import MemberService
from services.auth.service.names import Names
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor

VENDOR = "vendor"


class StaffService:
    """Sellers, as the vendor's staff sees them: without their accounts' ids at Amazon."""

    def __init__(
        self, ports: Ports, *, sessions: SessionService, devices: DeviceService, members: MemberService
    ) -> None:
        self._store = ports.store
        self._names = Names(ports)
        self._clock = ports.clock
        self._sessions = sessions
        self._devices = devices
        self._members = members

    async def list_sellers(
        self, session_token: Secret[str], after: str
    ) -> tuple[Sequence[NamedSeller], bool]:
        """Return sellers by their ids, at most SELLERS_PAGE_MAX after `after`, and whether there are more.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing
            SellerNotFound: `after` is no seller's id.
        """
        await self._sessions.require(session_token, right=Right.VIEW_SELLERS)
        if after and not words.is_id(after):
            raise SellerNotFound
        found = await self._store.list_summaries(after, self._clock.now(), SELLERS_PAGE_MAX + 1)
        page = [await self._named(summary) for summary in found[:SELLERS_PAGE_MAX]]
        return page, len(found) > SELLERS_PAGE_MAX

    async def view_seller(self, session_token: Secret[str], seller_id: str) -> SellerView:
        """Return one seller in full.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing
            SellerNotFound: absent, or left.
        """
        await self._sessions.require(session_token, right=Right.VIEW_SELLERS)
        if not words.is_id(seller_id):
            raise SellerNotFound
        summary = await self._store.find_summary(seller_id, self._clock.now())
        return SellerView(
            seller=await self._named(summary),
            consents=tuple(map(self._shown, await self._store.list_consents(seller_id))),
            devices=tuple(await self._devices.list_of(seller_id)),
            members=tuple(await self._members.list_of(seller_id)),
        )

    async def revoke_device(
        self, session_token: Secret[str], seller_id: str, device_id: str, *, reason: str
    ) -> None:
        """Revoke a device of any seller; revoking it again is fine.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing
            DeviceNotFound: absent, or not this seller's.
            InvalidName: the reason is empty or too long.
        """
        session = await self._sessions.require(session_token, right=Right.REVOKE_SELLER_DEVICE)
        why = words.reason(reason)
        device = await self._devices.find_own(seller_id, device_id)
        await self._devices.end(device, actor(session), VENDOR, reason=why)

    def _shown(self, consent: Consent) -> OpenConsent:
        return OpenConsent(consent=consent, selling_partner_id="", status=consent.status(self._clock.now()))

    async def _named(self, summary: SellerSummary) -> NamedSeller:
        name = await self._names.open(summary.seller.name_place, summary.seller.name_sealed)
        return NamedSeller(summary=summary, name=name)
