"""What proves that a form was sent from our own page, by the person who was shown it.

Two independent checks, both needed (T-04, T-08): the browser says the request comes from this origin,
and the form carries a token that only a page of ours, shown to this very browser, can hold. The token
is a keyed fingerprint of the form's action under the browser's secret (its session token, or before
there is one, the entry cookie). So it needs no store and is the same on every replica, is good for one
action only, ends with the session, and tells nothing about the secret.
"""

import base64

from aiohttp import web

import chassis.crypto.digest
import chassis.errors
from chassis.secrecy import Secret

TOKEN_FIELD = "form_token"  # noqa: S105 - a field's name
PURPOSE = "sallyport form"


class FormRefused(chassis.errors.Denied):
    """The form was not sent from a page that this browser was shown."""

    code = "form_refused"
    text = "This form did not come from a page that you opened here, or the page is too old. Open it again."


def token(secret: Secret[str], action: str) -> str:
    """Return what the form with this action carries.

    Args:
        secret: what only this browser and we know; at least 32 characters.
        action: the path that the form is sent to.
    """
    key = Secret(chassis.crypto.digest.sha256(secret.reveal().encode("utf-8", "surrogatepass")))
    fingerprint = chassis.crypto.digest.keyed(key, f"{PURPOSE} {action}")
    return base64.urlsafe_b64encode(fingerprint).rstrip(b"=").decode("ascii")


def check_token(given: str, secret: Secret[str], action: str) -> None:
    """Return if a form carries its token.

    Raises:
        FormRefused: it does not.
    """
    expected = token(secret, action)
    if not chassis.crypto.digest.equal(given.encode("utf-8", "surrogatepass"), expected.encode()):
        raise FormRefused


def check_origin(request: web.Request, origin: str, *, is_quiet: bool = False) -> None:
    """Return if the browser says that the request comes from a page of ours.

    Args:
        request: with the form.
        origin: ours.
        is_quiet: the form's page tells nobody where the browser was, not even us. Browsers then send
            "Origin: null", so that Sec-Fetch-Site alone has to say it.

    Raises:
        FormRefused: another site, or a browser that does not say. Every current browser sends
            Sec-Fetch-Site; those that do not send Origin with forms.
    """
    site, named = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if is_quiet and (site, named) == ("same-origin", "null"):
        return
    if site not in {None, "same-origin"} or named not in {None, origin} or (site is None and named is None):
        raise FormRefused
