"""The call to Amazon and what may come back: headers rebuilt on the way there, checked on the way back.

- No header of a client's is copied: an operation's own header parameters are taken by name, all
  others are ours. Amazon refuses a GET with a body (T-05, T-09).
- An answer is data. A success must be JSON (and hold no token of Amazon's: `forward.reading`); a failure
  is taken apart and told again, so that no page, token or control character of an upstream's passes
  (T-29 to T-31).
"""

import functools
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from services.gateway.model import bounded_json
from services.gateway.model.calls import Answer, UpstreamAnswer
from services.gateway.model.faults import JSON_TYPE, BodyInvalid, UpstreamInvalid
from services.gateway.model.fields import Fields
from services.gateway.model.operations import Operation
from services.gateway.model.quota import RATE_LIMIT_HEADER
from services.gateway.model.tripwire import finds_credential

# Source: SP-API, "Include a User-Agent header in all requests": more is refused.
USER_AGENT_CHARS_MAX = 500
HEADER_CHARS_MAX = 2_048
# More than a call can wait is not obeyed.
RETRY_AFTER_S_MAX = 60.0
RETRY_AFTER_DIGITS_MAX = 4
# Neither way is anything larger read.
BODY_BYTES_MAX = 16 * 1_048_576
# Amazon's failures are a few hundred bytes, or name each wrong item of a plan; a larger one is in our words.
# Source: Fulfillment Inbound API model, CreateInboundPlanRequest: up to 2,000 items.
ERROR_BYTES_MAX = 1_048_576
ERRORS_MAX = 2_000
ERROR_TEXT_CHARS_MAX = 2_000

# What of a successful answer's headers a desktop may see; the date is the door's own, said once.
_REQUEST_ID = "x-amzn-requestid"
_HEADERS_KEPT = frozenset({_REQUEST_ID, RATE_LIMIT_HEADER})
_CONTENT_TYPE, _RETRY_AFTER = "content-type", "retry-after"
# Messages and solicitations come in the second form only. Source: the API models, `produces`.
_ACCEPTED = f"{JSON_TYPE}, application/hal+json"
# All that anybody here reads of an answer's head.
HEADERS_READ = _HEADERS_KEPT | {_CONTENT_TYPE, _RETRY_AFTER}
# Amazon spells a media type in few ways, and knows few methods.
_TYPES_MAX = 16
_METHODS_MAX = 8
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})
# How Amazon says that it is the token, in one sentence; a missing role or consent is told in other words, and
# other things expire too: authorizations, and Amazon's own security tokens, which no token of ours renews.
# Source: SP-API, "Resolve Common HTTP and Authorization Error Codes"; the API models, of status 403.
_TOKEN_REFUSED = re.compile(
    r"access token[^.]{0,80}(?:expired|revoked|malformed|invalid)|expired ?token", re.IGNORECASE
)
# The words on which one library refreshes its token; they are said of the device's own token only.
_LOOPING = re.compile(r"access token.*expired", re.IGNORECASE | re.DOTALL)
# What a failure without words of its own is called; others are the client's mistake below 500, else Amazon's.
_CODES = {401: "Unauthorized", 403: "Unauthorized", 404: "NotFound", 503: "ServiceUnavailable"}


def user_agent(version: str) -> str:
    """Return how the gateway introduces itself to Amazon.

    Source: SP-API, "Include a User-Agent header in all requests": `Language` is required.
    """
    language = f"Python/{sys.version_info.major}.{sys.version_info.minor}"
    return f"Sallyport/{version} (Language={language}; Platform={sys.platform})"[:USER_AGENT_CHARS_MAX]


def request_headers(
    operation: Operation, given: Fields, now: datetime, *, agent: str
) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call to Amazon, less the token.

    Args:
        operation: knows its own header parameters.
        given: the client's; of those only the operation's own are taken.
        now: aware UTC.
        agent: how the gateway introduces itself, e.g. `user_agent`.
    """
    own = _own_headers(agent, int(now.timestamp()), operation.method)
    if operation.headers.isdisjoint(given.first):
        return own
    taken = {name: value for name, value in given if name in operation.headers and _is_plain(value)}
    return (*own, *taken.items())


@functools.lru_cache(maxsize=_METHODS_MAX)
def _own_headers(agent: str, second: int, method: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of every call that is made in a second, counted since 1970."""
    date = datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = (("accept", _ACCEPTED), ("x-amz-date", date), ("user-agent", agent))
    return headers if method in _BODILESS else (*headers, (_CONTENT_TYPE, JSON_TYPE))


def request_body(operation: Operation, body: bytes) -> bytes:
    """Return the body that goes to Amazon: none where the method has none, else the client's own.

    Raises:
        BodyInvalid: it is not JSON (T-10).
    """
    if operation.method in _BODILESS or not body:
        return b""
    try:
        bounded_json.read(body, bytes_max=BODY_BYTES_MAX)
    except bounded_json.Unreadable as error:
        raise BodyInvalid from error
    return body


def is_success(answer: UpstreamAnswer) -> bool:
    """Return whether Amazon did what was asked."""
    return 200 <= answer.status < 300


def refuses_token(answer: UpstreamAnswer) -> bool:
    """Return whether Amazon refused the call for its token: it has ended, or is not taken any more."""
    return answer.status == 403 and any(
        _TOKEN_REFUSED.search(text) for each in _told(answer) for text in each
    )


def retry_after_s(answer: UpstreamAnswer) -> float:
    """Return how long Amazon asks to wait; 0 when it does not, or asks for what nobody would wait for (T-29).

    Amazon does not promise the header; a date in it is not looked at.
    """
    asked = answer.header(_RETRY_AFTER).strip()
    is_sane = asked.isdecimal() and asked.isascii() and len(asked) <= RETRY_AFTER_DIGITS_MAX
    wait_s = float(asked) if is_sane else 0.0
    return wait_s if wait_s <= RETRY_AFTER_S_MAX else 0.0


def check_success(answer: UpstreamAnswer) -> None:
    """Let a successful answer pass.

    Raises:
        UpstreamInvalid: it is not JSON by its own account, or too deep.
    """
    _check_content(answer)
    try:
        bounded_json.check(answer.body, bytes_max=BODY_BYTES_MAX)
    except bounded_json.Unreadable as error:
        raise UpstreamInvalid from error


def read_success(answer: UpstreamAnswer) -> object:
    """Return the value that a successful answer tells.

    Raises:
        UpstreamInvalid: as `check_success`; or it cannot be read.
    """
    _check_content(answer)
    try:
        return bounded_json.read(answer.body, bytes_max=BODY_BYTES_MAX)
    except bounded_json.Unreadable as error:
        raise UpstreamInvalid from error


def success(answer: UpstreamAnswer, body: bytes, request_id: str) -> Answer:
    """Return a successful answer for the desktop, with the headers it may see."""
    kept = [each for each in answer.headers if each[0] in _HEADERS_KEPT and _is_plain(each[1])]
    if _REQUEST_ID not in dict(kept):
        kept.append((_REQUEST_ID, request_id))
    return Answer(answer.status, [(_CONTENT_TYPE, JSON_TYPE), *kept] if body else kept, body)


def failure(answer: UpstreamAnswer, request_id: str) -> Answer:
    """Return a failure of Amazon's, told again in its own shape.

    Raises:
        UpstreamInvalid: it is neither success nor failure, e.g. a redirect.
    """
    if not 400 <= answer.status < 600:
        raise UpstreamInvalid
    told = _told(answer) or [(_code(answer.status), "Amazon refused this call.", "")]
    if answer.status == 403 and any(_LOOPING.search(" ".join(each)) for each in told):
        told = [("Unauthorized", "Amazon refused this call for the seller's account.", "")]
    errors = [{"code": code, "message": message, "details": details} for code, message, details in told]
    return success(answer, orjson.dumps({"errors": errors}), request_id)


def _code(status: int) -> str:
    return _CODES.get(status, "InvalidInput" if status < 500 else "InternalFailure")


def _check_content(answer: UpstreamAnswer) -> None:
    if answer.body and not _is_json(answer.header(_CONTENT_TYPE)):
        raise UpstreamInvalid


@functools.lru_cache(maxsize=_TYPES_MAX)
def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON_TYPE or media_type.endswith("+json")


def _told(answer: UpstreamAnswer) -> Sequence[tuple[str, str, str]]:
    """Return code, message and details of each error that an answer tells, as plain bounded texts.

    Some of Amazon's operations list errors bare, without the member `errors` around them.
    """
    try:
        document = bounded_json.read(answer.body, bytes_max=ERROR_BYTES_MAX)
    except bounded_json.Unreadable:
        return []
    listed = document.get("errors") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        return []
    entries = [each for each in listed[:ERRORS_MAX] if isinstance(each, dict)]
    return [
        (_text(each.get("code")), _text(each.get("message")), _text(each.get("details"))) for each in entries
    ]


def _text(value: object) -> str:
    if not isinstance(value, str) or finds_credential(value.encode()):
        return ""
    return "".join(char if char.isprintable() else " " for char in value[:ERROR_TEXT_CHARS_MAX])


def _is_plain(value: str) -> bool:
    return len(value) <= HEADER_CHARS_MAX and value.isascii() and value.isprintable()
