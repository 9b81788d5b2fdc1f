"""The life of a process: the same for every service, from its environment to its exit code.

    load (configuration) → build (parts) → servers listen → tasks run → ready
    SIGTERM or SIGINT → not ready at once → requests in flight finish → tasks end → parts close (R-16)

Exit codes: 0 after a clean end, 1 after a crash (which is logged), 2 when the start was refused, with
one line on standard error that says why. The process leaves no core dump and cannot be traced (T-20). One
that holds secrets for others has its memory overwritten as soon as it is freed.
"""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import uvloop

import chassis.command_line
import chassis.env
import chassis.errors
import chassis.log
import chassis.trace
import chassis.web

# Two seconds are left of the promised twenty for closing what the process stands on.
DRAIN_S_MAX = 18.0
# Objects that may be made before the youngest are looked through, and rounds before older ones are.
GARBAGE_THRESHOLDS = (20_000, 10, 10)
CRASH_GRACE_S = 1.0
CANCEL_ROUND_S = 0.25
CANCEL_ROUNDS_MAX = 6
READY_NAME = "process"

EXIT_CLEAN = 0
EXIT_CRASHED = 1
EXIT_REFUSED = 2

# Source: Linux, include/uapi/linux/prctl.h.
PR_SET_DUMPABLE = 4
# Every object is the C library's to free, and it fills what is freed, small pieces too. Costs auth a tenth of
# its speed. Source: Python, PYTHONMALLOC; glibc manual, "Memory Allocation Tunables".
WIPING = MappingProxyType(
    {
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=85",
    }
)

C = TypeVar("C")
StartRefused = chassis.errors.StartRefused

_log = chassis.log.get("run")


class Listener(Protocol):
    """Something that serves others."""

    async def start(self) -> None:
        """Begin to serve."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Take nothing new, finish what is in flight within `grace_s` seconds, and close."""
        ...


@dataclass
class Application:
    """What `build` yields.

    Attributes:
        tasks: name and work; a task runs until it is cancelled, and one that fails ends the process.
        servers: started in this order; the last is stopped after the others have drained, so that a
            private site put last shows the lost readiness meanwhile.
        readiness: gets the truth about the process itself, beside what the parts say.
    """

    tasks: Sequence[tuple[str, Callable[[], Awaitable[None]]]]
    servers: Sequence[Listener]
    readiness: chassis.web.Readiness


def main(
    name: str,
    load: Callable[[Mapping[str, str]], C],
    build: Callable[[C], AbstractAsyncContextManager[Application]],
    *,
    settings: Sequence[chassis.env.Setting],
    is_wiping: bool = False,
) -> int:
    """Run a service until it is told to end, and return the exit code.

    Args:
        name: the service's name.
        load: makes the configuration from the environment; may raise ConfigError.
        build: opens everything the service stands on; may raise StartRefused.
        settings: every key of its environment, for `--help`.
        is_wiping: have memory overwritten when it is freed.
    """
    chassis.command_line.read(name, settings)
    if is_wiping:
        _wipe_what_is_freed()
    try:
        _harden()
        config = load(os.environ)
        level, trace_endpoint = chassis.env.observation(os.environ)
        with (
            chassis.log.configure(name, level, context=chassis.trace.fields),
            chassis.trace.configure(name, trace_endpoint),
        ):
            return _run(build(config))
    except chassis.errors.StartRefused as refusal:
        text = " ".join(refusal.text.split())
        sys.stderr.write(f"refused to start: {refusal.code}: {text}\n")
        return EXIT_REFUSED


def _run(opening: AbstractAsyncContextManager[Application]) -> int:
    _log_what_nobody_catches()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(opening))
    except chassis.errors.StartRefused:
        raise
    except asyncio.CancelledError:
        _log.info("stopped_while_starting")
    except Exception as error:  # noqa: BLE001 - the last one who can say what happened
        _log.error("process_crashed", error=error)
        return EXIT_CRASHED
    return EXIT_CLEAN


async def _live(opening: AbstractAsyncContextManager[Application]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_error)
    starting = asyncio.current_task()
    assert starting is not None
    _on_stop_signal(starting.cancel)
    async with opening as application:
        await _serve(application)
    _log.info("stopped")


async def _serve(application: Application) -> None:
    stop = asyncio.Event()
    listening: list[Listener] = []
    try:
        for server in application.servers:
            await server.start()
            listening.append(server)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_watched(name, work), name=name) for name, work in application.tasks]
            _on_stop_signal(stop.set)
            application.readiness.set(READY_NAME, ok=True)
            _log.info("started")
            spare_the_collector()
            await stop.wait()
            _log.info("stopping")
            application.readiness.set(READY_NAME, ok=False)
            await _drain(listening, DRAIN_S_MAX)
            await _end(tasks)
    finally:
        application.readiness.set(READY_NAME, ok=False)
        await _drain(listening, CRASH_GRACE_S)


async def _drain(listening: list[Listener], grace_s: float) -> None:
    """Stop what still listens: the last one after all others, with what those have left of the grace."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + grace_s
    for batch in (listening[:-1], listening[-1:]):
        left_s = max(until_s - loop.time(), 0.0)
        ends = await asyncio.gather(*(server.stop(left_s) for server in batch), return_exceptions=True)
        for error in ends:
            if error is not None:
                _log.error("server_stop_failed", error=error)
    listening.clear()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: an error while cleaning up can take a cancellation's place."""
    running = {task for task in tasks if not task.done()}
    for _ in range(CANCEL_ROUNDS_MAX):
        if not running:
            return
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_ROUND_S)
    names = ", ".join(sorted(task.get_name() for task in running))
    _log.error("tasks_would_not_end", tasks=names)
    os._exit(EXIT_CRASHED)


async def _watched(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception as error:
        _log.error("task_crashed", task=name, error=error)
        raise


def spare_the_collector() -> None:
    """Have garbage looked for less often, and never among what was there at the start.

    Nearly everything here is freed when it is let go; what a collection finds is little, and what it walks
    through is much.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _on_stop_signal(react: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, react)


def _wipe_what_is_freed() -> None:
    """Become a process whose freed memory is overwritten: only its environment can ask for that.

    Where the C library is another one nothing happens.
    """
    has_glibc = sys.platform == "linux" and "CS_GNU_LIBC_VERSION" in os.confstr_names
    if has_glibc and not WIPING.items() <= os.environ.items():
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **WIPING})  # noqa: S606 - the same program again


def _harden() -> None:
    """Leave no core dump and let no other process look inside (T-20)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise chassis.errors.StartRefused("process_dumpable", "the process cannot be made undumpable")


def _log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("loop_error", words=context.get("message"), error=context.get("exception"))


def _log_what_nobody_catches() -> None:
    """Send what Python would print, messages included, to the log, which leaves them out."""
    sys.unraisablehook = lambda told: _log.error("unraisable_error", error=told.exc_value)
    threading.excepthook = lambda told: _log.error("thread_crashed", error=told.exc_value)
