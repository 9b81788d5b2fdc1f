"""Calls to a service as one of its rightful callers."""

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import grpc.aio

import chassis.clock
import chassis.env
import chassis.identity
import chassis.rpc
import chassis.vault
import sallyport.provision.handout
from sallyport.layout import LOOPBACK
from sallyport.stack import Stack

CERTIFICATE_LIFE_S = 3_600.0
Stub = TypeVar("Stub")


@asynccontextmanager
async def stub_as_gateway(
    stack: Stack, peer: str, stub: Callable[[grpc.aio.Channel], Stub]
) -> AsyncIterator[Stub]:
    """Give the stub of a peer's service, with a certificate of the gateway's."""
    clock, ground = chassis.clock.SystemClock(), stack.ground
    config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "gateway")
    async with await chassis.vault.connect(config, clock) as vault:
        names = ["gateway.sallyport.internal"]
        issue = functools.partial(vault.issue_certificate, config.pki_role, names, CERTIFICATE_LIFE_S)
        keeper = chassis.identity.Keeper(issue, clock)
        await keeper.start()
        address = chassis.env.Address(LOOPBACK, stack.layout.rpc_port(peer))
        channel = chassis.rpc.Channel(address=address, peer=peer, keeper=keeper)
        try:
            yield channel.stub(stub)
        finally:
            await channel.close()
