"""`sallyport bench`: a running gateway beside nginx and an axios broker, answer for answer.

Asks the gateway once, has the peers pass the same bytes through from memory, and asks everybody equally
often. The gateway's own answers come from Amazon or a sandbox, whose time is in its numbers, not the peers'.
"""

import argparse
import asyncio
import ssl
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from chassis.secrecy import Secret
from sallyport import console
from sallyport.bench import beside
from sallyport.bench.load import LoadFailed
from sallyport.bench.peers import AXIOS_FOLDER
from sallyport.engines.child import EngineFailed
from sallyport.terminal import say

NAME = "bench"

REQUESTS_MAX = 100_000
CONNECTIONS_MAX = 256
PATH = "/sellers/v1/marketplaceParticipations"
HTTPS_PORT = 443
FROM_FILE = "@"


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `bench` on the command line."""
    parser = verbs.add_parser(
        NAME,
        help="a running gateway beside nginx and an axios broker",
        description=(
            "Ask a running gateway and proxies that do nothing else for the same answer, equally often, and"
            " print a Markdown table. It spends the seller's quota: point it at a sandbox, or ask for little."
            " What the gateway keeps, the default call's answer for one, costs less; the last line tells."
        ),
        epilog=(
            "A peer that is not installed is shown as such: nginx comes from the PATH, express and axios from"
            " --axios, where npm ci has put them. On Linux. Exit codes: 0 done, 1 an answer was no success, 2"
            " could not be tried."
        ),
    )
    add = parser.add_argument
    add("--url", required=True, metavar="URL", help="the gateway's public origin, https")
    add("--token", required=True, metavar="TOKEN", help="@FILE with a device's access token, or the token")
    add("--path", default=PATH, metavar="PATH", help=f"path and query of the call ({PATH})")
    add("--ca-file", type=Path, metavar="FILE", help="trust this authority for the gateway, not the system's")
    add("--requests", type=int, default=20, metavar="N", help="to each of them (20)")
    add("--connections", type=int, default=1, metavar="N", help="at a time, to each of them (1)")
    add("--pid", type=int, metavar="PID", help="the gateway's process on this machine, to tell its work")
    add("--axios", type=Path, default=AXIOS_FOLDER, metavar="FOLDER", help="where `npm ci` was run")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print the table, and return the exit code."""
    try:
        plan = _plan(options)
    except OSError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, console.reason(error))
    except ValueError as error:
        return console.complain(NAME, console.EXIT_UNUSABLE, str(error))
    try:
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-") as folder:
            for line in asyncio.run(beside.measure(plan, Path(folder))):
                say(line)
    except LoadFailed as error:
        return console.complain(NAME, console.EXIT_REFUSED, f"an answer was no success: {error}")
    except ssl.SSLCertVerificationError as error:
        text = f"the gateway's certificate is not trusted: {error.verify_message}; see --ca-file"
        return console.complain(NAME, console.EXIT_UNUSABLE, text)
    except (EngineFailed, OSError) as error:
        text = f"could not be measured: {str(error) or type(error).__name__}"
        return console.complain(NAME, console.EXIT_UNUSABLE, text)
    return console.EXIT_OK


def _plan(options: argparse.Namespace) -> beside.Plan:
    """Return what is to be measured.

    Raises:
        ValueError: an option is out of bounds.
        OSError: a file cannot be read.
    """
    parts = urlsplit(options.url)
    if parts.scheme != "https" or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("--url is an https origin, e.g. https://gateway.example.com")
    if not options.path.startswith("/") or not options.path.isascii() or " " in options.path:
        raise ValueError("--path begins with a slash and is encoded")
    if not 1 <= options.connections <= CONNECTIONS_MAX or not 1 <= options.requests <= REQUESTS_MAX:
        raise ValueError(f"--connections goes to {CONNECTIONS_MAX}, --requests to {REQUESTS_MAX}")
    if options.pid is not None and not Path(f"/proc/{options.pid}/stat").exists():
        raise ValueError(f"--pid: there is no process {options.pid} on this machine")
    token: str = options.token
    if token.startswith(FROM_FILE):
        token = Path(token.removeprefix(FROM_FILE)).read_text(encoding="ascii").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("--token is no token")
    return beside.Plan(
        host=parts.hostname,
        port=parts.port or HTTPS_PORT,
        path=options.path,
        token=Secret(token),
        tls=ssl.create_default_context(cafile=options.ca_file),
        requests=options.requests,
        connections=options.connections,
        pid=options.pid,
        axios_folder=options.axios,
    )
