"""What auth's storage holds, in memory; every part of the fake store works on these."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.clock import Clock
from services.auth.model.audit import Actor
from services.auth.model.consent_refusals import SellerOffboarded
from services.auth.model.consents import Application, Consent, State
from services.auth.model.device_grants import DeviceGrant
from services.auth.model.devices import Code, Device, Revocation
from services.auth.model.grantless import Scope, SealedGrantless
from services.auth.model.lending import SealedAccess
from services.auth.model.offboarding import Offboarding
from services.auth.model.passkeys import Passkey
from services.auth.model.passwords import Failures, Login, OldHash
from services.auth.model.people import Invitation, NewSession, Seller, User
from services.auth.model.reminders import Reminder
from services.auth.model.rewrapping import Outcome, Rewrapping
from services.auth.model.rotation import RotationState
from services.auth.model.tokens import NewAccess


def is_held(held_until_s: float | None, now_s: float, lease_s: float) -> bool:
    """Return whether somebody holds a lease: nobody does who would for longer than leases are given."""
    return held_until_s is not None and now_s < held_until_s <= now_s + lease_s


@dataclass
class LeaseRow:
    fence: int = 0
    held_until_s: float | None = None
    access: SealedAccess | None = None
    renew_at: datetime | None = None
    lent_at: datetime | None = None
    settled_at_s: float = -math.inf


@dataclass
class TurnRow:
    next_at_s: float = -math.inf
    held_until_s: float = -math.inf
    refused_at_s: float | None = None


@dataclass
class GrantlessRow:
    fence: int = 0
    held_until_s: float | None = None
    token: SealedGrantless | None = None
    settled_at_s: float = 0.0


@dataclass
class RefreshRow:
    device_id: str
    nonce: bytes | None = None
    rotated_at_s: float | None = None


@dataclass
class DeviceGrantRow:
    grant: DeviceGrant
    polled_at_s: float | None = None
    redeemed_at_s: float | None = None


@dataclass
class RotationRow:
    fence: int = 0
    held_until_s: float | None = None
    state: RotationState = field(default_factory=RotationState)


@dataclass
class RewrappingRow:
    work: Rewrapping
    wanted_at: datetime
    values: int
    done: int = 0
    damaged: int = 0
    held_until_s: float | None = None
    rewrapped_at_s: float | None = None
    outcome: Outcome | None = None
    closed_at: datetime | None = None


@dataclass
class Tables:
    applications: dict[str, tuple[datetime, Application]] = field(default_factory=dict)
    sellers: dict[str, Seller] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    invitations: dict[bytes, tuple[Invitation, datetime | None]] = field(default_factory=dict)
    sessions: dict[bytes, tuple[NewSession, str]] = field(default_factory=dict)
    states: dict[bytes, State] = field(default_factory=dict)
    partners: dict[bytes, str] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    leases: dict[str, LeaseRow] = field(default_factory=dict)
    turns: dict[str, TurnRow] = field(default_factory=dict)
    grantless: dict[tuple[str, Scope], GrantlessRow] = field(default_factory=dict)
    codes: dict[bytes, Code] = field(default_factory=dict)
    device_grants: dict[bytes, DeviceGrantRow] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshRow] = field(default_factory=dict)
    access_tokens: dict[bytes, tuple[str, NewAccess]] = field(default_factory=dict)
    kept_s: dict[bytes, float] = field(default_factory=dict)
    reminders: dict[tuple[str, int], tuple[Reminder, datetime | None]] = field(default_factory=dict)
    offboardings: dict[str, Offboarding] = field(default_factory=dict)
    rotations: dict[str, RotationRow] = field(default_factory=dict)
    rewrappings: list[RewrappingRow] = field(default_factory=list)
    signed_in: dict[str, datetime] = field(default_factory=dict)
    passkeys: dict[str, Passkey] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    hashes: dict[tuple[str, int], OldHash] = field(default_factory=dict)
    failures: dict[bytes, Failures] = field(default_factory=dict)
    links: dict[str, bytes] = field(default_factory=dict)
    spent: dict[bytes, datetime] = field(default_factory=dict)
    reviews: dict[str, tuple[Actor, datetime]] = field(default_factory=dict)


class FakePart:
    """What every part of the fake store stands on; several on the same tables are several replicas."""

    def __init__(self, clock: Clock, tables: Tables | None = None) -> None:
        self.tables = tables or Tables()
        self.listeners: list[Callable[[Revocation], None]] = []
        self._clock = clock

    @staticmethod
    def _check_id(text: str) -> None:
        """Take nothing but ids, as Postgres does where a column holds ids."""
        UUID(text)

    def _hold_seller(self, seller_id: str) -> None:
        if seller_id in self.tables.offboardings:
            raise SellerOffboarded

    def _keep(self, digest: bytes) -> None:
        """Remember when something was kept, by storage's own clock."""
        self.tables.kept_s[digest] = self._clock.monotonic_s()

    def _age_s(self, digest: bytes) -> float:
        return self._clock.monotonic_s() - self.tables.kept_s[digest]

    def _tell(self, device: Device) -> None:
        for listener in self.listeners:
            listener(Revocation(device_id=device.device_id, seller_id=device.seller_id))

    def _tell_all(self, seller_id: str) -> None:
        for device in self.tables.devices.values():
            if device.seller_id == seller_id and device.revoked_at is None:
                self._tell(device)
