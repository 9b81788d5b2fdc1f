"""Whether a seller, or a person, is still here, for every statement that keeps something new for one.

Whoever holds more than one row takes the seller before its people, and a person before what the person has:
in the order in which a leaver takes everything along, so that nobody who comes in meets one half-way.
"""

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


async def hold_seller_of(connection: chassis.db.Connection, user_id: str) -> None:
    """Keep a person's seller, if it is still here, from leaving until this transaction ends."""
    await connection.execute(
        """
        SELECT seller_id FROM auth.sellers
        WHERE seller_id = (SELECT u.seller_id FROM auth.users u WHERE u.user_id = $1)
        FOR SHARE
        """,
        user_id,
    )


async def hold_person(connection: chassis.db.Connection, user_id: str) -> bool:
    """Return whether somebody is here, and keep them from leaving until this transaction ends.

    Meanwhile nobody else comes in as them, or changes what they sign in with.
    """
    await hold_seller_of(connection, user_id)
    found = await connection.fetchval(
        "SELECT user_id FROM auth.users WHERE user_id = $1 AND left_at IS NULL FOR NO KEY UPDATE", user_id
    )
    return found is not None
