"""Telling every replica about devices that changed: told on commit, heard on one connection."""

from collections.abc import Callable

import chassis.clock
import chassis.db
from services.auth.model.devices import Revocation
from services.auth.store.part import StorePart

CHANNEL = "auth_news"
# A line that broke without a word is noticed by then; the gateway's patience is 45 s.
CHECK_PERIOD_S = 5.0


class NewsStore(StorePart):
    """The line on which this replica hears of every change."""

    async def listen(
        self, clock: chassis.clock.Clock, *, opened: Callable[[], None], tell: Callable[[Revocation], None]
    ) -> None:
        """Tell every piece of news committed after `opened` was called, until the line breaks.

        Raises:
            StoreUnavailable: the line broke; news may be missed from now on.
        """

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            device_id, seller_id = str(payload).split()
            tell(Revocation(device_id=device_id, seller_id=seller_id))

        async with chassis.db.statement(self._pool) as connection:
            await connection.add_listener(CHANNEL, hear)
            try:
                opened()
                while True:
                    await clock.sleep(CHECK_PERIOD_S)
                    await connection.execute("SELECT 1")
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(CHANNEL, hear)


async def tell_device(connection: chassis.db.Connection, device_id: str, seller_id: str) -> None:
    """Have every replica told about one device when this transaction commits."""
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, f"{device_id} {seller_id}")


async def tell_devices(connection: chassis.db.Connection, seller_id: str) -> None:
    """Have every replica told about all active devices of a seller when this transaction commits."""
    await connection.execute(
        """
        SELECT pg_notify($1, device_id || ' ' || seller_id)
        FROM auth.devices
        WHERE seller_id = $2 AND revoked_at IS NULL
        """,
        CHANNEL,
        seller_id,
    )
