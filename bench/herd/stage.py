"""What runs for the herd on given engines: the simulated Amazon, telemetry, and replicas of auth."""

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import chassis.env
import sallyport.environments
import sallyport.provision.database
import sallyport.stack
from bench.ports import free_port
from sallyport.layout import LOOPBACK, Layout
from sallyport.process import Process, Program
from sallyport.provision.ground import Ground
from sallyport.stack import Stack
from sallyport.supervisor import Report, Supervisor

# Each replica holds ten connections, and a killed one's linger for a moment.
ROLE_CONNECTIONS_MAX = 80


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who takes part.

    Attributes:
        sellers: accounts at the simulated Amazon.
        replicas: of auth, at least two.
        lwa_rate: calls a second that auth may make to LWA, and as many at once.
        seed: of the simulated Amazon.
        database: in which auth and telemetry keep what they keep.
    """

    sellers: int
    replicas: int
    lwa_rate: float
    seed: int
    database: str

    @property
    def lwa_burst(self) -> int:
        """How many calls auth may make to LWA at once."""
        return max(1, int(self.lwa_rate))


@dataclass(frozen=True)
class Replica:
    """One process of auth; the supervisor starts it again when it dies."""

    name: str
    address: chassis.env.Address


@dataclass(frozen=True)
class Stage:
    """What runs."""

    stack: Stack
    replicas: Sequence[Replica]
    database: str

    def pid_of(self, replica: Replica) -> int | None:
        """Return a replica's process while it runs."""
        return self.stack.supervisor.pid_of(replica.name)


@asynccontextmanager
async def open_stage(ground: Ground, layout: Layout, *, report: Report, cast: Cast) -> AsyncIterator[Stage]:
    """Give the stage, healthy; stop all but the engines at the end.

    Args:
        ground: the engines, provisioned.
        layout: where all else lies.
        report: told what becomes of each part.
        cast: who takes part.

    Raises:
        PartFailed: a part did not come up.
    """
    layout.logs.mkdir(exist_ok=True)
    supervisor = Supervisor(report)
    stack = Stack(layout, ground, supervisor, sallyport.stack.made_up_application(layout))
    first = Replica("auth 1", chassis.env.Address(LOOPBACK, layout.rpc_port("auth")))
    others = [
        Replica(f"auth {number}", chassis.env.Address(LOOPBACK, free_port()))
        for number in range(2, cast.replicas + 1)
    ]
    stage = Stage(stack, (first, *others), cast.database)
    try:
        await _allow_connections(ground)
        amazon = sallyport.stack.amazon_program(layout, sellers=cast.sellers, seed=cast.seed)
        await supervisor.add(Process(amazon))
        telemetry = sallyport.stack.service_program("telemetry", layout, ground)
        programs = [_with(telemetry, {"SALLYPORT_DATABASE_NAME": cast.database})]
        programs += [_replica(stage, replica, cast) for replica in stage.replicas]
        await asyncio.gather(*(supervisor.add(Process(program)) for program in programs))
        yield stage
    finally:
        await supervisor.stop()


def _replica(stage: Stage, replica: Replica, cast: Cast) -> Program:
    layout, health = stage.stack.layout, f"{LOOPBACK}:{free_port()}"
    return Program(
        name=replica.name,
        command=(sys.executable, "-m", "services.auth"),
        environ={
            **sallyport.environments.of_service("auth", layout, stage.stack.ground),
            "SALLYPORT_LISTEN": str(replica.address),
            "SALLYPORT_PRIVATE_LISTEN": health,
            "SALLYPORT_DATABASE_NAME": cast.database,
            "SALLYPORT_LWA_RATE": str(cast.lwa_rate),
            "SALLYPORT_LWA_BURST": str(cast.lwa_burst),
        },
        health_url=f"http://{health}/readyz",
        log_file=layout.logs / f"{replica.name.replace(' ', '-')}.log",
    )


def _with(program: Program, changes: Mapping[str, str]) -> Program:
    return dataclasses.replace(program, environ={**program.environ, **changes})


async def _allow_connections(ground: Ground) -> None:
    """Let auth's role hold more connections than one machine's stack, which has one replica, lets it."""
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role="postgres"
    ) as connection:
        await connection.execute(f"ALTER ROLE auth CONNECTION LIMIT {ROLE_CONNECTIONS_MAX}")
