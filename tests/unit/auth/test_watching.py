"""The stream of revocations, on virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from fakes.auth_house import House
from sallyport.simulate.loop import new_loop
from services.auth.model.devices import Revocation
from services.auth.rpc.gateway import KEEP_ALIVE_S, GatewayCalls
from wire.auth.v1 import auth_pb2

NOBODY = cast("Any", None)


def test_a_stream_begins_with_a_marker_and_shows_life_in_silence_R11() -> None:
    async def watch() -> None:
        house = House()
        calls = GatewayCalls(house.use)
        began_s = asyncio.get_running_loop().time()
        stream = cast("Any", calls.WatchRevocations(auth_pb2.WatchRevocationsRequest(), NOBODY))
        async with aclosing(stream) as told:
            assert await _next(told) == auth_pb2.Revocation()
            assert await _next(told) == auth_pb2.Revocation()
            assert asyncio.get_running_loop().time() - began_s == KEEP_ALIVE_S
            house.use.news.tell(Revocation(device_id="one", seller_id="seller"))
            assert await _next(told) == auth_pb2.Revocation(device_id="one", seller_id="seller")

    new_loop(1).run(watch())


async def _next(stream: AsyncIterator[auth_pb2.Revocation]) -> auth_pb2.Revocation:
    return await anext(stream)
