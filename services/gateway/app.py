"""The gateway put together: the only place that knows which part stands behind which need."""

import functools
import importlib.metadata
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import chassis.clock
import chassis.crypto.tls
import chassis.db
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.identity
import chassis.metrics
import chassis.rpc
import chassis.run
import chassis.vault
import chassis.web
from chassis.secrecy import Secret
from services.gateway import jobs
from services.gateway.amazon import Amazon
from services.gateway.capabilities import Capabilities
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.config import CertificateFiles, Config
from services.gateway.door import DocumentsFace, Door, Pages, SpapiFace, Ways
from services.gateway.forward import Forwarder, Identities, Ports, Turns
from services.gateway.forward.document_links import DocumentLinks, RememberedTypes
from services.gateway.forward.document_ports import DocumentPorts
from services.gateway.forward.document_records import DocumentRecords
from services.gateway.forward.documents import Documents
from services.gateway.model import exchange
from services.gateway.model.application_policy import BUILT_IN
from services.gateway.model.policy import Rules, Standing
from services.gateway.model.policy_file import PolicyInvalid
from services.gateway.nonces import Nonces
from services.gateway.peers.audit import AuditLog
from services.gateway.peers.auth import AuthClient
from services.gateway.peers.authorization import AuthorizationClient
from services.gateway.peers.consents import ConsentsClient
from services.gateway.peers.credentials import CredentialsClient
from services.gateway.peers.entry import EntryClient
from services.gateway.peers.members import MembersClient
from services.gateway.peers.people import PeopleClient
from services.gateway.peers.safe import SafeClient
from services.gateway.peers.sellers import SellersClient
from services.gateway.peers.tokens import TokensClient
from services.gateway.policies import PolicyFile
from services.gateway.proof import ProofVerifier
from services.gateway.service import (
    AuditProbe,
    Consents,
    Desk,
    Desktops,
    Entry,
    LibraryApps,
    NativeApps,
    PolicyKeeper,
    Portal,
    Security,
    Team,
    Watch,
)
from services.gateway.shared_key import SharedKey
from services.gateway.signals import Signals
from services.gateway.storage import Storage
from services.gateway.store import Store
from services.gateway.vault import GatewayVault
from services.gateway.web import BODY_BYTES_MAX, Doors
from services.gateway.web.arrivals import Arrivals
from services.gateway.web.authorize import AuthorizePages
from services.gateway.web.consents import ConsentPages
from services.gateway.web.desktops import DesktopPages
from services.gateway.web.entry import EntryPages
from services.gateway.web.lwa import LwaDoor
from services.gateway.web.oauth import OAuthDoor
from services.gateway.web.people import PeoplePages
from services.gateway.web.portal import PortalPages
from services.gateway.web.render import Renderer
from services.gateway.web.security import SecurityPages
from services.gateway.web.staff import StaffPages
from services.gateway.web.team import TeamPages
from services.gateway.web.visitors import Visitors

OWN_NAME = "gateway"
DNS_NAME = f"{OWN_NAME}.sallyport.internal"
DISTRIBUTION = "sallyport"
# What must work before the gateway is ready.
CHECKED = ("auth", "retention", "audit", "store")
# Vault's PKI role for the public door.
PUBLIC_ROLE = "public"
# Source: T-25, a service certificate lives 24 h at most.
CERTIFICATE_LIFE_S = 86_400.0

Issue = Callable[[], Awaitable[chassis.crypto.tls.Certificate]]
Task = tuple[str, Callable[[], Awaitable[None]]]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the gateway stands on, opened.

    Attributes:
        machine_clock: for certificates, durations and proofs: desktops live in real time.
        clock: the domain's; shifted in development.
    """

    machine_clock: chassis.clock.Clock
    clock: chassis.clock.Clock
    vault: chassis.vault.Vault
    keys: GatewayVault
    nonces: Nonces
    proofs: ProofVerifier
    store: Store
    document_key: SharedKey
    capabilities: Capabilities
    keeper: chassis.identity.Keeper
    public_keeper: chassis.identity.Keeper
    auth: chassis.rpc.Channel
    retention: chassis.rpc.Channel
    telemetry: chassis.rpc.Channel
    amazon: Amazon
    storage: Storage


@dataclass(frozen=True, kw_only=True)
class Front:
    """What every page for people stands on."""

    portal: Portal
    visitors: Visitors
    renderer: Renderer
    origin: str


@dataclass(frozen=True, kw_only=True)
class Forwarding:
    """The forwarding path, put together; `keeper` follows the policy file, if there is one."""

    ports: Ports
    keeper: PolicyKeeper | None
    identities: Identities
    turns: Turns
    documents: Documents
    forwarder: Forwarder


@asynccontextmanager
async def build(config: Config) -> AsyncIterator[chassis.run.Application]:
    """Open everything that the gateway stands on, and yield what is to be run.

    Raises:
        StartRefused: the public certificate cannot be read, or a safety switch is off.
        Unavailable: Vault or Postgres did not come.
    """
    async with AsyncExitStack() as stack:
        ground = await _open_ground(stack, config)
        registry, readiness = chassis.metrics.Registry(), chassis.web.Readiness(*CHECKED)
        audit, catalogue = AuditLog(ground.telemetry), Catalogue.load()
        signals = Signals(registry, (operation.name for operation in catalogue))
        keeper = await _open_policy(config.policy_file, ground, audit, signals=signals)
        links = DocumentLinks(
            catalogue=catalogue,
            table=DocumentTable.load(),
            types=RememberedTypes(ground.store),
            hosts=config.amazon.document_hosts,
            sealing=ground.capabilities,
            signals=signals,
        )
        path = _put_path(ground, audit, catalogue, signals=signals, keeper=keeper, links=links)
        pages = chassis.web.SocketlessSite(
            routes=open_doors(config, ground, path).routes(), body_bytes_max=BODY_BYTES_MAX, is_tls=True
        )
        await pages.start()
        stack.push_async_callback(pages.stop)
        spapi = SpapiFace(forwarder=path.forwarder, proofs=ground.proofs)
        documents = DocumentsFace(documents=path.documents)
        public_door = Door(
            listen=config.public.listen,
            tls=chassis.crypto.tls.CurrentContext(
                lambda: ground.public_keeper.current, chassis.crypto.tls.public_context
            ),
            ways=Ways([*Pages(pages).ways(), *documents.ways(), spapi.way()]),
            signals=path.ports.signals,
        )
        yield chassis.run.Application(
            tasks=[
                ("vault", ground.vault.run),
                ("certificate", ground.keeper.run),
                ("public_certificate", ground.public_keeper.run),
                ("audit", audit.run),
                ("revocations", path.identities.watch),
                ("quota", path.turns.run),
                ("quota_ticks", path.turns.tick),
                *path.forwarder.tasks,
                *_upkeep_tasks(ground, path, readiness),
            ],
            servers=[
                public_door,
                chassis.web.private_site(config.common.private_listen, readiness, registry),
            ],
            readiness=readiness,
        )


async def _open_policy(
    file: Path | None, ground: Ground, audit: AuditLog, *, signals: Signals
) -> PolicyKeeper | None:
    """Return what follows the policy file, with the file in force as it is now; None where there is no file.

    Raises:
        StartRefused: `policy_unreadable` or `policy_invalid`.
    """
    if file is None:
        return None
    keeper = PolicyKeeper(
        source=PolicyFile(file),
        audit=audit,
        signals=signals,
        clock=ground.clock,
        entropy=chassis.entropy.SystemEntropy(),
    )
    try:
        await keeper.begin()
    except PolicyInvalid as error:
        problems = "; ".join(str(each) for each in error.problems)
        raise chassis.errors.StartRefused(error.code, f"{file}: {problems}") from error
    except chassis.errors.Unavailable as error:
        raise chassis.errors.StartRefused(error.code, f"{file} cannot be read") from error
    return keeper


def _put_path(
    ground: Ground,
    audit: AuditLog,
    catalogue: Catalogue,
    *,
    signals: Signals,
    keeper: PolicyKeeper | None,
    links: DocumentLinks,
) -> Forwarding:
    """Return the forwarding path over its ports."""
    ports = Ports(
        auth=AuthClient(ground.auth),
        safe=SafeClient(ground.retention),
        audit=audit,
        upstream=ground.amazon,
        quota=ground.store,
        policies=keeper or Standing(Rules(BUILT_IN)),
        signals=signals,
        clock=ground.clock,
        entropy=chassis.entropy.SystemEntropy(),
    )
    identities = Identities(auth=ports.auth, clock=ports.clock, entropy=ports.entropy, signals=ports.signals)
    turns = Turns(store=ports.quota, clock=ports.clock, entropy=ports.entropy, signals=ports.signals)
    forwarder = Forwarder(
        catalogue=catalogue,
        ports=ports,
        identities=identities,
        turns=turns,
        documents=links,
        user_agent=exchange.user_agent(importlib.metadata.version(DISTRIBUTION)),
    )
    documents = Documents(
        ports=DocumentPorts(
            capabilities=ground.capabilities,
            storage=ground.storage,
            signals=signals,
            clock=ports.clock,
            entropy=ports.entropy,
        ),
        identities=identities,
        records=DocumentRecords(audit=audit, clock=ports.clock, entropy=ports.entropy, signals=ports.signals),
    )
    return Forwarding(
        ports=ports,
        keeper=keeper,
        identities=identities,
        turns=turns,
        documents=documents,
        forwarder=forwarder,
    )


def _upkeep_tasks(ground: Ground, path: Forwarding, readiness: chassis.web.Readiness) -> list[Task]:
    """Return what keeps readiness true to the peers and the audit log, and the gateway's own keys fresh."""
    ports = path.ports
    probe = AuditProbe(audit=ports.audit, clock=ports.clock, entropy=ports.entropy)
    work = jobs.Jobs(readiness=readiness, clock=ground.machine_clock, signals=ports.signals)
    follow = [path.keeper.follow] if path.keeper else []
    keys = (
        ("nonce_key", ground.keys.read_nonce_key, ground.nonces.learn),
        ("document_key", ground.keys.read_document_key, ground.document_key.learn),
    )
    reaches = (ground.auth.reach, ground.retention.reach, probe.check, ground.store.ping)
    checks = zip(CHECKED, reaches, strict=True)
    return [
        *((name, functools.partial(work.renew_key, name, read, learn)) for name, read, learn in keys),
        *((f"{name}_health", functools.partial(work.watch, name, check)) for name, check in checks),
        *(("policy", functools.partial(work.follow, "policy", step)) for step in follow),
        ("idle_buckets", functools.partial(work.forget, "idle_buckets", ground.store.forget_idle)),
        ("old_documents", functools.partial(work.forget, "old_documents", ground.store.forget_documents)),
    ]


def open_doors(config: Config, ground: Ground, path: Forwarding) -> Doors:
    """Return every way in for people and for tokens, with its use cases behind it."""
    people, tokens = PeopleClient(ground.auth), TokensClient(ground.auth)
    ports, origin = path.ports, config.public.origin
    authorization = AuthorizationClient(ground.auth)
    apps = NativeApps(
        people=people, tokens=tokens, authorization=authorization, client=config.desktop, issuer=origin
    )
    watch = Watch(audit=ports.audit, signals=ports.signals, clock=ports.clock, entropy=ports.entropy)
    portal = Portal(people=people)
    renderer = Renderer(
        vendor_name=config.public.vendor_name,
        desktop_name=config.desktop.name,
        provider_name=config.public.provider_name,
    )
    visitors = Visitors(portal=portal, watch=watch, origin=origin)
    front = Front(portal=portal, visitors=visitors, renderer=renderer, origin=origin)
    return Doors(
        desktops=DesktopPages(
            desktops=Desktops(authorization=authorization), visitors=visitors, renderer=renderer
        ),
        consents=ConsentPages(
            portal=portal,
            consents=Consents(keeper=ConsentsClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            clock=ports.clock,
        ),
        people=_put_people(ground, front, ports),
        portal=PortalPages(
            portal=portal, visitors=visitors, renderer=renderer, origin=origin, clock=ports.clock
        ),
        authorize=AuthorizePages(apps=apps, visitors=visitors, renderer=renderer),
        oauth=OAuthDoor(apps=apps, watch=watch, proofs=ground.proofs, issuer=origin),
        lwa=LwaDoor(apps=LibraryApps(tokens=tokens), watch=watch),
    )


def _put_people(ground: Ground, front: Front, ports: Ports) -> PeoplePages:
    """Return people's ways in, and the pages of people."""
    entry = Entry(ways=EntryClient(ground.auth))
    arrivals = Arrivals(clock=ports.clock, entropy=ports.entropy)
    visitors, renderer = front.visitors, front.renderer
    return PeoplePages(
        entry=EntryPages(
            portal=front.portal, entry=entry, visitors=visitors, arrivals=arrivals, renderer=renderer
        ),
        security=SecurityPages(
            security=Security(keeper=CredentialsClient(ground.auth)),
            entry=entry,
            visitors=visitors,
            arrivals=arrivals,
            renderer=renderer,
            clock=ports.clock,
        ),
        team=TeamPages(
            team=Team(members=MembersClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            origin=front.origin,
        ),
        staff=StaffPages(
            desk=Desk(sellers=SellersClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            clock=ports.clock,
        ),
    )


async def _open_ground(stack: AsyncExitStack, config: Config) -> Ground:
    """Log in to the key service, get both certificates, reach Postgres, and describe the ways to others."""
    clock = chassis.clock.SystemClock()
    vault = await stack.enter_async_context(await chassis.vault.connect(config.common.vault, clock))
    own_role = config.common.vault.pki_role
    keeper = chassis.identity.Keeper(
        functools.partial(vault.issue_certificate, own_role, [DNS_NAME], CERTIFICATE_LIFE_S), clock
    )
    await keeper.start()
    public_keeper = chassis.identity.Keeper(_public_issue(config, vault), clock)
    await public_keeper.start()
    keys, steady_clock = (
        GatewayVault(vault, chassis.entropy.SystemEntropy()),
        chassis.clock.SteadyClock(clock),
    )
    nonces, document_key = Nonces(steady_clock), SharedKey(steady_clock)
    await keys.ensure_nonce_key()
    nonces.learn(await keys.read_nonce_key())
    await keys.ensure_document_key()
    document_key.learn(await keys.read_document_key())
    pool = await stack.enter_async_context(await chassis.db.open_pool(config.database, OWN_NAME, keeper))
    dial = functools.partial(_dial, stack, keeper)
    outward = chassis.crypto.tls.outward_context(config.amazon.ca_file)
    amazon = Amazon.connect(base_urls=config.amazon.base_urls, tls=outward)
    storage = Storage.connect(tls=outward, is_guarded=not config.common.is_development)
    return Ground(
        machine_clock=clock,
        clock=chassis.clock.choose(config.common.clock_file),
        vault=vault,
        keys=keys,
        nonces=nonces,
        proofs=ProofVerifier(origin=config.public.origin, clock=clock, nonces=nonces),
        store=Store(pool),
        document_key=document_key,
        capabilities=Capabilities(key=document_key, clock=steady_clock, origin=config.public.origin),
        keeper=keeper,
        public_keeper=public_keeper,
        auth=dial(address=config.peers.auth, peer="auth"),
        retention=dial(address=config.peers.retention, peer="retention"),
        telemetry=dial(address=config.peers.telemetry, peer="telemetry"),
        amazon=await stack.enter_async_context(amazon),
        storage=await stack.enter_async_context(storage),
    )


def _dial(
    stack: AsyncExitStack, keeper: chassis.identity.Keeper, *, address: chassis.env.Address, peer: str
) -> chassis.rpc.Channel:
    channel = chassis.rpc.Channel(address=address, peer=peer, keeper=keeper)
    stack.push_async_callback(channel.close)
    return channel


def _public_issue(config: Config, vault: chassis.vault.Vault) -> Issue:
    """Return where the public door's certificates come from."""
    files = config.public.certificate_files
    if files is not None:
        return functools.partial(_read_certificate, files)
    return functools.partial(vault.issue_certificate, PUBLIC_ROLE, [config.public.host], CERTIFICATE_LIFE_S)


async def _read_certificate(files: CertificateFiles) -> chassis.crypto.tls.Certificate:
    """Return the certificate that lies in files, as it is now; whoever renews it replaces them.

    Raises:
        StartRefused: `certificate_unreadable`.
    """
    try:
        key = Secret(files.key.read_bytes())
        return chassis.crypto.tls.parse(files.certificate.read_bytes(), key, b"")
    except (OSError, ValueError) as error:
        text = f"no certificate with its key in {files.certificate} and {files.key}"
        raise chassis.errors.StartRefused("certificate_unreadable", text) from error
