"""People who sign in with a password and an authenticator app, as tests need them."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import chassis.crypto.otp
from chassis.secrecy import Secret
from fakes.auth_house import House
from services.auth.model.passwords import PasswordAttempt, PasswordWish
from services.auth.service.sessions import Opened

EMAIL = "ana@blue-kettle.example"
PASSWORD = "Correct horse 7 battery!"
STEP = timedelta(seconds=30)


@dataclass
class Holder:
    """Somebody with a password and an app; `code` is the app's present one."""

    house: House
    totp: Secret[bytes]
    email: str = EMAIL
    password: str = PASSWORD

    @property
    def code(self) -> str:
        return app_code(self.house, self.totp)

    async def sign_in(self, **changes: str) -> Opened:
        """Sign in with what is right, but for the changes; the app shows its next code first."""
        self.house.pass_(STEP)
        shown = {"email": self.email, "password": self.password, "code": self.code, "source": "", **changes}
        attempt = PasswordAttempt(
            email=shown["email"],
            password=Secret(shown["password"]),
            code=Secret(shown["code"]),
            source=shown["source"],
        )
        return await self.house.use.people.passwords.sign_in(attempt)


def app_code(house: House, totp: Secret[bytes]) -> str:
    """Return what an authenticator app shows now."""
    return chassis.crypto.otp.code(totp, int(house.clock.now().timestamp()) // 30)


async def enrolled(house: House, session_token: Secret[str]) -> tuple[str, Secret[bytes]]:
    """Return an enrolment, and what the person's app got."""
    ceremony, uri = await house.use.people.password_changes.begin(session_token)
    text = parse_qs(urlsplit(uri.reveal()).query)["secret"][0]
    return ceremony.text, Secret(base64.b32decode(text))


async def set_password(
    house: House,
    session_token: Secret[str],
    password: str = PASSWORD,
    *,
    email: str = EMAIL,
    current: str = "",
) -> tuple[Holder, Opened | None]:
    """Return somebody who set a password, and the session that took the first one's place."""
    enrolment, totp = await enrolled(house, session_token)
    wish = PasswordWish(
        email=email,
        password=Secret(password),
        code=Secret(app_code(house, totp)),
        current=Secret(current),
    )
    opened = await house.use.people.password_changes.set(session_token, enrolment, wish)
    return Holder(house, totp, email=email, password=password), opened
