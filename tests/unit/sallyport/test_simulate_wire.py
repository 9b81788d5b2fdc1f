"""The wire between simulated nodes: it lets in whom the services' own rows let in."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

import chassis.errors
import chassis.rpc
from sallyport.simulate.faults import Faults
from sallyport.simulate.houses.ground import House
from sallyport.simulate.loop import new_loop
from sallyport.simulate.nodes import Life, Node
from sallyport.simulate.trace import Trace
from sallyport.simulate.wire import Wire
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

REQUEST = telemetry_pb2.AppendRequest(events=[telemetry_pb2.AuditEvent()])


class Servicer:
    """Answers whoever gets in, and keeps their names."""

    def __init__(self) -> None:
        self.callers: list[str] = []

    async def Append(
        self, request: telemetry_pb2.AppendRequest, _context: object
    ) -> telemetry_pb2.AppendResponse:
        self.callers.append(chassis.rpc.caller())
        return telemetry_pb2.AppendResponse(sequences=range(len(request.events)))

    async def Export(
        self, _request: telemetry_pb2.ExportRequest, _context: object
    ) -> AsyncIterator[telemetry_pb2.ExportLine]:
        self.callers.append(chassis.rpc.caller())
        yield telemetry_pb2.ExportLine(line=b"a line")


def service(name: str, servicer: Servicer, method: str, caller: str) -> chassis.rpc.Service:
    row = chassis.rpc.Method(callers=frozenset({caller}), deadline_s=5.0, event="telemetry.test.done")
    descriptor = telemetry_pb2.DESCRIPTOR.services_by_name[name]
    return chassis.rpc.Service(
        descriptor=descriptor, add=lambda *_: None, servicer=servicer, methods={method: row}
    )


def channel(servicer: Servicer, caller: str) -> chassis.rpc.Channel:
    """Return somebody's way to a telemetry that hears the gateway's events and exports to the console."""

    def mistaken(where: str, error: BaseException) -> None:
        raise AssertionError(where) from error

    choices = random.Random(1)
    house = House(
        services=[
            service("TelemetryService", servicer, "Append", "gateway"),
            service("TelemetryAdmin", servicer, "Export", "console"),
        ]
    )
    opened = Wire(
        faults=Faults(choices=choices, trace=Trace(), rate=0.0),
        choices=choices,
        mistake=mistaken,
        heard=lambda *_: None,
    )
    opened.open({"telemetry": [Node("telemetry", lambda _: house, choices=choices, mistake=mistaken)]})
    life = Life(caller, choices=choices, mistake=mistaken)
    return opened.channel(life, "telemetry", caller=caller, deadline_s=5.0)


async def export(way: chassis.rpc.Channel) -> list[bytes]:
    stub: Any = way.stub(telemetry_pb2_grpc.TelemetryAdminStub)
    return [answer.line async for answer in stub.Export(telemetry_pb2.ExportRequest())]


def test_a_row_decides_who_calls_and_who_follows_as_it_does_at_the_real_door_T24() -> None:
    async def work() -> None:
        servicer = Servicer()
        gateway, console = channel(servicer, "gateway"), channel(servicer, "console")
        stub = gateway.stub(telemetry_pb2_grpc.TelemetryServiceStub)
        assert list((await stub.Append(REQUEST)).sequences) == [0]
        assert await export(console) == [b"a line"]
        with pytest.raises(chassis.errors.Denied):
            await export(gateway)
        with pytest.raises(chassis.errors.Denied):
            await console.stub(telemetry_pb2_grpc.TelemetryServiceStub).Append(REQUEST)
        assert servicer.callers == ["gateway", "console"]

    new_loop(1).run(work())
