"""What the use cases around device grants need from storage; see `storage` for what else they need."""

from datetime import datetime
from typing import Protocol

from services.auth.model.device_grants import Decision, DeviceGrant, Polled
from services.auth.model.tokens import Enrolment


class DeviceGrants(Protocol):
    """Desktops that wait to be let in, in storage. The time between two polls is by storage's own clock."""

    async def keep_device_grant(self, grant: DeviceGrant, now: datetime) -> None:
        """Keep a grant that a desktop began.

        Raises:
            TooManyDeviceGrants: DEVICE_GRANTS_MAX are waiting.
        """
        ...

    async def find_device_grant(self, user_code_digest: bytes) -> DeviceGrant:
        """Return the grant with this user code, be it decided on or over.

        Raises:
            UserCodeInvalid: there is none.
        """
        ...

    async def decide_device_grant(self, user_code_digest: bytes, decision: Decision, now: datetime) -> None:
        """Keep what a person decided; the same person deciding the same again is fine.

        Raises:
            UserCodeInvalid: there is none, somebody has decided otherwise, or it is too late.
        """
        ...

    async def poll_device_grant(self, digest: bytes, client_id: str, key_thumbprint: str) -> Polled:
        """Return a grant as it was, tie it to the key, and count that its desktop asked; in one step.

        Raises:
            InvalidGrant: there is none, or it is another client's or key's.
        """
        ...

    async def enrol_by_device_grant(self, digest: bytes, enrolment: Enrolment, nonce: bytes) -> bytes:
        """Use up a grant and keep the device and tokens it issues; return the nonce that is in force.

        The nonce is another one when somebody else redeemed the grant first; nothing is written then.

        Raises:
            InvalidGrant: there is no such grant.
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices.
        """
        ...
