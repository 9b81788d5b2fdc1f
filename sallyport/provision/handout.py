"""Where each identity's credentials lie in the state folder, and the settings that point to them.

<folder>/authority/ca.pem                   who vouches for the engines
<folder>/identities/ca.pem                  who vouches for the services, and for the public door
<folder>/identities/<identity>/role_id      how an identity logs in to the key service
<folder>/identities/<identity>/secret_id
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import chassis.env
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision


@dataclass(frozen=True)
class Folder:
    """The state folder, as far as credentials lie in it."""

    root: Path

    @property
    def authority(self) -> Path:
        """Folder of the authority that vouches for the engines."""
        return self.root / "authority"

    @property
    def services_ca_file(self) -> Path:
        """Certificate of the authority that vouches for the services and for the public door."""
        return self.root / "identities" / "ca.pem"

    def role_id_file(self, identity: str) -> Path:
        """Return the file with an identity's AppRole role id."""
        return self.root / "identities" / identity / "role_id"

    def secret_id_file(self, identity: str) -> Path:
        """Return the file with an identity's AppRole secret id."""
        return self.root / "identities" / identity / "secret_id"


def vault_config(
    openbao: sallyport.engines.openbao.OpenBao, folder: Folder, identity: str
) -> chassis.env.VaultConfig:
    """Return how an identity reaches the key service."""
    return chassis.env.VaultConfig(
        address=openbao.address,
        ca_file=openbao.ca_file,
        login=chassis.env.AppRole(
            role_id_file=folder.role_id_file(identity), secret_id_file=folder.secret_id_file(identity)
        ),
        mount=chassis.env.APPROLE,
        namespace=None,
        pki_role=identity,
    )


def database_config(
    postgres: sallyport.engines.postgres.Postgres, name: str = sallyport.provision.DATABASE
) -> chassis.env.DatabaseConfig:
    """Return how any role reaches a database."""
    return chassis.env.DatabaseConfig(
        host=sallyport.engines.postgres.HOST, port=postgres.port, name=name, ca_file=postgres.ca_file
    )


def vault_settings(config: chassis.env.VaultConfig) -> Mapping[str, str]:
    """Return the environment that tells a service how to reach the key service with its AppRole."""
    assert isinstance(config.login, chassis.env.AppRole)
    return {
        "SALLYPORT_VAULT_ADDRESS": config.address,
        "SALLYPORT_VAULT_CA_FILE": str(config.ca_file),
        "SALLYPORT_VAULT_ROLE_ID_FILE": str(config.login.role_id_file),
        "SALLYPORT_VAULT_SECRET_ID_FILE": str(config.login.secret_id_file),
        "SALLYPORT_VAULT_PKI_ROLE": config.pki_role,
    }


def database_settings(config: chassis.env.DatabaseConfig) -> Mapping[str, str]:
    """Return the environment that tells a service with a store how to reach Postgres."""
    return {
        "SALLYPORT_DATABASE_HOST": config.host,
        "SALLYPORT_DATABASE_PORT": str(config.port),
        "SALLYPORT_DATABASE_NAME": config.name,
        "SALLYPORT_DATABASE_CA_FILE": str(config.ca_file),
    }
