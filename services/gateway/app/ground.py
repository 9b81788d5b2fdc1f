"""What the gateway stands on, opened: keys, certificates, storage, and the ways to peers and Amazon."""

import functools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import chassis.clock
import chassis.crypto.tls
import chassis.db
import chassis.entropy
import chassis.env
import chassis.errors
import chassis.identity
import chassis.rpc
import chassis.vault
from chassis.secrecy import Secret
from services.gateway.amazon import Amazon
from services.gateway.capabilities import Capabilities
from services.gateway.config import CertificateFiles, Config
from services.gateway.fingerprints import FingerprintedHomes
from services.gateway.nonces import Nonces
from services.gateway.proof import ProofVerifier
from services.gateway.shared_key import SharedKey
from services.gateway.storage import Storage
from services.gateway.store import Store
from services.gateway.vault import GatewayVault

OWN_NAME = "gateway"
DNS_NAME = f"{OWN_NAME}.sallyport.internal"
# Vault's PKI role for the public door.
PUBLIC_ROLE = "public"
# Source: T-25, a service certificate lives 24 h at most.
CERTIFICATE_LIFE_S = 86_400.0

Issue = Callable[[], Awaitable[chassis.crypto.tls.Certificate]]


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
    home_key: SharedKey
    homes: FingerprintedHomes
    keeper: chassis.identity.Keeper
    public_keeper: chassis.identity.Keeper
    auth: chassis.rpc.Channel
    retention: chassis.rpc.Channel
    telemetry: chassis.rpc.Channel
    amazon: Amazon
    storage: Storage


async def open_ground(stack: AsyncExitStack, config: Config) -> Ground:
    """Log in to the key service, get both certificates, reach Postgres, and describe the ways to others.

    Raises:
        StartRefused: `certificate_unreadable` or `secret_damaged`.
        Unavailable: the key service or Postgres did not come.
    """
    clock = chassis.clock.SystemClock()
    vault = await stack.enter_async_context(await chassis.vault.connect(config.common.vault, clock))
    own_role = config.common.vault.pki_role
    keeper = chassis.identity.Keeper(
        functools.partial(vault.issue_certificate, own_role, [DNS_NAME], CERTIFICATE_LIFE_S), clock
    )
    await keeper.start()
    public_keeper = chassis.identity.Keeper(_public_issue(config, vault), clock)
    await public_keeper.start()
    keys = GatewayVault(vault, chassis.entropy.SystemEntropy())
    steady_clock = chassis.clock.SteadyClock(clock)
    nonces, document_key, home_key = Nonces(steady_clock), SharedKey(steady_clock), SharedKey(steady_clock)
    await _learn_keys(keys, nonces, document_key)
    store = Store(
        await stack.enter_async_context(await chassis.db.open_pool(config.database, OWN_NAME, keeper))
    )
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
        proofs=ProofVerifier(origins=config.public.origins, clock=clock, nonces=nonces),
        store=store,
        document_key=document_key,
        capabilities=Capabilities(key=document_key, clock=steady_clock, origin=config.public.origin),
        home_key=home_key,
        homes=FingerprintedHomes(key=home_key, store=store),
        keeper=keeper,
        public_keeper=public_keeper,
        auth=dial(address=config.peers.auth, peer="auth"),
        retention=dial(address=config.peers.retention, peer="retention"),
        telemetry=dial(address=config.peers.telemetry, peer="telemetry"),
        amazon=await stack.enter_async_context(amazon),
        storage=await stack.enter_async_context(storage),
    )


async def _learn_keys(keys: GatewayVault, nonces: Nonces, document_key: SharedKey) -> None:
    """Have the keys without which nothing is served; the first replica makes them.

    Raises:
        StartRefused: `secret_damaged`: starting again helps only after somebody put a good one there.
    """
    try:
        await keys.ensure_nonce_key()
        nonces.learn(await keys.read_nonce_key())
        await keys.ensure_document_key()
        document_key.learn(await keys.read_document_key())
    except chassis.vault.SecretDamaged as error:
        raise chassis.errors.StartRefused("secret_damaged", error.advice) from error


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
    return functools.partial(vault.issue_certificate, PUBLIC_ROLE, config.public.hosts, CERTIFICATE_LIFE_S)


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
