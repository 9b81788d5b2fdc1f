"""One replica of auth."""

import asyncio
from collections.abc import Callable
from typing import Any

import chassis.clock
import chassis.db
import chassis.rpc
import chassis.trace
import services.auth.rpc
from fakes.auth_people_edges import FakeHasher
from fakes.passkey_device import ORIGIN
from sallyport.simulate.faults import Faults, Way
from sallyport.simulate.houses.ground import AMAZON, STORE, Ground, House, Silence, start
from sallyport.simulate.nodes import Life
from sallyport.simulate.ports import faulty
from services.auth.app import SAFE_DEADLINE_S
from services.auth.jobs import Jobs
from services.auth.model.consents import Region
from services.auth.model.devices import Revocation
from services.auth.model.lending import AMAZON_TIMEOUT_S_MAX
from services.auth.model.loans import LendingTerms
from services.auth.model.marketplaces import ConsentPages, Marketplace
from services.auth.model.refusals import AuthorizationUnavailable
from services.auth.model.turns import Pace
from services.auth.passkeys import Passkeys
from services.auth.passwords import AuthenticatorApps
from services.auth.peers import RECORD_S_MAX, AuditLog, Safe
from services.auth.provider import NoProvider
from services.auth.service import compose
from services.auth.service.ports import Ports

CLIENT_ID = "desktop"
MARKETPLACE_ID = "ATVPDKIKX0DER"
PAGES = ConsentPages(
    marketplaces={
        MARKETPLACE_ID: Marketplace(
            marketplace_id=MARKETPLACE_ID, country="US", region=Region.NA, seller_host="amazon.example"
        )
    },
    redirect_uri="https://gateway.example/consent/callback",
)
TERMS = LendingTerms(pace=Pace(rate_per_s=25.0, burst=50))
LISTENING_S = 5.0
# Of auth's jobs, those that bear on what a run watches.
JOBS = frozenset({"purge", "settle", "confirm", "retire", "renew", "secrets", "news"})


def build(ground: Ground, life: Life) -> House:
    """Return a fresh replica on the shared tables."""
    store = ground.engines.auth_store(ground.clock, ground.engines.auth_tables)
    store.listeners = ground.engines.listeners
    amazon_way = Way(process=life, to=AMAZON, lost=AuthorizationUnavailable, limit_s=AMAZON_TIMEOUT_S_MAX)
    audit = AuditLog(ground.wire.channel(life, "telemetry", caller="auth", deadline_s=RECORD_S_MAX))
    silence: Any = Silence()
    use_cases = compose(
        Ports(
            store=ground.store(life, store, ground.watcher.auth_effect),
            vault=ground.keys(life, ground.engines.auth_vault),
            amazon=faulty(ground.amazon, amazon_way, ground.faults),
            passkeys=Passkeys(ORIGIN),
            hasher=FakeHasher(),
            codes=AuthenticatorApps(ground.clock, ORIGIN),
            provider=NoProvider(),
            safe=Safe(ground.wire.channel(life, "retention", caller="auth", deadline_s=SAFE_DEADLINE_S)),
            audit=audit,
            signals=silence,
            clock=chassis.clock.SteadyClock(ground.clock),
            entropy=ground.entropy,
            request_id=chassis.trace.request_id,
        ),
        PAGES,
        frozenset({CLIENT_ID}),
        terms=TERMS,
    )
    jobs = Jobs(
        use_cases,
        line=_Line(life, ground.engines.listeners, ground.faults),
        clock=ground.clock,
        readiness=silence,
        signals=silence,
    )
    start(life, [audit.run, *(task for job, task in jobs.tasks() if job in JOBS)])
    return House(services=services.auth.rpc.services(use_cases))


class _Line:
    """A replica's line to storage's news; it breaks like any other."""

    def __init__(self, life: Life, listeners: list[Callable[[Revocation], None]], faults: Faults) -> None:
        self._way = Way(process=life, to=STORE, lost=chassis.db.StoreUnavailable, limit_s=2 * LISTENING_S)
        self._listeners = listeners
        self._faults = faults

    async def listen(
        self, _clock: chassis.clock.Clock, *, opened: Callable[[], None], tell: Callable[[Revocation], None]
    ) -> None:
        """Tell every piece of news after `opened` was called, until the line breaks."""
        self._listeners.append(tell)
        opened()
        try:
            while True:
                await self._faults.around(self._way, "listen", lambda: asyncio.sleep(LISTENING_S))
        finally:
            self._listeners.remove(tell)
