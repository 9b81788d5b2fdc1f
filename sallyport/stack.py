"""One machine's stack put together: engines, provisioning, the simulated Amazon, the four services."""

import errno
import os
import secrets
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

import chassis.errors
import sallyport.access
import sallyport.engines.authority
import sallyport.engines.child
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.environments
import sallyport.provision.database
import sallyport.provision.handout
import sallyport.provision.key_service
from sallyport.layout import LOOPBACK, SERVICES, Layout
from sallyport.parts import EnginePart
from sallyport.process import Process, Program
from sallyport.provision.ground import Ground
from sallyport.supervisor import PartFailed, Report, Supervisor

SIMULATOR_SEED = 7
FAULTS = (
    PartFailed,
    sallyport.engines.child.EngineFailed,
    sallyport.engines.openbao.CallRefused,
    chassis.errors.StartRefused,
    chassis.errors.SallyportError,
)
"""Why a stack may not come up, or not go down, besides what the system refuses (OSError)."""


@dataclass(frozen=True)
class Application:
    """The vendor's application, as the simulated Amazon knows it."""

    application_id: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Stack:
    """What runs."""

    layout: Layout
    ground: Ground
    supervisor: Supervisor
    application: Application

    def access(self) -> sallyport.access.Config:
        """Return how the console reaches this stack."""
        return sallyport.access.load(sallyport.environments.of_console(self.layout, self.ground))


@asynccontextmanager
async def open_stack(layout: Layout, report: Report, *, sellers: int = 4) -> AsyncIterator[Stack]:
    """Give the whole stack, healthy; stop it at the end.

    Args:
        layout: where everything lies.
        report: told what becomes of each part.
        sellers: seller accounts of the simulated Amazon.

    Raises:
        FAULTS: a part did not come up, is not what was there before, or did not stop.
        OSError: the state folder cannot be used.
    """
    layout.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    layout.logs.mkdir(exist_ok=True)
    async with Supervisor(report) as supervisor:
        ground = await _open_ground(layout, supervisor, report)
        application = made_up_application(layout)
        _leave_queue_key(layout)
        await supervisor.add(Process(amazon_program(layout, sellers=sellers)))
        for service in SERVICES:
            await supervisor.add(Process(service_program(service, layout, ground)))
        _leave_settings(layout, ground)
        yield Stack(layout, ground, supervisor, application)


async def _open_ground(layout: Layout, supervisor: Supervisor, report: Report) -> Ground:
    folder = sallyport.provision.handout.Folder(layout.folder)
    authority = sallyport.engines.authority.Authority(folder.authority)
    openbao = sallyport.engines.openbao.OpenBao(
        layout.folder / "openbao", port=layout.vault_port, authority=authority
    )
    await supervisor.add(EnginePart("openbao", openbao, openbao.server))
    clients_ca_pem = await sallyport.provision.key_service.provision(openbao, folder)
    postgres = sallyport.engines.postgres.Postgres(
        layout.folder / "postgres",
        port=layout.postgres_port,
        authority=authority,
        clients_ca_pem=clients_ca_pem,
    )
    await supervisor.add(EnginePart("postgres", postgres, postgres.server))
    for migration in await sallyport.provision.database.provision(postgres, openbao):
        report(migration, "migrated")
    return Ground(openbao, postgres, folder)


def amazon_program(layout: Layout, *, sellers: int, seed: int = SIMULATOR_SEED) -> Program:
    """Return the simulated Amazon of a layout; its applications file must be there when it starts."""
    options = {
        "--seed": str(seed),
        "--sellers": str(sellers),
        "--applications": str(layout.applications_file),
        "--control": f"{LOOPBACK}:{layout.amazon_control_port}",
        "--state-folder": str(layout.amazon_folder),
        "--clock-file": str(layout.clock_file),
        "--storage-url": layout.storage_url,
    }
    listens = (
        f"{LOOPBACK}:{layout.amazon_port}=consent,lwa,queue,api",
        f"{LOOPBACK}:{layout.storage_port}=storage",
    )
    words = [*(word for pair in options.items() for word in pair), *(f"--listen={each}" for each in listens)]
    return Program(
        name="simulated Amazon",
        command=(sys.executable, "-m", "simulator", *words),
        environ={"PATH": os.defpath},
        health_url=f"{layout.amazon_control_url}/_simulator/health",
        log_file=layout.logs / "amazon.log",
    )


def service_program(service: str, layout: Layout, ground: Ground) -> Program:
    """Return a service on a layout's ports."""
    return Program(
        name=service,
        command=(sys.executable, "-m", f"services.{service}"),
        environ=sallyport.environments.of_service(service, layout, ground),
        health_url=f"http://{LOOPBACK}:{layout.private_port(service)}/readyz",
        log_file=layout.logs / f"{service}.log",
    )


def made_up_application(layout: Layout) -> Application:
    """Return the vendor's application; the first start makes one up, with a secret of its own."""
    if not layout.applications_file.exists():
        layout.amazon_folder.mkdir(mode=0o700, exist_ok=True)
        made_up = {
            "application_id": f"amzn1.sellerapps.app.{uuid.uuid4()}",
            "client_id": f"amzn1.application-oa2-client.{secrets.token_hex(16)}",
            "client_secret": f"amzn1.oa2-cs.v1.{secrets.token_hex(32)}",
            "redirect_uris": [f"{layout.public_url}/consent/callback"],
            "log_in_uri": f"{layout.public_url}/consent/login",
            "name": "Sallyport demonstration",
        }
        content = orjson.dumps({"applications": [made_up]}, option=orjson.OPT_INDENT_2)
        sallyport.engines.authority.write_private(layout.applications_file, content)
    try:
        kept = orjson.loads(layout.applications_file.read_bytes())["applications"][0]
        return Application(kept["application_id"], kept["client_id"], kept["client_secret"])
    except (ValueError, LookupError, TypeError) as error:
        raise OSError(errno.EINVAL, "names no application", str(layout.applications_file)) from error


def _leave_queue_key(layout: Layout) -> None:
    """Write a key to the vendor's queue; the simulated Amazon takes any."""
    key_id, key = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    text = f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {key}\n"
    sallyport.engines.authority.write_private(layout.queue_key_file, text.encode())


def _leave_settings(layout: Layout, ground: Ground) -> None:
    settings = sallyport.environments.of_console(layout, ground)
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    target = layout.folder / sallyport.access.SETTINGS_FILE
    sallyport.engines.authority.write_private(target, lines.encode())
