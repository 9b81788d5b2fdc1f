"""Asking Amazon: with a permit, with the right token, again when that is safe, and never past the deadline.

Only reads are asked again: an effect that may have happened must not happen twice. The exceptions had
none: a call whose token Amazon did not take is made once more with a new one, and a throttled one with
another permit. Whoever goes away meanwhile frees the permit, the place among the seller's calls, and the
connection.
"""

from datetime import datetime

from chassis.secrecy import Secret
from services.gateway.forward.circuits import Circuits
from services.gateway.forward.journey import Journey
from services.gateway.forward.lending import Lending
from services.gateway.forward.ports import Ports
from services.gateway.forward.rate_limiter import RateLimiter
from services.gateway.model import exchange
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest
from services.gateway.model.faults import (
    UpstreamBusy,
    UpstreamInvalid,
    UpstreamLost,
    UpstreamResting,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from services.gateway.model.quota import THROTTLED

ATTEMPTS_MAX = 4
# One hanging attempt leaves a read time for another.
READ_ATTEMPT_S_MAX = 12.0
BACKOFF_S_FIRST = 0.5
BACKOFF_S_MAX = 8.0
# An attempt with less time than this would only be cut off.
ATTEMPT_S_MIN = 0.05
# Silence for a shorter time says nothing about Amazon.
SILENCE_S_MIN = 3.0

# Source: SP-API, "Resolve Common HTTP and Authorization Error Codes": what may pass by itself.
_PASSING = frozenset({THROTTLED, 500, 502, 503, 504})
_NO_ANSWER = (UpstreamTimeout, UpstreamLost, UpstreamUnreachable)
_FAILURES = (*_NO_ANSWER, UpstreamInvalid)
# Amazon has seen nothing.
_UNSENT = (UpstreamUnreachable, UpstreamBusy)


class Attempts:
    """The way to Amazon and back, as often as it takes and is allowed."""

    def __init__(self, *, ports: Ports, limiter: RateLimiter, lending: Lending, user_agent: str) -> None:
        self._ports = ports
        self._limiter = limiter
        self._lending = lending
        self._circuits = Circuits(clock=ports.clock, signals=ports.signals)
        self._user_agent = user_agent

    async def ask(self, journey: Journey) -> UpstreamAnswer:
        """Return Amazon's answer to a call, be it success or failure.

        Raises:
            QuotaExceeded: no permit in time, or Amazon throttled to the end.
            UpstreamTimeout, DeadlineExceeded: no answer in time, by Amazon's fault or by ours.
            UpstreamUnreachable, UpstreamLost: no answer at all.
            UpstreamInvalid: none that may be looked at.
            UpstreamResting, UpstreamBusy: Amazon is not asked right now.
            Denied, Unavailable: no token, in auth's words.
        """
        is_renewed = False
        for attempt in range(ATTEMPTS_MAX - 1):
            try:
                token, answer = await self._once(journey)
            except _NO_ANSWER:
                if not await self._rest(journey, attempt):
                    raise
                continue
            if exchange.is_success(answer):
                return answer
            if exchange.refuses_token(answer) and not is_renewed:
                is_renewed = True
                self._lending.give_back(journey.device, journey.region, journey.plan.loan, token=token)
            elif answer.status not in _PASSING or not await self._rest(journey, attempt, answer):
                return self._accepted(journey, answer)
        _, answer = await self._once(journey)
        return self._accepted(journey, answer)

    async def _once(self, journey: Journey) -> tuple[Secret[str], UpstreamAnswer]:
        """Return Amazon's answer, and the token with which it was asked."""
        device, region, loan = journey.device, journey.region, journey.plan.loan
        key = (device.seller_id, region)
        self._circuits.check(key)
        now = self._ports.clock.now()
        token = self._lending.find(device, region, loan, now=now)
        if token is None:
            token = await self._lending.lend(device, region, loan, until_s=journey.until_s)
        request = self._request(journey, token, now)
        with await self._limiter.acquire(
            journey.permit_request, until_s=journey.until_s - ATTEMPT_S_MIN
        ) as permit:
            timeout_s = self._timeout_s(journey)
            generation = self._circuits.begin(key)
            try:
                permit.spend()
                answer = await self._ports.upstream.send(request, timeout_s=timeout_s)
            except BaseException as error:
                if isinstance(error, _UNSENT):
                    permit.unspend()
                if isinstance(error, _FAILURES):
                    self._ports.signals.attempted(journey.operation.name, 0)
                self._circuits.end(key, generation, is_answered=_news(error, timeout_s))
                raise
            self._circuits.end(key, generation, is_answered=answer.status < 500)
            self._ports.signals.attempted(journey.operation.name, answer.status)
            permit.learn(answer)
        return token, answer

    def _request(self, journey: Journey, token: Secret[str], now: datetime) -> UpstreamRequest:
        operation = journey.operation
        headers = exchange.request_headers(operation, journey.call.fields, now, agent=self._user_agent)
        return UpstreamRequest(
            journey.region, operation.method, journey.path, journey.query, headers, journey.body, token
        )

    def _timeout_s(self, journey: Journey) -> float:
        """Return how long an attempt that begins now may take."""
        timeout_s = journey.until_s - self._ports.clock.monotonic_s()
        if timeout_s < ATTEMPT_S_MIN:
            raise UpstreamTimeout
        return min(timeout_s, READ_ATTEMPT_S_MAX) if journey.operation.is_read else timeout_s

    async def _rest(self, journey: Journey, attempt: int, answer: UpstreamAnswer | None = None) -> bool:
        """Return whether a call may be made again, after a pause that spreads callers apart."""
        is_throttled = answer is not None and answer.status == THROTTLED
        if not (journey.operation.is_read or is_throttled) or self._is_resting(journey):
            return False
        longest_s = min(BACKOFF_S_FIRST * 2**attempt, BACKOFF_S_MAX)
        pause_s = self._ports.entropy.uniform(0.0, longest_s)
        if answer is not None:
            pause_s += exchange.retry_after_s(answer)
        if self._ports.clock.monotonic_s() + pause_s + ATTEMPT_S_MIN >= journey.until_s:
            return False
        await self._ports.clock.sleep(pause_s)
        return True

    def _is_resting(self, journey: Journey) -> bool:
        try:
            self._circuits.check((journey.device.seller_id, journey.region))
        except UpstreamResting:
            return True
        return False

    def _accepted(self, journey: Journey, answer: UpstreamAnswer) -> UpstreamAnswer:
        if answer.status == THROTTLED:
            raise self._limiter.exceeded(journey.permit_request.quotas[0])
        return answer


def _news(error: BaseException, timeout_s: float) -> bool | None:
    """Return what an attempt without an answer says of Amazon: that it does not answer, or nothing."""
    is_failure = isinstance(error, _FAILURES)
    is_silence = not isinstance(error, UpstreamTimeout) or timeout_s >= SILENCE_S_MIN
    return False if is_failure and is_silence else None
