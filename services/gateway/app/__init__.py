"""The gateway put together: the only place that knows which part stands behind which need.

`ground` opens what it stands on, `path` puts the forwarding path together, `pages` the ways in for people.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import chassis.crypto.tls
import chassis.metrics
import chassis.run
import chassis.web
from services.gateway import jobs
from services.gateway.app.ground import Ground, open_ground
from services.gateway.app.pages import compose_faces
from services.gateway.app.path import Forwarding, open_path
from services.gateway.config import Config
from services.gateway.door import DocumentsFace, Door, Pages, SpapiFace, Ways
from services.gateway.peers.audit import AuditLog
from services.gateway.service import AuditProbe
from services.gateway.web import BODY_BYTES_MAX

# What must work before the gateway is ready.
CHECKED = ("auth", "retention", "audit", "store")

Task = tuple[str, Callable[[], Awaitable[None]]]


@asynccontextmanager
async def build(config: Config) -> AsyncIterator[chassis.run.Application]:
    """Open everything that the gateway stands on, and yield what is to be run.

    Raises:
        StartRefused: the public certificate or a key cannot be read, or a safety switch is off.
        Unavailable: Vault or Postgres did not come.
    """
    async with AsyncExitStack() as stack:
        ground = await open_ground(stack, config)
        registry, readiness = chassis.metrics.Registry(), chassis.web.Readiness(*CHECKED)
        audit = AuditLog(ground.telemetry)
        stack.push_async_callback(audit.flush)
        path = await open_path(config, ground, audit=audit, registry=registry)
        yield chassis.run.Application(
            tasks=[
                ("vault", ground.vault.run),
                ("certificate", ground.keeper.run),
                ("public_certificate", ground.public_keeper.run),
                ("audit", audit.run),
                ("revocations", path.identities.watch),
                ("quota", path.limiter.run),
                ("quota_ticks", path.limiter.tick),
                *path.forwarder.tasks,
                *path.documents.tasks,
                *_upkeep_tasks(ground, path, readiness),
            ],
            servers=[
                await _open_door(stack, config, ground, path=path),
                chassis.web.private_site(config.common.private_listen, readiness, registry),
            ],
            readiness=readiness,
        )


async def _open_door(stack: AsyncExitStack, config: Config, ground: Ground, *, path: Forwarding) -> Door:
    """Return the public door, with every face behind it."""
    is_strict_transport = not config.public.is_local
    pages = chassis.web.SocketlessSite(
        routes=compose_faces(config, ground, path).routes(),
        body_bytes_max=BODY_BYTES_MAX,
        is_strict_transport=is_strict_transport,
    )
    await pages.start()
    stack.push_async_callback(pages.stop)
    spapi = SpapiFace(forwarder=path.forwarder, proofs=ground.proofs)
    documents = DocumentsFace(documents=path.documents)
    return Door(
        listen=config.public.listen,
        tls=chassis.crypto.tls.CurrentContext(
            lambda: ground.public_keeper.current, chassis.crypto.tls.public_context
        ),
        ways=Ways([*Pages(pages).ways(), *documents.ways(), spapi.way()]),
        signals=path.ports.signals,
        is_strict_transport=is_strict_transport,
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
        ("home_key", ground.keys.read_home_key, ground.home_key.learn),
    )
    reaches = (ground.auth.reach, ground.retention.reach, probe.check, ground.store.ping)
    checks = zip(CHECKED, reaches, strict=True)
    return [
        *((name, functools.partial(work.renew_key, name, read, learn)) for name, read, learn in keys),
        *((f"{name}_health", functools.partial(work.watch, name, check)) for name, check in checks),
        *(("policy", functools.partial(work.follow, "policy", step)) for step in follow),
        ("idle_buckets", functools.partial(work.forget, "idle_buckets", ground.store.forget_idle)),
        ("old_documents", functools.partial(work.forget, "old_documents", ground.store.forget_documents)),
        ("old_revisions", functools.partial(work.forget, "old_revisions", ground.store.forget_revisions)),
        ("old_homes", functools.partial(work.forget, "old_homes", ground.store.forget_homes)),
    ]
