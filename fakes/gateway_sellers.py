"""Auth's list of sellers, as the gateway's staff pages see it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import chassis.errors
from fakes.gateway_people import FakePeople
from services.gateway.model.members import AccessRow, SellerPage, SellerSummary, SellerView
from services.gateway.model.people import Visit
from services.gateway.model.roles import Right

PAGE_ROWS_MAX = 100


class SellerAbsent(chassis.errors.NotFound):
    text = "There is no such seller."


@dataclass
class FakeSellers:
    """Fits the gateway's Sellers: the sellers are those of the people that a FakePeople knows."""

    people: FakePeople
    page_rows_max: int = PAGE_ROWS_MAX

    async def list_sellers(self, visit: Visit, after: str) -> SellerPage:
        self.people.auth.require(visit, Right.VIEW_SELLERS)
        later = sorted(seller_id for seller_id in self._names() if seller_id > after)
        shown = tuple(self._summary(seller_id) for seller_id in later[: self.page_rows_max])
        return SellerPage(shown, len(later) > len(shown))

    async def view_seller(self, visit: Visit, seller_id: str) -> SellerView:
        self.people.auth.require(visit, Right.VIEW_SELLERS)
        if seller_id not in self._names():
            raise SellerAbsent
        auth = self.people.auth
        return SellerView(
            self._summary(seller_id),
            tuple(replace(each, selling_partner_id="") for each in auth.consents.get(seller_id, ())),
            tuple(sorted(auth.desktops.get(seller_id, ()), key=lambda desktop: desktop.is_revoked)),
            self.people.members_of(seller_id),
        )

    async def revoke_seller_device(
        self, visit: Visit, seller_id: str, device_id: str, *, reason: str
    ) -> None:
        auth = self.people.auth
        auth.require(visit, Right.REVOKE_SELLER_DEVICE)
        if not reason:
            raise chassis.errors.InvalidInput("A reason has 1 to 200 printable characters.")
        auth.revoke(seller_id, device_id)

    async def review_access(self, visit: Visit) -> AsyncGenerator[AccessRow, None]:
        self.people.auth.require(visit, Right.REVIEW_ACCESS)
        for person in tuple(self.people.known.values()):
            yield AccessRow(
                seller_id=person.like.seller_id,
                seller_name=person.like.seller_name,
                user_id=person.like.user_id,
                user_name=person.like.user_name,
                role=person.like.role,
                credentials=person.credentials,
                since=person.invited_at,
                used_at=person.signed_in_at,
                device_id="",
                device_name="",
                scopes=(),
            )

    def _names(self) -> dict[str, str]:
        likes = [person.like for person in self.people.known.values()]
        return {like.seller_id: like.seller_name for like in likes if like.seller_id}

    def _summary(self, seller_id: str) -> SellerSummary:
        auth = self.people.auth
        active = [each for each in auth.consents.get(seller_id, ()) if each.status == "active"]
        return SellerSummary(
            seller_id=seller_id,
            name=self._names()[seller_id],
            active_consents=len(active),
            active_devices=sum(not each.is_revoked for each in auth.desktops.get(seller_id, ())),
            next_consent_ends_at=min((each.expires_at for each in active), default=None),
        )
