"""An auth whose vendor has a queue: rotation by itself, with an Amazon that writes what it made to the queue.

`RotationHouse.notices` is a replica's ear at the queue; `day` lets a day pass as the jobs would have it.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from chassis.clock import Clock
from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, Fuse, House, guarded
from services.auth.model.consents import Application
from services.auth.model.credentials import SECRET_LIFE, SECRET_OVERLAP, SecretPair
from services.auth.model.notices import NEW_SECRET, SECRET_EXPIRY, Letter
from services.auth.model.rotation import RotationPlan
from services.auth.model.secret_refusals import QueueUnavailable
from services.auth.service import UseCases
from services.auth.service.notices import NoticeService
from services.auth.service.rotation_ports import Inbox

HEARD = RotationPlan(is_heard=True)
VISIBLE_AGAIN_S = 120.0
DAY = timedelta(days=1)


@dataclass
class _Row:
    text: str
    visible_at_s: float
    receipt: str = ""


class FakeInbox:
    """A queue in memory: a letter that is not deleted comes again; everything fails while `is_down`."""

    def __init__(self, clock: Clock) -> None:
        self.is_down = False
        self.rows: list[_Row] = []
        self._clock = clock
        self._receipts = count(1)

    def put(self, text: str) -> None:
        self.rows.append(_Row(text, self._clock.monotonic_s()))

    async def receive(self) -> list[Letter]:
        self._check()
        now_s, letters = self._clock.monotonic_s(), []
        for row in self.rows:
            if row.visible_at_s <= now_s:
                row.visible_at_s, row.receipt = now_s + VISIBLE_AGAIN_S, f"receipt {next(self._receipts)}"
                letters.append(Letter(body=Secret(row.text), receipt=row.receipt))
        return letters

    async def delete(self, letter: Letter) -> None:
        self._check()
        self.rows = [row for row in self.rows if row.receipt != letter.receipt]

    def _check(self) -> None:
        if self.is_down:
            raise QueueUnavailable


@dataclass
class RotationHouse(House):
    rotation: RotationPlan = HEARD
    copies: int = 1
    inbox: FakeInbox = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.inbox = FakeInbox(self.clock)
        self.amazon.rotated = self._write

    def notices(self, use: UseCases | None = None, fuse: Fuse | None = None) -> NoticeService:
        """Return a replica's ear at the queue; with a fuse, of one that dies at its step."""
        use, inbox = use or self.use, self.inbox
        ports = self.ports(self.store_type(self.clock, self.tables))
        heard: Inbox = inbox if fuse is None else guarded(inbox, fuse)
        if fuse is not None:
            ports = replace(ports, store=guarded(ports.store, fuse))
        return NoticeService(ports, heard, changes=use.secret_changes, proving=use.proving)

    async def day(self) -> None:
        """Let a day pass: the queue is heard, and the secrets are looked after."""
        self.pass_(DAY)
        await self.notices().hear()
        await self.use.rotation.tend()

    async def pair(self, application: Application = APPLICATION) -> SecretPair:
        return (await self.vault.find_secrets(application.application_id)).pair

    def _write(self, secret: str) -> None:
        for _ in range(self.copies):
            self.inbox.put(new_secret_letter(secret, self.clock.now()))


def new_secret_letter(secret: str, made_at: datetime, client_id: str = APPLICATION.client_id) -> str:
    content = {
        "clientId": client_id,
        "newClientSecret": secret,
        "newClientSecretExpiryTime": (made_at + SECRET_LIFE).isoformat(),
        "oldClientSecretExpiryTime": (made_at + SECRET_OVERLAP).isoformat(),
    }
    return _letter(NEW_SECRET, {"applicationOAuthClientNewSecret": content}, made_at)


def expiry_letter(expires_at: datetime, sent_at: datetime, client_id: str = APPLICATION.client_id) -> str:
    content = {
        "clientId": client_id,
        "clientSecretExpiryTime": expires_at.isoformat(),
        "clientSecretExpiryReason": "PERIODIC_ROTATION",
    }
    return _letter(SECRET_EXPIRY, {"applicationOAuthClientSecretExpiry": content}, sent_at)


def _letter(kind: str, payload: object, sent_at: datetime) -> str:
    return json.dumps(
        {
            "notificationVersion": "1.0",
            "notificationType": kind,
            "payloadVersion": "2023-11-30",
            "eventTime": sent_at.isoformat(),
            "payload": payload,
            "notificationMetadata": {"notificationId": "made up"},
        }
    )
