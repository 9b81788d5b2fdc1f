"""What a person signs in with, as pages see it: ceremonies, passkeys, and the secret of an authenticator app.

Nothing here is checked: auth alone knows what is right. Whatever it refuses at the ways in is one refusal
with one text, so that nobody learns which part of a guess was good (T-11).
"""

from dataclasses import dataclass
from datetime import datetime

import chassis.errors
from chassis.secrecy import Secret

# Auth's code for somebody who signed in too long ago to change what they sign in with.
SIGN_IN_AGAIN = "sign_in_again"


class SignInRefused(chassis.errors.Unauthenticated):
    """Unknown, wrong, ended, used before: whatever it was, this is all that anybody hears."""

    code = "sign_in_refused"
    text = "That did not work. Check what you entered, and try again."


class PasswordsDiffer(chassis.errors.InvalidInput):
    """The new password was typed twice, differently."""

    code = "passwords_differ"
    text = "The two passwords are not the same. Enter the new one twice."


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a passkey is asked to answer, once, within 5 minutes.

    Attributes:
        ceremony: opaque; goes back with the answer.
        options_json: what `navigator.credentials` gets, in WebAuthn's JSON form.
    """

    ceremony: str
    options_json: str


@dataclass(frozen=True, slots=True)
class CeremonyAnswer:
    """What the authenticator said to a ceremony, in WebAuthn's JSON form; unverified."""

    ceremony: str
    credential_json: str


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """A person's e-mail address, password and the code of their authenticator app; unverified.

    Attributes:
        source: where it came from; auth bounds failures by it too.
    """

    email: str
    password: Secret[str]
    code: Secret[str]
    source: str


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What the vendor's identity provider sent back through the browser; unverified.

    Attributes:
        issuer: empty when the provider does not name itself (RFC 9207).
    """

    state: Secret[str]
    code: Secret[str]
    issuer: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """One registered passkey; `used_at` is None until its first use."""

    passkey_id: str
    name: str
    registered_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """All that a person may sign in with.

    Attributes:
        passkeys: newest first.
        password_expires_at: None without a password.
        email: empty without a password.
        is_provider_linked: whether the vendor's identity provider stands for this person too.
        is_provider_offered: whether there is such a provider.
        changeable_until: after that the person signs in again to change anything of this.
    """

    passkeys: tuple[Passkey, ...]
    has_password: bool
    password_expires_at: datetime | None
    email: str
    is_provider_linked: bool
    is_provider_offered: bool
    changeable_until: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new secret for an authenticator app; it counts once a code made with it was shown.

    Attributes:
        enrolment: opaque, good for 10 minutes; goes back with the new password.
        otpauth_uri: the secret, as authenticator apps take it; shown once.
    """

    enrolment: str
    otpauth_uri: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """A password to be set, with the proof that the authenticator app has its secret.

    Attributes:
        current: empty when there is no password yet.
    """

    enrolment: str
    email: str
    password: Secret[str]
    code: Secret[str]
    current: Secret[str]
