"""`sallyport run`: the whole stack on this machine, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import sallyport.access
import sallyport.stack
import sallyport.vendor
import sallyport.welcome
from sallyport import console
from sallyport.layout import LOOPBACK, PORTS, PUBLIC_PORT, Layout
from sallyport.terminal import Progress, say

PORTS_END = 65_536
STATE_FOLDER = Path(".sallyport")
NAME = "run"
EXIT_CODES = (
    "Exit codes: 0 stopped, 1 a part did not come up or did not stop and is named, "
    "2 folder or ports cannot be used."
)


class PlaceUnusable(Exception):
    """A stack cannot lie there; the text says why, and what to give instead."""


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `run` on the command line."""
    parser = verbs.add_parser(
        NAME,
        help="start everything on this machine",
        description="Start PostgreSQL, OpenBao, a simulated Amazon and the services, until Ctrl-C, and print "
        "the addresses to open. What it keeps is there again at the next start.",
        epilog=EXIT_CODES,
    )
    add_places(parser, STATE_FOLDER, PUBLIC_PORT)
    parser.set_defaults(verb=_run)


def add_places(parser: argparse.ArgumentParser, state_folder: Path, base_port: int) -> None:
    """Add the two options that say where a stack lies."""
    parser.add_argument(
        "--state-folder",
        type=console.folder,
        default=state_folder,
        metavar="DIR",
        help=f"where everything is kept ({state_folder})",
    )
    parser.add_argument(
        "--base-port",
        type=_base_port,
        default=base_port,
        metavar="PORT",
        help=f"first of {PORTS} loopback ports; the gateway's own ({base_port})",
    )


def _base_port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= PORTS_END - PORTS:
        raise argparse.ArgumentTypeError(f"not a whole number from 1 to {PORTS_END - PORTS}")
    return int(text)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make a state folder and keep it for this process alone: two sets of engines would spoil each other's.

    Raises:
        PlaceUnusable: it cannot be made or looked into, or another process holds it.
    """
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PlaceUnusable(f"--state-folder {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"{folder} is in use by another `sallyport`; stop that, or choose another --state-folder"
            raise PlaceUnusable(text) from error
        yield
    finally:
        os.close(held)


def check_ports(first: int) -> None:
    """Look whether PORTS in a row can be had.

    Raises:
        PlaceUnusable: one of them cannot.
    """
    for port in range(first, first + PORTS):
        try:
            socket.create_server((LOOPBACK, port)).close()
        except OSError as error:
            why = os.strerror(error.errno or 0)
            text = f"port {port} cannot be had ({why}); choose others with --base-port"
            raise PlaceUnusable(text) from error


def _run(options: argparse.Namespace) -> int:
    layout = Layout(options.state_folder.absolute(), options.base_port)
    try:
        with hold(layout.folder):
            check_ports(layout.base_port)
            asyncio.run(_serve(layout))
    except PlaceUnusable as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, str(error))
    except sallyport.stack.FAULTS as error:
        return console.complain(NAME, console.EXIT_REFUSED, str(error))
    return console.EXIT_OK


async def _serve(layout: Layout) -> None:
    await until_interrupted(_keep_up(layout))
    say("Stopped; the state is kept (`make clean` removes it)")


async def until_interrupted(work: Coroutine[Any, Any, None]) -> None:
    """Return once the work has ended, or was told to by SIGINT or SIGTERM and has tidied up.

    Who tells it again does not keep it from that.
    """
    working = asyncio.create_task(work)

    def interrupt() -> None:
        if not working.cancelling():
            working.cancel()

    loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupt)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await working
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _keep_up(layout: Layout) -> None:
    say(f"Starting Sallyport in {layout.folder}")
    async with sallyport.stack.open_stack(layout, Progress()) as stack:
        async with sallyport.access.open_admin(stack.access()) as admin:
            await sallyport.vendor.register_application(stack, admin)
            _show(stack, await sallyport.welcome.welcome(stack, admin))
        await asyncio.Event().wait()


def _show(stack: sallyport.stack.Stack, welcome: sallyport.welcome.Welcome) -> None:
    layout = stack.layout
    say(f"""
Sallyport is up. Ctrl-C stops it.

  portal, an owner       {welcome.owner_url}
  portal, the staff      {welcome.staff_url}
  gateway                {layout.public_url}
  its certificate's CA   {stack.ground.folder.services_ca_file}
  simulated Amazon       {layout.amazon_url}  (CA {layout.amazon_ca_file})
  its controls           {layout.amazon_control_url}/_simulator/health
  audit log              sallyport audit export --state-folder {layout.folder} --out audit.ndjson
  logs                   {layout.logs}
""")
