"""Why auth says no to people: what they may not do, and ways in that are none."""

from chassis.errors import Denied


class RightMissing(Denied):
    """The person's role does not hold the right that this needs."""

    code = "right_missing"
    text = "Your role does not allow this."


class CredentialRequired(Denied):
    """An invitation opened the session, and nothing is set up yet to sign in with (DPP-1.4b)."""

    code = "credential_required"
    text = "Set up a passkey or a password first."
