"""The gateway's way to a peer over mutual TLS, for suites about what travels on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import chassis.clock
import chassis.crypto.tls
import chassis.env
import chassis.identity
import chassis.rpc
from fakes.certificates import Authority

LOOPBACK = "127.0.0.1"
PEER = "auth"


@asynccontextmanager
async def gateway_channel(services: Sequence[chassis.rpc.Service]) -> AsyncIterator[chassis.rpc.Channel]:
    """Serve services on a free loopback port as PEER, and give the gateway's channel to them."""
    authority = Authority()
    server = chassis.rpc.Server(
        listen=chassis.env.Address(LOOPBACK, 0),
        keeper=await _keeper(authority, PEER),
        services=services,
        clock=chassis.clock.SystemClock(),
    )
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop, 0.0)
        address = chassis.env.Address(LOOPBACK, server.port)
        channel = chassis.rpc.Channel(address=address, peer=PEER, keeper=await _keeper(authority, "gateway"))
        stack.push_async_callback(channel.close)
        yield channel


async def _keeper(authority: Authority, identity: str) -> chassis.identity.Keeper:
    async def issue() -> chassis.crypto.tls.Certificate:
        return authority.issue_identity(identity)

    keeper = chassis.identity.Keeper(issue, chassis.clock.SystemClock())
    await keeper.start()
    return keeper
