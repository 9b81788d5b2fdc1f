"""Refusals and failures of the forwarding path, and their rendering in Amazon's shape.

`{"errors":[{"code","message","details"}]}`, because that is what SP-API libraries read. `details`
starts with the stable code of the reason. Only an ended access token answers with words that match
`access token.*expired`: one library refreshes on exactly that, and would loop on any other use. Every 429
names a limit: the same library asks again at once, for ever, when none is named.
"""

import math
from types import MappingProxyType

import orjson

from chassis.errors import (
    Denied,
    Gone,
    InvalidInput,
    LimitExceeded,
    NotFound,
    SallyportError,
    Unauthenticated,
    Unavailable,
    kind_of,
)
from services.gateway.model.calls import PROOF_ALGORITHMS, Answer

JSON_TYPE = "application/json"

# What a client hears when a dependency gives no better advice.
RETRY_AFTER_S_DEFAULT = 5.0
# No library waits longer in any useful way; a bucket of 0.0056 calls/s refills within this.
RETRY_AFTER_S_MAX = 3600.0
# A call that comes back so much too early is held until it gets a permit.
HELD_S = 10.0

TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a token
# A restricted handle's end has no such words: renewing its access token, that library would call with the
# same handle again, for ever.
ENDED = frozenset({TOKEN_EXPIRED, "handle_expired"})
EXPIRED_DETAILS = "The access token you provided has expired."
DENIED_MESSAGE = "Access to requested resource is denied."

_AMAZON_CODES = MappingProxyType(
    {
        InvalidInput: "InvalidInput",
        Unauthenticated: "Unauthorized",
        Denied: "AccessDenied",
        NotFound: "NotFound",
        Gone: "Gone",
        LimitExceeded: "QuotaExceeded",
        Unavailable: "ServiceUnavailable",
    },
)
_AMAZON_CODE_DEFAULT = "InternalFailure"


class OperationNotAllowed(Denied):
    """No operation of the catalogue has this method and path, or none that a desktop may call."""

    code = "operation_not_allowed"
    text = "This operation is not in the catalogue of operations that may be called."


class OperationNotForSellers(Denied):
    """The operation belongs to the application, not to a seller."""

    code = "operation_not_allowed"
    text = "This operation belongs to the application and is not open to desktops."


class OperationNotOpen(Denied):
    """The application's policy opens the operation to no device."""

    code = "operation_not_open"
    text = "The policy of this application does not open this operation."


class ProfileNotAllowed(Denied):
    """The application's policy opens the operation to devices of the other profile."""

    code = "profile_not_allowed"
    text = "The policy of this application opens this operation to devices of another profile."


class PurposeNotAllowed(Denied):
    """The call states a purpose that the application's policy does not know, or not for this operation."""

    code = "purpose_not_allowed"
    text = "The policy of this application does not open this operation for the purpose of the call."


class DelegationNotAllowed(Denied):
    """A restricted token is asked for in favour of an application that the policy does not name."""

    code = "delegation_not_allowed"
    text = "The policy of this application does not let that application use the data."


class RestrictionMismatch(Denied):
    """A restricted handle was used for an operation that it does not name."""

    code = "restriction_mismatch"
    text = "The restricted data token does not name this operation."


class ScopeMissing(Denied):
    """The device may not do this."""

    code = "scope_missing"
    text = "The device does not have the scope that this operation needs."


class RegionNotConnected(Denied):
    """The seller has no active consent in the region the call is for."""

    code = "region_not_connected"
    text = "The seller has not connected an account in this region."


class SandboxNotServed(InvalidInput):
    """The call names Amazon's sandbox, and would be made in production."""

    code = "sandbox_not_served"
    text = "Calls go to Amazon's production here, not to its sandbox. Tell the library to use production."


class TokenMissing(Unauthenticated):
    """The call carries no access token, or nothing shaped like one of ours."""

    code = "token_invalid"
    text = "The access token is missing or was not issued here."


class InvalidDpopProof(Unauthenticated):
    """A bound device called without its proof, or with another key's."""

    code = "invalid_dpop_proof"
    text = "The call does not prove possession of the device's key."


class UseDpopNonce(Unauthenticated):
    """The proof carries no nonce of ours, or one that has ended; the answer brings a fresh one (T-02)."""

    code = "use_dpop_nonce"
    text = "The proof must carry the nonce that the DPoP-Nonce header brings."


class BodyInvalid(InvalidInput):
    """The body is not what the operation takes."""

    code = "invalid_body"
    text = "The body of the request is not valid JSON for this operation."


class RetentionUnavailable(Unavailable):
    """The safe could not be told about personal data, so the data does not leave."""

    code = "retention_unavailable"
    text = "The safe is not available."


class OrderExpired(Gone):
    """The order left so long ago that its personal data is not shown any more (R-19)."""

    code = "expired"
    text = "The time for keeping this has run out."


class QuotaExceeded(LimitExceeded):
    """The seller's quota for the operation does not allow the call within its deadline.

    Attributes:
        rate_per_s: how fast its bucket refills.
    """

    code = "quota_exceeded"
    text = "You exceeded your quota for the requested resource."

    def __init__(self, *, retry_after_s: float, rate_per_s: float) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.rate_per_s = rate_per_s


class UpstreamTimeout(Unavailable):
    """Amazon gave no whole answer in time."""

    code = "upstream_timeout"
    text = "Amazon did not answer in time."
    http_status = 504


class UpstreamInvalid(Unavailable):
    """Amazon's answer is not one that may be passed on (T-29)."""

    code = "upstream_invalid"
    text = "Amazon's answer could not be accepted."
    http_status = 502


class UpstreamLost(Unavailable):
    """The connection to Amazon broke; it may have seen the request."""

    code = "upstream_lost"
    text = "The connection to Amazon broke before its answer."
    http_status = 502


class UpstreamUnreachable(Unavailable):
    """No connection to Amazon came about."""

    code = "upstream_unreachable"
    text = "Amazon could not be reached."
    http_status = 502


class UpstreamResting(Unavailable):
    """Amazon has not been answering this seller's calls, so that they rest; Amazon was not asked (R-07)."""

    code = "upstream_resting"
    text = "Amazon has not been answering. Calls rest for a moment."


class DeadlineExceeded(Unavailable):
    """The answer did not come about in the time in which every call is answered (R-07)."""

    code = "deadline_exceeded"
    text = "The answer took too long."


class TooManyCalls(LimitExceeded):
    """As many calls of the device, or of its seller, are under way as may be."""

    code = "too_many_calls"
    text = "Too many calls of this desktop or seller are under way."


class TooManyUnknownTokens(LimitExceeded):
    """Too many access tokens that were never issued came from the call's address (R-23)."""

    code = "too_many_unknown_tokens"
    text = "Too many unknown access tokens come from this address."


class TooManyStrangers(Unavailable):
    """Too many access tokens that were never issued come from anywhere; this may be one more (R-23)."""

    code = "too_many_strangers"
    text = "Too many unknown access tokens are shown right now. Try again in a moment."


class UpstreamBusy(Unavailable):
    """More calls of Amazon's are under way, or wait, than this process takes on; Amazon was not asked."""

    code = "upstream_busy"
    text = "Too many calls to Amazon are under way."


def render(error: SallyportError, request_id: str, *, is_bound: bool = False) -> Answer:
    """Return the answer that tells a client of an error, in Amazon's shape.

    Args:
        error: any of ours, or one that a peer described.
        request_id: echoed as x-amzn-RequestId, which libraries log.
        is_bound: whether the call came with a DPoP proof.
    """
    status, headers = error.http_status, [("content-type", JSON_TYPE), ("x-amzn-requestid", request_id)]
    if isinstance(error, Unauthenticated):
        challenge = _challenge(error.code, is_bound=is_bound)
        status = 401 if challenge else 403
        headers += [("www-authenticate", challenge)] if challenge else []
    if isinstance(error, (LimitExceeded, Unavailable)):
        headers.append(("retry-after", retry_after(error.retry_after_s)))
    if isinstance(error, LimitExceeded):
        headers.append(("x-amzn-ratelimit-limit", _limit(error)))
    return Answer(status, headers, _body(error, status))


def retry_after(delay_s: float | None) -> str:
    """Return the value of a Retry-After header: whole seconds, at least 1, never absurd."""
    return str(math.ceil(_delay_s(delay_s)))


def shaped(code: str, message: str, details: str) -> bytes:
    """Return one error as the body that SP-API libraries read."""
    return orjson.dumps({"errors": [{"code": code, "message": message, "details": details}]})


def challenge(code: str) -> str:
    """Return the challenge that a client with a key reads (RFC 9449, 7.1)."""
    return f'DPoP error="{code}", algs="{" ".join(PROOF_ALGORITHMS)}"'


def _delay_s(wanted_s: float | None) -> float:
    known_s = RETRY_AFTER_S_DEFAULT if wanted_s is None or not math.isfinite(wanted_s) else wanted_s
    return min(max(known_s, 1.0), RETRY_AFTER_S_MAX)


def _limit(error: LimitExceeded) -> str:
    """Return the limit that a 429 names, in calls a second: libraries wait 1/limit s, and not at all without.

    It is the quota's own, unless the next permit is much further away: calls before that would be in vain.
    """
    wait_s = _delay_s(error.retry_after_s)
    if isinstance(error, QuotaExceeded) and wait_s <= 1 / error.rate_per_s + HELD_S:
        return format(error.rate_per_s, ".10g")
    return format(1 / wait_s, ".10g")


def _body(error: SallyportError, status: int) -> bytes:
    if error.code == TOKEN_EXPIRED:
        return shaped("Unauthorized", DENIED_MESSAGE, EXPIRED_DETAILS)
    if status in {401, 422}:
        return shaped(error.code, error.text, "")
    code = _AMAZON_CODES.get(kind_of(error), _AMAZON_CODE_DEFAULT)
    if status in {502, 504}:
        code = _AMAZON_CODE_DEFAULT
    message = DENIED_MESSAGE if status == 403 else error.text
    return shaped(code, message, f"{error.code}: {error.text}")


def _challenge(code: str, *, is_bound: bool) -> str:
    """Return what a client with a key hears (RFC 9449, 7.1); nothing for what Amazon would not say."""
    if code in {InvalidDpopProof.code, UseDpopNonce.code}:
        return challenge(code)
    return challenge("invalid_token") if is_bound else ""
