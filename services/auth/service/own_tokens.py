"""What a desktop does with its own tokens besides using them: it gives them up, and it asks about them.

- Whoever shows a token may give it up: an access token ends alone, a refresh token ends its device, whatever
  its place in the family (RFC 7009). One that is unknown, or another client's, changes nothing and is
  answered the same.
- Only a bound device that proves its key is told anything, and only about itself (RFC 7662): another seller's
  or device's token is as inactive as one that never was (T-07).
"""

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.devices import Device, Profile
from services.auth.model.refusals import (
    DeviceRevoked,
    InvalidGrant,
    TokenExpired,
    TokenInvalid,
)
from services.auth.model.tokens import AccessToken, Inspection
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.mint import ACCESS, REFRESH, Mint
from services.auth.service.ports import Ports

SIGNED_OUT = "signed_out"


class OwnTokenService:
    """A desktop's own tokens."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger, *, devices: DeviceService) -> None:
        self._tokens = ports.store
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._devices = devices

    async def revoke(self, client_id: str, token: Secret[str]) -> None:
        """End what a token stands for; harmless when that is nothing, or another client's device."""
        try:
            if words.is_token(token.reveal(), words.REFRESH_PREFIX):
                await self._revoke_refresh(client_id, token)
            elif words.is_token(token.reveal(), words.ACCESS_PREFIX):
                await self._revoke_access(client_id, token)
        except (InvalidGrant, TokenInvalid):
            return

    async def inspect(
        self, access_token: Secret[str], key_thumbprint: str, token: Secret[str]
    ) -> Inspection | None:
        """Return what one of a bound device's own tokens is worth right now; None when it is worth nothing.

        Args:
            access_token: of the device that asks.
            key_thumbprint: of the key that it has proven with this very request.
            token: what it asks about.

        Raises:
            TokenInvalid, TokenExpired, DeviceRevoked: of the device that asks.
        """
        asker = await self._find_access(access_token)
        asker.check(self._clock.now())
        device = asker.device
        if device.profile is not Profile.BOUND or device.key_thumbprint != key_thumbprint:
            raise TokenInvalid
        try:
            owner, access = await self._look_up(token)
        except (InvalidGrant, TokenInvalid, TokenExpired, DeviceRevoked):
            return None
        if owner.device_id != device.device_id:
            return None
        return Inspection(named=await self._devices.named(device), access=access)

    async def _revoke_refresh(self, client_id: str, token: Secret[str]) -> None:
        held = await self._tokens.find_refresh_token(await self._mint.digest(REFRESH, token))
        if held.device.is_client(client_id):
            await self._devices.end(held.device, _itself(held.device), SIGNED_OUT)

    async def _revoke_access(self, client_id: str, token: Secret[str]) -> None:
        access = await self._find_access(token)
        device = access.device
        if not device.is_client(client_id):
            return
        deed = Deed(
            kind=Kind.TOKEN_REVOKED,
            actor=_itself(device),
            seller_id=device.seller_id,
            details={"device_id": device.device_id},
        )
        async with self._ledger.effect(deed):
            await self._tokens.drop_access_token(await self._mint.digest(ACCESS, token))

    async def _look_up(self, token: Secret[str]) -> tuple[Device, AccessToken | None]:
        """Return whose token it is; and the access token if it is one, else it is a current refresh token."""
        if words.is_token(token.reveal(), words.REFRESH_PREFIX):
            held = await self._tokens.find_refresh_token(await self._mint.digest(REFRESH, token))
            if held.rotated_ago_s is not None:
                raise InvalidGrant
            return held.device, None
        access = await self._find_access(token)
        access.check(self._clock.now())
        return access.device, access

    async def _find_access(self, token: Secret[str]) -> AccessToken:
        if not words.is_token(token.reveal(), words.ACCESS_PREFIX):
            raise TokenInvalid
        return await self._tokens.find_access_token(await self._mint.digest(ACCESS, token))


def _itself(device: Device) -> Actor:
    return Actor(kind="device", actor_id=device.device_id)
