"""Telemetry put together: the only place that knows which part stands behind which need."""

import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import chassis.clock
import chassis.db
import chassis.entropy
import chassis.identity
import chassis.metrics
import chassis.rpc
import chassis.run
import chassis.vault
import chassis.web
from services.telemetry import rpc, webhook
from services.telemetry.committer import Committer
from services.telemetry.config import Config, WebhookConfig
from services.telemetry.jobs import Jobs
from services.telemetry.model.events import OWN_NAME
from services.telemetry.service.checkpoints import Checkpoints
from services.telemetry.service.diary import Diary
from services.telemetry.service.exporting import Exporter
from services.telemetry.service.intake import Intake
from services.telemetry.service.ports import Receiver
from services.telemetry.service.upkeep import Health, Orphans
from services.telemetry.service.webhooks import Ports, Webhooks
from services.telemetry.signals import Signals
from services.telemetry.store import AuditStore, WebhookStore
from services.telemetry.vault import CheckpointKey, WebhookSecrets

DNS_NAME = f"{OWN_NAME}.sallyport.internal"
# Source: T-25, a service certificate lives 24 h at most.
CERTIFICATE_LIFE_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class UseCases:
    """What telemetry does, ready to be called."""

    intake: Intake
    exporter: Exporter
    diary: Diary
    checkpoints: Checkpoints
    orphans: Orphans
    health: Health


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What telemetry stands on, opened; its clock is the machine's."""

    clock: chassis.clock.Clock
    vault: chassis.vault.Vault
    keeper: chassis.identity.Keeper
    pool: chassis.db.Pool
    entropy: chassis.entropy.Entropy


@asynccontextmanager
async def build(config: Config) -> AsyncIterator[chassis.run.Application]:
    """Open everything that telemetry stands on, and yield what is to be run.

    Raises:
        StartRefused: a safety switch is off.
        Unavailable: Vault or Postgres did not come.
    """
    async with AsyncExitStack() as stack:
        ground = await _open_ground(stack, config)
        clock = chassis.clock.choose(config.common.clock_file)
        registry, readiness = chassis.metrics.Registry(), chassis.web.Readiness()
        signals, store = Signals(registry), AuditStore(ground.pool)
        committer = Committer(store=store, clock=clock, signals=signals)
        use_cases = compose(
            store=store,
            committer=committer,
            key=CheckpointKey(ground.vault),
            clock=clock,
            entropy=ground.entropy,
            signals=signals,
        )
        receiver = await _open_receiver(stack, config.webhook)
        ports = _webhook_ports(ground, store, receiver=receiver, signals=signals)
        webhooks = Webhooks(ports, use_cases.diary, config.webhook.selection)
        jobs = Jobs(
            sign_if_due=use_cases.checkpoints.sign_if_due,
            resolve_orphans=use_cases.orphans.resolve,
            check_health=use_cases.health.check,
            readiness=readiness,
            clock=ground.clock,
            signals=signals,
        )
        services = rpc.services(intake=use_cases.intake, exporter=use_cases.exporter, webhooks=webhooks)
        telling = functools.partial(jobs.tell_webhook, webhooks.tell)
        yield chassis.run.Application(
            tasks=[
                ("vault", ground.vault.run),
                ("certificate", ground.keeper.run),
                ("committer", committer.run),
                ("checkpoints", jobs.sign_checkpoints),
                ("orphans", jobs.conclude_orphans),
                ("health", jobs.watch_health),
                *([("webhook", telling)] if config.webhook.url else []),
            ],
            servers=[
                chassis.rpc.Server(
                    listen=config.common.listen, keeper=ground.keeper, services=services, clock=ground.clock
                ),
                chassis.web.private_site(config.common.private_listen, readiness, registry),
            ],
            readiness=readiness,
        )


async def _open_ground(stack: AsyncExitStack, config: Config) -> Ground:
    """Log in to the key service, get a certificate, and reach Postgres with it."""
    clock = chassis.clock.SystemClock()
    vault_config = config.common.vault
    vault = await stack.enter_async_context(await chassis.vault.connect(vault_config, clock))
    issue = functools.partial(vault.issue_certificate, vault_config.pki_role, [DNS_NAME], CERTIFICATE_LIFE_S)
    keeper = chassis.identity.Keeper(issue, clock)
    await keeper.start()
    pool = await stack.enter_async_context(await chassis.db.open_pool(config.database, OWN_NAME, keeper))
    return Ground(clock=clock, vault=vault, keeper=keeper, pool=pool, entropy=chassis.entropy.SystemEntropy())


async def _open_receiver(stack: AsyncExitStack, config: WebhookConfig) -> Receiver:
    if not config.url:
        return webhook.Nobody()
    receiver = webhook.connect(config.url, config.ca_file, allows_private=config.allows_private)
    return await stack.enter_async_context(receiver)


def _webhook_ports(ground: Ground, store: AuditStore, *, receiver: Receiver, signals: Signals) -> Ports:
    return Ports(
        store=WebhookStore(ground.pool),
        archive=store,
        receiver=receiver,
        secrets=WebhookSecrets(ground.vault, ground.clock, ground.entropy),
        signals=signals,
        clock=ground.clock,
        entropy=ground.entropy,
    )


def compose(
    *,
    store: AuditStore,
    committer: Committer,
    key: CheckpointKey,
    clock: chassis.clock.Clock,
    entropy: chassis.entropy.Entropy,
    signals: Signals,
) -> UseCases:
    """Return the use cases over these parts."""
    diary = Diary(journal=committer, clock=clock, entropy=entropy)
    checkpoints = Checkpoints(store=store, key=key, diary=diary, clock=clock, signals=signals)
    return UseCases(
        intake=Intake(journal=committer, diary=diary, clock=clock, signals=signals),
        exporter=Exporter(archive=store, checkpoints=checkpoints, diary=diary),
        diary=diary,
        checkpoints=checkpoints,
        orphans=Orphans(store=store, journal=committer, clock=clock, signals=signals),
        health=Health(probe=store, journal=committer, diary=diary, clock=clock),
    )
