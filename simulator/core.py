"""The simulator without files and sockets: every part of it, put together once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import simulator.amazon
import simulator.handlers
from simulator.amazon import Amazon, Faces
from simulator.api import Api
from simulator.applications import Applications
from simulator.client_secrets import ClientSecrets
from simulator.clock import Dial
from simulator.consent import Consents
from simulator.documents.feeds import Feeds
from simulator.documents.forms import Forms
from simulator.documents.jobs import Jobs
from simulator.documents.queries import Queries
from simulator.documents.report_files import ReportFiles
from simulator.documents.reports import Reports
from simulator.documents.storage import Storage
from simulator.documents.storage_face import StorageFace
from simulator.documents.uploads import Uploads
from simulator.events import Born, Event, Started
from simulator.handlers import Parts
from simulator.hostility import Hostility
from simulator.journal import JournalRefused
from simulator.ledger import Journal, Ledger, State
from simulator.letters import Letters
from simulator.lwa import Lwa
from simulator.lwa_face import LwaFace
from simulator.notifications import Notifications
from simulator.orders.handed_in import HandedIn
from simulator.orders.search import Search
from simulator.orders.shipping import Shipping
from simulator.orders.v0 import OrdersV0
from simulator.orders.v2026 import Orders2026
from simulator.plans import Plans
from simulator.queue_face import QueueFace
from simulator.record import Record
from simulator.sandbox import Sandbox
from simulator.sealing import Sealer
from simulator.seed import Mint, Seed
from simulator.shop.catalog import Catalog
from simulator.shop.listings import Listings
from simulator.shop.stock import Stock
from simulator.stand_in import StandIn
from simulator.tokens import Tokens
from simulator.world import World


@dataclass(frozen=True)
class Chosen:
    """What whoever starts a simulator chooses of its world."""

    sellers_count: int
    hostility_share: float
    sandbox: Sandbox = field(default_factory=Sandbox)


@dataclass(frozen=True)
class Core:
    """The parts that the edges reach: `amazon` for the public, the rest for the controls."""

    clock: Dial
    world: World
    applications: Applications
    ledger: Ledger
    search: Search
    consents: Consents
    plans: Plans
    hostility: Hostility
    record: Record
    lwa: Lwa
    client_secrets: ClientSecrets
    letters: Letters
    mint: Mint
    jobs: Jobs
    files: ReportFiles
    storage: Storage
    sandbox: Sandbox
    amazon: Amazon


def start_ledger(
    journal: Journal, events: list[Event], *, seed: int, born_at: Callable[[], datetime]
) -> Ledger:
    """Return the ledger of a world that begins now, or that goes on from its events.

    Args:
        journal: where new events go.
        events: those that are in the journal already.
        seed: the seed asked for.
        born_at: gives the moment of a new world's birth.

    Raises:
        JournalRefused: `seed_mismatch`, the events belong to a world of another seed.
    """
    state = State.of(events)
    ledger = Ledger(state=state, journal=journal)
    if state.born is None:
        ledger.commit(Born(seed=seed, born_at=born_at()), Started(boot=1))
    elif state.born.seed != seed:
        raise JournalRefused("seed_mismatch", f"the state folder holds a world of seed {state.born.seed}")
    else:
        ledger.commit(Started(boot=state.boot + 1))
    return ledger


def build(
    *,
    clock: Dial,
    ledger: Ledger,
    applications: Applications,
    record: Record,
    chosen: Chosen,
) -> Core:
    """Return the simulator around a started ledger."""
    born, boot = ledger.state.born, ledger.state.boot
    assert born is not None
    seed = Seed(born.seed)
    mint, sealer = Mint(seed=seed, boot=boot), Sealer(seed)
    world = World(seed=seed, born_at=born.born_at, sellers_count=chosen.sellers_count)
    search = Search(world=world, ledger=ledger)
    plans, hostility = Plans(seed), Hostility(seed=seed, share=chosen.hostility_share)
    consents = Consents(ledger=ledger, world=world, applications=applications, mint=mint, sealer=sealer)
    letters = Letters(mint)
    client_secrets = ClientSecrets(
        seed=seed, ledger=ledger, applications=applications, mint=mint, letters=letters, hostility=hostility
    )
    storage, files = Storage(seed), ReportFiles(seed=seed, world=world)
    forms = Forms(seed=seed, storage=storage)
    jobs = Jobs(ledger=ledger, mint=mint, sealer=sealer)
    tokens = Tokens(ledger=ledger, world=world, applications=applications, mint=mint)
    parts = Parts(
        tokens=tokens,
        v0=OrdersV0(search=search, sealer=sealer, handed_in=HandedIn(world=world, storage=storage)),
        v2026=Orders2026(search=search, sealer=sealer),
        shipping=Shipping(search=search, ledger=ledger),
        reports=Reports(jobs=jobs, storage=storage, files=files, mint=mint),
        feeds=Feeds(jobs=jobs, storage=storage, mint=mint),
        queries=Queries(jobs=jobs, storage=storage, seed=seed, world=world),
        uploads=Uploads(storage=storage, forms=forms, mint=mint),
        notifications=Notifications(mint),
        catalog=Catalog(world),
        listings=Listings(world=world, mint=mint),
        stock=Stock(world),
        client_secrets=client_secrets,
    )
    api = Api(
        tokens=tokens,
        plans=plans,
        hostility=hostility,
        handlers=simulator.handlers.of_sellers(parts),
        own_handlers=simulator.handlers.of_applications(parts),
        stand_in=StandIn(seed=seed, world=world, storage=storage, sandbox=chosen.sandbox),
    )
    lwa = Lwa(ledger=ledger, applications=applications, mint=mint)
    amazon = Amazon(
        clock=clock,
        record=record,
        request_ids=simulator.amazon.request_id_maker(seed, boot),
        faces=Faces(
            consents=consents,
            lwa=LwaFace(lwa=lwa, plans=plans, hostility=hostility),
            queue=QueueFace(letters=letters, client_secrets=client_secrets, hostility=hostility),
            storage=StorageFace(storage=storage, forms=forms, hostility=hostility),
            api=api,
        ),
    )
    return Core(
        clock=clock,
        world=world,
        applications=applications,
        ledger=ledger,
        search=search,
        consents=consents,
        plans=plans,
        hostility=hostility,
        record=record,
        lwa=lwa,
        client_secrets=client_secrets,
        letters=letters,
        mint=mint,
        jobs=jobs,
        files=files,
        storage=storage,
        sandbox=chosen.sandbox,
        amazon=amazon,
    )
