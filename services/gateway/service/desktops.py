"""What a person decides about desktops: who of those that wait is let in, and what one shall never have."""

from collections.abc import Mapping

from services.gateway.model import native
from services.gateway.model.device_grants import WaitingDesktop
from services.gateway.model.native import Approval
from services.gateway.model.people import Visit, device_name
from services.gateway.service.authorization_ports import Authorization


class Desktops:
    """A person in front of a browser, with a desktop somewhere else."""

    def __init__(self, *, authorization: Authorization) -> None:
        self._authorization = authorization

    async def find(self, visit: Visit, user_code: str) -> WaitingDesktop:
        """Return who waits behind a user code that a person typed."""
        return await self._authorization.find_device_grant(visit, user_code)

    async def let_in(self, visit: Visit, user_code: str, fields: Mapping[str, str]) -> str:
        """Let the desktop in that waits behind a user code, and return its name; twice is fine.

        Args:
            visit: who approves.
            user_code: which desktop.
            fields: of the form: the scopes that were asked for, the desktop's name, and a box for each
                optional scope.

        Raises:
            DeviceNameRefused: see `model.people.device_name`.
        """
        approved = approval(native.read_scopes(fields), fields)
        await self._authorization.approve_device_grant(visit, user_code, approved)
        return approved.device_name

    async def turn_away(self, visit: Visit, user_code: str) -> None:
        """Do not let the desktop in that waits behind a user code; twice is fine."""
        await self._authorization.deny_device_grant(visit, user_code)

    async def withhold(self, visit: Visit, device_id: str) -> None:
        """Take every optional scope away from a device for good."""
        withheld = tuple(sorted(native.OPTIONAL_SCOPES))
        await self._authorization.withhold_scopes(visit, device_id, withheld)


def approval(scopes: tuple[str, ...], fields: Mapping[str, str]) -> Approval:
    """Return what a person's form makes of a desktop that asks for these scopes.

    Raises:
        DeviceNameRefused: see `model.people.device_name`.
    """
    return Approval(device_name(fields.get("device_name", "")), native.withheld(scopes, fields))
