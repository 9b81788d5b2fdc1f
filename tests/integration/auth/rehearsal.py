"""A vendor's half year, rehearsed: auth's use cases on Postgres, OpenBao and the simulated Amazon over TLS.

Time is the simulator's and moves when it is told to; what is waited for is waited for in real time. What the
rehearsal does not look at (people's ways in, the audit log) is in memory.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import chassis.clock
import chassis.db
import chassis.entropy
import chassis.vault
import services.auth.amazon
import services.auth.inbox
import simulator.app
import simulator.config
from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, PAGES, US, Fuse, House, Person, guarded
from fakes.auth_rotation_house import HEARD
from fakes.auth_store import FakeStore
from services.auth.amazon import Endpoints
from services.auth.inbox import Inbox, Queue
from services.auth.model.consents import Callback, Region
from services.auth.model.credentials import SecretPair
from services.auth.model.notices import QueueKey
from services.auth.model.rotation import RotationPlan
from services.auth.service import UseCases
from services.auth.service.notices import NoticeService
from services.auth.service.ports import Ports
from services.auth.store import Store
from services.auth.vault import AuthVault
from simulator.app import Running
from simulator.controls import Controls

FIRST_SECRET = "amzn1.oa2-cs.v1.the-first-one"
# Letters come twice, and hardly anything else goes wrong.
HOSTILITY = "0.0001"
DAY = timedelta(days=1)
LOOK_S = 0.02
WAIT_S_MAX = 20.0


class SimulatedTime(chassis.clock.SystemClock):
    """The simulator's time of day; durations and waiting are real."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def now(self) -> datetime:
        return self._running.core.clock.now()

    def pass_(self, delay_s: float) -> None:
        clock = self._running.core.clock
        clock.turn(clock.offset_s + delay_s)


@asynccontextmanager
async def simulated_amazon(folder: Path) -> AsyncIterator[Running]:
    """Give a simulated Amazon whose one application has a secret that ends after 180 days."""
    application = {
        "application_id": APPLICATION.application_id,
        "client_id": APPLICATION.client_id,
        "client_secret": FIRST_SECRET,
        "redirect_uris": [PAGES.redirect_uri],
        "secret_expires_at": (chassis.clock.SystemClock().now() + 180 * DAY).isoformat(),
    }
    applications = folder / "applications.json"
    applications.write_text(json.dumps({"applications": [application]}), encoding="utf-8")
    addresses = ("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--hostility", HOSTILITY)
    config = simulator.config.parse(
        ["--applications", str(applications), "--state-folder", str(folder / "amazon"), *addresses]
    )
    async with simulator.app.build(config) as running:
        yield running


@dataclass
class Rehearsal(House):
    """One replica of auth on real parts; `replica` is another on the same ones."""

    running: Running = field(kw_only=True)
    pool: chassis.db.Pool = field(kw_only=True)
    keys: AuthVault = field(kw_only=True)
    lwa: services.auth.amazon.Amazon = field(kw_only=True)
    inbox: Inbox = field(kw_only=True)
    rotation: RotationPlan = HEARD
    device_id: str = ""

    def __post_init__(self) -> None:
        self.clock: Any = SimulatedTime(self.running)
        self.controls = Controls(self.running.core)
        self.store = Store(self.pool)
        super().__post_init__()
        self.amazon.secret = FIRST_SECRET

    def ports(self, store: FakeStore) -> Ports:
        fakes = super().ports(store)
        entropy = chassis.entropy.SystemEntropy()
        return replace(fakes, store=self.store, vault=self.keys, amazon=self.lwa, entropy=entropy)

    def callback(self, state: str, selling_partner_id: str | None = None) -> Callback:
        query = f"application_id={APPLICATION.application_id}&state={state}"
        asked = {
            "url": f"https://sc.example.com/apps/authorize/consent?{query}",
            "seller_id": selling_partner_id or self.running.core.world.sellers[0].seller_id,
        }
        answer = parse_qs(urlsplit(self.controls.consent(asked)["location"]).query)
        return Callback(
            state=state,
            selling_partner_id=answer["selling_partner_id"][0],
            code=Secret(answer["spapi_oauth_code"][0]),
        )

    async def open_shop(self) -> Person:
        """Have a seller who is connected and has a desktop."""
        person = await self.person()
        await self.connect(person, US)
        self.device_id = (await self.bound(person)).device_id
        return person

    async def days(self, count: int, step: int = 6) -> None:
        """Let days pass; each step the secrets are looked after, and a seller must be served."""
        for _ in range(0, count, step):
            self.pass_(step * DAY)
            await self.use.rotation.tend()
            await self.serve()

    async def serve(self) -> None:
        """Serve a seller; whatever was lent more than an hour ago is fetched from Amazon anew."""
        await self.lend(self.device_id, Region.NA)

    async def end_leases(self) -> None:
        """Let the leases of a process that died end now, which they do by themselves after a while."""
        async with chassis.db.transaction(self.pool) as connection:
            for table in ("secret_rotations", "grantless_leases", "access_leases"):
                await connection.execute(f"UPDATE auth.{table} SET held_until = NULL")

    async def pair(self) -> SecretPair:
        return (await self.keys.find_secrets(APPLICATION.application_id)).pair

    def notices(self, use: UseCases, fuse: Fuse | None = None) -> NoticeService:
        """Return the ear of a replica; with a fuse, of one that dies at its step."""
        ports = self.ports(FakeStore(self.clock, self.tables))
        inbox = self.inbox if fuse is None else guarded(self.inbox, fuse)
        return NoticeService(ports, inbox, changes=use.secret_changes, proving=use.proving)

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[None]:
        """Hear the queue meanwhile, as the job does."""

        async def hear() -> None:
            while True:
                await self.notices(self.use).hear()

        task = asyncio.create_task(hear())
        try:
            yield
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def arrived(self, secrets: int = 2) -> None:
        """Return once so many secrets are held and Amazon was seen to accept the newest."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                pair = await self.pair()
                if len(pair.held) == secrets and pair.newest.accepted_at is not None:
                    return
                await asyncio.sleep(LOOK_S)

    def calls(self, operation: str) -> list[int]:
        """Return the statuses of every call of an operation that reached Amazon."""
        return [
            call.status
            for call in self.running.core.record.after(0, limit=100_000)
            if call.operation.endswith(operation)
        ]


@asynccontextmanager
async def rehearsed(
    running: Running, pool: chassis.db.Pool, vault: chassis.vault.Vault, **options: Any
) -> AsyncIterator[Rehearsal]:
    """Give a rehearsal on real parts."""
    clock, ca_file, url = SimulatedTime(running), Path(running.ca_file), running.https[0]
    keys = AuthVault(vault, clock, chassis.entropy.SystemEntropy())
    await keys.ensure_digest_key()
    endpoints = Endpoints(lwa_url=url, spapi_urls=dict.fromkeys(Region, url), ca_file=ca_file, timeout_s=4.0)
    queue = Queue(url=f"{url}/000000000000/client-secrets", region="us-east-1", endpoint=url, ca_file=ca_file)
    async with AsyncExitStack() as stack:
        yield Rehearsal(
            running=running,
            pool=pool,
            keys=keys,
            lwa=await stack.enter_async_context(services.auth.amazon.connect(endpoints, clock)),
            inbox=await stack.enter_async_context(services.auth.inbox.connect(queue, _key)),
            **options,
        )


async def _key() -> QueueKey:
    return QueueKey(access_key_id="AKIAEXAMPLE", secret_access_key=Secret("made up"))
