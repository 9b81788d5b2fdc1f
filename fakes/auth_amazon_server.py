"""A small LWA and tokens API over TLS that records what it is asked, and answers as a test scripts it."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

import chassis.crypto.tls
from fakes.certificates import Authority

LWA_PATH = "/auth/o2/token"
RESTRICTED_PATH = "/tokens/2021-03-01/restrictedDataToken"
ROTATION_PATH = "/applications/2023-11-30/clientSecret"
LIFE_S = 3600


@dataclass(frozen=True)
class Scripted:
    """An answer in place of the right one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class AmazonServer:
    """What is granted, what was asked.

    Attributes:
        secret: the newest client secret; it and the older ones are accepted.
        is_enrolled: whether a rotation has a queue to tell of the new secret.
        codes: consent codes that can be exchanged once.
        refresh_tokens: those that are alive.
        scripted: taken for the next answers, one each.
        asked: path and fields of every request, in order.
        takes_s: how long each answer takes.
    """

    secret: str = "amzn1.oa2-cs.v1.stub"
    older_secrets: set[str] = field(default_factory=set)
    is_enrolled: bool = True
    codes: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    scripted: deque[Scripted] = field(default_factory=deque)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    roles_missing: bool = False
    takes_s: float = 0.0
    url: str = ""
    ca_file: Path = Path()
    _minted: int = 0

    @property
    def refreshes(self) -> int:
        """How often a refresh was asked for."""
        return sum(fields.get("grant_type") == "refresh_token" for _, fields in self.asked)

    async def _lwa(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        refused = await self._begin(request, form)
        if refused is not None:
            return refused
        if form.get("client_secret") not in {self.secret, *self.older_secrets}:
            return _answer(401, error="invalid_client", error_description=form.get("client_secret", ""))
        if form["grant_type"] == "client_credentials":
            token = f"Atza|stub-grantless-{self._next()}"
            return _answer(
                200, access_token=token, scope=form["scope"], token_type="bearer", expires_in=LIFE_S
            )
        if form["grant_type"] == "authorization_code" and form["code"] in self.codes:
            self.codes.remove(form["code"])
            refresh_token = f"Atzr|stub-{self._next()}"
            self.refresh_tokens.add(refresh_token)
        elif form.get("refresh_token") in self.refresh_tokens:
            refresh_token = form["refresh_token"]
        else:
            return _answer(400, error="invalid_grant", error_description=json.dumps(form))
        access_token = f"Atza|stub-{self._next()}"
        return _answer(
            200,
            access_token=access_token,
            refresh_token=refresh_token,
            token_type="bearer",
            expires_in=LIFE_S,
        )

    async def _restrict(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        refused = await self._begin(request, _told(asked))
        if refused is not None:
            return refused
        if self.roles_missing or not request.headers["x-amz-access-token"].startswith("Atza|"):
            return _answer(400, errors=[{"code": "InvalidInput", "message": "missing role", "details": ""}])
        return _answer(200, restrictedDataToken=f"Atz.sprdt|stub-{self._next()}", expiresIn=LIFE_S)

    async def _rotate(self, request: web.Request) -> web.StreamResponse:
        refused = await self._begin(request, {"body": (await request.read()).decode()})
        if refused is not None:
            return refused
        if not request.headers["x-amz-access-token"].startswith("Atza|stub-grantless-"):
            return _answer(403, errors=[{"code": "Unauthorized", "message": "wrong scope", "details": ""}])
        if not self.is_enrolled:
            return _answer(400, errors=[{"code": "InvalidInput", "message": "not enrolled", "details": ""}])
        self.older_secrets.add(self.secret)
        self.secret = f"amzn1.oa2-cs.v1.stub-{self._next()}"
        return web.Response(status=204)

    async def _begin(self, request: web.Request, fields: Mapping[str, str]) -> web.Response | None:
        self.asked.append((request.path, fields))
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.takes_s)
        if not self.scripted:
            return None
        scripted = self.scripted.popleft()
        return web.Response(status=scripted.status, body=scripted.body, headers=dict(scripted.headers))

    def _next(self) -> int:
        self._minted += 1
        return self._minted

    @asynccontextmanager
    async def serve(self, folder: Path) -> AsyncIterator["AmazonServer"]:
        """Listen on a free loopback port; `folder` gets the authority's certificate."""
        authority = Authority("Stub of Amazon")
        self.ca_file = folder / "amazon-ca.pem"
        self.ca_file.write_bytes(authority.ca_pem)
        app = web.Application()
        app.router.add_post(LWA_PATH, self._lwa)
        app.router.add_post(RESTRICTED_PATH, self._restrict)
        app.router.add_post(ROTATION_PATH, self._rotate)
        runner = web.AppRunner(app)
        await runner.setup()
        context = chassis.crypto.tls.public_context(authority.issue("localhost"))
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"https://localhost:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


def _told(asked: Mapping[str, object]) -> Mapping[str, str]:
    told = {"resources": json.dumps(asked["restrictedResources"])}
    target = asked.get("targetApplication")
    return told if target is None else {**told, "target_application": str(target)}


def _answer(status: int, **members: object) -> web.Response:
    return web.Response(status=status, body=json.dumps(members).encode(), content_type="application/json")
