"""Faults put into effect: refusals instead of answers, answers spoilt on their way."""

from dataclasses import replace

from simulator import exchange, lwa
from simulator.exchange import Answer, Refusal
from simulator.hostility import Fault, Kind
from simulator.lwa import LwaRefusal


def api_refusal(fault: Fault) -> Refusal | None:
    """Return the error with which a fault replaces an API call, or None when the call goes ahead."""
    refusals = {
        Kind.FAIL: Refusal(500, "InternalFailure", "We encountered an internal error. Please try again."),
        Kind.UNAVAILABLE: _UNAVAILABLE,
        Kind.DENY: exchange.denied(),
    }
    return refusals.get(fault.kind)


def lwa_refusal(fault: Fault, grant_type: str) -> LwaRefusal | None:
    """Return the error with which a fault replaces a token request, or None when it goes ahead."""
    parameter = "code" if grant_type == "authorization_code" else "refresh_token"
    refusals = {
        Kind.THROTTLE: lwa.throttled(),
        Kind.FAIL: LwaRefusal(500, "server_error", "The server encountered an unexpected condition"),
        Kind.UNAVAILABLE: _LWA_UNAVAILABLE,
        Kind.DENY: lwa.invalid_grant(parameter),
    }
    return refusals.get(fault.kind)


def spoilt(answer: Answer, fault: Fault) -> Answer:
    """Return an answer as it arrives after a fault that does not keep the call from taking effect."""
    match fault.kind:
        case Kind.LOST:
            answer = exchange.refused(_UNAVAILABLE)
        case Kind.HANG_UP:
            answer = replace(answer, is_hung_up=True)
        case Kind.GARBAGE:
            answer = exchange.html_answer(200, "<!doctype html><html><head><title>Please wait</ti")
        case Kind.ODD_HEADERS:
            answer = replace(answer, headers=_odd(answer.headers))
        case Kind.TRUNCATED:
            answer = replace(answer, sent_bytes=len(answer.body) // 2)
        case Kind.DRIP:
            return replace(answer, drip_s=fault.delay_s)
        case _:
            pass
    return replace(answer, delay_s=fault.delay_s)


def spoilt_lwa(answer: Answer, fault: Fault) -> Answer:
    """Return a token answer as it arrives after a fault that does not keep the tokens from being issued."""
    return lwa.refused(_LWA_UNAVAILABLE) if fault.kind is Kind.LOST else spoilt(answer, fault)


def with_header(answer: Answer, name: str, value: str) -> Answer:
    """Return an answer with one more header."""
    return replace(answer, headers=(*answer.headers, (name, value)))


def _odd(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return headers in odd case, the last of them twice; both are within HTTP's rules."""
    return (*((name.swapcase(), value) for name, value in headers), headers[-1])


_UNAVAILABLE = Refusal(503, "ServiceUnavailable", "Service is temporarily unavailable. Please try again.")
_LWA_UNAVAILABLE = LwaRefusal(503, "temporarily_unavailable", "The service is temporarily unavailable")
