"""Whose access token this is: auth's word, remembered only while revocations are heard.

- Remembered until the token ends, by both clocks, because the time of day may jump back (R-14); at most
  REMEMBERED_S_MAX, and never across a gap in the stream of revocations: a stream that breaks, or is silent
  for more than SILENCE_S_MAX, ends all trust, and auth is asked for every call until a new stream has begun
  (T-01, ADR 0002).
- An answer of auth's that was under way while a revocation came in serves its one call and is not
  remembered.
- What is not remembered goes through `questions`, which bounds how often strangers have auth asked (R-23).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.errors import SallyportError
from chassis.recent import Recent
from services.gateway.forward.ports import AuthPeer, Signals
from services.gateway.forward.questions import Questions
from services.gateway.model.calls import Device
from services.gateway.model.faults import TokenMissing
from services.gateway.model.spans import Span, span

# Auth's tokens live an hour.
REMEMBERED_S_MAX = 3_600.0
# The stream is never silent for longer than three keep-alives while it lives.
SILENCE_S_MAX = 45.0
# About 1 KB each; the one longest not asked for at auth is forgotten first.
DEVICES_MAX = 20_000
REDIAL_S_MIN = 0.1
REDIAL_S_MAX = 2.0

# How auth spells a device's access token, restricted handles included: the prefix and 32 bytes.
_TOKEN = re.compile(r"sp_at_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Known:
    """A device, and how long its token may go on standing for it."""

    device: Device
    span: Span


class Identities:
    """What access tokens stand for right now."""

    def __init__(self, *, auth: AuthPeer, clock: Clock, entropy: Entropy, signals: Signals) -> None:
        self._auth = auth
        self._questions = Questions(auth=auth, clock=clock)
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._known: Recent[str, _Known] = Recent(DEVICES_MAX)
        self._heard_at_s: float | None = None
        self._changes = 0
        self._tell: Callable[[str | None], None] = _tell_nobody
        self._tell_news: Callable[[str | None], None] = _tell_nobody

    async def who(self, access_token: str, came_from: str | None) -> Device:
        """Return the device behind an access token.

        Args:
            access_token: what a call carries, or a capability of ours holds.
            came_from: the address of whoever shows it; OURS for a capability's.

        Raises:
            TokenMissing: nothing, or nothing shaped like a token of ours.
            Unauthenticated: unknown, ended or revoked, in auth's words.
            TooManyUnknownTokens, TooManyStrangers: it is not known, and auth is not asked for now.
            Unavailable: auth cannot be asked.
        """
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        known = self._known.peek(access_token)
        if known is not None and self._is_hearing(now_s) and known.span.is_open(now, now_s):
            return known.device
        if not _TOKEN.fullmatch(access_token):
            raise TokenMissing
        changes = self._changes
        device = await self._questions.ask(access_token, came_from)
        if self.is_listening() and changes == self._changes:
            life_s = min(device.expires_in_s, REMEMBERED_S_MAX)
            self._known.put(access_token, _Known(device, span(now, now_s, life_s)))
        return device

    def is_listening(self) -> bool:
        """Return whether a revocation made just now would reach this process."""
        return self._is_hearing(self._clock.monotonic_s())

    async def watch(self) -> None:
        """Listen to revocations for ever, dialling again whenever the stream ends."""
        while True:
            try:
                async for device_id in self._auth.watch_revocations():
                    self._hear(device_id)
            except SallyportError as error:
                self._signals.side_failed("watch_revocations", error.code)
            self._forget()
            await self._clock.sleep(self._entropy.uniform(REDIAL_S_MIN, REDIAL_S_MAX))

    def on_change(self, tell: Callable[[str | None], None]) -> None:
        """Have `tell` called with a seller whose standing may have changed, or with None for every seller."""
        self._tell = tell

    def on_news(self, tell: Callable[[str | None], None]) -> None:
        """Have `tell` called with each device of which something is heard, or with None when trust ends."""
        self._tell_news = tell

    def _is_hearing(self, now_s: float) -> bool:
        return self._heard_at_s is not None and now_s - self._heard_at_s <= SILENCE_S_MAX

    def _hear(self, device_id: str | None) -> None:
        if not self.is_listening():
            self._forget()
        self._heard_at_s = self._clock.monotonic_s()
        if device_id is not None:
            self._changes += 1
            self._tell_news(device_id)
            for known in self._known.drop_where(lambda _, known: known.device.device_id == device_id):
                self._tell(known.device.seller_id)

    def _forget(self) -> None:
        self._changes += 1
        self._heard_at_s = None
        self._known.clear()
        self._tell(None)
        self._tell_news(None)


def _tell_nobody(_id: str | None) -> None:
    """Nobody has asked to be told."""
