"""What auth's use cases need from storage. `store/` fits these by shape; fakes do too.

Storage keeps one clock for all replicas: leases and the age of rotated tokens are measured by it, so
that hosts whose clocks differ never disagree about them. All other times are arguments.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.auth.model.consents import Application, Consent, Ending, Region, State
from services.auth.model.devices import Code, Device, Reach
from services.auth.model.people import Invitation, NewSession, Seller, Session, User
from services.auth.model.tokens import AccessToken, Enrolment, NewAccess, RefreshToken, Rotation
from services.auth.service.device_ports import DeviceGrants
from services.auth.service.key_ports import Rewrappings
from services.auth.service.lending_ports import Lendings
from services.auth.service.life_ports import Reminders, Sellers
from services.auth.service.people_ports import Links, Members, Passkeys, Passwords, Reviews
from services.auth.service.rotation_ports import Rotations


class People(Protocol):
    """Sellers, users, invitations and sessions in storage."""

    async def create_seller(self, seller: Seller) -> None:
        """Keep a new seller."""
        ...

    async def find_seller(self, seller_id: str) -> Seller:
        """Return a seller.

        Raises:
            SellerNotFound: there is none.
        """
        ...

    async def invite_user(self, user: User, invitation: Invitation) -> None:
        """Keep a new user with the invitation that lets them in.

        Raises:
            MembersFull: there are MEMBERS_MAX.
            SellerOffboarded: the seller has left.
        """
        ...

    async def find_invited(self, digest: bytes) -> User:
        """Return the user whom an invitation lets in, be it used or over.

        Raises:
            InvitationInvalid: there is no such invitation.
        """
        ...

    async def redeem_invitation(self, digest: bytes, session: NewSession, now: datetime) -> Session:
        """Use up an invitation and keep the session it opens, in one step.

        Raises:
            InvitationInvalid: unknown, used, or too old.
        """
        ...

    async def find_session(self, digest: bytes) -> Session:
        """Return the session behind a token, be it over or not.

        Raises:
            SessionInvalid: there is none.
        """
        ...

    async def end_session(self, session_id: str) -> None:
        """Forget a session; forgetting it again is harmless."""
        ...


class Applications(Protocol):
    """The vendor's registered applications in storage, without their secrets."""

    async def register_application(self, application: Application, now: datetime) -> None:
        """Keep an application, or what is new about a known one, and make it the present one."""
        ...

    async def find_application(self, application_id: str | None = None) -> Application:
        """Return one application, or the present one.

        Raises:
            ApplicationMissing: there is none.
        """
        ...


class Consents(Protocol):
    """Consents and their beginnings in storage."""

    async def begin_consent(self, state: State) -> None:
        """Keep a state."""
        ...

    async def use_state(self, digest: bytes, now: datetime) -> State:
        """Return a state as it was, and use it up in the same step.

        Raises:
            InvalidState: there is none.
        """
        ...

    async def check_selling_partner(self, digest: bytes, seller_id: str) -> None:
        """Return if an account at Amazon is free or this seller's.

        Raises:
            SellingPartnerTaken: it is another seller's.
        """
        ...

    async def record_consent(self, consent: Consent, selling_partner_digest: bytes) -> None:
        """Keep a consent, tie its account to its seller, end the region's older consent; in one step.

        Raises:
            SellingPartnerTaken: the account is another seller's.
            SellerOffboarded: the seller has left.
        """
        ...

    async def find_consent(self, seller_id: str, region: Region) -> Consent:
        """Return the newest consent of a seller for a region, be it active or not.

        Raises:
            ConsentMissing: there is none.
        """
        ...

    async def find_own_consent(self, seller_id: str, consent_id: str) -> Consent:
        """Return a consent of a seller, be it active or not.

        Raises:
            ConsentNotFound: absent, or another seller's.
        """
        ...

    async def find_begun(self, session_id: str, now: datetime) -> State | None:
        """Return what a session began last and has not completed, if its time is not over."""
        ...

    async def list_consents(self, seller_id: str) -> Sequence[Consent]:
        """Return a seller's consents but the replaced ones, newest first, at most CONSENTS_LISTED_MAX."""
        ...

    async def list_doubtful(self, refused_before: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents that Amazon refused before a time, oldest refusal first."""
        ...

    async def list_idle(self, used_before: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents last used before a time, oldest use first."""
        ...

    async def end_consent(
        self, consent_id: str, ending: Ending, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        """End an active consent and destroy its token, but for a QUARANTINED one; False when it had ended.

        Every replica is told about the seller's devices. With `used_before` only a consent is ended that was
        last used before that time.
        """
        ...


class Devices(Protocol):
    """Devices and their tokens in storage. Revocations and news are told to every replica on commit."""

    async def keep_code(self, code: Code) -> None:
        """Keep a code."""
        ...

    async def find_code(self, digest: bytes) -> Code:
        """Return a code, be it used or not.

        Raises:
            InvalidGrant: there is none.
        """
        ...

    async def burn_code(self, digest: bytes, now: datetime) -> None:
        """Use up a code without issuing anything."""
        ...

    async def enrol_by_code(self, digest: bytes, enrolment: Enrolment, now: datetime) -> None:
        """Use up a code and keep the device and tokens it issues, in one step.

        Raises:
            InvalidGrant: the code is used.
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices; the code is not used.
        """
        ...

    async def enrol(self, enrolment: Enrolment) -> None:
        """Keep a device and its first tokens.

        Raises:
            DevicesFull: the seller has DEVICES_ACTIVE_MAX active devices, counted in the same step.
        """
        ...

    async def find_device(self, device_id: str) -> Device:
        """Return a device, be it revoked or not.

        Raises:
            DeviceNotFound: there is none.
        """
        ...

    async def list_devices(self, seller_id: str) -> Sequence[Device]:
        """Return a seller's devices, active ones first, then newest first, at most DEVICES_LISTED_MAX."""
        ...

    async def list_idle_devices(self, used_before: datetime, rows_max: int) -> Sequence[Device]:
        """Return active devices last used before a time, oldest use first."""
        ...

    async def count_active(self, seller_id: str) -> int:
        """Return how many active devices a seller has."""
        ...

    async def revoke_device(
        self, device_id: str, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        """Revoke a device and tell every replica; False when there is none that is active.

        With `used_before` only a device is revoked that was last used before that time.
        """
        ...

    async def set_scopes(self, device_id: str, scopes: tuple[str, ...]) -> None:
        """Change what a device may do and tell every replica.

        Raises:
            DeviceNotFound: there is none.
            ScopeWithheld: a person withholds one of the scopes.
        """
        ...

    async def withhold_scopes(self, device_id: str, withheld_scopes: tuple[str, ...]) -> None:
        """Take scopes away from a device for good and tell every replica.

        Raises:
            DeviceNotFound: there is none.
            InvalidScope: nothing would be left.
        """
        ...

    async def find_refresh_token(self, digest: bytes) -> RefreshToken:
        """Return a refresh token, be it rotated or not.

        Raises:
            InvalidGrant: there is none.
        """
        ...

    async def rotate(self, rotation: Rotation) -> bytes:
        """Replace a refresh token and issue its access token; return the nonce that is in force.

        The nonce is another one when somebody else rotated the same token first; nothing is written then.
        """
        ...

    async def issue_access(self, device_id: str, access: NewAccess) -> None:
        """Keep an access token; the device's oldest of its kind beyond ACCESS_TOKENS_MAX are dropped."""
        ...

    async def find_access_token(self, digest: bytes) -> AccessToken:
        """Return an access token, be it over or not.

        Raises:
            TokenInvalid: there is none.
        """
        ...

    async def drop_access_token(self, digest: bytes) -> None:
        """Forget an access token and tell every replica; forgetting it again is harmless."""
        ...

    async def find_reach(self, seller_id: str, now: datetime) -> Reach:
        """Return where a seller has active consents."""
        ...


class Broom(Protocol):
    """Removal of what is over, in bounded sweeps."""

    async def purge(self, now: datetime, rows_max: int) -> int:
        """Remove at most so many rows of each kind that is over; return how many went."""
        ...


class Store(
    People,
    Applications,
    Consents,
    Devices,
    DeviceGrants,
    Lendings,
    Rotations,
    Reminders,
    Sellers,
    Rewrappings,
    Members,
    Passkeys,
    Passwords,
    Links,
    Reviews,
    Broom,
    Protocol,
):
    """All of storage."""
