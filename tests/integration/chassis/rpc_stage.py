"""A gRPC server on loopback with real mTLS, and the means to call it as anybody."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio

import chassis.clock
import chassis.crypto.tls
import chassis.env
import chassis.identity
import chassis.rpc
import chassis.trace
from fakes.certificates import Authority
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

LOOPBACK = chassis.env.Address("127.0.0.1", 0)
GATEWAY = frozenset({"gateway"})
# Longer than a test may take, so that no row's deadline ends what something else should.
DEADLINE_S = 600.0
APPEND = chassis.rpc.Method(callers=GATEWAY, deadline_s=DEADLINE_S, event="telemetry.event.appended")
EXPORT = chassis.rpc.Method(callers=GATEWAY, deadline_s=DEADLINE_S, event="telemetry.log.exported")


@dataclass
class Handlers(telemetry_pb2_grpc.TelemetryServiceServicer, telemetry_pb2_grpc.TelemetryAdminServicer):
    """Does what a test puts into it."""

    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    callers: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    shown: set[bytes] = field(default_factory=set)
    is_waiting: bool = False

    async def Append(
        self,
        request: telemetry_pb2.AppendRequest,
        context: grpc.aio.ServicerContext[telemetry_pb2.AppendRequest, telemetry_pb2.AppendResponse],
    ) -> telemetry_pb2.AppendResponse:
        self.callers.append(chassis.rpc.caller())
        self.request_ids.append(chassis.trace.request_id())
        self.shown.update(context.auth_context()["x509_pem_cert"])
        if self.error is not None:
            raise self.error
        if self.is_waiting:
            await self._wait()
        return telemetry_pb2.AppendResponse(sequences=range(len(request.events)))

    async def Export(
        self,
        request: telemetry_pb2.ExportRequest,
        _context: grpc.aio.ServicerContext[telemetry_pb2.ExportRequest, telemetry_pb2.ExportLine],
    ) -> AsyncIterator[telemetry_pb2.ExportLine]:
        self.callers.append(chassis.rpc.caller())
        for number in range(request.from_sequence):
            yield telemetry_pb2.ExportLine(line=f"{number}".encode())
        if self.error is not None:
            raise self.error
        if self.is_waiting:
            await self._wait()

    async def _wait(self) -> None:
        self.entered.set()
        try:
            await self.gate.wait()
        finally:
            self.left.set()


@dataclass
class Stage:
    """The server, its authority, and channels to it that are closed at the end."""

    authority: Authority
    handlers: Handlers
    keeper: chassis.identity.Keeper
    server: chassis.rpc.Server
    stack: AsyncExitStack

    @property
    def address(self) -> chassis.env.Address:
        return chassis.env.Address("127.0.0.1", self.server.port)

    def channel(
        self, keeper: chassis.identity.Keeper, *, peer: str = "telemetry", deadline_s: float = 30.0
    ) -> chassis.rpc.Channel:
        channel = chassis.rpc.Channel(address=self.address, peer=peer, keeper=keeper, deadline_s=deadline_s)
        self.stack.push_async_callback(channel.close)
        return channel

    async def gateway(self) -> chassis.rpc.Channel:
        """Return a channel of the one caller that the rows allow."""
        return self.channel(await keeper_of(self.authority, "gateway"))


@asynccontextmanager
async def open_stage(
    *,
    append: chassis.rpc.Method = APPEND,
    export: chassis.rpc.Method = EXPORT,
    further: Sequence[chassis.rpc.Service] = (),
    farewell: Callable[[Handlers], None] = lambda _: None,
) -> AsyncIterator[Stage]:
    authority, handlers = Authority(), Handlers()
    keeper = await keeper_of(authority, "telemetry")
    server = chassis.rpc.Server(
        listen=LOOPBACK,
        keeper=keeper,
        services=[*services(handlers, {"Append": append}, {"Export": export}), *further],
        clock=chassis.clock.SystemClock(),
        farewell=functools.partial(farewell, handlers),
    )
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop, 0.0)
        yield Stage(authority, handlers, keeper, server, stack)


def services(
    handlers: Handlers, service: dict[str, chassis.rpc.Method], admin: dict[str, chassis.rpc.Method]
) -> list[chassis.rpc.Service]:
    return [
        chassis.rpc.Service(
            descriptor=telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryService"],
            add=telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server,
            servicer=handlers,
            methods=service,
        ),
        chassis.rpc.Service(
            descriptor=telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryAdmin"],
            add=telemetry_pb2_grpc.add_TelemetryAdminServicer_to_server,
            servicer=handlers,
            methods=admin,
        ),
    ]


async def append(channel: chassis.rpc.Channel, events: int = 1) -> list[int]:
    stub = channel.stub(telemetry_pb2_grpc.TelemetryServiceStub)
    request = telemetry_pb2.AppendRequest(events=[telemetry_pb2.AuditEvent()] * events)
    return list((await stub.Append(request)).sequences)


def export(channel: chassis.rpc.Channel, lines: int) -> AsyncIterator[telemetry_pb2.ExportLine]:
    stub = channel.stub(telemetry_pb2_grpc.TelemetryAdminStub)
    return aiter(stub.Export(telemetry_pb2.ExportRequest(from_sequence=lines)))


async def raw(channel: grpc.aio.Channel, method: str, request: bytes = b"") -> bytes:
    """Call a method without a generated stub."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
    call = channel.unary_unary(f"/sallyport.telemetry.v1.TelemetryService/{method}")
    return await call(request, timeout=30.0)


async def keeper_of(authority: Authority, identity: str) -> chassis.identity.Keeper:
    return await keeper_showing(lambda: authority.issue(f"{identity}.sallyport.internal"))


async def keeper_showing(issue: Callable[[], chassis.crypto.tls.Certificate]) -> chassis.identity.Keeper:
    async def issue_soon() -> chassis.crypto.tls.Certificate:
        return issue()

    keeper = chassis.identity.Keeper(issue_soon, chassis.clock.SystemClock())
    await keeper.start()
    return keeper
