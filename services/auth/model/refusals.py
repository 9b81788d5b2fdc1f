"""Why auth says no: one class per reason, its code stable, its text safe to show."""

from chassis.errors import (
    Conflict,
    Denied,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Unauthenticated,
    Unavailable,
)


class InvalidState(InvalidInput):
    """The consent's state is unknown, used, too old, or another session's (T-08)."""

    code = "invalid_state"
    text = "This connection cannot be completed. Start it again from the portal."


class InvalidGrant(InvalidInput):
    """A code or refresh token is unknown, used, too old or not this client's; one answer for all (T-11)."""

    code = "invalid_grant"
    text = "The grant is not valid, or no longer."


class InvalidScope(InvalidInput):
    """A scope that does not exist was asked for."""

    code = "invalid_scope"
    text = "A scope is not known here."


class InvalidRedirect(InvalidInput):
    """The redirect is not a loopback address (RFC 8252, 7.3)."""

    code = "invalid_redirect_uri"
    text = "The redirect must be http on 127.0.0.1 or [::1] with a port."


class InvalidChallenge(InvalidInput):
    """The code challenge or the key's thumbprint is not a SHA-256 value in base64url."""

    code = "invalid_request"
    text = "The code challenge must be S256 and the key thumbprint SHA-256, both in base64url."


class InvalidName(InvalidInput):
    """A name or a reason is empty, too long, or holds control characters."""

    code = "invalid_name"
    text = "Names have 1 to 64 printable characters, reasons 1 to 200."


class InvalidRestriction(InvalidInput):
    """A restricted operation is not described as Amazon describes one."""

    code = "invalid_restriction"
    text = "A restriction names a method, a path and data elements; there are 1 to 50 of them."


class TargetApplicationRefused(InvalidInput):
    """A restricted data token was asked for in favour of an application that the vendor did not name."""

    code = "target_application_refused"
    text = "Restricted data tokens for other applications are not given."


class ScopeNotLent(InvalidInput):
    """A token of the application's own was asked for with a scope that stays in auth."""

    code = "scope_not_lent"
    text = "Tokens of this scope are not lent."


class InvalidApplication(InvalidInput):
    """The application's identifiers or secret do not have Amazon's form."""

    code = "invalid_application"
    text = "The application id, client id or client secret does not have Amazon's form."


class UnknownMarketplace(InvalidInput):
    """The marketplace is not in the table."""

    code = "unknown_marketplace"
    text = "The marketplace is not known here."


class RegionMissing(InvalidInput):
    """The request names none of Amazon's regions."""

    code = "region_missing"
    text = "The request must name a region."


class ConsentCodeRefused(InvalidInput):
    """Amazon did not accept the consent's code."""

    code = "consent_code_refused"
    text = "Amazon did not accept this connection. Start it again from the portal."


class InvalidClient(Unauthenticated):
    """The desktop application's public client id is not registered."""

    code = "invalid_client"
    text = "The client is not known here."


class SessionInvalid(Unauthenticated):
    """The session is unknown, ended or over."""

    code = "session_invalid"
    text = "The session has ended. Sign in again."


class InvitationInvalid(Unauthenticated):
    """The invitation is unknown, used or too old."""

    code = "invitation_invalid"
    text = "The invitation is not valid, or no longer. Sign in, or ask whoever invited you for a new one."


class TokenInvalid(Unauthenticated):
    """The access token was not issued here, or not within memory."""

    code = "token_invalid"
    text = "The access token was not issued here."


class TokenExpired(Unauthenticated):
    """The access token is past its hour."""

    code = "token_expired"
    text = "The access token has expired."


class HandleExpired(TokenExpired):
    """The restricted handle is past its hour; another access token alone would not help its holder."""

    code = "handle_expired"
    text = "The restricted data token has ended. Ask for another one."


class DeviceRevoked(Unauthenticated):
    """The device was revoked; its tokens are worth nothing (T-01)."""

    code = "device_revoked"
    text = "The device was revoked."


class DeviceNotFound(NotFound):
    """The device is absent or another seller's: both answer the same (T-07)."""

    text = "There is no such device."


class SellerNotFound(NotFound):
    """The seller is absent."""

    text = "There is no such seller."


class SellingPartnerTaken(Conflict):
    """The account at Amazon is tied to another seller here."""

    code = "selling_partner_taken"
    text = "This account at Amazon is already connected by another seller."


class ApplicationMissing(Conflict):
    """The vendor registered no application yet."""

    code = "application_missing"
    text = "No application is registered yet."


class DevicesFull(LimitExceeded):
    """The seller has as many active devices as it may have."""

    code = "devices_full"
    text = "The seller has too many devices. Revoke one first."


class LendingBudgetExceeded(LimitExceeded):
    """A caller borrows for more sellers, or more often, than any gateway needs to (T-19)."""

    code = "lending_budget_exceeded"
    text = "Too many of Amazon's tokens are asked for. Try again later."


class TooManyFailures(LimitExceeded):
    """Somebody guesses; nobody gets an answer for a while (T-11)."""

    code = "too_many_failures"
    text = "Too many failed attempts. Try again later."


class ConsentMissing(Denied):
    """The seller never consented for this region."""

    code = "consent_missing"
    text = "The seller has not connected an account in this region."


class ConsentRevoked(Denied):
    """The seller's consent for this region has been withdrawn."""

    code = "consent_revoked"
    text = "The seller's consent for this region was withdrawn."


class ConsentExpired(Denied):
    """The seller's consent for this region is older than Amazon allows."""

    code = "consent_expired"
    text = "The seller's consent for this region has expired."


class HandleNotRestrictable(Denied):
    """A restricted handle was shown where a device's own access token is needed."""

    code = "handle_not_restrictable"
    text = "A restricted token cannot be used to ask for another one."


class RestrictionRefused(Denied):
    """Amazon does not give this seller's data to the application, e.g. because a role is missing."""

    code = "restriction_refused"
    text = "Amazon refused a restricted data token for this operation."


class AccessTokenRefused(RestrictionRefused):
    """Amazon did not take the access token with which a restricted one was asked for."""


class DataElementsDenied(Denied):
    """Buyers' data were asked for in the name of a device that may not see any."""

    code = "data_elements_denied"
    text = "The device may not see the data elements asked for."


class GrantRefused(Denied):
    """Amazon answered `invalid_grant`: the fault of one seller's grant, or a false alarm of Amazon's."""

    code = "grant_refused"
    text = "Amazon refused the seller's grant."


class GrantInUse(Conflict):
    """A consent or device that was idle is used again, or has ended; nobody but auth hears it."""


class ApplicationRefused(Unavailable):
    """Amazon answered `invalid_client`: the whole application is refused until its secret is renewed."""

    code = "application_refused"
    text = "Amazon refused the application's credentials."


class AuthorizationUnavailable(Unavailable):
    """Amazon's authorization service gives no answer, or none that may be trusted yet (R-08)."""

    code = "authorization_service_unavailable"
    text = "Amazon's authorization service is not available."


class AmazonThrottled(AuthorizationUnavailable):
    """Amazon's authorization service said to the whole application that it asks too often."""


class TurnTooFar(AuthorizationUnavailable):
    """Amazon's authorization service was not asked: the application's next turn is too far away."""


class ApplicationPaused(AuthorizationUnavailable):
    """Amazon refuses the application, and somebody else finds out whether it still does."""


class UpstreamInvalid(Unavailable):
    """Amazon's answer is not one that may be used (T-29)."""

    code = "upstream_invalid"
    text = "Amazon's answer could not be accepted."
    http_status = 502


class AuditUnavailable(Unavailable):
    """The audit log cannot be written, so nothing happens (R-02)."""

    code = "audit_unavailable"
    text = "The audit log is not available."
