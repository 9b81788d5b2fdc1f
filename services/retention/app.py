"""Retention put together: the only place that knows which part stands behind which need."""

import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import chassis.clock
import chassis.crypto.seal
import chassis.db
import chassis.entropy
import chassis.identity
import chassis.metrics
import chassis.rpc
import chassis.run
import chassis.vault
import chassis.web
from services.retention import rpc, verifier
from services.retention.config import Config
from services.retention.jobs import Jobs
from services.retention.model.audit import OWN_NAME, Origin
from services.retention.model.orders import Term
from services.retention.peers import RECORD_S_MAX, AuditLog
from services.retention.service import ports
from services.retention.service.clocks import Clocks
from services.retention.service.data_keys import DataKeys, KeyPorts
from services.retention.service.erasing import Erasing, ErasingPorts
from services.retention.service.key_cache import KeyCache
from services.retention.service.safe import Safe, SafePorts
from services.retention.service.trail import Trail
from services.retention.service.upkeep import Upkeep, UpkeepPorts
from services.retention.signals import Signals
from services.retention.store import DataKeyStore, ErasureStore, RecordStore
from services.retention.vault import ReceiptKey, SubjectKeys

DNS_NAME = f"{OWN_NAME}.sallyport.internal"
AUDIT_NAME = "telemetry"
# Source: T-25, a service certificate lives 24 h at most.
CERTIFICATE_LIFE_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the use cases stand on; each fits a port."""

    records: ports.Records
    measures: ports.Measures
    data_key_rows: ports.DataKeyRows
    erasures: ports.Erasures
    traces: verifier.Traces
    keys: ports.Keys
    verifier_keys: verifier.Keys
    receipt_key: verifier.Signer
    audit: ports.Audit
    clock: chassis.clock.Clock
    entropy: chassis.entropy.Entropy
    signals: ports.Signals


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """What retention does, ready to be called."""

    clocks: Clocks
    safe: Safe
    erasing: Erasing
    verifier: verifier.Verifier
    upkeep: Upkeep


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the process stands on, opened: the key service as itself and as the verifier, and the rest."""

    vault: chassis.vault.Vault
    verifier_vault: chassis.vault.Vault
    keeper: chassis.identity.Keeper
    pool: chassis.db.Pool
    telemetry: chassis.rpc.Channel


@asynccontextmanager
async def build(config: Config) -> AsyncIterator[chassis.run.Application]:
    """Open everything that retention stands on, and yield what is to be run.

    Raises:
        StartRefused: a safety switch is off.
        Unavailable: Vault or Postgres did not come.
    """
    async with AsyncExitStack() as stack:
        machine_clock = chassis.clock.SystemClock()
        ground = await _open(stack, config, machine_clock)
        registry = chassis.metrics.Registry()
        readiness = chassis.web.Readiness()
        signals = Signals(registry)
        clock = chassis.clock.SteadyClock(chassis.clock.choose(config.common.clock_file))
        audit = AuditLog(ground.telemetry)
        use_cases = compose(_parts(ground, audit=audit, clock=clock, signals=signals), term=config.term)
        jobs = Jobs(
            erasing=use_cases.erasing,
            clocks=use_cases.clocks,
            upkeep=use_cases.upkeep,
            clock=machine_clock,
            readiness=readiness,
            signals=signals,
        )
        services = rpc.services(
            clocks=use_cases.clocks,
            safe=use_cases.safe,
            erasing=use_cases.erasing,
            verifier=use_cases.verifier,
        )
        yield chassis.run.Application(
            tasks=[
                ("vault", ground.vault.run),
                ("verifier_vault", ground.verifier_vault.run),
                ("certificate", ground.keeper.run),
                ("audit", audit.run),
                *jobs.tasks,
            ],
            servers=[
                chassis.rpc.Server(
                    listen=config.common.listen, keeper=ground.keeper, services=services, clock=machine_clock
                ),
                chassis.web.private_site(config.common.private_listen, readiness, registry),
            ],
            readiness=readiness,
        )


def compose(parts: Parts, *, term: Term) -> UseCases:
    """Return the use cases over these parts."""
    cache = KeyCache(clock=parts.clock)
    trail = Trail(audit=parts.audit, clock=parts.clock, entropy=parts.entropy, signals=parts.signals)
    independent = _verifier(parts, cache)
    erasing = _erasing(parts, cache=cache, trail=trail, independent=independent)
    key_ports = KeyPorts(
        rows=parts.data_key_rows,
        keys=parts.keys,
        cipher=chassis.crypto.seal,
        clock=parts.clock,
        entropy=parts.entropy,
    )
    safe_ports = SafePorts(
        records=parts.records,
        data_keys=DataKeys(key_ports, cache=cache, overdue=erasing),
        cipher=chassis.crypto.seal,
        trail=trail,
        clock=parts.clock,
        signals=parts.signals,
    )
    upkeep_ports = UpkeepPorts(
        measures=parts.measures,
        erasures=parts.erasures,
        keys=parts.keys,
        cache=cache,
        overdue=erasing,
        clock=parts.clock,
        signals=parts.signals,
    )
    return UseCases(
        clocks=Clocks(safe_ports, term=term),
        safe=Safe(safe_ports, term=term),
        erasing=erasing,
        verifier=independent,
        upkeep=Upkeep(upkeep_ports),
    )


async def _open(stack: AsyncExitStack, config: Config, clock: chassis.clock.Clock) -> Ground:
    vault_config = config.common.vault
    vault = await stack.enter_async_context(await chassis.vault.connect(vault_config, clock))
    verifier_vault = await stack.enter_async_context(await chassis.vault.connect(config.verifier, clock))
    issue = functools.partial(vault.issue_certificate, vault_config.pki_role, [DNS_NAME], CERTIFICATE_LIFE_S)
    keeper = chassis.identity.Keeper(issue, clock)
    await keeper.start()
    pool = await stack.enter_async_context(await chassis.db.open_pool(config.database, OWN_NAME, keeper))
    telemetry = chassis.rpc.Channel(
        address=config.telemetry, peer=AUDIT_NAME, keeper=keeper, deadline_s=RECORD_S_MAX
    )
    stack.push_async_callback(telemetry.close)
    return Ground(vault=vault, verifier_vault=verifier_vault, keeper=keeper, pool=pool, telemetry=telemetry)


def _parts(ground: Ground, *, audit: AuditLog, clock: chassis.clock.Clock, signals: Signals) -> Parts:
    """Return the real parts."""
    records, erasures = RecordStore(ground.pool), ErasureStore(ground.pool)
    return Parts(
        records=records,
        measures=records,
        data_key_rows=DataKeyStore(ground.pool),
        erasures=erasures,
        traces=erasures,
        keys=SubjectKeys(ground.vault),
        verifier_keys=SubjectKeys(ground.verifier_vault),
        receipt_key=ReceiptKey(ground.verifier_vault),
        audit=audit,
        clock=clock,
        entropy=chassis.entropy.SystemEntropy(),
        signals=signals,
    )


def _verifier(parts: Parts, cache: KeyCache) -> verifier.Verifier:
    return verifier.Verifier(
        verifier.VerifierPorts(
            traces=parts.traces,
            keys=parts.verifier_keys,
            cipher=chassis.crypto.seal,
            signer=parts.receipt_key,
            is_cached=cache.holds,
            clock=parts.clock,
            entropy=parts.entropy,
        )
    )


def _erasing(parts: Parts, *, cache: KeyCache, trail: Trail, independent: verifier.Verifier) -> Erasing:
    return Erasing(
        ErasingPorts(
            erasures=parts.erasures,
            keys=parts.keys,
            audit=parts.audit,
            trail=trail,
            verifier=independent,
            cache=cache,
            clock=parts.clock,
            entropy=parts.entropy,
            signals=parts.signals,
        ),
        origin=Origin(OWN_NAME, ""),
    )
