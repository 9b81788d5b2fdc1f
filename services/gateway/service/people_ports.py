"""What the people's use cases need from auth, as Protocols; `peers` fit them by shape.

Errors are chassis kinds carrying auth's codes. A visit's session may end at any moment: each of these then
raises Unauthenticated.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from chassis.secrecy import Secret
from services.gateway.model.credentials import (
    Ceremony,
    CeremonyAnswer,
    Credentials,
    Enrolment,
    NewPassword,
    PasswordLogin,
    ProviderAnswer,
)
from services.gateway.model.members import AccessRow, Invitation, Member, Removal, SellerPage, SellerView
from services.gateway.model.people import Visit
from services.gateway.model.roles import Role


class WaysIn(Protocol):
    """How somebody without a session gets one. Each refuses every wrong answer alike."""

    async def begin_passkey_sign_in(self) -> Ceremony:
        """Return what any of the person's passkeys may answer."""
        ...

    async def sign_in_with_passkey(self, answer: CeremonyAnswer) -> Visit:
        """Return the visit that a passkey opens."""
        ...

    async def sign_in_with_password(self, login: PasswordLogin) -> Visit:
        """Return the visit that a password and an authenticator app's code open."""
        ...

    async def begin_provider_sign_in(self, browser_secret: Secret[str], visit: Visit | None) -> str:
        """Return the address at the vendor's identity provider where the person signs in.

        Args:
            browser_secret: known to this browser alone.
            visit: whose person the account at the provider is to be linked to; None only signs in.
        """
        ...

    async def complete_provider_sign_in(self, browser_secret: Secret[str], answer: ProviderAnswer) -> Visit:
        """Return the visit that the provider's answer opens, on the browser that asked only."""
        ...


class CredentialKeeper(Protocol):
    """A person's own credentials. Long after signing in, a change raises Denied with SIGN_IN_AGAIN."""

    async def list_credentials(self, visit: Visit) -> Credentials:
        """Return all of them."""
        ...

    async def begin_passkey_registration(self, visit: Visit) -> Ceremony:
        """Return what a new passkey is asked to answer."""
        ...

    async def register_passkey(self, visit: Visit, answer: CeremonyAnswer, name: str) -> Visit:
        """Keep a new passkey; return the visit to go on with, a new one if this one needed a credential."""
        ...

    async def remove_passkey(self, visit: Visit, passkey_id: str) -> None:
        """End a passkey for good."""
        ...

    async def begin_password(self, visit: Visit) -> Enrolment:
        """Return a new secret for the person's authenticator app."""
        ...

    async def set_password(self, visit: Visit, password: NewPassword) -> Visit:
        """Set or change the password and the authenticator app; return the visit to go on with, as above."""
        ...

    async def remove_password(self, visit: Visit) -> None:
        """End the password and the authenticator app."""
        ...

    async def unlink_provider(self, visit: Visit) -> None:
        """End the link to the account at the vendor's identity provider."""
        ...


class Members(Protocol):
    """The people of one's own seller or, for staff, the staff."""

    async def list_members(self, visit: Visit) -> Sequence[Member]:
        """Return them, oldest first."""
        ...

    async def invite_member(self, visit: Visit, name: str, role: Role) -> Invitation:
        """Return an invitation for somebody new."""
        ...

    async def invite_again(self, visit: Visit, member: Member) -> Invitation:
        """Return an invitation for somebody who lost every credential; the old ones end."""
        ...

    async def change_role(self, visit: Visit, user_id: str, role: Role) -> None:
        """Give somebody another role."""
        ...

    async def remove_member(self, visit: Visit, user_id: str) -> Removal:
        """End somebody's access at once, and that of the devices that they let in."""
        ...


class Sellers(Protocol):
    """What the vendor's staff sees and does."""

    async def list_sellers(self, visit: Visit, after: str) -> SellerPage:
        """Return the sellers whose ids come after one; empty begins."""
        ...

    async def view_seller(self, visit: Visit, seller_id: str) -> SellerView:
        """Return one seller."""
        ...

    async def revoke_seller_device(
        self, visit: Visit, seller_id: str, device_id: str, *, reason: str
    ) -> None:
        """End a device's access for good; the reason goes to the audit log."""
        ...

    def review_access(self, visit: Visit) -> AsyncGenerator[AccessRow, None]:
        """Give who has access to what, row by row."""
        ...
