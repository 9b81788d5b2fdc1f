"""What the simulated Amazon knows: consents, codes, tokens, secrets and what happened to orders.

Invariants:

* the state is a fold of the events, nothing else: reading the journal again gives the same state
* an event is in the journal, durably, before the state shows it; so what an answer said survives SIGKILL
* no token, code or secret is kept, only its digest
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import simulator.events
from simulator.applications import Application
from simulator.events import (
    Born,
    CodeIssued,
    CodeUsed,
    ConsentGranted,
    ConsentRevoked,
    Event,
    JobCancelled,
    JobCreated,
    OrderDelivered,
    PackageConfirmed,
    PickupReported,
    SecretRotated,
    Started,
    TokenIssued,
)
from simulator.orders.progress import History

# Source: SP-API documentation, "Renew Authorizations".
CONSENT_LIVES = timedelta(days=365)
# Source: SP-API documentation, "Rotate your Application's LWA Credentials".
SECRET_LIVES = timedelta(days=180)
SECRET_OVERLAP = timedelta(days=7)


@dataclass(frozen=True)
class SecretSpan:
    """From when until when a client secret works; None: from always, for ever."""

    digest: str
    made_at: datetime | None
    works_until: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Return whether it is accepted."""
        return self.works_until is None or now < self.works_until

    def cut_off(self, at: datetime) -> "SecretSpan":
        """Return the span as it is when a successor leaves it this long."""
        return replace(self, works_until=min(self.works_until or at, at))


class Journal(Protocol):
    """What the ledger needs from storage."""

    def append(self, events: Sequence[Event]) -> None:
        """Write events; they are durable when this returns."""
        ...


@dataclass
class State:
    """The fold of all events."""

    born: Born | None = None
    boot: int = 0
    consents: dict[str, ConsentGranted] = field(default_factory=dict)
    revoked: dict[str, datetime] = field(default_factory=dict)
    codes: dict[str, CodeIssued] = field(default_factory=dict)
    used_codes: set[str] = field(default_factory=set)
    tokens: dict[str, TokenIssued] = field(default_factory=dict)
    secrets: dict[str, list[SecretRotated]] = field(default_factory=dict)
    packages: dict[str, dict[str, PackageConfirmed]] = field(default_factory=dict)
    pickups: dict[str, PickupReported] = field(default_factory=dict)
    deliveries: dict[str, datetime] = field(default_factory=dict)
    jobs: dict[str, JobCreated] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)
    documents: dict[str, JobCreated] = field(default_factory=dict)

    def apply(self, event: Event) -> None:  # noqa: C901, PLR0912 - one case for each kind of event, and nothing else
        """Take one event into account."""
        match event:
            case Born():
                self.born = event
            case Started():
                self.boot = event.boot
            case ConsentGranted():
                self.consents[event.consent_id] = event
            case ConsentRevoked():
                self.revoked.setdefault(event.consent_id, event.revoked_at)
            case CodeIssued():
                self.codes[event.code_digest] = event
            case CodeUsed():
                self.used_codes.add(event.code_digest)
            case TokenIssued():
                self.tokens[event.token_digest] = event
            case SecretRotated():
                self.secrets.setdefault(event.application_id, []).append(event)
            case PackageConfirmed():
                self.packages.setdefault(event.order_id, {})[event.reference] = event
            case PickupReported():
                self.pickups[event.order_id] = event
            case OrderDelivered():
                self.deliveries[event.order_id] = event.delivered_at
            case JobCreated():
                self.jobs[event.job_id] = event
                if event.document_id:
                    self.documents[event.document_id] = event
            case JobCancelled():
                self.cancelled[event.job_id] = event.cancelled_at

    @classmethod
    def of(cls, events: Iterable[Event]) -> "State":
        """Return the state after `events`."""
        state = cls()
        for event in events:
            state.apply(event)
        return state


class Ledger:
    """The state and the only way to change it."""

    def __init__(self, *, state: State, journal: Journal) -> None:
        self.state = state
        self._journal = journal

    def commit(self, *events: Event) -> None:
        """Make events durable, then visible."""
        self._journal.append(events)
        for event in events:
            self.state.apply(event)

    def token(self, text: str) -> TokenIssued | None:
        """Return what is known of a token, expired ones included."""
        return self.state.tokens.get(simulator.events.digest(text))

    def code(self, text: str) -> CodeIssued | None:
        """Return what is known of an authorization code that has not been used."""
        digest = simulator.events.digest(text)
        return None if digest in self.state.used_codes else self.state.codes.get(digest)

    def consent(self, consent_id: str | None, now: datetime) -> ConsentGranted | None:
        """Return a consent that is in force: neither revoked nor older than CONSENT_LIVES."""
        consent = self.state.consents.get(consent_id or "")
        if consent is None or consent.consent_id in self.state.revoked:
            return None
        return consent if now < consent.granted_at + CONSENT_LIVES else None

    def consents(self, *, seller_id: str, now: datetime) -> list[ConsentGranted]:
        """Return a seller's consents that are in force, oldest first."""
        granted = (self.consent(consent_id, now) for consent_id in self.state.consents)
        return [consent for consent in granted if consent and consent.seller_id == seller_id]

    def is_secret(self, application: Application, secret: str, now: datetime) -> bool:
        """Return whether a client secret is accepted: the newest, or an older one within SECRET_OVERLAP."""
        digest = simulator.events.digest(secret)
        return any(span.digest == digest and span.is_alive(now) for span in self.secrets(application))

    def secrets(self, application: Application) -> list[SecretSpan]:
        """Return the spans of an application's secrets, oldest first; that of the file is the first."""
        digest = simulator.events.digest(application.client_secret)
        spans = [SecretSpan(digest, made_at=None, works_until=application.secret_expires_at)]
        for rotated in self.state.secrets.get(application.application_id, []):
            spans = [span.cut_off(rotated.rotated_at + SECRET_OVERLAP) for span in spans]
            works_until = rotated.rotated_at + SECRET_LIVES
            spans.append(SecretSpan(rotated.secret_digest, rotated.rotated_at, works_until))
        return spans

    def history(self, order_id: str) -> History:
        """Return what was recorded about an order."""
        return History(
            packages=tuple(self.state.packages.get(order_id, {}).values()),
            pickup=self.state.pickups.get(order_id),
            delivered_at=self.state.deliveries.get(order_id),
        )
