"""Why auth says no to people: what they may not do, and ways in that are none."""

from chassis.errors import (
    Conflict,
    Denied,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unauthenticated,
    Unavailable,
)


class SignInRefused(Unauthenticated):
    """Unknown, wrong, used before, too old: one answer for all (T-11)."""

    code = "sign_in_refused"
    text = "That did not work. Check what you entered, and try again."


class RightMissing(Denied):
    """The person's role does not hold the right that this needs."""

    code = "right_missing"
    text = "Your role does not allow this."


class CredentialRequired(Denied):
    """An invitation or a password past its age opened the session (DPP-1.4b)."""

    code = "credential_required"
    text = "Set up a passkey or a password first."


class SignInAgain(Denied):
    """What a person signs in with is changed only soon after signing in."""

    code = "sign_in_again"
    text = "Sign in again to change what you sign in with."


class SecondFactorMissing(Denied):
    """The identity provider does not say that it asked for more than a password (DPP-1.4b)."""

    code = "second_factor_missing"
    text = "Your identity provider did not ask for a second factor."


class PasswordTooNew(Denied):
    """The password was changed within the last day."""

    code = "password_too_new"
    text = "A password may be changed once a day."


class CeremonyOver(InvalidInput):
    """What was begun is unknown, somebody else's, too old, or done already."""

    code = "ceremony_over"
    text = "This took too long, or was done already. Begin again."


class PasskeyRefused(InvalidInput):
    """What the browser sent is not a passkey that can be registered here."""

    code = "passkey_refused"
    text = "This passkey could not be registered. It must ask for a fingerprint, a face or a PIN."


class PasswordRefused(InvalidInput):
    """The password breaks a rule."""

    code = "password_refused"
    text = (
        "A password has 12 to 128 characters with upper case, lower case, a digit and a special character, "
        "and no part of your name or e-mail address."
    )


class PasswordReused(InvalidInput):
    """The password is one of the last ones."""

    code = "password_reused"
    text = "This is one of your last 10 passwords. Choose another one."


class CurrentPasswordWrong(InvalidInput):
    """The password that is to be replaced was not shown."""

    code = "current_password_wrong"
    text = "The current password is not right."


class CodeWrong(InvalidInput):
    """The code does not belong to the new secret, or its time is over."""

    code = "code_wrong"
    text = "The code of the authenticator app is not right."


class EmailRefused(InvalidInput):
    """The text is no e-mail address."""

    code = "email_refused"
    text = "This is not an e-mail address that can be used here."


class RoleRefused(InvalidInput):
    """The role is unknown, or is one of the other side: a seller's, or the vendor's staff."""

    code = "role_refused"
    text = "This role does not exist here."


class EmailTaken(Conflict):
    """Somebody else signs in with this address."""

    code = "email_taken"
    text = "This e-mail address cannot be used. Choose another one."


class PasskeyKnown(Conflict):
    """The passkey is registered already."""

    code = "passkey_known"
    text = "This passkey is registered already."


class AccountTaken(Conflict):
    """The account at the identity provider is linked to somebody else, or the person to another account."""

    code = "provider_account_taken"
    text = "This account is linked already. Unlink it first."


class LastCredential(Conflict):
    """Nothing would be left to sign in with."""

    code = "last_credential"
    text = "This is your last way to sign in. Set up another one first."


class LastOwner(Conflict):
    """Nobody would be left to decide for the seller."""

    code = "last_owner"
    text = "A seller needs an owner who can sign in. Make somebody else an owner first."


class ProviderMissing(Conflict):
    """The vendor offers no identity provider."""

    code = "provider_missing"
    text = "Signing in with an identity provider is not offered here."


class MemberNotFound(NotFound):
    """The person is absent, has left, or is another seller's: all answer the same (T-07)."""

    text = "There is no such person."


class PasskeyNotFound(NotFound):
    """The passkey is absent or another person's: both answer the same (T-07)."""

    text = "There is no such passkey."


class PasskeysFull(LimitExceeded):
    """The person has as many passkeys as one may have."""

    code = "passkeys_full"
    text = "You have too many passkeys. Remove one first."


class MembersFull(LimitExceeded):
    """There are as many people as there may be."""

    code = "members_full"
    text = "There are too many people. Remove somebody first."


class SignInBusy(Unavailable):
    """More people sign in with passwords than may be served at once (R-23)."""

    code = "sign_in_busy"
    text = "Too many people are signing in. Try again in a moment."


class ProviderUnavailable(Unavailable):
    """The identity provider gives no answer, or none that can be used."""

    code = "identity_provider_unavailable"
    text = "The identity provider does not answer as it should."
