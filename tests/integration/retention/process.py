"""Retention as the process that operators run, with the telemetry that it writes to, on real engines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import chassis.env
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
from fakes.retention_house import NAME, PLAINTEXT
from tests.conftest import free_port
from tests.integration.service import LOOPBACK, ServiceProcess, engine_settings
from wire.retention.v1 import retention_pb2, retention_pb2_grpc


class Stack:
    """One telemetry and one retention process; neither is started yet."""

    def __init__(
        self, ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, folder: Path
    ) -> None:
        self.address = chassis.env.Address(LOOPBACK, free_port())
        self._clock_file = folder / "clock"
        telemetry = str(chassis.env.Address(LOOPBACK, free_port()))
        verifier = sallyport.provision.VERIFIER
        self.telemetry = ServiceProcess(
            "telemetry",
            log_file=folder / "telemetry.log",
            environ={
                **engine_settings(ground, database, "telemetry"),
                "SALLYPORT_MODE": "development",
                "SALLYPORT_LISTEN": telemetry,
            },
        )
        self.retention = ServiceProcess(
            "retention",
            log_file=folder / "retention.log",
            environ={
                **engine_settings(ground, database, "retention"),
                "SALLYPORT_MODE": "development",
                "SALLYPORT_LISTEN": str(self.address),
                "SALLYPORT_TELEMETRY_ADDRESS": telemetry,
                "SALLYPORT_VERIFIER_ROLE_ID_FILE": str(ground.folder.role_id_file(verifier)),
                "SALLYPORT_VERIFIER_SECRET_ID_FILE": str(ground.folder.secret_id_file(verifier)),
                "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(self._clock_file),
            },
        )
        self.shift(timedelta(0))

    def shift(self, span: timedelta) -> None:
        """Let the services' clock run ahead of the machine's."""
        self._clock_file.write_text(str(span.total_seconds()))
        self._shift = span

    @property
    def now(self) -> datetime:
        """The services' time."""
        return datetime.now(UTC) + self._shift

    async def end(self) -> None:
        """Make sure that nothing is left."""
        await self.retention.end()
        await self.telemetry.end()


class Caller:
    """An identity that calls retention."""

    def __init__(self, keeper: chassis.identity.Keeper, stack: Stack, seller_id: str) -> None:
        self.channel = chassis.rpc.Channel(
            address=stack.address, peer="retention", keeper=keeper, deadline_s=60.0
        )
        self.service = self.channel.stub(retention_pb2_grpc.RetentionServiceStub)
        self.admin = self.channel.stub(retention_pb2_grpc.RetentionAdminStub)
        self._stack = stack
        self._seller_id = seller_id

    async def observe(self) -> None:
        """Tell that NAME's order has not shipped."""
        order = retention_pb2.OrderObservation(
            order_id=NAME.order_id, state=retention_pb2.ORDER_STATE_UNSHIPPED
        )
        order.observed_at.FromDatetime(self._stack.now)
        request = retention_pb2.ObserveOrdersRequest(seller_id=self._seller_id, orders=[order])
        await self.service.ObserveOrders(request)

    async def seal(self) -> datetime:
        """Have PLAINTEXT kept under NAME; return its clock."""
        request = retention_pb2.SealRequest(
            seller_id=self._seller_id,
            order_id=NAME.order_id,
            field_set=NAME.field_set,
            plaintext=PLAINTEXT,
        )
        request.fetched_at.FromDatetime(self._stack.now)
        return (await self.service.Seal(request)).expires_at.ToDatetime(tzinfo=UTC)

    async def open(self) -> bytes:
        """Return what is kept under NAME."""
        return (await self.service.Open(self.open_request())).plaintext

    def open_request(self) -> retention_pb2.OpenRequest:
        """Return the request for what is kept under NAME."""
        return retention_pb2.OpenRequest(
            seller_id=self._seller_id, order_id=NAME.order_id, field_set=NAME.field_set
        )
