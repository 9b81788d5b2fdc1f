"""Auth put together: the only place that knows which part stands behind which need."""

import functools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import chassis.clock
import chassis.db
import chassis.entropy
import chassis.env
import chassis.identity
import chassis.metrics
import chassis.rpc
import chassis.run
import chassis.trace
import chassis.vault
import chassis.web
from services.auth import amazon, inbox, jobs, rpc
from services.auth.config import Config
from services.auth.model.sealing import STAFF
from services.auth.passkeys import Passkeys
from services.auth.passwords import AuthenticatorApps, Hasher
from services.auth.peers import RECORD_S_MAX, AuditLog, Safe
from services.auth.provider import NoProvider, Provider
from services.auth.provider import connect as connect_provider
from services.auth.service import UseCases, compose
from services.auth.service.notices import NoticeService
from services.auth.service.ports import Ports
from services.auth.signals import Signals
from services.auth.store import Store
from services.auth.vault import AuthVault

OWN_NAME = "auth"
DNS_NAME = f"{OWN_NAME}.sallyport.internal"
# Source: T-25, a service certificate lives 24 h at most.
CERTIFICATE_LIFE_S = 86_400.0
# As long as retention takes at most: keys and rows, the verifier's tries, the receipt.
SAFE_DEADLINE_S = 60.0
DIGEST_KEY_ERRAND = "digest key"
# Where the gateway takes what the identity provider sends back.
PROVIDER_CALLBACK_PATH = "/portal/sign-in/provider"


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What auth stands on, opened."""

    clock: chassis.clock.Clock
    vault: chassis.vault.Vault
    keeper: chassis.identity.Keeper
    store: Store
    keys: AuthVault
    telemetry: chassis.rpc.Channel
    retention: chassis.rpc.Channel


@asynccontextmanager
async def build(config: Config) -> AsyncIterator[chassis.run.Application]:
    """Open everything that auth stands on, and yield what is to be run.

    Raises:
        StartRefused: a safety switch is off.
        Unavailable: Vault or Postgres did not come.
    """
    async with AsyncExitStack() as stack:
        ground = await _open_ground(stack, config)
        registry, readiness = chassis.metrics.Registry(), chassis.web.Readiness()
        signals = Signals(registry)
        audit = AuditLog(ground.telemetry)
        ports = await _open_ports(stack, config, ground, audit=audit, signals=signals)
        use_cases = compose(
            ports, config.pages, config.client_ids, terms=config.lending, rotation=config.rotation
        )
        work = jobs.Jobs(
            use_cases, line=ground.store, clock=ground.clock, readiness=readiness, signals=signals
        )
        yield chassis.run.Application(
            tasks=[
                ("vault", ground.vault.run),
                ("certificate", ground.keeper.run),
                ("audit", audit.run),
                *work.tasks(),
                *await _hearing(stack, config, ground, ports=ports, use_cases=use_cases, work=work),
                ("store_health", functools.partial(work.watch, jobs.STORE_NAME, ground.store.ping)),
                ("keys_health", functools.partial(work.watch, jobs.KEYS_NAME, ground.keys.ping)),
                ("audit_health", functools.partial(work.watch, jobs.AUDIT_NAME, ground.telemetry.reach)),
            ],
            servers=[
                chassis.rpc.Server(
                    listen=config.common.listen,
                    keeper=ground.keeper,
                    services=rpc.services(use_cases),
                    clock=ground.clock,
                    farewell=use_cases.news.interrupt,
                ),
                chassis.web.private_site(config.common.private_listen, readiness, registry),
            ],
            readiness=readiness,
        )


async def _open_ports(
    stack: AsyncExitStack, config: Config, ground: Ground, *, audit: AuditLog, signals: Signals
) -> Ports:
    """Return what the use cases need, each part opened."""
    hasher = Hasher()
    stack.callback(hasher.close)
    return Ports(
        store=ground.store,
        vault=ground.keys,
        amazon=await stack.enter_async_context(amazon.connect(_endpoints(config), ground.clock)),
        passkeys=Passkeys(config.origin),
        hasher=hasher,
        codes=AuthenticatorApps(ground.clock, urlsplit(config.origin).hostname or ""),
        provider=await _open_provider(stack, config, ground),
        safe=Safe(ground.retention),
        audit=audit,
        signals=signals,
        clock=chassis.clock.SteadyClock(chassis.clock.choose(config.common.clock_file)),
        entropy=chassis.entropy.SystemEntropy(),
        request_id=chassis.trace.request_id,
    )


async def _hearing(
    stack: AsyncExitStack,
    config: Config,
    ground: Ground,
    *,
    ports: Ports,
    use_cases: UseCases,
    work: jobs.Jobs,
) -> list[jobs.Task]:
    """Return what hears the vendor's queue, if there is one."""
    if config.queue is None:
        return []
    queue = inbox.Queue(
        url=config.queue.url,
        region=config.queue.region,
        endpoint=config.queue.endpoint,
        ca_file=config.amazon.ca_file,
    )
    key_file = config.queue.key_file
    find_key = ground.keys.find_queue_key if key_file is None else inbox.key_file(key_file)
    notices = NoticeService(
        ports,
        await stack.enter_async_context(inbox.connect(queue, find_key)),
        changes=use_cases.secret_changes,
        proving=use_cases.proving,
    )
    return [("notices", functools.partial(work.repeat, "notices", notices.hear, jobs.NOTICES_PERIOD_S))]


async def _open_ground(stack: AsyncExitStack, config: Config) -> Ground:
    """Log in to the key service, get a certificate, and reach Postgres with it."""
    clock = chassis.clock.SystemClock()
    vault_config = config.common.vault
    vault = await stack.enter_async_context(await chassis.vault.connect(vault_config, clock))
    issue = functools.partial(vault.issue_certificate, vault_config.pki_role, [DNS_NAME], CERTIFICATE_LIFE_S)
    keeper = chassis.identity.Keeper(issue, clock)
    await keeper.start()
    pool = await stack.enter_async_context(await chassis.db.open_pool(config.database, OWN_NAME, keeper))
    store, keys = Store(pool), AuthVault(vault, clock, chassis.entropy.SystemEntropy())
    async with store.alone(DIGEST_KEY_ERRAND):
        await keys.ensure_digest_key()
        await keys.create_key(STAFF)
    dial = functools.partial(_dial, stack, keeper)
    return Ground(
        clock=clock,
        vault=vault,
        keeper=keeper,
        store=store,
        keys=keys,
        telemetry=dial(address=config.telemetry, peer="telemetry", deadline_s=RECORD_S_MAX),
        retention=dial(address=config.retention, peer="retention", deadline_s=SAFE_DEADLINE_S),
    )


def _dial(
    stack: AsyncExitStack,
    keeper: chassis.identity.Keeper,
    *,
    address: chassis.env.Address,
    peer: str,
    deadline_s: float,
) -> chassis.rpc.Channel:
    channel = chassis.rpc.Channel(address=address, peer=peer, keeper=keeper, deadline_s=deadline_s)
    stack.push_async_callback(channel.close)
    return channel


async def _open_provider(stack: AsyncExitStack, config: Config, ground: Ground) -> Provider | NoProvider:
    """Open the way to the vendor's identity provider, where there is one."""
    if config.provider is None:
        return NoProvider()
    return await stack.enter_async_context(
        connect_provider(
            config.provider.trust,
            ground.clock,
            ca_file=config.provider.ca_file,
            redirect_uri=config.origin + PROVIDER_CALLBACK_PATH,
            client_secret=ground.keys.find_provider_secret,
        )
    )


def _endpoints(config: Config) -> amazon.Endpoints:
    return amazon.Endpoints(
        lwa_url=config.amazon.lwa_url,
        spapi_urls=config.amazon.spapi_urls,
        ca_file=config.amazon.ca_file,
        timeout_s=config.amazon.timeout_s,
    )
