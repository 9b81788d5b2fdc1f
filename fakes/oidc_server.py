"""A small OpenID provider over TLS. Honest by itself; a test makes it, or whoever pretends to be it, lie.

A person "signs in" by `consent`: it reads the authorization request as the provider's page would, and gives
the code that the browser would bring back. Everything about the ID token can be changed for one code.
"""

import asyncio
import base64
import functools
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

import chassis.crypto.tls
from fakes.certificates import Authority

CLIENT_ID = "sallyport"
CLIENT_SECRET = "the relying party's secret"
TOKEN_LIFE_S = 300
# How clients show their secret: the first where nothing is said. Source: OpenID Connect Discovery 1.0, 3.
WAYS = "token_endpoint_auth_methods_supported"
BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass
class Consented:
    """What one code is worth.

    Attributes:
        header: replaces members of the token's header.
        signed: makes the token's last part in place of the key, from what comes before it.
    """

    claims: dict[str, Any]
    challenge: str
    key: Any
    header: dict[str, Any] = field(default_factory=dict)
    signed: Callable[[bytes], bytes] | None = None


@dataclass
class OidcServer:
    """The provider.

    Attributes:
        metadata: replaces members of the discovery document.
        key_sets: how often the keys were asked for.
        is_down: answers nothing but 503.
    """

    metadata: dict[str, Any] = field(default_factory=dict)
    key_sets: int = 0
    is_down: bool = False
    url: str = ""
    ca_file: Path = Path()

    def __post_init__(self) -> None:
        self.key: Any = _first_key()
        self.published: list[Mapping[str, Any]] = [self.key.as_dict(private=False)]
        self._codes: dict[str, Consented] = {}
        self._codes_made = 0

    def consent(self, authorization_url: str, subject: str = "ana", **claims: Any) -> str:
        """Return the code for somebody who signs in; `claims` replaces claims, None leaves one out."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        now_s = int(datetime.now(UTC).timestamp())
        all_claims = {
            "iss": self.url,
            "sub": subject,
            "aud": asked["client_id"],
            "exp": now_s + TOKEN_LIFE_S,
            "iat": now_s,
            "nonce": asked["nonce"],
            "amr": ["pwd", "otp", "mfa"],
            "email": "ana@blue-kettle.example",
            **claims,
        }
        self._codes_made += 1
        code = f"code-{self._codes_made}"
        told = {name: value for name, value in all_claims.items() if value is not None}
        self._codes[code] = Consented(told, asked["code_challenge"], self.key)
        return code

    def of(self, code: str) -> Consented:
        """Return what a code is worth, for a test to change."""
        return self._codes[code]

    def rotate(self) -> None:
        """Sign with another key from now on, and publish it alone."""
        self.key = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
        self.published = [self.key.as_dict(private=False)]

    @asynccontextmanager
    async def serve(self, folder: Path) -> AsyncIterator["OidcServer"]:
        """Listen on a free loopback port."""
        authority = Authority("Identity provider's authority")
        self.ca_file = folder / "provider.pem"
        self.ca_file.write_bytes(authority.ca_pem)
        certificate = authority.issue("localhost")
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discover)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=chassis.crypto.tls.public_context(certificate))
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"https://localhost:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)

    async def _discover(self, _request: web.Request) -> web.Response:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }
        return self._answer(document)

    async def _keys(self, _request: web.Request) -> web.Response:
        self.key_sets += 1
        return self._answer({"keys": self.published})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not _knows_secret(request, form, self.metadata.get(WAYS, [BASIC])):
            return self._answer({"error": "invalid_client"}, 401)
        consented = self._codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = _base64url(verifier)
        if consented is None or challenge != consented.challenge:
            return self._answer({"error": "invalid_grant"}, 400)
        tokens = {"access_token": "unused", "token_type": "Bearer", "id_token": _signed(consented)}
        return self._answer(tokens)

    def _answer(self, document: Mapping[str, Any], status: int = 200) -> web.Response:
        return web.json_response(None if self.is_down else document, status=503 if self.is_down else status)


@functools.cache
def _first_key() -> RSAKey:
    """Return the key of every provider's first days; making one takes long."""
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


def _signed(consented: Consented) -> str:
    algorithm = "RS256" if consented.key.key_type == "RSA" else "ES256"
    header = {"alg": algorithm, "kid": consented.key.as_dict().get("kid"), "typ": "JWT", **consented.header}
    payload = json.dumps(consented.claims).encode()
    if consented.signed is not None:
        begun = f"{_base64url(json.dumps(header).encode())}.{_base64url(payload)}"
        return f"{begun}.{_base64url(consented.signed(begun.encode()))}"
    return jws.serialize_compact(header, payload, consented.key, algorithms=[header["alg"]])


def _knows_secret(request: web.Request, form: Mapping[str, str], ways: Collection[str]) -> bool:
    """Return whether the client shows its secret, in a way that the provider takes."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        name, _, secret = base64.b64decode(credentials).decode().partition(":")
        return BASIC in ways and (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)
    shown = (form.get("client_id"), form.get("client_secret"))
    return POST in ways and shown == (CLIENT_ID, CLIENT_SECRET)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
