"""Whether a seller is still here, for every statement that keeps something new for one."""

import chassis.db
from services.auth.model.consent_refusals import SellerOffboarded


async def hold_seller(connection: chassis.db.Connection, seller_id: str) -> None:
    """Return if the seller is still here, and keep it from leaving until this transaction ends.

    Raises:
        SellerOffboarded: it has left.
    """
    offboarded_at = await connection.fetchval(
        "SELECT offboarded_at FROM auth.sellers WHERE seller_id = $1 FOR SHARE", seller_id
    )
    if offboarded_at is not None:
        raise SellerOffboarded
