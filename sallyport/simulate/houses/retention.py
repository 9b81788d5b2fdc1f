"""Retention's process."""

import functools
from typing import Any

import chassis.clock
import services.retention.rpc
from fakes.retention_store import FakeDataKeyStore
from sallyport.simulate.houses.ground import Ground, House, Silence, start
from sallyport.simulate.nodes import Life
from services.retention.app import Parts, compose
from services.retention.jobs import Jobs
from services.retention.model.orders import Term
from services.retention.peers import RECORD_S_MAX, AuditLog


def build(ground: Ground, life: Life) -> House:
    """Return a fresh process on retention's tables and keys."""
    channel = ground.wire.channel(life, "telemetry", caller="retention", deadline_s=RECORD_S_MAX)
    audit = AuditLog(channel)
    parts = _parts(ground, life, audit)
    use_cases = compose(parts, term=Term())
    silence: Any = Silence()
    jobs = Jobs(
        erasing=use_cases.erasing,
        clocks=use_cases.clocks,
        upkeep=use_cases.upkeep,
        clock=ground.clock,
        readiness=silence,
        signals=silence,
    )
    start(life, (audit.run, jobs.erase, jobs.move, jobs.keep_up, jobs.forget_keys))
    return House(
        services=services.retention.rpc.services(
            clocks=use_cases.clocks,
            safe=use_cases.safe,
            erasing=use_cases.erasing,
            verifier=use_cases.verifier,
        )
    )


def _parts(ground: Ground, life: Life, audit: AuditLog) -> Parts:
    engines, watcher = ground.engines, ground.watcher
    keys = functools.partial(ground.keys, life)
    store = functools.partial(ground.store, life)
    records = store(engines.record_store(engines.retention_tables), watcher.record_effect)
    erasures = store(engines.erasure_store(engines.retention_tables))
    silence: Any = Silence()
    return Parts(
        records=records,
        measures=records,
        data_key_rows=store(FakeDataKeyStore(engines.retention_tables)),
        erasures=erasures,
        traces=erasures,
        keys=keys(engines.retention_keys, watcher.key_effect),
        verifier_keys=keys(engines.retention_keys),
        receipt_key=keys(engines.receipt_key),
        audit=audit,
        clock=chassis.clock.SteadyClock(ground.clock),
        entropy=ground.entropy,
        signals=silence,
    )
