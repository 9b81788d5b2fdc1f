"""The operators' way in: the services' admin surfaces, called as the identity `console`.

`sallyport run` leaves a file of settings in its state folder; elsewhere the same keys come from the
environment.
"""

import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import chassis.clock
import chassis.env
import chassis.identity
import chassis.rpc
import chassis.vault
from wire.auth.v1 import (
    applications_pb2_grpc,
    auth_pb2_grpc,
    keys_pb2_grpc,
    people_pb2_grpc,
    sellers_pb2_grpc,
)
from wire.retention.v1 import retention_pb2_grpc
from wire.telemetry.v1 import telemetry_pb2_grpc, webhooks_pb2_grpc

CONSOLE_NAME = "console.sallyport.internal"
CERTIFICATE_LIFE_S = 3_600.0
CALL_S_MAX = 120.0
SETTINGS_FILE = "console.env"

SETTINGS = (
    *(setting for setting in chassis.env.COMMON if setting.name.startswith("SALLYPORT_VAULT_")),
    chassis.env.Setting("SALLYPORT_AUTH_ADDRESS", "host:port where auth serves its callers"),
    chassis.env.Setting("SALLYPORT_RETENTION_ADDRESS", "host:port where retention serves its callers"),
    chassis.env.Setting("SALLYPORT_TELEMETRY_ADDRESS", "host:port where telemetry serves its callers"),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the console reaches what it needs."""

    vault: chassis.env.VaultConfig
    auth: chassis.env.Address
    retention: chassis.env.Address
    telemetry: chassis.env.Address


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The admin surfaces, and the key service for public keys."""

    auth: "auth_pb2_grpc.AuthAdminAsyncStub"
    applications: "applications_pb2_grpc.ApplicationAdminAsyncStub"
    people: "people_pb2_grpc.PeopleAdminAsyncStub"
    keys: "keys_pb2_grpc.KeyAdminAsyncStub"
    sellers: "sellers_pb2_grpc.SellerAdminAsyncStub"
    retention: "retention_pb2_grpc.RetentionAdminAsyncStub"
    telemetry: "telemetry_pb2_grpc.TelemetryAdminAsyncStub"
    webhooks: "webhooks_pb2_grpc.WebhookAdminAsyncStub"
    vault: chassis.vault.Vault


def load(environ: Mapping[str, str]) -> Config:
    """Return the console's configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    config = Config(
        vault=chassis.env.vault(reader),
        auth=reader.address("SALLYPORT_AUTH_ADDRESS"),
        retention=reader.address("SALLYPORT_RETENTION_ADDRESS"),
        telemetry=reader.address("SALLYPORT_TELEMETRY_ADDRESS"),
    )
    reader.finish()
    return config


def read_state_folder(folder: Path) -> dict[str, str]:
    """Return the environment that `sallyport run` left for the console.

    Raises:
        ConfigError: there is none, or something else has its name.
        OSError: it cannot be read.
    """
    file = folder / SETTINGS_FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError) as error:
        text = f"{folder} is not the state folder of a `sallyport run`: it has no settings in {SETTINGS_FILE}"
        raise chassis.env.ConfigError(chassis.env.CONFIG_INVALID, text) from error
    return dict(line.split("=", 1) for line in lines if "=" in line)


@asynccontextmanager
async def open_admin(config: Config) -> AsyncIterator[Admin]:
    """Give the admin surfaces; nothing is dialled before the first call.

    Raises:
        Unavailable: the key service cannot answer.
    """
    clock = chassis.clock.SystemClock()
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(await chassis.vault.connect(config.vault, clock))
        issue = functools.partial(
            vault.issue_certificate, config.vault.pki_role, [CONSOLE_NAME], CERTIFICATE_LIFE_S
        )
        keeper = chassis.identity.Keeper(issue, clock)
        await keeper.start()

        def channel(address: chassis.env.Address, peer: str) -> chassis.rpc.Channel:
            dialled = chassis.rpc.Channel(address=address, peer=peer, keeper=keeper, deadline_s=CALL_S_MAX)
            stack.push_async_callback(dialled.close)
            return dialled

        auth, telemetry = channel(config.auth, "auth"), channel(config.telemetry, "telemetry")
        yield Admin(
            auth=auth.stub(auth_pb2_grpc.AuthAdminStub),
            applications=auth.stub(applications_pb2_grpc.ApplicationAdminStub),
            people=auth.stub(people_pb2_grpc.PeopleAdminStub),
            keys=auth.stub(keys_pb2_grpc.KeyAdminStub),
            sellers=auth.stub(sellers_pb2_grpc.SellerAdminStub),
            retention=channel(config.retention, "retention").stub(retention_pb2_grpc.RetentionAdminStub),
            telemetry=telemetry.stub(telemetry_pb2_grpc.TelemetryAdminStub),
            webhooks=telemetry.stub(webhooks_pb2_grpc.WebhookAdminStub),
            vault=vault,
        )
