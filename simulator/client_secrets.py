"""Client secrets: which an application has until when, how it gets another, and what Amazon writes about it.

A rotation makes a new secret and lets the one before live on for a while. If the application asked for it, it
is told on the vendor's queue only; if it is made by hand, it is shown to whoever made it. Amazon reminds when
the end of a secret comes near.

Source: SP-API documentation, "Rotate your Application's LWA Credentials", "Notification Type Values" and the
model of the Application Management API; the envelope as in amzn/selling-partner-api-samples (lwa-rotation).
"""

import json
from datetime import datetime, timedelta

import simulator.events
from simulator import exchange
from simulator.applications import Application, Applications
from simulator.call import OwnCall
from simulator.events import SecretRotated
from simulator.hostility import Hostility
from simulator.ledger import SECRET_LIVES, SECRET_OVERLAP, Ledger, SecretSpan
from simulator.letters import Letters
from simulator.seed import Mint, Seed

# Source: SP-API documentation: reminders start 90 days before the end.
REMIND_AHEAD = timedelta(days=90)
REMIND_EVERY = timedelta(days=30)
# How often a letter comes twice while the simulator is hostile at all.
TWICE_SHARE = 0.5
NEW_SECRET = ("APPLICATION_OAUTH_CLIENT_NEW_SECRET", "applicationOAuthClientNewSecret")
EXPIRY = ("APPLICATION_OAUTH_CLIENT_SECRET_EXPIRY", "applicationOAuthClientSecretExpiry")
PREFIX = "amzn1.oa2-cs.v1."
NOT_ENROLLED = (
    "Application is not enrolled for rotation notification. "
    "Please update application notification preference in Developer console."
)


class ClientSecrets:
    """Every application's secrets."""

    def __init__(
        self,
        *,
        seed: Seed,
        ledger: Ledger,
        applications: Applications,
        mint: Mint,
        letters: Letters,
        hostility: Hostility,
    ) -> None:
        self._seed = seed
        self._ledger = ledger
        self._applications = applications
        self._mint = mint
        self._letters = letters
        self._hostility = hostility
        self._unenrolled: set[str] = set()
        self._reminded: dict[str, datetime] = {}
        self._sent = 0

    def rotate_by_hand(self, application: Application, secret: str | None, now: datetime) -> str:
        """Return an application's new secret, the given one or one made up."""
        new = secret or self._mint.token(PREFIX, size_bytes=32)
        self._ledger.commit(
            SecretRotated(application.application_id, simulator.events.digest(new), rotated_at=now)
        )
        return new

    def rotate(self, application: Application, now: datetime) -> None:
        """Make a new secret because the application asked for it; the vendor's queue is told.

        Raises:
            Refusal: 400, the application is not enrolled.
        """
        if application.application_id in self._unenrolled:
            raise exchange.invalid_input(NOT_ENROLLED)
        new = self.rotate_by_hand(application, None, now)
        content = {
            "clientId": application.client_id,
            "newClientSecret": new,
            "newClientSecretExpiryTime": _time(now + SECRET_LIVES),
            "oldClientSecretExpiryTime": _time(now + SECRET_OVERLAP),
        }
        self._write(application, NEW_SECRET, content, now=now)

    def rotate_asked(self, call: OwnCall) -> None:
        """Answer rotateApplicationClientSecret."""
        self.rotate(call.application, call.now)

    def enrol(self, application: Application, *, is_enrolled: bool) -> None:
        """Say whether an application's rotations are told to the queue; unless told otherwise they are."""
        (self._unenrolled.discard if is_enrolled else self._unenrolled.add)(application.application_id)

    def is_enrolled(self, application: Application) -> bool:
        """Return whether an application may rotate its secret itself."""
        return application.application_id not in self._unenrolled

    def alive(self, application: Application, now: datetime) -> list[SecretSpan]:
        """Return when an application's secrets that still work were made and end, newest first."""
        return [span for span in reversed(self._ledger.secrets(application)) if span.is_alive(now)]

    def remind(self, now: datetime) -> None:
        """Write what is due about secrets whose end comes near."""
        for application in self._applications.all:
            end = self._ledger.secrets(application)[-1].works_until
            last = self._reminded.get(application.application_id)
            is_near = end is not None and end - REMIND_AHEAD <= now < end
            if end is None or not is_near or (last is not None and now < last + REMIND_EVERY):
                continue
            self._reminded[application.application_id] = now
            content = {
                "clientId": application.client_id,
                "clientSecretExpiryTime": _time(end),
                "clientSecretExpiryReason": "PERIODIC_ROTATION",
            }
            self._write(application, EXPIRY, content, now=now)

    def _write(
        self, application: Application, kind: tuple[str, str], content: dict[str, str], *, now: datetime
    ) -> None:
        """Send a letter, at times twice."""
        notification_type, member = kind
        self._sent += 1
        letter = {
            "notificationVersion": "1.0",
            "notificationType": notification_type,
            "payloadVersion": "2023-11-30",
            "eventTime": _time(now),
            "payload": {member: content},
            "notificationMetadata": {
                "applicationId": application.application_id,
                "subscriptionId": "",
                "publishTime": _time(now),
                "notificationId": self._mint.identifier(),
            },
        }
        is_twice = self._hostility.share > 0 and self._seed.fraction("twice", self._sent) < TWICE_SHARE
        for _ in range(1 + is_twice):
            self._letters.send(json.dumps(letter), now)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
