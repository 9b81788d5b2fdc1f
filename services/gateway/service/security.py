"""A person's own credentials: what they sign in with, and how they change it."""

from chassis.secrecy import Secret
from services.gateway.model.credentials import (
    Ceremony,
    CeremonyAnswer,
    Credentials,
    Enrolment,
    NewPassword,
    PasswordsDiffer,
)
from services.gateway.model.people import Visit
from services.gateway.service.people_ports import CredentialKeeper


class Security:
    """A person who looks after their own ways in; open to sessions that may do nothing else yet."""

    def __init__(self, *, keeper: CredentialKeeper) -> None:
        self._keeper = keeper

    async def credentials(self, visit: Visit) -> Credentials:
        """Return all that the person may sign in with."""
        return await self._keeper.list_credentials(visit)

    async def begin_passkey(self, visit: Visit) -> Ceremony:
        """Return what a new passkey is asked to answer."""
        return await self._keeper.begin_passkey_registration(visit)

    async def register_passkey(self, visit: Visit, answer: CeremonyAnswer, name: str) -> Visit:
        """Keep a new passkey under the name that the person calls it by; return the visit to go on with."""
        return await self._keeper.register_passkey(visit, answer, name.strip())

    async def remove_passkey(self, visit: Visit, passkey_id: str) -> None:
        """End a passkey for good."""
        await self._keeper.remove_passkey(visit, passkey_id)

    async def begin_password(self, visit: Visit) -> Enrolment:
        """Return a new secret for the person's authenticator app."""
        return await self._keeper.begin_password(visit)

    async def set_password(self, visit: Visit, password: NewPassword, *, again: Secret[str]) -> Visit:
        """Set or change the password and the authenticator app; return the visit to go on with.

        Args:
            visit: whose.
            password: what is to be.
            again: the new password as it was typed a second time.

        Raises:
            PasswordsDiffer: the two are not the same.
        """
        if password.password != again:
            raise PasswordsDiffer
        return await self._keeper.set_password(visit, password)

    async def remove_password(self, visit: Visit) -> None:
        """End the password and the authenticator app."""
        await self._keeper.remove_password(visit)

    async def unlink_provider(self, visit: Visit) -> None:
        """End the link to the account at the vendor's identity provider."""
        await self._keeper.unlink_provider(visit)
