"""Retention as the process that operators run, with the telemetry that it writes to, on real engines."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

import chassis.env
import chassis.identity
import chassis.rpc
import sallyport.provision.ground
import sallyport.provision.handout
from fakes.retention_house import NAME, PLAINTEXT
from tests.conftest import free_port
from wire.retention.v1 import retention_pb2, retention_pb2_grpc

ROOT = Path(__file__).parents[3]
POLL_S = 0.05
READY_S_MAX = 40.0


class Stack:
    """One telemetry and one retention process; `start` after a `kill` is a restart on the same ports."""

    def __init__(
        self, ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, folder: Path
    ) -> None:
        self.address = chassis.env.Address("127.0.0.1", free_port())
        self._folder = folder
        self._clock_file = folder / "clock"
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._private_addresses = {
            service: chassis.env.Address("127.0.0.1", free_port()) for service in ("telemetry", "retention")
        }
        telemetry = chassis.env.Address("127.0.0.1", free_port())
        verifier = sallyport.provision.VERIFIER
        self.environ = {
            "telemetry": {
                **_common(ground, database, "telemetry"),
                "SALLYPORT_LISTEN": str(telemetry),
                "SALLYPORT_PRIVATE_LISTEN": str(self._private_addresses["telemetry"]),
            },
            "retention": {
                **_common(ground, database, "retention"),
                "SALLYPORT_LISTEN": str(self.address),
                "SALLYPORT_PRIVATE_LISTEN": str(self._private_addresses["retention"]),
                "SALLYPORT_TELEMETRY_ADDRESS": str(telemetry),
                "SALLYPORT_VERIFIER_ROLE_ID_FILE": str(ground.folder.role_id_file(verifier)),
                "SALLYPORT_VERIFIER_SECRET_ID_FILE": str(ground.folder.secret_id_file(verifier)),
                "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(self._clock_file),
            },
        }
        self.shift(timedelta(0))

    def shift(self, span: timedelta) -> None:
        """Let the services' clock run ahead of the machine's."""
        self._clock_file.write_text(str(span.total_seconds()))
        self._shift = span

    @property
    def now(self) -> datetime:
        """The services' time."""
        return datetime.now(UTC) + self._shift

    async def start(self, service: str, changes: Mapping[str, str] | None = None) -> None:
        """Start a process without waiting."""
        with (self._folder / f"{service}.log").open("ab") as log:
            self._processes[service] = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"services.{service}",
                cwd=ROOT,
                env={"PATH": os.defpath, **self.environ[service], **(changes or {})},
                stdout=log,
                stderr=log,
            )

    async def stop(self, service: str, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a process a signal, and return its exit code once it has ended."""
        process = self._processes[service]
        if process.returncode is None:
            process.send_signal(number)
        return await process.wait()

    async def end(self) -> None:
        """Make sure that nothing is left."""
        for service in self._processes:
            await self.stop(service, signal.SIGKILL)

    async def wait(self, service: str) -> int:
        """Return a process's exit code."""
        return await self._processes[service].wait()

    def log(self, service: str) -> str:
        """Return what a process wrote."""
        return (self._folder / f"{service}.log").read_text()

    async def until_ready(self, service: str) -> None:
        """Return once a process says that it is ready."""
        for _ in range(int(READY_S_MAX / POLL_S)):
            if await self._is_ready(service):
                return
            await asyncio.sleep(POLL_S)
        raise TimeoutError

    async def metrics(self) -> str:
        """Return what retention's /metrics says."""
        url = f"http://{self._private_addresses['retention']}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    async def _is_ready(self, service: str) -> bool:
        url = f"http://{self._private_addresses[service]}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


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


def _common(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, service: str
) -> Mapping[str, str]:
    vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, service)
    return {
        **sallyport.provision.handout.vault_settings(vault),
        **sallyport.provision.handout.database_settings(database),
        "SALLYPORT_MODE": "development",
    }
