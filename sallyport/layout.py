"""Where things lie on one machine: the state folder's files and the loopback ports.

Ports follow from one base port, so that several stacks can stand side by side. Nothing here opens or creates
anything.
"""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
PUBLIC_PORT = 8443
PORTS = 20
"""In a row, of each stack."""
SERVICES = ("telemetry", "retention", "auth", "gateway")
"""In the order in which they are started: each needs only those before it."""


@dataclass(frozen=True)
class Layout:
    """One stack's places.

    Attributes:
        folder: the state folder.
        base_port: the first of PORTS in a row.
        is_tapped: a wire tap stands at the public address, the gateway behind it.
    """

    folder: Path
    base_port: int = PUBLIC_PORT
    is_tapped: bool = False

    @property
    def gateway_port(self) -> int:
        """Where the gateway listens: behind a wire tap another listens at its public address."""
        return self.base_port + 6 if self.is_tapped else self.base_port

    @property
    def public_url(self) -> str:
        """The gateway's one public origin."""
        return f"https://localhost:{self.base_port}"

    @property
    def postgres_port(self) -> int:
        """PostgreSQL, TLS only."""
        return self.base_port + 1

    @property
    def vault_port(self) -> int:
        """The Vault-compatible server, TLS only."""
        return self.base_port + 2

    @property
    def storage_port(self) -> int:
        """The simulated Amazon's storage, where documents' links lead."""
        return self.base_port + 3

    @property
    def amazon_port(self) -> int:
        """The simulated Amazon's public face."""
        return self.base_port + 4

    @property
    def amazon_control_port(self) -> int:
        """The simulated Amazon's controls."""
        return self.base_port + 5

    def rpc_port(self, service: str) -> int:
        """Return the port on which `service` listens for its peers."""
        return self.base_port + 10 + 2 * SERVICES.index(service)

    def private_port(self, service: str) -> int:
        """Return the port of `service`'s health checks and metrics."""
        return self.rpc_port(service) + 1

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.folder / "log"

    @property
    def clock_file(self) -> Path:
        """Seconds by which the domain's clock runs ahead; written by the simulated Amazon's controls."""
        return self.folder / "clock"

    @property
    def amazon_url(self) -> str:
        """The simulated Amazon: consent pages, Login with Amazon and SP-API in one place."""
        return f"https://localhost:{self.amazon_port}"

    @property
    def storage_url(self) -> str:
        """The simulated Amazon's storage, as its links call it."""
        return f"https://localhost:{self.storage_port}"

    @property
    def amazon_control_url(self) -> str:
        """The simulated Amazon's controls."""
        return f"http://{LOOPBACK}:{self.amazon_control_port}"

    @property
    def amazon_folder(self) -> Path:
        """What the simulated Amazon keeps."""
        return self.folder / "amazon"

    @property
    def amazon_ca_file(self) -> Path:
        """Who vouches for the simulated Amazon."""
        return self.amazon_folder / "ca.pem"

    @property
    def queue_url(self) -> str:
        """The vendor's queue at the simulated Amazon, on which new client secrets arrive."""
        return f"{self.amazon_url}/000000000000/client-secrets"

    @property
    def queue_key_file(self) -> Path:
        """What lets auth into that queue, as AWS's own tools write it."""
        return self.folder / "queue-key"

    @property
    def applications_file(self) -> Path:
        """The vendor's application as registered with the simulated Amazon, its secret included."""
        return self.amazon_folder / "applications.json"
