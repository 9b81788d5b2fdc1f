"""Telemetry's process."""

from typing import Any, cast

import services.telemetry.rpc
from sallyport.simulate.houses.ground import Ground, House, Silence, start
from sallyport.simulate.nodes import Life
from services.telemetry.app import compose
from services.telemetry.committer import Committer
from services.telemetry.jobs import Jobs
from services.telemetry.store import AuditStore
from services.telemetry.vault import CheckpointKey


def build(ground: Ground, life: Life) -> House:
    """Return a fresh process on the audit log's store."""
    silence: Any = Silence()
    store = cast("AuditStore", ground.store(life, ground.engines.audit_store))
    committer = Committer(store=store, clock=ground.clock, signals=silence)
    use_cases = compose(
        store=store,
        committer=committer,
        key=cast("CheckpointKey", ground.keys(life, ground.engines.checkpoint_key)),
        clock=ground.clock,
        entropy=ground.entropy,
        signals=silence,
    )
    jobs = Jobs(
        sign_if_due=use_cases.checkpoints.sign_if_due,
        resolve_orphans=use_cases.orphans.resolve,
        check_health=use_cases.health.check,
        readiness=silence,
        clock=ground.clock,
        signals=silence,
    )
    start(life, (committer.run, jobs.sign_checkpoints, jobs.conclude_orphans))
    return House(
        services=services.telemetry.rpc.services(
            intake=use_cases.intake, exporter=use_cases.exporter, webhooks=silence
        )
    )
