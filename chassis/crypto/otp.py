"""One-time codes of authenticator apps (TOTP): six digits that change every half minute.

Source: RFC 6238, with the values that every authenticator app knows: SHA-1, 6 digits, steps of 30 s. SHA-1
is no weakness here: nothing rests on collisions (RFC 4226, appendix B.2).
"""

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

import chassis.crypto.digest
import chassis.secrecy

STEP_S = 30
DIGITS = 6
# Source: RFC 4226, 4, R6.
SECRET_BYTES_MIN = 16
# Source: RFC 6238, 5.2: at most one step of delay; the same ahead, for phones whose clock runs fast.
STEPS_ASIDE = 1


def code(secret: chassis.secrecy.Secret[bytes], step: int) -> str:
    """Return the code of a step, counted from the epoch.

    Args:
        secret: at least SECRET_BYTES_MIN bytes.
        step: the time in seconds, divided by STEP_S.
    """
    return _totp(secret).generate(step * STEP_S).decode("ascii")


def match(secret: chassis.secrecy.Secret[bytes], shown: str, unix_s: float) -> int | None:
    """Return the step whose code was shown, among those around a time; None when it is none of theirs.

    All of them are compared, in a time that does not tell which was right.
    """
    present = int(unix_s // STEP_S)
    found = None
    for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1):
        if chassis.crypto.digest.equal(code(secret, step).encode(), shown.encode("utf-8", "replace")):
            found = step
    return found


def uri(secret: chassis.secrecy.Secret[bytes], *, account: str, issuer: str) -> chassis.secrecy.Secret[str]:
    """Return the secret as authenticator apps take it: an otpauth address.

    Args:
        secret: at least SECRET_BYTES_MIN bytes.
        account: whose it is, as the app shows it.
        issuer: whom it is for.
    """
    return chassis.secrecy.Secret(_totp(secret).get_provisioning_uri(account, issuer))


def _totp(secret: chassis.secrecy.Secret[bytes]) -> TOTP:
    if len(secret.reveal()) < SECRET_BYTES_MIN:
        raise ValueError("a secret for one-time codes has at least 16 bytes")
    return TOTP(secret.reveal(), DIGITS, SHA1(), STEP_S)  # noqa: S303 - as the module says
