"""A desktop application in the bound profile: OAuth for native apps, every request proven with its own key.

Source: RFC 8252 (system browser, loopback redirect), RFC 7636 (PKCE S256), RFC 9449 (DPoP with nonces).
"""

import asyncio
import base64
import hashlib
import secrets
import ssl
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.jwk import ECKey

from sallyport.demo.browser import Browser
from sallyport.demo.patience import expect_up, patiently

CLIENT_ID = "desktop"
TIMEOUT_S = 60.0
ASKS_FOR_NONCE = "use_dpop_nonce"
THANKS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nYou can close this window."


@dataclass(frozen=True)
class Answer:
    """What the gateway answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Desktop:
    """One installed application with its key. Use as an async context manager."""

    def __init__(self, gateway: str, trust: ssl.SSLContext) -> None:
        self._gateway = gateway
        self._trust = trust
        self._key = ECKey.generate_key("P-256", private=True)
        self._nonce = ""
        self.access_token = ""
        self.refresh_token = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trust), timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def enrol(self, browser: Browser, device_name: str) -> None:
        """Have the person at `browser` approve this desktop, then fetch its first tokens."""
        await self.fetch_tokens(await self.ask(browser, device_name))

    async def ask(self, browser: Browser, device_name: str) -> dict[str, str]:
        """Have the person at `browser` approve this desktop; return what tokens are fetched with."""
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        arrived: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        listener = await asyncio.start_server(_catch_redirect(arrived), "127.0.0.1", 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            redirect_uri = f"http://127.0.0.1:{port}/callback"
            page = await browser.open(self._authorize_url(verifier, state, redirect_uri))
            await browser.submit(page, page.form("/oauth/authorize"), device_name=device_name)
            answer = await asyncio.wait_for(arrived, TIMEOUT_S)
        if answer.get("state") != state or answer.get("iss") != self._gateway:
            raise RuntimeError("the redirect did not come from the gateway that was asked")
        return {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }

    async def refresh(self) -> None:
        """Replace both tokens by new ones."""
        await self.fetch_tokens({"grant_type": "refresh_token", "refresh_token": self.refresh_token})

    async def call(self, method: str, target: str, body: bytes = b"") -> Answer:
        """Return the gateway's answer to an SP-API call; `target` is the path with its query."""
        url = f"{self._gateway}{target}"
        headers = {"Authorization": f"DPoP {self.access_token}"}
        if body:
            headers["Content-Type"] = "application/json"

        async def send() -> Answer:
            proof = self.proof(method, url, self.access_token)
            proven = {**headers, "DPoP": proof}
            async with self._session.request(method, url, data=body or None, headers=proven) as answer:
                expect_up(answer.status)
                return Answer(answer.status, self._heard(answer), await answer.read())

        answer = await send()
        return await send() if ASKS_FOR_NONCE in answer.headers.get("WWW-Authenticate", "") else answer

    def proof(self, method: str, url: str, access_token: str | None = None) -> str:
        """Return a DPoP proof for one request (RFC 9449, 4.2) with the newest nonce heard."""
        parts = urlsplit(url)
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": f"{parts.scheme}://{parts.netloc}{parts.path}",
            "iat": int(time.time()),
        }
        if self._nonce:
            claims["nonce"] = self._nonce
        if access_token is not None:
            claims["ath"] = _base64url(hashlib.sha256(access_token.encode()).digest())
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        return jwt.encode(header, claims, self._key)

    def _authorize_url(self, verifier: str, state: str, redirect_uri: str) -> str:
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": redirect_uri,
            "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "scope": "orders",
            "state": state,
        }
        return f"{self._gateway}/oauth/authorize?{urlencode(query)}"

    async def fetch_tokens(self, grant: dict[str, str]) -> None:
        """Exchange a grant for tokens.

        Raises:
            RuntimeError: the gateway refused; the text begins with OAuth's error code.
        """
        url = f"{self._gateway}/oauth/token"
        form = {**grant, "client_id": CLIENT_ID}
        status, document = await patiently(lambda: self._post_form(url, form))
        if document.get("error") == ASKS_FOR_NONCE:
            status, document = await patiently(lambda: self._post_form(url, form))
        if status != 200:
            raise RuntimeError(f"{document.get('error')}: {document.get('error_description')}")
        self.access_token, self.refresh_token = document["access_token"], document["refresh_token"]

    async def _post_form(self, url: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
        headers = {"DPoP": self.proof("POST", url)}
        async with self._session.post(url, data=form, headers=headers) as answer:
            expect_up(answer.status)
            self._heard(answer)
            return answer.status, await answer.json()

    def _heard(self, answer: aiohttp.ClientResponse) -> dict[str, str]:
        """Return an answer's headers, and keep the nonce that they bring."""
        self._nonce = answer.headers.get("DPoP-Nonce", self._nonce)
        return dict(answer.headers)


def _catch_redirect(arrived: "asyncio.Future[dict[str, str]]") -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_line = (await reader.readline()).decode()
        query = parse_qs(urlsplit(request_line.split(" ")[1]).query)
        writer.write(THANKS)
        await writer.drain()
        writer.close()
        if not arrived.done():
            arrived.set_result({name: values[0] for name, values in query.items()})

    return serve


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
