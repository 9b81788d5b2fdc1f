"""Why auth says no to desktops that ask, and to people who decide on them; see `refusals` for the rest."""

from chassis.errors import Conflict, InvalidInput, LimitExceeded


class AuthorizationPending(InvalidInput):
    """Nobody has decided on the device grant yet (RFC 8628, 3.5)."""

    code = "authorization_pending"
    text = "Nobody has decided yet. Ask again after the interval."


class SlowDown(InvalidInput):
    """The desktop asks faster than its interval, which has just become longer (RFC 8628, 3.5)."""

    code = "slow_down"
    text = "Ask less often: the interval is 5 seconds longer from now on."


class AccessDenied(InvalidInput):
    """A person decided against the desktop (RFC 8628, 3.5)."""

    code = "access_denied"
    text = "The desktop was not let in."


class DeviceGrantExpired(InvalidInput):
    """Nobody decided in time, or the desktop did not fetch its tokens in time (RFC 8628, 3.5)."""

    code = "expired_token"
    text = "The codes have expired. Begin again."


class UserCodeInvalid(InvalidInput):
    """The user code is unknown, decided on or too old; one answer for all (T-11)."""

    code = "invalid_user_code"
    text = "This code is not valid, or no longer. Look at the desktop again."


class TooManyDeviceGrants(LimitExceeded):
    """More desktops wait for a decision than are kept."""

    code = "too_many_device_grants"
    text = "Too many desktops are waiting to be let in. Try again in some minutes."


class InvalidDeviceFacts(InvalidInput):
    """What a desktop says about itself is not one of the known words, or not a version."""

    code = "invalid_device_facts"
    text = "The platform, version or key storage is not of a known form."


class ScopeWithheld(Conflict):
    """A person of the seller withholds the scope from the device, so nobody gives it."""

    code = "scope_withheld"
    text = "A person of the seller withholds this scope from the device."
