"""Every invariant can fail: with a part that breaks its promise in place, a run says so.

Nothing else is changed in these worlds, so what is reported is what the broken part did.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from chassis.clock import Clock
from chassis.crypto.seal import IntegrityFailure
from chassis.secrecy import Secret
from fakes.audit_store import FakeAuditStore
from fakes.auth_store import FakeStore
from fakes.auth_tables import Tables
from fakes.auth_vault import FakeVault
from fakes.retention_keys import FakeKeys, FakeReceiptKey
from fakes.retention_store import FakeErasureStore, FakeRecordStore
from sallyport.simulate.engines import Engines
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.report import lines
from sallyport.simulate.run import run
from sallyport.simulate.watching import CLOCK
from services.auth.model.consents import Consent, Region
from services.auth.model.devices import Device
from services.auth.model.lending import Lease, Refreshed
from services.auth.model.sealing import ApplicationPlace, Place
from services.auth.model.tokens import Rotation
from services.gateway.catalogue.table import Catalogue
from services.retention.model.erasures import Subject
from services.retention.model.orders import OrderClock
from services.retention.model.records import Found, RecordName
from services.telemetry.model.admission import Answer, Call
from services.telemetry.model.chain import Record
from services.telemetry.model.intents import Intent

# Whether a broken part does harm depends on what happens around it; some of so many runs must show it.
SEED = 7
SEEDS_MAX = 6
RATE = 0.02
LATE_S = 4.0
CRACK_AT = 16


class ForgetfulLog(FakeAuditStore):
    """Acknowledges events and keeps none of them from the gateway and auth."""

    async def append(self, calls: Sequence[Call], *, recorded_at: datetime) -> list[Answer]:
        kept = [call for call in calls if call[0].sender == "telemetry"]
        await super().append(kept, recorded_at=recorded_at)
        return [tuple(range(1, len(call) + 1)) for call in calls]


class BlindLog(FakeAuditStore):
    """Knows of no intent that needs watching."""

    async def intents(self) -> Sequence[Intent]:
        return []


class ForgedLog(FakeAuditStore):
    """Gives out another record than the one that was hashed."""

    async def records(self, first: int, last: int) -> Sequence[Record]:
        found = await super().records(first, last)
        return [each._replace(body=each.body.replace(b"done", b"dome")) for each in found]


class UnfencedStore(FakeStore):
    """Gives everybody the lease, and lets everybody write, however late."""

    def __init__(self, clock: Clock, tables: Tables) -> None:
        super().__init__(clock, tables)
        self._settled = 0

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        row = self.tables.leases.get(consent_id)
        if row is not None:
            row.held_until_s = None
        return await super().acquire(consent_id, lease_s)

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        self._settled += 1
        if self._settled % 2:
            await asyncio.sleep(LATE_S)
        row = self.tables.leases.get(consent_id)
        return await super().settle(consent_id, row.fence if row else fence, refreshed)


class HastyStore(FakeStore):
    """Says that it kept a new refresh token, and did not."""

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        return await super().settle(consent_id, fence, replace(refreshed, refresh_token_sealed=None))


class SecretiveStore(FakeStore):
    """Tells nobody of revocations."""

    def _tell(self, device: Device) -> None:
        assert device.device_id


class LossyStore(FakeStore):
    """Replaces a refresh token and forgets its successor."""

    async def rotate(self, rotation: Rotation) -> bytes:
        nonce = await super().rotate(rotation)
        self.tables.refresh_tokens.pop(rotation.successor_digest, None)
        return nonce


class CarelessStore(FakeStore):
    """Finds somebody's consent, whoever asks."""

    async def find_consent(self, seller_id: str, region: Region) -> Consent:
        assert seller_id
        sellers = {consent.seller_id for consent in self.tables.consents.values()}
        return await super().find_consent(max(sellers), region)


class RaggedStore(FakeStore):
    """Fails in a way that its port knows nothing of."""

    async def list_devices(self, seller_id: str) -> Sequence[Device]:
        raise ZeroDivisionError(seller_id)


class CrackedVault(FakeVault):
    """Once cannot open a refresh token."""

    opened = 0

    async def open(self, place: Place | ApplicationPlace, sealed: str) -> Secret[str]:
        self.opened += place.column == "refresh_token_sealed"
        if self.opened == CRACK_AT and place.column == "refresh_token_sealed":
            raise IntegrityFailure
        return await super().open(place, sealed)


class TimelessRecords(FakeRecordStore):
    """Forgets what it learns about orders' clocks."""

    async def save_clocks(self, clocks: Sequence[OrderClock]) -> None:
        assert clocks


class EagerRecords(FakeRecordStore):
    """Thinks that every order's time was over long ago."""

    async def find(self, name: RecordName) -> Found:
        found = await super().find(name)
        if found.clock is None:
            return found
        return replace(found, clock=replace(found.clock, expires_at=found.clock.expires_at - 2 * CLOCK))


class IdleErasures(FakeErasureStore):
    """Finds nothing to erase."""

    async def find_due(self, now: datetime, limit: int) -> list[Subject]:
        assert now.tzinfo
        return [][:limit]


class ForgedReceipts(FakeReceiptKey):
    """Signs something else."""

    async def sign(self, message: bytes) -> bytes:
        return await super().sign(message + b" or so")


class EternalKeys(FakeKeys):
    """Says that a day's key is destroyed, and goes on using it."""

    async def destroy(self, subject: Subject) -> None:
        if subject.day is None:
            await super().destroy(subject)


def catalogue(**changes: Any) -> Catalogue:
    """Return the catalogue with every operation changed."""
    return Catalogue([replace(each, **changes) for each in Catalogue.load()])


@dataclass(frozen=True)
class Case:
    """What is broken, which invariants must say so, and at which share of faulty steps."""

    break_: Callable[[], Engines]
    broken: tuple[Invariant, ...]
    rate: float = 0.0


CASES: dict[str, Case] = {
    "log that forgets": Case(
        lambda: Engines(audit_store=ForgetfulLog()),
        (Invariant.AUDIT_BEFORE_READ, Invariant.AUDIT_BEFORE_EFFECT, Invariant.EVENTS_KEPT),
    ),
    "log that watches no intents": Case(
        lambda: Engines(audit_store=BlindLog()), (Invariant.INTENTS_RESOLVED,), RATE
    ),
    "log that is forged": Case(lambda: Engines(audit_store=ForgedLog()), (Invariant.LOG_VERIFIES,)),
    "leases without a fence": Case(
        lambda: Engines(auth_store=UnfencedStore), (Invariant.ONE_REFRESH, Invariant.FENCED), RATE
    ),
    "refresh tokens not kept": Case(lambda: Engines(auth_store=HastyStore), (Invariant.REFRESH_DURABLE,)),
    "revocations not told": Case(lambda: Engines(auth_store=SecretiveStore), (Invariant.REVOKED_REFUSED,)),
    "successors forgotten": Case(lambda: Engines(auth_store=LossyStore), (Invariant.TOKENS_KEPT,)),
    "anybody's consent": Case(lambda: Engines(auth_store=CarelessStore), (Invariant.OWN_SELLER,)),
    "a fault nobody foresaw": Case(lambda: Engines(auth_store=RaggedStore), (Invariant.NO_MISTAKE,)),
    "refresh tokens that do not open": Case(
        lambda: Engines(auth_vault=CrackedVault()), (Invariant.NO_FALSE_REVOCATION,)
    ),
    "clocks forgotten": Case(lambda: Engines(record_store=TimelessRecords), (Invariant.REFUSED_AFTER_CLOCK,)),
    "an eraser that never runs": Case(
        lambda: Engines(erasure_store=IdleErasures), (Invariant.ERASURE_PROVEN,)
    ),
    "keys that outlive their end": Case(
        lambda: Engines(retention_keys=EternalKeys()), (Invariant.UNREADABLE,)
    ),
    "receipts that are forged": Case(
        lambda: Engines(receipt_key=ForgedReceipts()), (Invariant.ERASURE_PROVEN,)
    ),
    "clocks that run ahead": Case(lambda: Engines(record_store=EagerRecords), (Invariant.CONVERGED,)),
    "a catalogue without masks": Case(lambda: Engines(catalogue=catalogue(mask=None)), (Invariant.MASKED,)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_part_is_noticed(name: str) -> None:
    case, missing, told = CASES[name], set(CASES[name].broken), ""
    for seed in range(SEED, SEED + SEEDS_MAX):
        report = run(seed, fault_rate=case.rate, engines=case.break_())
        told = "\n".join(lines(report))
        missing -= {invariant for invariant, finding in report.findings.items() if finding.broken}
        if not missing:
            return
    pytest.fail(f"{SEEDS_MAX} runs did not notice {missing}; the last one:\n{told}")


def test_every_invariant_is_broken_by_some_part() -> None:
    assert {invariant for case in CASES.values() for invariant in case.broken} == set(Invariant)
