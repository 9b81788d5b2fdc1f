"""Further replicas of a running stack's gateway, and how a killed one is known to be back."""

import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import kill

import sallyport.environments
from bench.ports import free_port
from sallyport.layout import LOOPBACK
from sallyport.process import Process, Program
from sallyport.stack import Stack
from sallyport.supervisor import Report, Supervisor

# Of the name for which the gateway's certificate is.
HOST = "localhost"


@dataclass(frozen=True)
class Replica:
    """One process of the gateway; the supervisor starts it again when it dies."""

    name: str
    url: str


@dataclass(frozen=True)
class Replicas:
    """The stack's own gateway first, then those beside it."""

    all: Sequence[Replica]
    _supervisor: Supervisor

    def kill_last(self) -> str:
        """End the last replica's process as a crash would; return its name.

        Raises:
            ProcessLookupError: it does not run.
        """
        name = self.all[-1].name
        pid = self._supervisor.pid_of(name)
        if pid is None:
            raise ProcessLookupError(name)
        kill(pid, signal.SIGKILL)
        return name


@asynccontextmanager
async def open_replicas(stack: Stack, report: Report, *, count: int) -> AsyncIterator[Replicas]:
    """Give so many gateways over a stack, at least two, healthy; stop those beside its own at the end.

    Raises:
        PartFailed: one did not come up.
    """
    supervisor = Supervisor(report)
    own = Replica("gateway", f"https://{HOST}:{stack.layout.gateway_port}")
    try:
        others = []
        for number in range(2, count + 1):
            port, name = free_port(), f"gateway {number}"
            await supervisor.add(Process(_program(stack, name, port)))
            others.append(Replica(name, f"https://{HOST}:{port}"))
        yield Replicas((own, *others), supervisor)
    finally:
        await supervisor.stop()


def _program(stack: Stack, name: str, port: int) -> Program:
    health = f"{LOOPBACK}:{free_port()}"
    return Program(
        name=name,
        command=(sys.executable, "-m", "services.gateway"),
        environ={
            **sallyport.environments.of_service("gateway", stack.layout, stack.ground),
            "SALLYPORT_PUBLIC_LISTEN": f"{LOOPBACK}:{port}",
            "SALLYPORT_PRIVATE_LISTEN": health,
        },
        health_url=f"http://{health}/readyz",
        log_file=stack.layout.logs / f"{name.replace(' ', '-')}.log",
    )
