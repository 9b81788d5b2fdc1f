"""People who sign in with an account at the vendor's identity provider, as tests need them."""

from urllib.parse import parse_qs, urlsplit

from chassis.secrecy import Secret
from fakes.auth_house import House
from fakes.auth_people_edges import ISSUER
from services.auth.model.provider import ProviderAnswer
from services.auth.service.sessions import Opened

BROWSER = Secret("a secret of this browser, 32 or more")


async def begin(
    house: House, session_token: Secret[str] | None = None, browser: Secret[str] = BROWSER
) -> str:
    """Return the state that the provider is handed."""
    url = await house.use.people.provider.begin(browser, session_token)
    return parse_qs(urlsplit(url.reveal()).query)["state"][0]


def answer(house: House, state: str, subject: str = "ana") -> ProviderAnswer:
    """Return what the browser brings back when somebody signed in."""
    code = f"code of {subject} {len(house.provider.subjects)}"
    house.provider.subjects[code] = subject
    return ProviderAnswer(state=state, code=Secret(code), issuer=ISSUER)


async def sign_in(house: House, subject: str = "ana") -> Opened:
    """Return the session that an account opens."""
    return await house.use.people.provider.complete(BROWSER, answer(house, await begin(house), subject))


async def link(house: House, session_token: Secret[str], subject: str = "ana") -> Opened:
    """Return the session that takes the place of the one in which an account was linked."""
    state = await begin(house, session_token)
    return await house.use.people.provider.complete(BROWSER, answer(house, state, subject))
