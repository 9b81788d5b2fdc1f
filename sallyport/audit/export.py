"""Fetching the audit log: from telemetry, as the identity `console`, over mutual TLS.

The public key comes from the key service and not from telemetry, so that whoever takes over telemetry
cannot hand out a key of their own along with a log of their own.
"""

import contextlib
import functools
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import chassis.clock
import chassis.env
import chassis.identity
import chassis.rpc
import chassis.vault
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

CHECKPOINT_KEY = "telemetry-checkpoint"
CONSOLE_NAME = "console.sallyport.internal"
CERTIFICATE_LIFE_S = 3_600.0
EXPORT_S_MAX = 3_600.0
# Beside the state of `sallyport run`: the same keys as the environment's, one KEY=VALUE a line.
SETTINGS_FILE = "console.env"

SETTINGS = (
    *(setting for setting in chassis.env.COMMON if setting.name.startswith("SALLYPORT_VAULT_")),
    chassis.env.Setting("SALLYPORT_TELEMETRY_ADDRESS", "host:port where telemetry serves its callers"),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the console reaches what it needs."""

    vault: chassis.env.VaultConfig
    telemetry: chassis.env.Address


def load(environ: Mapping[str, str]) -> Config:
    """Return the console's configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    config = Config(
        vault=chassis.env.VaultConfig(
            address=reader.url("SALLYPORT_VAULT_ADDRESS"),
            ca_file=reader.path("SALLYPORT_VAULT_CA_FILE"),
            role_id_file=reader.path("SALLYPORT_VAULT_ROLE_ID_FILE"),
            secret_id_file=reader.path("SALLYPORT_VAULT_SECRET_ID_FILE"),
            pki_role=reader.text("SALLYPORT_VAULT_PKI_ROLE"),
        ),
        telemetry=reader.address("SALLYPORT_TELEMETRY_ADDRESS"),
    )
    reader.finish()
    return config


def read_state_folder(folder: Path) -> dict[str, str]:
    """Return the environment that `sallyport run` left for the console.

    Raises:
        OSError: there is none.
    """
    lines = (folder / SETTINGS_FILE).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


async def export(config: Config, *, from_sequence: int, out: Path, public_key_out: Path | None) -> int:
    """Write an export, and the key to check it with, and return the number of lines.

    Each file appears whole or not at all, readable by its owner only.

    Raises:
        SallyportError: telemetry or the key service refuses or cannot answer.
        OSError: a file cannot be written.
    """
    clock = chassis.clock.SystemClock()
    async with await chassis.vault.connect(config.vault, clock) as vault:
        lines = 0
        async with _telemetry(config, vault) as channel:
            stub = channel.stub(telemetry_pb2_grpc.TelemetryAdminStub)
            with _whole_file(out) as file:
                request = telemetry_pb2.ExportRequest(from_sequence=from_sequence)
                async for message in stub.Export(request):
                    file.write(message.line + b"\n")
                    lines += 1
        if public_key_out is not None:
            public_pem = await vault.transit_public_pem(CHECKPOINT_KEY)
            with _whole_file(public_key_out) as file:
                file.write(public_pem.encode())
    return lines


@contextlib.asynccontextmanager
async def _telemetry(config: Config, vault: chassis.vault.Vault) -> AsyncIterator[chassis.rpc.Channel]:
    issue = functools.partial(
        vault.issue_certificate, config.vault.pki_role, [CONSOLE_NAME], CERTIFICATE_LIFE_S
    )
    keeper = chassis.identity.Keeper(issue, chassis.clock.SystemClock())
    await keeper.start()
    channel = chassis.rpc.Channel(
        address=config.telemetry, peer="telemetry", keeper=keeper, deadline_s=EXPORT_S_MAX
    )
    try:
        yield channel
    finally:
        await channel.close()


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
