"""Hearing Amazon's notices about client secrets on the vendor's queue.

A letter is deleted only when what it says is durable; a letter twice, late or out of order changes nothing.
One that cannot be read, or is not about an application of ours, stays in the queue, is counted and never
shown: the queue itself moves it to its dead letters.
"""

from contextlib import suppress

from chassis.errors import SallyportError
from services.auth.model.consents import Application
from services.auth.model.credentials import Origin, check_expiry
from services.auth.model.notices import (
    UNREAD,
    Letter,
    NewSecret,
    Notice,
    NoticeForeign,
    NoticeMalformed,
    Outcome,
    SecretExpiry,
    read,
)
from services.auth.model.secret_refusals import InvalidExpiry
from services.auth.service.ports import Ports
from services.auth.service.proving import ProvingService
from services.auth.service.rotation_ports import Inbox
from services.auth.service.secret_changes import Arrival, SecretChanges


class NoticeService:
    """Takes letters out of the queue."""

    def __init__(
        self, ports: Ports, inbox: Inbox, *, changes: SecretChanges, proving: ProvingService
    ) -> None:
        self._store = ports.store
        self._signals = ports.signals
        self._clock = ports.clock
        self._inbox = inbox
        self._changes = changes
        self._proving = proving

    async def hear(self) -> int:
        """Take what lies in the queue, waiting a while for something; return how many letters were read.

        Raises:
            QueueUnavailable
            SallyportError: the first failure, after all others were tried; what was not kept comes again.
        """
        outcomes: list[Outcome] = []
        failures: list[SallyportError] = []
        for letter in await self._inbox.receive():
            try:
                outcomes.append(await self._take(letter))
            except SallyportError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return sum(outcome not in UNREAD for outcome in outcomes)

    async def _take(self, letter: Letter) -> Outcome:
        outcome = await self._understood(letter)
        self._signals.notice(outcome)
        if outcome not in UNREAD:
            await self._inbox.delete(letter)
        return outcome

    async def _understood(self, letter: Letter) -> Outcome:
        try:
            notice = read(letter.body)
            application = await self._addressee(notice)
            return await self._kept(application, notice)
        except NoticeMalformed:
            return Outcome.MALFORMED
        except NoticeForeign:
            return Outcome.FOREIGN

    async def _addressee(self, notice: Notice) -> Application:
        for application in await self._store.list_applications():
            if application.client_id == notice.client_id:
                return application
        raise NoticeForeign

    async def _kept(self, application: Application, notice: Notice) -> Outcome:
        if notice.expires_at <= self._clock.now():
            return Outcome.KNOWN
        try:
            check_expiry(notice.expires_at, self._clock.now())
        except InvalidExpiry as error:
            raise NoticeMalformed from error
        match notice:
            case NewSecret():
                return await self._keep(application, notice)
            case SecretExpiry():
                is_news = await self._changes.date(
                    application.application_id, notice.expires_at, stated_at=notice.stated_at
                )
                return Outcome.DATED if is_news else Outcome.KNOWN

    async def _keep(self, application: Application, notice: NewSecret) -> Outcome:
        arrival = Arrival(
            secret=notice.secret,
            origin=Origin.QUEUE,
            expires_at=notice.expires_at,
            older_expires_at=notice.older_expires_at,
        )
        if not await self._changes.keep(application, arrival):
            return Outcome.KNOWN
        with suppress(SallyportError):
            await self._proving.confirm(application.application_id)
        return Outcome.KEPT
