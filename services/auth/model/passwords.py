"""Passwords and the codes of authenticator apps: the rules, and when somebody has guessed enough.

A password alone never signs in: a code that the person's authenticator app made in the same minute belongs
to it, and each step's code is good once (RFC 6238, 5.2). Wrong attempts are counted in storage, for all
replicas: FAILURES_MAX of them lock the address for LOCKED, whether anybody signs in with it or not. A lock
keeps nobody from signing in with a passkey or the identity provider.
"""

import base64
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chassis.secrecy import Secret
from services.auth.model.people import Person
from services.auth.model.people_refusals import EmailRefused, PasswordRefused, PasswordTooNew
from services.auth.model.sealing import Place

# Source: DPP-1.4a.
PASSWORD_CHARS_MIN = 12
PASSWORDS_REMEMBERED = 10
PASSWORD_AGE_MIN = timedelta(days=1)
PASSWORD_AGE_MAX = timedelta(days=365)
# Source: NIST SP 800-63B, 3.1.1.2: at least 64; the bound keeps hashing cheap to refuse.
PASSWORD_CHARS_MAX = 128
# What of a name counts as a part: shorter pieces are in many words by chance.
PART_CHARS_MIN = 3
# Source: RFC 5321, 4.5.3.1.3, less the angle brackets.
EMAIL_CHARS_MAX = 254
EMAIL_FORM = re.compile(r"[^@\s\"<>(),:;\\]{1,64}@(?:[^@\s.\"<>(),:;\\]{1,63}\.)+[^@\s.\"<>(),:;\\]{2,63}")
# Source: RFC 4226, 4, R6: 160 bits.
TOTP_BYTES = 20

# Source: DPP-1.2b, 10 or fewer.
FAILURES_MAX = 10
# Behind one source there may be a whole office.
SOURCE_FAILURES_MAX = 100
LOCKED = timedelta(minutes=30)
SOURCE_CHARS_MAX = 64


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a person signs in with by password, as storage knows it.

    Attributes:
        version: how many passwords the person had, this one included.
        totp_step: of the last code that was used; no code of this step or an earlier one is good again.
        set_at: when the password was set.
    """

    person: Person
    version: int
    email_digest: bytes
    email_sealed: str
    hash_sealed: str
    totp_sealed: str
    totp_step: int
    set_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When the password must have been replaced."""
        return self.set_at + PASSWORD_AGE_MAX

    @property
    def email_place(self) -> Place:
        """Where the e-mail address is sealed."""
        return email_place(self.person, self.version)

    @property
    def hash_place(self) -> Place:
        """Where the password's hash is sealed."""
        return hash_place(self.person, self.version)

    @property
    def totp_place(self) -> Place:
        """Where the authenticator app's secret is sealed."""
        return totp_place(self.person, self.version)


@dataclass(frozen=True, kw_only=True)
class OldHash:
    """The hash of a password that the person has or had."""

    version: int
    hash_sealed: str
    set_at: datetime


@dataclass(frozen=True, kw_only=True)
class PasswordAttempt:
    """What somebody shows to sign in; unverified.

    Attributes:
        source: where the attempt comes from, as the gateway says; empty when it does not.
    """

    email: str = field(repr=False)
    password: Secret[str]
    code: Secret[str]
    source: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class PasswordWish:
    """What a person wants to sign in with from now on.

    Attributes:
        code: made with the secret of the enrolment.
        current: the present password; empty when there is none.
    """

    email: str = field(repr=False)
    password: Secret[str]
    code: Secret[str]
    current: Secret[str]


@dataclass(frozen=True, kw_only=True)
class Failures:
    """How often somebody failed lately, the attempts that are not judged yet included.

    Counting before judging is what keeps many attempts at once from being judged on one count.

    Attributes:
        failed_at: of the last one; ahead of now when the clock that wrote it was. Further ahead than LOCKED
            it counts as long ago: a clock that once jumped a year locks nobody out for a year (R-14).
    """

    failures: int
    failed_at: datetime

    def count(self, now: datetime, failures_max: int) -> "Failures | None":
        """Return the count with one more attempt, or None while it is locked: then nothing is counted."""
        if abs(now - self.failed_at) >= LOCKED:
            return Failures(failures=1, failed_at=now)
        if self.failures >= failures_max:
            return None
        return Failures(failures=self.failures + 1, failed_at=now)

    def locked_s(self, now: datetime) -> float:
        """Return how many seconds remain of a lock that began with the last failure."""
        return max(0.0, (self.failed_at + LOCKED - now).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt as it was counted, before it is judged.

    Attributes:
        is_locked: nothing was counted, and nothing is judged.
    """

    failures: Failures
    is_locked: bool


def normalised(password: Secret[str]) -> Secret[str]:
    """Return a password as it is hashed, so that keyboards that compose letters differently agree.

    Source: NIST SP 800-63B, 3.1.1.2 (NFKC).
    """
    return Secret(unicodedata.normalize("NFKC", password.reveal()))


def is_hashable(password: Secret[str]) -> bool:
    """Return whether a text could be anybody's password: everything else need not be looked at."""
    text = password.reveal()
    return 0 < len(text) <= PASSWORD_CHARS_MAX and not any(map(_is_odd, text))


def check_password(password: Secret[str], *, person_name: str, email: str) -> None:
    """Return if a normalised password keeps the rules.

    Raises:
        PasswordRefused: too short or long, a kind of character is missing or odd, or a part of the person's
            name or address is in it. Source: DPP-1.4a.
    """
    text = password.reveal()
    if len(text) < PASSWORD_CHARS_MIN or not is_hashable(password):
        raise PasswordRefused
    kinds = (str.isupper, str.islower, str.isdecimal, _is_special)
    if not all(any(map(kind, text)) for kind in kinds):
        raise PasswordRefused
    folded = text.casefold()
    if any(part in folded for part in _parts(person_name, email)):
        raise PasswordRefused


def check_age(set_at: datetime, now: datetime) -> None:
    """Return if a password set then may be replaced now.

    Raises:
        PasswordTooNew: it may not yet, so that nobody goes around the memory of old ones in an hour.
    """
    if now < set_at + PASSWORD_AGE_MIN:
        raise PasswordTooNew


def email(text: str) -> str:
    """Return an e-mail address in the one form by which it is known.

    Raises:
        EmailRefused: it has not the form of one.
    """
    folded = unicodedata.normalize("NFKC", text.strip()).casefold()
    if len(folded) > EMAIL_CHARS_MAX or not EMAIL_FORM.fullmatch(folded) or any(map(_is_odd, folded)):
        raise EmailRefused
    return folded


def code_shown(code: Secret[str]) -> Secret[str]:
    """Return a code without the blanks that people put between its digits."""
    return Secret("".join(code.reveal().split()))


def totp_text(secret: Secret[bytes]) -> Secret[str]:
    """Return an authenticator app's secret as text, to be sealed."""
    return Secret(base64.b32encode(secret.reveal()).decode("ascii"))


def totp_secret(text: Secret[str]) -> Secret[bytes]:
    """Return what `totp_text` wrote."""
    return Secret(base64.b32decode(text.reveal()))


def email_place(person: Person, version: int) -> Place:
    """Return where an e-mail address is sealed."""
    return _place(person, "passwords", column="email_sealed", version=version)


def hash_place(person: Person, version: int) -> Place:
    """Return where a password's hash is sealed, while it is the present one and after."""
    return _place(person, "password_hashes", column="hash_sealed", version=version)


def totp_place(person: Person, version: int) -> Place:
    """Return where an authenticator app's secret is sealed."""
    return _place(person, "passwords", column="totp_sealed", version=version)


def _place(person: Person, table: str, *, column: str, version: int) -> Place:
    return Place(
        seller_id=person.seller_id, table=table, column=column, row_id=person.user_id, version=version
    )


def _is_special(char: str) -> bool:
    return not char.isalnum()


def _is_odd(char: str) -> bool:
    """Return whether a character is invisible, unassigned or a kind of blank that keyboards do not have."""
    return char != " " and unicodedata.category(char)[0] in "CZ"


def _parts(person_name: str, address: str) -> Iterator[str]:
    """Yield what of a name and an address must not be in a password; the address's last label may be."""
    local, _, domain = address.rpartition("@")
    for text in (person_name, local, domain.rpartition(".")[0]):
        for part in re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).casefold()):
            if len(part) >= PART_CHARS_MIN:
                yield part
