"""The forwarding path put together: calls and documents, over the ground."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import chassis.entropy
import chassis.errors
import chassis.metrics
from services.gateway.app.ground import Ground
from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.config import Config
from services.gateway.forward import Forwarder, Identities, Ports, RateLimiter
from services.gateway.forward.document_links import DocumentLinks, RememberedTypes
from services.gateway.forward.document_ports import DocumentPorts
from services.gateway.forward.document_records import DocumentRecords
from services.gateway.forward.documents import Documents
from services.gateway.model import exchange
from services.gateway.model.allowance import Allowance
from services.gateway.model.application_policy import BUILT_IN
from services.gateway.model.policy import Rules, Standing
from services.gateway.model.policy_file import PolicyInvalid
from services.gateway.model.region_hosts import RegionHosts
from services.gateway.peers.audit import AuditLog
from services.gateway.peers.auth import AuthClient
from services.gateway.peers.safe import SafeClient
from services.gateway.policies import PolicyFile
from services.gateway.service import PolicyKeeper
from services.gateway.signals import Signals

DISTRIBUTION = "sallyport"


@dataclass(frozen=True, kw_only=True)
class Forwarding:
    """The forwarding path, put together; `keeper` follows the policy file, if there is one."""

    ports: Ports
    keeper: PolicyKeeper | None
    identities: Identities
    limiter: RateLimiter
    documents: Documents
    forwarder: Forwarder


async def open_path(
    config: Config, ground: Ground, *, audit: AuditLog, registry: chassis.metrics.Registry
) -> Forwarding:
    """Return the forwarding path, with the policy in force.

    Raises:
        StartRefused: `policy_unreadable` or `policy_invalid`.
    """
    catalogue = Catalogue.load()
    signals = Signals(registry, (operation.name for operation in catalogue))
    keeper = await _open_policy(config.policy_file, ground, audit, signals=signals)
    return _compose(config, ground, audit, catalogue=catalogue, signals=signals, keeper=keeper)


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
        source=PolicyFile(file, ground.clock),
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


def _compose(
    config: Config,
    ground: Ground,
    audit: AuditLog,
    *,
    catalogue: Catalogue,
    signals: Signals,
    keeper: PolicyKeeper | None,
) -> Forwarding:
    """Return the forwarding path over its ports."""
    ports = Ports(
        auth=AuthClient(ground.auth),
        safe=SafeClient(ground.retention),
        audit=audit,
        upstream=ground.amazon,
        buckets=ground.store,
        revisions=ground.store,
        homes=ground.homes,
        policies=keeper or Standing(Rules(BUILT_IN)),
        hosts=RegionHosts(base_urls=config.amazon.base_urls, own=config.public.region_hosts),
        allowance=Allowance(),
        signals=signals,
        clock=ground.clock,
        entropy=chassis.entropy.SystemEntropy(),
    )
    identities = Identities(auth=ports.auth, clock=ports.clock, entropy=ports.entropy, signals=ports.signals)
    limiter = RateLimiter(
        store=ports.buckets, clock=ports.clock, entropy=ports.entropy, signals=ports.signals
    )
    forwarder = Forwarder(
        catalogue=catalogue,
        ports=ports,
        identities=identities,
        limiter=limiter,
        documents=_compose_links(config, ground, catalogue, signals=signals),
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
        records=DocumentRecords(
            audit=audit,
            clock=ports.clock,
            entropy=ports.entropy,
            signals=ports.signals,
            allowance=ports.allowance,
        ),
    )
    return Forwarding(
        ports=ports,
        keeper=keeper,
        identities=identities,
        limiter=limiter,
        documents=documents,
        forwarder=forwarder,
    )


def _compose_links(
    config: Config, ground: Ground, catalogue: Catalogue, *, signals: Signals
) -> DocumentLinks:
    """Return what makes Amazon's links to documents ours."""
    return DocumentLinks(
        catalogue=catalogue,
        table=DocumentTable.load(),
        types=RememberedTypes(ground.store),
        hosts=config.amazon.document_hosts,
        sealing=ground.capabilities,
        signals=signals,
    )
