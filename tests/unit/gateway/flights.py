"""Calls that several wait for, and an Amazon that answers them when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fakes.gateway_ports import json_answer
from services.gateway.model.calls import Answer, UpstreamAnswer, UpstreamRequest
from tests.unit.gateway.forwarding import Rig, call, talking


class Amazon:
    """Answers when it is told to."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.gate = asyncio.Event()
        self.body = b'{"payload":{"Orders":[]}}'
        self.status = 200
        self.fault: Exception | None = None

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        assert timeout_s > 0
        self.rig.upstream.requests.append(request)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return json_answer(self.body, self.status)


@asynccontextmanager
async def opened(rig: Rig) -> AsyncIterator[Amazon]:
    """Let shared calls fly, with an Amazon that a test lets answer."""
    amazon = Amazon(rig)
    rig.upstream.send = amazon.send  # type: ignore[method-assign]
    async with talking(rig.limiter):
        flying = asyncio.create_task(rig.forwarder._coalescing.run())
        yield amazon
        flying.cancel()
        await asyncio.gather(flying, return_exceptions=True)


def begin(rig: Rig, token: str, target: str, method: str = "GET", **rest: object) -> asyncio.Task[Answer]:
    return asyncio.create_task(rig.forwarder.handle(call(token, target, method, **rest)))


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)
