"""`python -m bench malformed`: the options, and the exit code: 0 when every promise held, 1 when not."""

import argparse
import re
import secrets
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

import sallyport.stack
from bench.malformed import show, verdict
from bench.malformed.attempts import Attempt, Ids, whole
from bench.malformed.cast import admit
from bench.malformed.exchange import Client
from bench.malformed.framing import TOKEN_HEADER
from bench.ports import free_base_port
from bench.shows import EXIT_BROKEN, EXIT_HOLDS, engines_folder, tell
from sallyport.demo.scene import Scene
from sallyport.demo.stage import set_stage
from sallyport.layout import Layout
from sallyport.stack import Stack
from sallyport.supervisor import PartFailed
from sallyport.terminal import say

COUNT = 100_000
COUNT_MAX = 10_000_000
SEED_MAX = 2**32
GATEWAY = "gateway"
RESIDENT = re.compile(r"^VmRSS:\s+([0-9]+) kB$", re.MULTILINE)
# A line of the log that tells of something nobody foresaw.
UNFORESEEN = re.compile(r'"level": ?"error"|Traceback \(most recent')


def add_command(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Mount `malformed` on the command line."""
    parser = verbs.add_parser(
        "malformed",
        help="a flood of malformed requests, after which the gateway is what it was",
        description="Show that no malformed request crashes, confuses, fills or silences the gateway.",
        epilog="Exit codes: 0 every promise held, 1 one did not, or it could not be shown.",
    )
    parser.add_argument("--count", type=_count, default=COUNT, metavar="N", help=f"requests ({COUNT})")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything that is sent (a new one)")
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace) -> int:
    """Show it; return the exit code."""
    seed = secrets.randbelow(SEED_MAX) if options.seed is None else options.seed
    plan = show.Plan(options.count, seed)
    try:
        with engines_folder("malformed") as folder:
            return uvloop.run(_show(plan, Layout(folder, free_base_port(), is_tapped=True)))
    except PartFailed as error:
        sys.stderr.write(f"malformed: a part failed: {error}\n")
        return EXIT_BROKEN


async def _show(plan: show.Plan, layout: Layout) -> int:
    say(f"Seed {plan.seed}")
    async with sallyport.stack.open_stack(layout, tell) as stack, set_stage(stack) as scene:
        broken = await flood(scene, plan)
    for text in broken:
        say(f"Not kept: {text}")
    return EXIT_BROKEN if broken else EXIT_HOLDS


async def flood(scene: Scene, plan: show.Plan) -> list[str]:
    """Send a plan's requests to a running gateway, print what became of them; return what was not kept."""
    stack = scene.stack
    tls = ssl.create_default_context(cafile=stack.ground.folder.services_ca_file)
    target = show.Target(port=stack.layout.gateway_port, tls=tls, valid=await admit(scene, tls))
    tally = verdict.Tally(verdict.documented_statuses())
    pid, log = stack.supervisor.pid_of(GATEWAY), stack.layout.logs / f"{GATEWAY}.log"
    read_before, began_s = log.stat().st_size, time.monotonic()
    memory_bytes = await show.run(plan, target, tally, measure=lambda: _resident_bytes(stack))
    elapsed_s = time.monotonic() - began_s
    gateway = verdict.Gateway(
        memory_bytes=memory_bytes,
        starts=1 if stack.supervisor.pid_of(GATEWAY) == pid else 2,
        crashes=sum(1 for _ in _unforeseen(log, read_before)),
        is_serving=await _is_serving(target),
    )
    for line in verdict.lines(tally, gateway, elapsed_s):
        say(line)
    for line in _unforeseen(log, read_before):
        say(line)
    return verdict.broken_promises(tally, gateway)


async def _is_serving(target: show.Target) -> bool:
    """Return whether a valid call still passes every check, up to its seller's missing connection."""
    ids = Ids()
    client = Client(port=target.port, tls=target.tls, ids=ids)
    token = {TOKEN_HEADER: target.valid.tokens[-1]}
    ending = await client.send(Attempt("valid", whole("GET", "/orders/v0/orders", token, ident=ids.next())))
    client.hang_up()
    return ending.answer is not None and verdict.code_of(ending.answer.body) == "region_not_connected"


def _resident_bytes(stack: Stack) -> int:
    pid = stack.supervisor.pid_of(GATEWAY)
    found = RESIDENT.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii")) if pid else None
    return int(found[1]) * 1024 if found else 0


def _unforeseen(log: Path, after: int) -> Iterator[str]:
    """Yield what the gateway has logged since of what nobody foresaw."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        lines.seek(after)
        yield from (line.rstrip() for line in lines if UNFORESEEN.search(line))


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= COUNT_MAX:
        raise argparse.ArgumentTypeError(f"not a whole number from 1 to {COUNT_MAX}")
    return int(text)
