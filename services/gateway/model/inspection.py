"""Introspection: what a bound device hears about one of its own tokens.

Everything that is not an active token of its own is answered with the same bytes (RFC 7662, 2.2 and 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.gateway.model.device_facts import DeviceFacts

INACTIVE: Mapping[str, object] = {"active": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """An active token.

    Attributes:
        user_id: who let the device in.
        issued_at, expires_at: aware UTC; None for a refresh token, which ends when it is not used.
    """

    client_id: str
    user_id: str
    device_id: str
    device_name: str
    scopes: tuple[str, ...]
    key_thumbprint: str
    facts: DeviceFacts
    issued_at: datetime | None
    expires_at: datetime | None

    def members(self, issuer: str) -> Mapping[str, object]:
        """Return the answer's members; those of a device are this server's own.

        Source: RFC 7662, 2.2; RFC 9449, 6.2 (cnf and token_type).
        """
        told: dict[str, object] = {
            "active": True,
            "iss": issuer,
            "client_id": self.client_id,
            "sub": self.user_id,
            "scope": " ".join(self.scopes),
            "cnf": {"jkt": self.key_thumbprint},
            "device_id": self.device_id,
            "device_name": self.device_name,
            **dict(self.facts.fields()),
        }
        if self.issued_at is not None and self.expires_at is not None:
            span = {"iat": int(self.issued_at.timestamp()), "exp": int(self.expires_at.timestamp())}
            told |= {"token_type": "DPoP", **span}
        return told
