"""A whole safe on real Postgres and OpenBao; only the audit log, the clock and chance are fakes."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import chassis.clock
import chassis.db
import chassis.errors
import chassis.vault
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.retention_audit import FakeAudit
from fakes.retention_house import GATEWAY, NAME, PLAINTEXT, SELLER, Fuse, guarded, seen
from fakes.retention_signals import FakeSignals
from services.retention.app import Parts, UseCases, compose
from services.retention.model.erasures import Subject
from services.retention.model.orders import OrderState, Term
from services.retention.model.records import RecordName
from services.retention.store import DataKeyStore, ErasureStore, RecordStore
from services.retention.vault import ReceiptKey, SubjectKeys

# The key service is shared by all tests, so each house lives in years of its own.
YEARS = timedelta(days=400)
_houses = itertools.count()


@dataclass
class RealHouse:
    database: str
    pool: chassis.db.Pool
    vault: chassis.vault.Vault
    verifier_vault: chassis.vault.Vault
    audit: FakeAudit = field(default_factory=FakeAudit)
    signals: FakeSignals = field(default_factory=FakeSignals)

    def __post_init__(self) -> None:
        number = next(_houses)
        self.clock = FakeClock(START + number * YEARS)
        self.seller = f"{SELLER}-{number}"
        self.name = replace(NAME, seller_id=self.seller)
        self._entropy = FakeEntropy(number)
        self.keys = SubjectKeys(self.vault)
        self.restart()

    def restart(self, fuse: Fuse | None = None) -> UseCases:
        """Forget what was in memory; with a fuse, die at its step."""
        parts = self.parts()
        if fuse is not None:
            ports = ("records", "data_key_rows", "erasures", "traces", "keys", "verifier_keys", "audit")
            changes: Mapping[str, object] = {name: guarded(getattr(parts, name), fuse) for name in ports}
            parts = replace(parts, **changes)  # type: ignore[arg-type]
        self.use = compose(parts, term=Term())
        return self.use

    def parts(self) -> Parts:
        records, erasures = RecordStore(self.pool), ErasureStore(self.pool)
        return Parts(
            records=records,
            measures=records,
            data_key_rows=DataKeyStore(self.pool),
            erasures=erasures,
            traces=erasures,
            keys=self.keys,
            verifier_keys=SubjectKeys(self.verifier_vault),
            receipt_key=ReceiptKey(self.verifier_vault),
            audit=self.audit,
            clock=chassis.clock.SteadyClock(self.clock),
            entropy=self._entropy,
            signals=self.signals,
        )

    async def observe(
        self, state: OrderState = OrderState.UNSHIPPED, *, order_id: str = NAME.order_id, **told: datetime
    ) -> None:
        """Let the gateway tell about an order, NAME's unless told otherwise."""
        observation = replace(seen(self.clock.now(), state, **told), order_id=order_id)
        await self.use.clocks.observe(self.seller, [observation], origin=GATEWAY)

    async def seal(self, name: RecordName | None = None, plaintext: bytes = PLAINTEXT) -> None:
        await self.use.safe.seal(name or self.name, plaintext, fetched_at=self.clock.now(), origin=GATEWAY)

    async def open(self, name: RecordName | None = None) -> bytes:
        opened = await self.use.safe.open(name or self.name, age_max=None, origin=GATEWAY)
        return opened.plaintext

    async def is_well(self) -> bool:
        """Return whether records can be opened now."""
        try:
            await self.use.upkeep.check()
        except chassis.errors.Unavailable:
            return False
        return True

    async def only_day(self) -> Subject:
        """Return the one day under which something lies or lay."""
        async with chassis.db.transaction(self.pool) as connection:
            rows = await connection.fetch(
                "SELECT subject FROM retention.subjects WHERE erase_day IS NOT NULL"
            )
        (row,) = rows
        return Subject.parse(row["subject"])
