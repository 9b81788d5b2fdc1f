"""A person in a browser: comes in, connects Amazon accounts, looks after desktops."""

import chassis.errors
from chassis.secrecy import Secret
from services.gateway.model import people as rules
from services.gateway.model.consents import AccountKind
from services.gateway.model.people import CompatCredentials, Consent, ConsentAnswer, Home, Visit
from services.gateway.service.ports import People


class Portal:
    """A person of a seller, in a browser."""

    def __init__(self, *, people: People) -> None:
        self._people = people

    async def enter(self, invitation: Secret[str]) -> Visit:
        """Return the visit that an invitation opens."""
        return await self._people.redeem_invitation(invitation)

    async def visit(self, session_token: Secret[str] | None) -> Visit:
        """Return who is on a browser.

        Raises:
            SessionMissing: the browser shows no session, or one that has ended.
        """
        if session_token is None:
            raise rules.SessionMissing
        try:
            return await self._people.find_session(session_token)
        except (chassis.errors.Unauthenticated, chassis.errors.NotFound) as error:
            raise rules.SessionMissing from error

    async def leave(self, visit: Visit) -> None:
        """End the session."""
        await self._people.end_session(visit)

    async def home(self, visit: Visit) -> Home:
        """Return what the portal's first page tells."""
        consents = await self._people.list_consents(visit)
        return Home(tuple(consents), tuple(await self._people.list_desktops(visit)))

    async def begin_consent(
        self, visit: Visit, marketplace_id: str, kind: AccountKind = AccountKind.SELLER
    ) -> str:
        """Return the address of Amazon's page where the seller consents."""
        return await self._people.begin_consent(visit, marketplace_id, kind)

    async def complete_consent(self, visit: Visit, answer: ConsentAnswer) -> Consent:
        """Return the consent that Amazon's answer makes.

        Raises:
            StateRefused: the answer lacks something that Amazon's answers carry.
        """
        if not (answer.state.reveal() and answer.code.reveal() and answer.selling_partner_id):
            raise rules.StateRefused
        return await self._people.complete_consent(visit, answer)

    async def enrol_program(self, visit: Visit, name: str) -> CompatCredentials:
        """Return the credentials of a new device for a program with an unmodified library.

        Raises:
            DeviceNameRefused: see `model.people.device_name`.
        """
        return await self._people.enrol_compat_device(visit, rules.device_name(name))

    async def revoke_device(self, visit: Visit, device_id: str) -> None:
        """End a device's access for good."""
        await self._people.revoke_device(visit, device_id)
