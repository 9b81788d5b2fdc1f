"""The composition root: files, sockets and core, opened in order and closed in reverse."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

import simulator.applications
import simulator.control_port
import simulator.core
import simulator.files
import simulator.journal
import simulator.marketplaces
import simulator.public_port
import simulator.sandbox
import simulator.tls
from simulator.clock import OffsetOutOfRange, VirtualClock
from simulator.config import Config, Listen
from simulator.controls import Controls, describe_seller
from simulator.core import Chosen, Core
from simulator.documents.controls import DocumentControls
from simulator.journal import FileJournal
from simulator.record import FileShelf, Record
from simulator.sandbox import Sandbox
from simulator.seed import Seed
from simulator.world import ORDERS_AT_BIRTH, World

# How long answers that are on their way are waited for.
SHUTDOWN_S = 1.0


class StartRefused(Exception):
    """The simulator does not start; `code` names why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Running:
    """A simulator that answers: where, and who vouches for it."""

    core: Core
    https: tuple[str, ...]
    control: str
    ca_file: str

    def ready_line(self) -> dict[str, Any]:
        """Return what is printed once the simulator answers."""
        return {"ready": True, "https": list(self.https), "control": self.control, "ca_file": self.ca_file}


@contextlib.asynccontextmanager
async def build(config: Config) -> AsyncIterator[Running]:
    """Yield a running simulator.

    Raises:
        StartRefused: a file or an address cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        try:
            core = _core(config, stack)
            ca_path = simulator.tls.ensure(
                config.state_folder, [*simulator.marketplaces.hosts(), *config.names]
            )
            ca_file = config.ca_file or ca_path
            if ca_file != ca_path:
                simulator.files.replace(ca_file, ca_path.read_bytes(), mode=0o644)
            tls = simulator.tls.server_context(config.state_folder)
            https = [await _public(stack, core, listen, tls=tls) for listen in config.listens]
            core.storage.origin = config.storage_url or _storage_origin(config.listens, https)
            control_app = simulator.control_port.control_app(Controls(core), DocumentControls(core))
            control = await _listen(stack, control_app, config.control)
        except simulator.applications.ApplicationsInvalid as error:
            raise StartRefused("applications_invalid", str(error)) from error
        except simulator.sandbox.ModelsInvalid as error:
            raise StartRefused("models_invalid", str(error)) from error
        except simulator.journal.JournalRefused as error:
            raise StartRefused(error.code, str(error)) from error
        except (OSError, OffsetOutOfRange) as error:
            raise StartRefused("unavailable", str(error)) from error
        yield Running(core, tuple(https), control, str(ca_file.resolve()))


def world_of(config: Config) -> dict[str, Any]:
    """Return the sellers of a seed and the orders they have at the beginning, without starting anything."""
    born_at = config.epoch or VirtualClock(config.clock_file).now()
    world = World(seed=Seed(config.seed), born_at=born_at, sellers_count=config.sellers_count)
    return {
        "seed": config.seed,
        "sellers": [
            {
                **describe_seller(seller),
                "orders": [
                    {
                        "number": order.number,
                        "order_id": order.order_id,
                        "marketplace_id": order.marketplace.marketplace_id,
                        "is_amazon_fulfilled": order.is_amazon_fulfilled,
                        "marker": order.buyer.marker,
                    }
                    for order in world.placed(seller, born_at)[:ORDERS_AT_BIRTH]
                ],
            }
            for seller in world.sellers
        ],
    }


def _core(config: Config, stack: contextlib.AsyncExitStack) -> Core:
    assert config.applications_file is not None
    applications = simulator.applications.load(config.applications_file)
    for folder in (config.state_folder, config.clock_file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    clock = VirtualClock(config.clock_file)
    journal = FileJournal(config.state_folder / "journal.jsonl")
    stack.callback(journal.close)
    events = simulator.journal.living(journal.read(), clock.now())
    journal.tidy(events)
    ledger = simulator.core.start_ledger(
        journal, events, seed=config.seed, born_at=lambda: _birth(clock, config.epoch)
    )
    shelf = FileShelf(config.state_folder / "calls.jsonl")
    stack.callback(shelf.close)
    calls = shelf.read()
    shelf.replace(calls)
    return simulator.core.build(
        clock=clock,
        ledger=ledger,
        applications=applications,
        record=Record(shelf=shelf, calls=calls),
        chosen=Chosen(
            sellers_count=config.sellers_count,
            hostility_share=config.hostility_share,
            sandbox=simulator.sandbox.load(config.models_folder) if config.models_folder else Sandbox(),
        ),
    )


def _birth(clock: VirtualClock, epoch: datetime | None) -> datetime:
    """Return the moment at which a new world begins; a chosen one becomes the virtual time."""
    now = clock.now()
    if epoch is None:
        return now.replace(microsecond=0)
    clock.turn(clock.offset_s + (epoch - now).total_seconds())
    return epoch


async def _public(
    stack: contextlib.AsyncExitStack, core: Core, listen: Listen, *, tls: ssl.SSLContext
) -> str:
    return await _listen(stack, simulator.public_port.public_app(core.amazon, listen.faces), listen, tls=tls)


def _storage_origin(listens: Sequence[Listen], https: Sequence[str]) -> str:
    """Return the address of the first port that serves the storage; of the first port when none does."""
    pairs = zip(listens, https, strict=True)
    return next((url for listen, url in pairs if "storage" in listen.faces), https[0])


async def _listen(
    stack: contextlib.AsyncExitStack,
    app: web.Application,
    listen: Listen,
    *,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Return the base URL of a port that answers from now on."""
    # An upload is kept as it came: whoever stores a compressed file wants it back compressed.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, listen.host, listen.port, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
