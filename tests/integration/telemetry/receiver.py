"""A vendor's webhook receiver over TLS that keeps what it is told and answers as a test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

import chassis.crypto.tls
from fakes.certificates import Authority
from tests.integration.service import until

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Scripted:
    """An answer in place of 204."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    is_endless: bool = False


@dataclass
class Receiver:
    """What was told, in order; `holds` keeps answers back until it is set."""

    scripted: deque[Scripted] = field(default_factory=deque)
    told: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    holds: asyncio.Event | None = None
    url: str = ""
    ca_file: Path = Path()

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.told]

    async def has_told(self, messages: int) -> None:
        """Return once so many messages have come."""

        async def is_so() -> bool:
            return len(self.told) >= messages

        await until(is_so, limit_s=20)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.told.append((dict(request.headers), await request.read()))
        if self.holds is not None:
            await self.holds.wait()
        if not self.scripted:
            return web.Response(status=204)
        scripted = self.scripted.popleft()
        if scripted.is_endless:
            return await self._answer_for_ever(request, scripted.status)
        return web.Response(status=scripted.status, headers=dict(scripted.headers))

    async def _answer_for_ever(self, request: web.Request, status: int) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    @asynccontextmanager
    async def serve(self, folder: Path) -> AsyncIterator["Receiver"]:
        """Listen on a free loopback port; `folder` gets the authority's certificate."""
        authority = Authority("A vendor's authority")
        self.ca_file = folder / "vendor-ca.pem"
        self.ca_file.write_bytes(authority.ca_pem)
        app = web.Application()
        app.router.add_post("/hook", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        tls = chassis.crypto.tls.public_context(authority.issue("localhost"))
        try:
            site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls)
            await site.start()
            self.url = f"https://localhost:{runner.addresses[0][1]}/hook"
            yield self
        finally:
            if self.holds is not None:
                self.holds.set()
            await runner.cleanup()
