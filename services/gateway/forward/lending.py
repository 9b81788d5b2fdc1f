"""Amazon's tokens as auth lends them: kept in memory while they are good, one per seller and purpose."""

from datetime import timedelta

from chassis.clock import Clock
from chassis.secrecy import Secret
from services.gateway.forward.ports import AuthPeer
from services.gateway.model.calls import AmazonToken, Device, Region, Restriction
from services.gateway.model.recent import Recent

# Source: SP-API, "Connect to the SP-API": use a token until about 60 s before its end.
UNUSED_TAIL = timedelta(seconds=60)
# About 2 KB each.
TOKENS_MAX = 20_000

_Key = tuple[str, Region, Restriction | None]


class Lending:
    """What to call Amazon with: the ordinary token, or a restricted one for one operation (T-19)."""

    def __init__(self, *, auth: AuthPeer, clock: Clock) -> None:
        self._auth = auth
        self._clock = clock
        self._lent: Recent[_Key, AmazonToken] = Recent(TOKENS_MAX)

    async def lend(
        self, device: Device, region: Region, restriction: Restriction | None, *, timeout_s: float
    ) -> Secret[str]:
        """Return a token of the device's seller that is good for at least another minute.

        Raises:
            Denied: the consent is missing, ended or withdrawn, in auth's words.
            Unavailable: auth, or Amazon's authorization service, gives none within `timeout_s`.
        """
        key = (device.seller_id, region, restriction)
        lent = self._lent.get(key)
        if lent is None or self._clock.now() >= lent.expires_at - UNUSED_TAIL:
            lent = await self._auth.lend_amazon_token(
                device.device_id, region, restriction, timeout_s=timeout_s
            )
            self._lent.put(key, lent)
        return lent.token

    def forget(self, seller_id: str | None) -> None:
        """Forget what was lent for a seller, or for all: its consent may have been replaced."""
        self._lent.drop_where(lambda key, _: seller_id is None or key[0] == seller_id)

    def give_back(self, device: Device, region: Region, restriction: Restriction | None) -> None:
        """Forget a token that Amazon no longer takes."""
        self._lent.drop((device.seller_id, region, restriction))
