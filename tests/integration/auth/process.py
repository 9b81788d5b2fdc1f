"""Auth as the process that operators run, on real engines, with its callers and a telemetry that records."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

import chassis.clock
import chassis.env
import chassis.errors
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
import sallyport.provision.handout
from fakes.auth_amazon_server import AmazonServer
from tests.conftest import free_port
from wire.auth.v1 import (
    auth_pb2_grpc,
    authorization_pb2_grpc,
    consents_pb2_grpc,
    people_pb2_grpc,
    sellers_pb2_grpc,
)
from wire.retention.v1 import retention_pb2
from wire.retention.v1 import sellers_pb2 as retention_sellers_pb2
from wire.retention.v1 import sellers_pb2_grpc as retention_sellers_pb2_grpc
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

ROOT = Path(__file__).parents[3]
LOOPBACK = "127.0.0.1"
POLL_S = 0.05
START_S_MAX = 30.0


class AuthProcess:
    """One auth process; `start` after a `kill` is a restart on the same ports."""

    def __init__(
        self,
        ground: sallyport.provision.ground.Ground,
        database: chassis.env.DatabaseConfig,
        *,
        amazon: AmazonServer,
        telemetry: chassis.env.Address,
        retention: chassis.env.Address,
        log_file: Path,
    ) -> None:
        self.address = chassis.env.Address(LOOPBACK, free_port())
        self.private_address = chassis.env.Address(LOOPBACK, free_port())
        self.log_file = log_file
        vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "auth")
        self.environ = {
            **sallyport.provision.handout.vault_settings(vault),
            **sallyport.provision.handout.database_settings(database),
            "SALLYPORT_LISTEN": str(self.address),
            "SALLYPORT_PRIVATE_LISTEN": str(self.private_address),
            "SALLYPORT_TELEMETRY_ADDRESS": str(telemetry),
            "SALLYPORT_RETENTION_ADDRESS": str(retention),
            "SALLYPORT_PUBLIC_URL": "https://gateway.example",
            "SALLYPORT_LWA_URL": amazon.url,
            "SALLYPORT_SPAPI_URL_NA": amazon.url,
            "SALLYPORT_SPAPI_URL_EU": amazon.url,
            "SALLYPORT_SPAPI_URL_FE": amazon.url,
            "SALLYPORT_AMAZON_CA_FILE": str(amazon.ca_file),
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return once it is ready."""
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.auth",
                cwd=ROOT,
                env={"PATH": os.defpath, **self.environ},
                stdout=log,
                stderr=log,
            )
        await until(self.is_ready, limit_s=START_S_MAX)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and return its exit code once it has ended."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()

    async def end(self) -> None:
        """Make sure that nothing is left of it."""
        if self._process is not None:
            await self.stop(signal.SIGKILL)

    async def is_ready(self) -> bool:
        """Return what /readyz says; False while nobody answers."""
        url = f"http://{self.private_address}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def metrics(self) -> str:
        """Return what /metrics says."""
        url = f"http://{self.private_address}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()


class Telemetry(telemetry_pb2_grpc.TelemetryServiceServicer):
    """Takes audit events over mutual TLS and keeps them in memory."""

    def __init__(self, keeper: chassis.identity.Keeper) -> None:
        self.events: list[telemetry_pb2.AuditEvent] = []
        self.is_down = False
        self._keeper = keeper

    async def Append(
        self, request: telemetry_pb2.AppendRequest, _context: object
    ) -> telemetry_pb2.AppendResponse:
        if self.is_down:
            raise chassis.errors.Unavailable
        self.events.extend(request.events)
        return telemetry_pb2.AppendResponse(sequences=range(len(request.events)))

    def told(self, kind: str) -> list[tuple[int, str]]:
        """Return phase and result of every event of a kind, in order."""
        return [(event.phase, event.result) for event in self.events if event.kind == kind]

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[chassis.env.Address]:
        """Listen on a free loopback port."""
        method = chassis.rpc.Method(
            callers=frozenset({"auth"}), deadline_s=5.0, event="telemetry.events.appended"
        )
        service = chassis.rpc.Service(
            descriptor=telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryService"],
            add=telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server,
            servicer=self,
            methods={"Append": method},
        )
        server = chassis.rpc.Server(
            listen=chassis.env.Address(LOOPBACK, 0),
            keeper=self._keeper,
            services=[service],
            clock=chassis.clock.SystemClock(),
        )
        await server.start()
        try:
            yield chassis.env.Address(LOOPBACK, server.port)
        finally:
            await server.stop(0)


class Safe(retention_sellers_pb2_grpc.SellerErasureServicer):
    """Takes orders to erase sellers over mutual TLS, and gives receipts."""

    def __init__(self, keeper: chassis.identity.Keeper) -> None:
        self.erased: list[str] = []
        self.is_down = False
        self._keeper = keeper

    async def EraseSeller(
        self, request: retention_pb2.EraseSellerRequest, _context: object
    ) -> retention_pb2.Receipt:
        if self.is_down:
            raise chassis.errors.Unavailable
        self.erased.append(request.seller_id)
        return retention_pb2.Receipt(receipt_id=f"receipt-{len(self.erased)}")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[chassis.env.Address]:
        """Listen on a free loopback port."""
        method = chassis.rpc.Method(
            callers=frozenset({"auth"}), deadline_s=5.0, event="retention.seller.erased"
        )
        service = chassis.rpc.Service(
            descriptor=retention_sellers_pb2.DESCRIPTOR.services_by_name["SellerErasure"],
            add=retention_sellers_pb2_grpc.add_SellerErasureServicer_to_server,
            servicer=self,
            methods={"EraseSeller": method},
        )
        server = chassis.rpc.Server(
            listen=chassis.env.Address(LOOPBACK, 0),
            keeper=self._keeper,
            services=[service],
            clock=chassis.clock.SystemClock(),
        )
        await server.start()
        try:
            yield chassis.env.Address(LOOPBACK, server.port)
        finally:
            await server.stop(0)


class Caller:
    """An identity that calls one auth process."""

    def __init__(self, keeper: chassis.identity.Keeper, process: AuthProcess) -> None:
        self.channel = chassis.rpc.Channel(
            address=process.address, peer="auth", keeper=keeper, deadline_s=30.0
        )
        self.service = self.channel.stub(auth_pb2_grpc.AuthServiceStub)
        self.authorization = self.channel.stub(authorization_pb2_grpc.AuthorizationServiceStub)
        self.people = self.channel.stub(people_pb2_grpc.PeopleServiceStub)
        self.consents = self.channel.stub(consents_pb2_grpc.ConsentServiceStub)
        self.sellers = self.channel.stub(sellers_pb2_grpc.SellerAdminStub)
        self.admin = self.channel.stub(auth_pb2_grpc.AuthAdminStub)


async def until(is_so: Callable[[], Awaitable[bool]], *, limit_s: float) -> None:
    """Return once something is so; a test that waits longer fails."""
    async with asyncio.timeout(limit_s):
        for _ in range(int(limit_s / POLL_S) + 1):
            if await is_so():
                return
            await asyncio.sleep(POLL_S)
    raise TimeoutError
