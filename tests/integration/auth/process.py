"""Auth as the process that operators run, on real engines, with its callers and a telemetry that records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import chassis.clock
import chassis.env
import chassis.errors
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
from fakes.auth_amazon_server import AmazonServer
from tests.conftest import free_port
from tests.integration.service import LOOPBACK, ServiceProcess, engine_settings
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


class AuthProcess(ServiceProcess):
    """One auth process."""

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
        environ = {
            **engine_settings(ground, database, "auth"),
            "SALLYPORT_LISTEN": str(self.address),
            "SALLYPORT_TELEMETRY_ADDRESS": str(telemetry),
            "SALLYPORT_RETENTION_ADDRESS": str(retention),
            "SALLYPORT_PUBLIC_URL": "https://gateway.example",
            "SALLYPORT_LWA_URL": amazon.url,
            "SALLYPORT_SPAPI_URL_NA": amazon.url,
            "SALLYPORT_SPAPI_URL_EU": amazon.url,
            "SALLYPORT_SPAPI_URL_FE": amazon.url,
            "SALLYPORT_AMAZON_CA_FILE": str(amazon.ca_file),
        }
        super().__init__("auth", log_file=log_file, environ=environ)


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
        async with _serving(self._keeper, service) as address:
            yield address


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
        async with _serving(self._keeper, service) as address:
            yield address


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


@asynccontextmanager
async def _serving(
    keeper: chassis.identity.Keeper, service: chassis.rpc.Service
) -> AsyncIterator[chassis.env.Address]:
    """Serve one service on a free loopback port."""
    server = chassis.rpc.Server(
        listen=chassis.env.Address(LOOPBACK, 0),
        keeper=keeper,
        services=[service],
        clock=chassis.clock.SystemClock(),
    )
    await server.start()
    try:
        yield chassis.env.Address(LOOPBACK, server.port)
    finally:
        await server.stop(0)
