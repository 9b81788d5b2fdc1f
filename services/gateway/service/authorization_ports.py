"""What sign-in on another machine's browser, revocation and introspection ask auth."""

from typing import Protocol

from chassis.secrecy import Secret
from services.gateway.model.device_grants import BegunGrant, GrantRequest, WaitingDesktop
from services.gateway.model.inspection import Inspection
from services.gateway.model.native import Approval, DeviceCodeGrant, TokenSet
from services.gateway.model.people import Visit


class Authorization(Protocol):
    """What an authorization server does beside the code flow. Errors are chassis kinds with auth's codes."""

    async def begin_device_grant(self, request: GrantRequest) -> BegunGrant:
        """Return the codes of a desktop that wants to be let in."""
        ...

    async def find_device_grant(self, visit: Visit, user_code: str) -> WaitingDesktop:
        """Return who waits behind a user code.

        Raises:
            InvalidInput: `invalid_user_code`, whatever is wrong with it.
            LimitExceeded: this person typed too many wrong ones.
        """
        ...

    async def approve_device_grant(self, visit: Visit, user_code: str, approval: Approval) -> None:
        """Let the desktop in."""
        ...

    async def deny_device_grant(self, visit: Visit, user_code: str) -> None:
        """Do not let the desktop in."""
        ...

    async def redeem_device_grant(self, grant: DeviceCodeGrant, key_thumbprint: str) -> TokenSet:
        """Return the first tokens of a desktop that was let in.

        Raises:
            InvalidInput: `authorization_pending`, `slow_down`, `access_denied`, `expired_token`,
                `invalid_grant`.
        """
        ...

    async def revoke_token(self, client_id: str, token: Secret[str]) -> None:
        """End what a token stands for; harmless when that is nothing, or another client's device."""
        ...

    async def inspect_token(
        self, access_token: Secret[str], key_thumbprint: str, token: Secret[str]
    ) -> Inspection | None:
        """Return what one of a device's own tokens is worth; None when it is worth nothing to it.

        Raises:
            Unauthenticated: of the access token of the device that asks.
        """
        ...

    async def withhold_scopes(self, visit: Visit, device_id: str, scopes: tuple[str, ...]) -> None:
        """Take scopes away from a device for good."""
        ...
