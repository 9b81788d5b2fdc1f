"""How people of the story come in: an invitation once, a password with an authenticator app from then on.

`come_in` is what every script does first that plays a person in a browser; `sign_in` brings the same person
back later, or on another browser. The authenticator is the real one's arithmetic, so that nothing here is
easier than for people.
"""

import asyncio
import base64
import secrets
import time
from urllib.parse import parse_qs, urljoin, urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from sallyport.demo.browser import Browser, Page

# What authenticator apps do unless told otherwise.
# Source: RFC 6238, 4 and 5.2.
STEP_S = 30
DIGITS = 6
# A server takes the neighbours of the present code too, because phones' clocks are not exact.
STEPS_AHEAD_MAX = 1
PASSWORD_DIGITS = 40

SECURITY = "/portal/security"
SIGN_IN = "/portal/sign-in"
BEGIN_PASSWORD = f"{SECURITY}/password/begin"
SET_PASSWORD = f"{SECURITY}/password"


class Authenticator:
    """An authenticator app with one secret; it shows no code twice, because no code is taken twice."""

    def __init__(self, otpauth_uri: str) -> None:
        """Take the secret that a set-up page shows."""
        secret = parse_qs(urlsplit(otpauth_uri).query)["secret"][0]
        padded = secret + "=" * (-len(secret) % 8)
        # An authenticator app knows no other hash.
        self._codes = TOTP(base64.b32decode(padded), DIGITS, SHA1(), STEP_S, enforce_key_length=False)  # noqa: S303
        self._shown_step = 0

    async def code(self) -> str:
        """Return the next code that has not been shown; waits when the coming one was shown already."""
        step = max(int(time.time()) // STEP_S, self._shown_step + 1)
        await asyncio.sleep((step - STEPS_AHEAD_MAX) * STEP_S - time.time())
        self._shown_step = step
        return self._codes.generate(step * STEP_S).decode()


class Login:
    """What one person signs in with; made up here and known to nobody else."""

    def __init__(self, authenticator: Authenticator) -> None:
        self.email = f"{secrets.token_hex(6)}@example.com"
        # Every kind of character that the rules ask for; then digits, because letters that are drawn may hold
        # a part of the person's name, and such a password is refused.
        self.password = f"Aa1-{secrets.randbelow(10**PASSWORD_DIGITS):0{PASSWORD_DIGITS}}"
        self.authenticator = authenticator


async def come_in(browser: Browser, invitation_url: str) -> Login:
    """Follow an invitation, set up a password with an authenticator app, and return both.

    Raises:
        LookupError: a page on the way did not come; it names the page that came instead.
    """
    page = await browser.open(invitation_url)
    security = await browser.submit(page, page.form("/portal/enter"))
    page = await browser.submit(security, security.form(BEGIN_PASSWORD))
    form = page.form(SET_PASSWORD)
    login = Login(Authenticator(form.values["otpauth_uri"]))
    done = await browser.submit(
        page,
        form,
        email=login.email,
        password=login.password,
        password_again=login.password,
        code=await login.authenticator.code(),
    )
    _expect_inside(done)
    return login


async def sign_in(browser: Browser, gateway: str, login: Login) -> Page:
    """Sign a person in who came in before, and return the page that follows.

    Args:
        browser: any; also one that holds another session.
        gateway: its origin.
        login: what `come_in` returned.

    Raises:
        LookupError: the gateway did not take it.
    """
    page = await browser.open(urljoin(gateway, SIGN_IN))
    done = await browser.submit(
        page,
        page.form(SIGN_IN),
        email=login.email,
        password=login.password,
        code=await login.authenticator.code(),
    )
    _expect_inside(done)
    return done


def _expect_inside(page: Page) -> None:
    """Return if a page is one that only people who are signed in see: each has the way out on it."""
    page.form("/portal/sign-out")
