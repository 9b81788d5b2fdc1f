"""Where things lie on one machine: the state folder's files and the loopback ports.

Ports follow from one base port, so that several stacks can stand side by side. Nothing here opens or creates
anything.
"""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
PUBLIC_PORT = 8443
SERVICES = ("telemetry", "retention", "auth", "gateway")
"""In the order in which they are started: each needs only those before it."""


@dataclass(frozen=True)
class Layout:
    """One stack's places. `folder` is the state folder; `base_port` the first of 40 ports in a row."""

    folder: Path
    base_port: int = PUBLIC_PORT

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
        """The Vault-compatible server, TLS only; the port above is its cluster port."""
        return self.base_port + 2

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
    def amazon_folder(self) -> Path:
        """What the simulated Amazon keeps."""
        return self.folder / "amazon"
