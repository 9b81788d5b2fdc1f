"""The three cookies of the portal. All are for this host alone, over TLS alone, and unseen by scripts.

Lax, because people arrive from Amazon's consent page and from mail by following a link, and must be
known then; no form of another site carries them.
"""

import base64
import binascii
import re

from aiohttp import web

from chassis.secrecy import Secret

# The prefix makes browsers refuse the cookie from other hosts, other paths and plain HTTP.
SESSION = "__Host-sallyport-session"
# Before there is a session: ties the sign-in form to the browser that asked for it.
ENTRY = "__Host-sallyport-entry"
# What to go on with after signing in.
ERRAND = "__Host-sallyport-errand"
# Where an errand may lead: each of these judges its query itself, before and after the person signed in.
ERRAND_PATHS = frozenset(
    {
        "/oauth/authorize",
        "/consent/login",
        "/device",
        "/portal/connect",
        "/portal/security",
        "/portal/team",
        "/portal/sellers",
        "/portal/access-review",
    }
)

# A person has this long to find the invitation, or to press the button.
ENTRY_S = 3_600
# Somebody invited sets up a way to sign in before they go on, maybe an authenticator app first.
ERRAND_S = 1_800
# As much as fits into a cookie, which browsers keep up to 4,096 bytes with its name.
TARGET = re.compile(r"[!-~]{1,3000}", re.ASCII)
# What a session token and the entry cookie's secret are made of, and longer than either.
SECRET = re.compile(r"[A-Za-z0-9_=-]{1,256}", re.ASCII)


def session_token(request: web.Request) -> Secret[str] | None:
    """Return the session that the browser shows; unverified."""
    return read_secret(request.cookies.get(SESSION, ""))


def set_session(response: web.StreamResponse, token: Secret[str], *, age_s_max: int) -> None:
    """Have the browser keep a session for at most `age_s_max` seconds, and forget the way in."""
    _set(response, SESSION, token.reveal(), age_s_max=age_s_max)
    _forget(response, ENTRY)


def forget_session(response: web.StreamResponse) -> None:
    """Have the browser forget its session."""
    _forget(response, SESSION)


def entry_secret(request: web.Request) -> Secret[str] | None:
    """Return what ties a sign-in form to this browser; unverified."""
    return read_secret(request.cookies.get(ENTRY, ""))


def read_secret(kept: str) -> Secret[str] | None:
    """Return the secret that a cookie's value holds, whoever wrote it; None when it cannot be one of ours."""
    return Secret(kept) if SECRET.fullmatch(kept) else None


def set_entry(response: web.StreamResponse, secret: Secret[str]) -> None:
    """Have the browser keep what ties a sign-in form to it."""
    _set(response, ENTRY, secret.reveal(), age_s_max=ENTRY_S)


def errand(request: web.Request) -> str:
    """Return path and query of the request that waits for a session, maybe empty; the query is unverified."""
    return read_errand(request.cookies.get(ERRAND, ""))


def read_errand(kept: str) -> str:
    """Return the errand that a cookie's value holds, whoever wrote it; empty when it is none of ours."""
    try:
        target = base64.urlsafe_b64decode(kept).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    return target if _is_errand(target) else ""


def set_errand(response: web.StreamResponse, target: str) -> None:
    """Have the browser keep a request's path and query until the person has signed in."""
    if _is_errand(target):
        kept = base64.urlsafe_b64encode(target.encode("ascii")).decode("ascii")
        _set(response, ERRAND, kept, age_s_max=ERRAND_S)


def forget_errand(response: web.StreamResponse) -> None:
    """Have the browser forget the waiting request."""
    _forget(response, ERRAND)


def _is_errand(target: str) -> bool:
    return TARGET.fullmatch(target) is not None and target.partition("?")[0] in ERRAND_PATHS


def _set(response: web.StreamResponse, name: str, value: str, *, age_s_max: int) -> None:
    response.set_cookie(name, value, max_age=age_s_max, path="/", secure=True, httponly=True, samesite="Lax")


def _forget(response: web.StreamResponse, name: str) -> None:
    response.del_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
