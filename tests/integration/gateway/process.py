"""The gateway as the process that operators run, with certificates of the real key service."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

import chassis.clock
import chassis.env
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
import sallyport.provision.handout
from tests.conftest import free_port
from tests.integration.service import LOOPBACK, POLL_S, ServiceProcess, engine_settings

PEERS = ("auth", "retention", "telemetry")
PATIENCE_S = 30.0


class Peer:
    """One of the gateway's peers, served by the test; may be taken away and come back on its port."""

    def __init__(self, keeper: chassis.identity.Keeper, services: Sequence[chassis.rpc.Service]) -> None:
        self.address = chassis.env.Address(LOOPBACK, free_port())
        self._keeper = keeper
        self._services = services
        self._server: chassis.rpc.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = chassis.rpc.Server(
            listen=self.address,
            keeper=self._keeper,
            services=self._services,
            clock=chassis.clock.SystemClock(),
        )
        await self._server.start()

    async def stop(self) -> None:
        """Go away, with what is under way."""
        if self._server is not None:
            await self._server.stop(0.0)
            self._server = None


class GatewayProcess(ServiceProcess):
    """One gateway process."""

    def __init__(
        self, ground: sallyport.provision.ground.Ground, peers: Mapping[str, Peer], folder: Path
    ) -> None:
        self.public_port = free_port()
        self.origin = f"https://localhost:{self.public_port}"
        self.trust = ssl.create_default_context(cafile=str(ground.folder.services_ca_file))
        database = sallyport.provision.handout.database_config(ground.postgres)
        environ = {
            **engine_settings(ground, database, "gateway"),
            **{f"SALLYPORT_{name.upper()}_ADDRESS": str(peer.address) for name, peer in peers.items()},
            "SALLYPORT_PUBLIC_LISTEN": f"{LOOPBACK}:{self.public_port}",
            "SALLYPORT_PUBLIC_URL": self.origin,
        }
        super().__init__("gateway", log_file=folder / "gateway.log", environ=environ)

    async def truths(self) -> dict[str, bool]:
        """Return what /readyz says; nothing while nobody answers."""
        try:
            async with aiohttp.ClientSession() as session, session.get(self.ready_url) as answer:
                told: dict[str, Any] = await answer.json()
        except aiohttp.ClientError:
            return {}
        return dict(told["truths"])

    async def until(self, **truths: bool) -> None:
        """Return once readiness says so; a test that waits longer fails."""
        told: dict[str, bool] = {}
        for _ in range(int(PATIENCE_S / POLL_S)):
            told = await self.truths()
            if truths.items() <= told.items():
                return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"readiness stays {told}")

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Return status and text of one request to the public door; its certificate is checked."""
        connector = aiohttp.TCPConnector(ssl=self.trust)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, self.origin + path, allow_redirects=False, **options) as answer,
        ):
            return answer.status, await answer.text()
