"""`sallyport run`: the whole stack on this machine, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import chassis.rpc

# isort: split
import chassis.errors
import sallyport.access
import sallyport.stack
from sallyport.layout import PUBLIC_PORT, Layout
from sallyport.supervisor import PartFailed
from wire.auth.v1 import auth_pb2

STATE_FOLDER = Path(".sallyport")
SELLER_NAME = "Example Seller"
USER_NAME = "Owner"
EXIT_DONE = 0
EXIT_FAILED = 1


@dataclass(frozen=True)
class Welcome:
    """What the person at the console needs: a way in for a seller's owner."""

    seller_id: str
    invitation_url: str


class Progress:
    """Prints what becomes of each part, with the seconds since the start."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()

    def __call__(self, part: str, event: str) -> None:
        """Print one line."""
        say(f"  {time.monotonic() - self._started_s:6.1f} s  {part:<18} {event}")


def say(line: str) -> None:
    """Print a line now, whatever standard output is."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `run` on the command line."""
    parser = verbs.add_parser(
        "run",
        help="start everything on this machine",
        description="Start PostgreSQL, OpenBao, a simulated Amazon and the services, until Ctrl-C.",
    )
    add_places(parser, STATE_FOLDER, PUBLIC_PORT)
    parser.set_defaults(verb=_run)


def add_places(parser: argparse.ArgumentParser, state_folder: Path, base_port: int) -> None:
    """Add the two options that say where a stack lies."""
    parser.add_argument(
        "--state-folder", type=Path, default=state_folder, metavar="DIR", help=f"({state_folder})"
    )
    parser.add_argument(
        "--base-port",
        type=int,
        default=base_port,
        metavar="PORT",
        help=f"first of 20 loopback ports; the gateway's own ({base_port})",
    )


def _run(options: argparse.Namespace) -> int:
    try:
        asyncio.run(_serve(Layout(options.state_folder.absolute(), options.base_port)))
    except (PartFailed, chassis.errors.StartRefused, chassis.errors.SallyportError) as error:
        sys.stderr.write(f"sallyport run: {error}\n")
        return EXIT_FAILED
    return EXIT_DONE


async def _serve(layout: Layout) -> None:
    serving = asyncio.create_task(_keep_up(layout))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    say("Stopped; the state is kept (`make clean` removes it)")


async def _keep_up(layout: Layout) -> None:
    say(f"Starting Sallyport in {layout.folder}")
    async with sallyport.stack.open_stack(layout, Progress()) as stack:
        _show(stack, await prepare(stack))
        await asyncio.Event().wait()


async def prepare(stack: sallyport.stack.Stack) -> Welcome:
    """Register the vendor's application and return an invitation for a new seller's owner."""
    async with sallyport.access.open_admin(stack.access()) as admin:
        await admin.auth.RegisterApplication(
            auth_pb2.RegisterApplicationRequest(
                application_id=stack.application.application_id,
                client_id=stack.application.client_id,
                client_secret=stack.application.client_secret,
            )
        )
        seller = await admin.auth.CreateSeller(auth_pb2.CreateSellerRequest(name=SELLER_NAME))
        return Welcome(seller.seller_id, await invite(stack, admin, seller.seller_id))


async def invite(stack: sallyport.stack.Stack, admin: sallyport.access.Admin, seller_id: str) -> str:
    """Return the address at which a seller's owner can sign in once."""
    request = auth_pb2.InviteUserRequest(seller_id=seller_id, user_name=USER_NAME)
    invited = await admin.auth.InviteUser(request)
    return f"{stack.layout.public_url}/portal/enter/{invited.invitation}"


def _show(stack: sallyport.stack.Stack, welcome: Welcome) -> None:
    layout = stack.layout
    say(f"""
Sallyport is up. Ctrl-C stops it.

  portal, first visit    {welcome.invitation_url}
  gateway                {layout.public_url}
  its certificate's CA   {stack.ground.folder.services_ca_file}
  simulated Amazon       {layout.amazon_url}  (CA {layout.amazon_ca_file})
  its controls           {layout.amazon_control_url}/_simulator/health
  audit log              sallyport audit export --state-folder {layout.folder} --out audit.ndjson
  logs                   {layout.logs}
""")
