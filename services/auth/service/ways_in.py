"""What a person signs in with, all in one view, for the person alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.secrecy import Secret
from services.auth.model.passkeys import NamedPasskey, Passkey
from services.auth.model.roles import Right
from services.auth.service.names import Names
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService


@dataclass(frozen=True, kw_only=True)
class OwnWays:
    """A person's own ways in.

    Attributes:
        passkeys: newest first.
        password_expires_at: None without a password.
        email: empty without a password.
        is_offered: whether there is an identity provider to link to.
        changeable_until: after that the person signs in again to change any of this.
    """

    passkeys: Sequence[NamedPasskey]
    password_expires_at: datetime | None
    email: str = field(repr=False)
    is_linked: bool
    is_offered: bool
    changeable_until: datetime


class WaysInService:
    """People's own ways in."""

    def __init__(self, ports: Ports, *, sessions: SessionService) -> None:
        self._store = ports.store
        self._sealer = ports.vault
        self._names = Names(ports)
        self._provider = ports.provider
        self._sessions = sessions

    async def list_own(self, session_token: Secret[str]) -> OwnWays:
        """Return the ways in of the session's person.

        Raises:
            SessionInvalid: no session.
        """
        session = await self._sessions.require(session_token, right=Right.KEEP_CREDENTIALS)
        login = await self._store.find_own_login(session.user_id)
        email = Secret("")
        if login is not None:
            email = await self._sealer.open(login.email_place, login.email_sealed)
        return OwnWays(
            passkeys=[await self._named(one) for one in await self._store.list_passkeys(session.user_id)],
            password_expires_at=None if login is None else login.expires_at,
            email=email.reveal(),
            is_linked=await self._store.is_linked(session.user_id),
            is_offered=self._provider.is_offered,
            changeable_until=session.fresh_until,
        )

    async def _named(self, passkey: Passkey) -> NamedPasskey:
        name = await self._names.open(passkey.name_place, passkey.name_sealed)
        return NamedPasskey(passkey=passkey, name=name)
