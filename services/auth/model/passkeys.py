"""Passkeys: key pairs that a person's own devices keep, each use of which the person confirms (WebAuthn).

Because each use is verified on the device by a fingerprint, a face or a PIN, a passkey alone is two factors
(DPP-1.4b). Auth keeps the public half and the authenticator's count of uses.
"""

from dataclasses import dataclass, field
from datetime import datetime

from services.auth.model.people import Person
from services.auth.model.sealing import Place

PASSKEYS_MAX = 10
# Registration answers hold an attestation of a few KiB at most.
CREDENTIAL_CHARS_MAX = 16_384


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A registered passkey.

    Attributes:
        credential_id: how the authenticator names it, at most 1,023 bytes.
        public_key: as a COSE key.
        sign_count: the authenticator's count of uses; 0 for authenticators that do not count.
    """

    passkey_id: str
    person: Person
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name_sealed: str
    registered_at: datetime
    used_at: datetime | None = None

    @property
    def name_place(self) -> Place:
        """Where the name is sealed."""
        return passkey_name_place(self.person.seller_id, self.passkey_id)


@dataclass(frozen=True, kw_only=True)
class PasskeyUse:
    """A verified use of a passkey.

    Attributes:
        sign_count: the authenticator's count, as it was shown.
    """

    passkey_id: str
    sign_count: int
    used_at: datetime


@dataclass(frozen=True, kw_only=True)
class NamedPasskey:
    """A passkey with its name in the open."""

    passkey: Passkey
    name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Attested:
    """What a verified registration says about the new passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """Whose and which passkey an answer claims to be from; nothing of it is verified.

    Attributes:
        user_handle: what the authenticator kept for the person: the bytes of the user's id.
    """

    unverified_credential_id: bytes
    unverified_user_handle: bytes


def counts_on(kept: int, shown: int) -> bool:
    """Return whether an authenticator's count may follow the one that is kept.

    A count that does not grow says that there are two of the same authenticator. One that neither counted
    nor counts now says nothing. Source: WebAuthn, 6.1.1 and 7.2 step 22.
    """
    return shown > kept or shown == kept == 0


def passkey_name_place(seller_id: str, passkey_id: str) -> Place:
    """Return where a passkey's name is sealed."""
    return Place(seller_id=seller_id, table="passkeys", column="name_sealed", row_id=passkey_id)
