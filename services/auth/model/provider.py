"""The vendor's own identity provider (OpenID Connect): what its ID tokens must say before anybody comes in.

- An account is known by issuer and subject, never by an e-mail address, which providers reassign.
- It is linked by its person, from a session of theirs; nobody becomes a user by signing in there.
- The provider must say that it asked for more than a password (DPP-1.4b), by `amr` or by a configured `acr`.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chassis.secrecy import Secret
from services.auth.model.people_refusals import SecondFactorMissing, SignInRefused

CLOCK_SKEW = timedelta(seconds=60)
# A token that was issued longer ago is not the answer to a sign-in of now.
TOKEN_AGE_MAX = timedelta(minutes=10)
# Source: OpenID Connect Core 1.0, 2: at most 255 ASCII characters.
SUBJECT_CHARS_MAX = 255
ANSWER_CHARS_MAX = 2_048
# Ways to sign in that are, or show, more than a password. Source: RFC 8176, 2.
STRONG_METHODS = frozenset({"mfa", "hwk", "otp", "sc", "fpt", "face", "iris", "retina", "vbm"})


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which ID tokens are for us.

    Attributes:
        strong_contexts: the `acr` values that the vendor says mean more than a password.
    """

    issuer: str
    client_id: str
    strong_contexts: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account at the provider."""

    issuer: str
    subject: str = field(repr=False)

    @property
    def key(self) -> str:
        """One text for both, which no other pair has."""
        return f"{len(self.issuer)}:{self.issuer}:{self.subject}"


@dataclass(frozen=True, kw_only=True)
class ProviderAnswer:
    """What the provider's redirect carried, not believed yet.

    Attributes:
        issuer: empty when the answer names none (RFC 9207).
    """

    state: str = field(repr=False)
    code: Secret[str]
    issuer: str


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What ties one sign-in at the provider together; each follows from its ceremony and auth's own key."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: Secret[str]


def account(claims: Mapping[str, Any], trust: Trust, *, nonce: str, now: datetime) -> Account:
    """Return whose an ID token is, once its signature was verified.

    Raises:
        SignInRefused: another issuer, audience, sign-in or time.
        SecondFactorMissing: all is well but for the second factor.

    Source: OpenID Connect Core 1.0, 3.1.3.7.
    """
    is_ours = _is_same(claims.get("iss"), trust.issuer) and _is_for(claims, trust.client_id)
    subject = claims.get("sub")
    is_named = isinstance(subject, str) and 0 < len(subject) <= SUBJECT_CHARS_MAX
    if not (is_ours and is_named and _is_same(claims.get("nonce"), nonce) and _is_present(claims, now)):
        raise SignInRefused
    if not _is_strong(claims, trust):
        raise SecondFactorMissing
    return Account(issuer=trust.issuer, subject=str(subject))


def _is_same(value: object, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())


def _is_for(claims: Mapping[str, Any], client_id: str) -> bool:
    """Return whether the token is for us alone: other audiences could show it here."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return audiences == [client_id] and claims.get("azp", client_id) == client_id


def _is_present(claims: Mapping[str, Any], now: datetime) -> bool:
    now_s, skew_s = now.timestamp(), CLOCK_SKEW.total_seconds()
    expires_s, issued_s = _time_s(claims.get("exp")), _time_s(claims.get("iat"))
    if expires_s is None or issued_s is None:
        return False
    not_before_s = _time_s(claims.get("nbf", issued_s))
    if not_before_s is None or not_before_s > now_s + skew_s:
        return False
    is_young = -skew_s <= now_s - issued_s <= TOKEN_AGE_MAX.total_seconds() + skew_s
    return is_young and now_s < expires_s + skew_s


def _time_s(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _is_strong(claims: Mapping[str, Any], trust: Trust) -> bool:
    methods = claims.get("amr")
    if isinstance(methods, list) and any(isinstance(one, str) and one in STRONG_METHODS for one in methods):
        return True
    context = claims.get("acr")
    return isinstance(context, str) and context in trust.strong_contexts
