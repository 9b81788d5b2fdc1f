"""Who asks for tokens: the gateway's calls for every seller's desktop, at several replicas at once."""

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import chassis.clock
import chassis.errors
import chassis.identity
import chassis.rpc
import chassis.vault
import sallyport.provision.handout
from bench.herd.sellers import Member
from bench.herd.stage import Stage
from wire.auth.v1 import auth_pb2, auth_pb2_grpc

NAME = "gateway"
CERTIFICATE_LIFE_S = 3_600.0
# As the gateway waits: services.gateway.peers.
CALL_S_MAX = 30.0
# How many sellers are asked for at once; each tenth by two desktops, at two replicas.
AT_ONCE = 100
PAIRED_EVERY = 10
PAUSE_S_MIN = 0.5
PAUSE_S_MAX = 2.0
REGIONS = {"na": auth_pb2.REGION_NA, "eu": auth_pb2.REGION_EU, "fe": auth_pb2.REGION_FE}


class Callers:
    """Asks for every seller's token until it is a new one; made by `open_callers`."""

    def __init__(self, stubs: "Sequence[auth_pb2_grpc.AuthServiceAsyncStub]", seed: int) -> None:
        self._stubs = stubs
        self._chance = random.Random(seed)  # noqa: S311 - which replica is asked first is no secret
        self.answered = 0
        self.refused = 0

    async def ask_for_all(self, members: Sequence[Member], *, expires_after: datetime) -> None:
        """Return when each seller's desktops hold a token that ends after `expires_after`."""
        waiting = enumerate(self._chance.sample(members, len(members)))

        async def work() -> None:
            for place, member in waiting:
                replicas = self._chance.sample(self._stubs, 1 if place % PAIRED_EVERY else 2)
                await asyncio.gather(*(self._insist(member, stub, expires_after) for stub in replicas))
                self.answered += 1

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def _insist(
        self, member: Member, stub: "auth_pb2_grpc.AuthServiceAsyncStub", expires_after: datetime
    ) -> None:
        request = auth_pb2.LendAmazonTokenRequest(device_id=member.device_id, region=REGIONS[member.region])
        while True:
            try:
                lent = await stub.LendAmazonToken(request)
            except chassis.errors.Unavailable:
                # The replica was killed, LWA failed, or the turn is too far away: another one is asked.
                self.refused += 1
                stub = self._chance.choice(self._stubs)
            else:
                if lent.expires_at.ToDatetime(UTC) > expires_after:
                    return
            await asyncio.sleep(self._chance.uniform(PAUSE_S_MIN, PAUSE_S_MAX))


@asynccontextmanager
async def open_callers(stage: Stage, seed: int) -> AsyncIterator[Callers]:
    """Give the callers, with the gateway's certificate and a channel to each replica."""
    clock, ground = chassis.clock.SystemClock(), stage.stack.ground
    config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, NAME)
    async with AsyncExitStack() as things:
        vault = await things.enter_async_context(await chassis.vault.connect(config, clock))
        issue = functools.partial(
            vault.issue_certificate, NAME, [f"{NAME}.sallyport.internal"], CERTIFICATE_LIFE_S
        )
        keeper = chassis.identity.Keeper(issue, clock)
        await keeper.start()
        stubs = []
        for replica in stage.replicas:
            channel = chassis.rpc.Channel(
                address=replica.address, peer="auth", keeper=keeper, deadline_s=CALL_S_MAX
            )
            things.push_async_callback(channel.close)
            stubs.append(channel.stub(auth_pb2_grpc.AuthServiceStub))
        yield Callers(stubs, seed)
