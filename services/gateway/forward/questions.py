"""Questions to auth about tokens: as many as devices need, and few about what was never issued (R-23).

- A token that auth vouched for once is asked about whenever there is need, and so is one that we sealed
  ourselves: those are no inventions. Any other may be one; how many of those are asked about is bounded.
- What auth said of a token that is no good any more, or never was, holds for REFUSED_S without another
  question.
"""

import copy
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.errors import SallyportError, Unauthenticated
from chassis.recent import Recent
from services.gateway.forward.ports import AuthPeer
from services.gateway.model.calls import Device
from services.gateway.model.faults import ENDED, TokenMissing
from services.gateway.model.strangers import Strangers

REFUSED_S = 60.0
# About 300 bytes each.
REFUSED_MAX = 4_096
# As many as `identities` remembers devices; about 200 bytes each.
VOUCHED_MAX = 20_000
# Where a token comes from that was sealed by us, in a capability.
OURS = None

NEVER_ISSUED = TokenMissing.code
# What auth says of a token and never takes back.
_FINAL = ENDED | {NEVER_ISSUED, "device_revoked"}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What auth said, and until when it is said again without asking."""

    error: Unauthenticated
    until_s: float


class Questions:
    """What auth is asked about tokens that `identities` does not know."""

    def __init__(self, *, auth: AuthPeer, clock: Clock) -> None:
        self._auth = auth
        self._clock = clock
        self._strangers = Strangers(clock.monotonic_s())
        self._vouched: Recent[str, bool] = Recent(VOUCHED_MAX)
        self._refused: Recent[str, _Refusal] = Recent(REFUSED_MAX)

    async def ask(self, access_token: str, came_from: str | None) -> Device:
        """Return the device behind an access token.

        Args:
            access_token: shaped like one of ours.
            came_from: the address of whoever shows it, or OURS.

        Raises:
            Unauthenticated: unknown, ended or revoked, in auth's words.
            TooManyUnknownTokens, TooManyStrangers: it may be one more invention.
            Unavailable: auth cannot be asked.
        """
        now_s = self._clock.monotonic_s()
        refusal = self._refused.get(access_token)
        if refusal is not None and now_s < refusal.until_s:
            raise copy.copy(refusal.error)
        if came_from is None or self._vouched.get(access_token):
            return await self._put(access_token)
        return await self._put_for_stranger(access_token, came_from, now_s)

    async def _put_for_stranger(self, access_token: str, address: str, now_s: float) -> Device:
        """Put a question that counts against its address unless something comes of it.

        It counts, too, when whoever asked goes away: auth has been asked all the same.
        """
        question = self._strangers.admit(address, now_s)
        try:
            device = await self._put(access_token)
        except SallyportError as error:
            if error.code != NEVER_ISSUED:
                question.forgive()
            raise
        question.forgive()
        self._strangers.note_device(address)
        return device

    async def _put(self, access_token: str) -> Device:
        try:
            device = await self._auth.introspect(access_token)
        except Unauthenticated as error:
            if error.code in _FINAL:
                self._vouched.drop(access_token)
                # A copy is without the traceback, which would keep all that was at hand.
                refusal = _Refusal(copy.copy(error), self._clock.monotonic_s() + REFUSED_S)
                self._refused.put(access_token, refusal)
            raise
        self._vouched.put(access_token, True)
        return device
