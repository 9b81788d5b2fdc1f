"""Refusals of the token endpoints, in the shape that OAuth and LWA clients read.

`{"error","error_description"}` with the codes of RFC 6749, 5.2, plus two members that such clients pass
over: `code`, the stable code of the reason, and `request_id`.
"""

import orjson

from chassis.errors import (
    InvalidInput,
    LimitExceeded,
    SallyportError,
    Unauthenticated,
    Unavailable,
    kind_of,
)
from services.gateway.model.calls import Answer
from services.gateway.model.faults import JSON_TYPE, challenge, retry_after

INVALID_CLIENT = "invalid_client"
# Codes that say themselves what a client must hear.
# Source: RFC 6749, 5.2; RFC 8628, 3.5; RFC 9449, 5; Login with Amazon's own list.
_OAUTH_CODES = frozenset(
    {
        "invalid_request",
        INVALID_CLIENT,
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "authorization_pending",
        "slow_down",
        "access_denied",
        "expired_token",
    },
)
UPGRADE_STATUS = 426
# The scheme in which a client may have named itself (RFC 6749, 5.2).
CHALLENGE = 'Basic realm="sallyport"'
NO_STORE = (("content-type", JSON_TYPE), ("cache-control", "no-store"), ("pragma", "no-cache"))


class UnsupportedGrant(InvalidInput):
    """No client gets tokens for such a grant here."""

    code = "unsupported_grant_type"
    text = "This grant type is not supported."


class GrantNotForDevices(InvalidInput):
    """Login with Amazon knows the grant, but it is the server's and not a device's."""

    code = "unauthorized_client"
    text = "Devices get tokens for their refresh token only."


def render(error: SallyportError, request_id: str) -> Answer:
    """Return the answer that tells a client why it gets no token."""
    status, code = _status_and_code(error)
    headers = list(NO_STORE)
    if isinstance(error, (LimitExceeded, Unavailable)):
        headers.append(("retry-after", retry_after(error.retry_after_s)))
    if status == 401:
        headers.append(("www-authenticate", CHALLENGE))
    members = {"error": code, "error_description": error.text, "code": error.code, "request_id": request_id}
    return Answer(status, headers, orjson.dumps(members))


def render_asker(error: SallyportError, request_id: str) -> Answer:
    """Return the answer for a device that shows its own access token: its refusals are a resource's.

    Source: RFC 9449, 7.1.
    """
    if not isinstance(error, Unauthenticated):
        return render(error, request_id)
    code = error.code if error.code in _OAUTH_CODES else "invalid_token"
    members = {"error": code, "error_description": error.text, "code": error.code, "request_id": request_id}
    headers = [*NO_STORE, ("www-authenticate", challenge(code))]
    return Answer(401, headers, orjson.dumps(members))


def _status_and_code(error: SallyportError) -> tuple[int, str]:
    kind = kind_of(error)
    if kind is LimitExceeded or kind is Unavailable:
        return error.http_status, "temporarily_unavailable"
    if error.http_status >= 500:
        return error.http_status, "server_error"
    if error.http_status == UPGRADE_STATUS:
        return 400, "unauthorized_client"
    if error.code in _OAUTH_CODES:
        return 401 if error.code == INVALID_CLIENT else 400, error.code
    if kind is InvalidInput:
        return error.http_status, "invalid_request"
    return 400, "invalid_grant"
