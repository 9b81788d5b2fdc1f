"""What the verb asks auth, as the identity `console`; auth does the work, whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import sallyport.access
from wire.auth.v1 import auth_pb2, sellers_pb2

# A page of sellers each; more are not listed.
PAGES_MAX = 1_000
LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Created:
    """A new seller, with the invitation of its owner if one was wanted."""

    seller_id: str
    invited: auth_pb2.InviteUserResponse | None


async def list_all(config: sallyport.access.Config) -> AsyncIterator[sellers_pb2.KnownSeller]:
    """Yield every seller, by their ids."""
    async with sallyport.access.open_admin(config) as admin:
        after = ""
        for _ in range(PAGES_MAX):
            page = await admin.sellers.ListSellers(sellers_pb2.ListKnownSellersRequest(after=after))
            for seller in page.sellers:
                yield seller
            if not page.has_more:
                return
            after = page.sellers[-1].seller_id


async def create(config: sallyport.access.Config, name: str, owner: str | None) -> Created:
    """Return a new seller."""
    async with sallyport.access.open_admin(config) as admin:
        made = await admin.auth.CreateSeller(auth_pb2.CreateSellerRequest(name=name))
        if owner is None:
            return Created(made.seller_id, None)
        request = auth_pb2.InviteUserRequest(
            seller_id=made.seller_id, user_name=owner, role=auth_pb2.ROLE_OWNER
        )
        return Created(made.seller_id, await admin.auth.InviteUser(request))


async def find(config: sallyport.access.Config, seller_id: str) -> sellers_pb2.KnownSeller:
    """Return one seller."""
    async with sallyport.access.open_admin(config) as admin:
        return await admin.sellers.FindSeller(sellers_pb2.FindSellerRequest(seller_id=seller_id))


async def offboard(
    config: sallyport.access.Config, seller_id: str, reason: str, *, wait_s: float
) -> sellers_pb2.KnownSeller:
    """Return a seller whom nobody can act for any more, as far as its destruction came within `wait_s`."""
    async with sallyport.access.open_admin(config) as admin:
        request = sellers_pb2.OffboardSellerRequest(seller_id=seller_id, reason=reason)
        left = await admin.sellers.OffboardSeller(request)
        for _ in range(int(wait_s / LOOK_AGAIN_S)):
            if left.offboarding.HasField("erased_at"):
                break
            await asyncio.sleep(LOOK_AGAIN_S)
            left = await admin.sellers.FindSeller(sellers_pb2.FindSellerRequest(seller_id=seller_id))
        return left
