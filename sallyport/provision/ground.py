"""Both engines, running and provisioned, as one thing to open and close."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import sallyport.engines.authority
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision.database
import sallyport.provision.handout
import sallyport.provision.key_service


@dataclass(frozen=True)
class Ground:
    """What services stand on."""

    openbao: sallyport.engines.openbao.OpenBao
    postgres: sallyport.engines.postgres.Postgres
    folder: sallyport.provision.handout.Folder


@asynccontextmanager
async def open_ground(root: Path, *, postgres_port: int, vault_port: int) -> AsyncIterator[Ground]:
    """Give the engines of a state folder, started and provisioned; stop them at the end.

    Args:
        root: the state folder; the first start takes seconds, later ones are fast and keep the data.
        postgres_port: on 127.0.0.1.
        vault_port: on 127.0.0.1.

    Raises:
        EngineFailed: an engine did not come up.
        StartRefused: a migration does not fit what ran before.
    """
    folder = sallyport.provision.handout.Folder(root)
    authority = sallyport.engines.authority.Authority(folder.authority)
    openbao = sallyport.engines.openbao.OpenBao(root / "openbao", port=vault_port, authority=authority)
    async with openbao:
        clients_ca_pem = await sallyport.provision.key_service.provision(openbao, folder)
        postgres = sallyport.engines.postgres.Postgres(
            root / "postgres", port=postgres_port, authority=authority, clients_ca_pem=clients_ca_pem
        )
        async with postgres:
            await sallyport.provision.database.provision(postgres, openbao)
            yield Ground(openbao, postgres, folder)
