"""What a desktop developer sets: the gateway, the device's own credentials, and what to read."""

import json
import sys
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    Args:
        gateway: the gateway's public origin, without a trailing slash.
        ca_file: PEM file of the certificate authority behind the gateway's certificate.
        created_after: ISO 8601; orders older than this are not listed.
        order_id: whose address to read; empty: the newest listed order's.
    """

    gateway: str
    ca_file: str
    device_id: str
    refresh_token: str
    marketplace_id: str
    created_after: str
    order_id: str = ""

    def to_json(self) -> str:
        """Return the object that `read` takes."""
        return json.dumps(asdict(self))


def read() -> Settings:
    """Return the settings given on standard input."""
    return Settings(**json.load(sys.stdin))


def answer(order_ids: list[str], address: dict[str, object]) -> None:
    """Print what the library returned."""
    json.dump({"order_ids": order_ids, "address": address}, sys.stdout)
