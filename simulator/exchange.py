"""Requests and answers as plain values: what the simulator's core sees of HTTP.

The core turns one `Request` into one `Answer` and never touches a socket; `web` does the rest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

# A form with more fields than this is not one of ours.
FORM_FIELDS_MAX = 32
JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case, `began_s` is when it came, on the monotonic clock."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    began_s: float = 0.0

    def first(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        return next((value for key, value in self.query if key == name), None)

    def listed(self, name: str) -> list[str]:
        """Return the values of an array parameter, comma-joined or repeated; empty when it is absent."""
        joined = (value for key, value in self.query if key == name)
        return [part.strip() for value in joined for part in value.split(",") if part.strip()]

    def form(self) -> dict[str, str]:
        """Return the fields of a form-encoded body.

        Raises:
            ValueError: it is no such form, repeats a field or has more than FORM_FIELDS_MAX.
        """
        text = self.body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise ValueError("a field is repeated")
        return fields

    def document(self) -> dict[str, Any]:
        """Return the JSON object in the body.

        Raises:
            ValueError: the body is not a JSON object.
        """
        document = json_value(self.body)
        if not isinstance(document, dict):
            raise ValueError("the body is not a JSON object")  # noqa: TRY004 - what was sent is wrong, not a type
        return document


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, and what should go wrong on its way.

    A delay; a connection that closes before anything is sent, or after `sent_bytes` of the body; a body that
    takes `drip_s` to come. `ordinal` is its call's number in the record.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    is_hung_up: bool = False
    sent_bytes: int | None = None
    drip_s: float = 0.0
    ordinal: int = 0

    def header(self, name: str) -> str | None:
        """Return the first header called `name`, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def document(self) -> Any:
        """Return the JSON value in the body."""
        return json.loads(self.body)


class Refusal(Exception):
    """An error that the Selling Partner API answers with: a status and one entry of its `errors` list."""

    def __init__(self, status: int, code: str, message: str, *, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


def json_value(body: bytes) -> Any:
    """Return the JSON value that a body holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error


def invalid_input(message: str, details: str = "") -> Refusal:
    """Return the refusal of a request that makes no sense."""
    return Refusal(400, "InvalidInput", message, details=details)


def denied(details: str = "") -> Refusal:
    """Return the refusal of a request whose token does not reach that far."""
    return Refusal(403, "Unauthorized", "Access to requested resource is denied.", details=details)


def not_found(message: str = "The requested resource doesn't exist.") -> Refusal:
    """Return the refusal of a request for something absent, or somebody else's."""
    return Refusal(404, "NotFound", message)


def quota_exceeded() -> Refusal:
    """Return the refusal of one request too many."""
    return Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")


_ERROR_TYPES = {
    400: "InvalidInputException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "TooManyRequestsException",
    500: "InternalServerErrorException",
    503: "ServiceUnavailableException",
}


def refused(refusal: Refusal) -> Answer:
    """Return a refusal in the shape the Selling Partner API gives it."""
    error = {"code": refusal.code, "message": refusal.message, "details": refusal.details}
    kind = _ERROR_TYPES.get(refusal.status, "InvalidInputException")
    return json_answer(refusal.status, {"errors": [error]}, ("x-amzn-ErrorType", kind))


def json_answer(status: int, document: Any, *headers: tuple[str, str]) -> Answer:
    """Return an answer that carries a JSON value."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, (("Content-Type", JSON_TYPE), *headers))


def html_answer(status: int, page: str, *headers: tuple[str, str]) -> Answer:
    """Return an answer that carries a page."""
    return Answer(status, page.encode(), (("Content-Type", HTML_TYPE), *headers))


def strict_http_fault(request: Request, *, agent_size_max: int = 500) -> Answer | None:
    """Return the bare HTML page with which Amazon's front refuses sloppy HTTP, or None.

    Source: SP-API documentation, "Resolve Common HTTP and Authorization Error Codes" and
    "Include a User-Agent header in all requests".
    """
    has_body = bool(request.body) or not request.headers.keys().isdisjoint(
        ("content-length", "transfer-encoding")
    )
    is_agent_long = len(request.headers.get("user-agent", "")) > agent_size_max
    if not is_agent_long and not (has_body and request.method in {"GET", "HEAD"}):
        return None
    title = "400 Bad Request"
    head, body = f"<head><title>{title}</title></head>", f"<body><center><h1>{title}</h1></center></body>"
    page = f"<html>\r\n{head}\r\n{body}\r\n</html>"
    return html_answer(400, page)


def names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of headers or parameters without their values, sorted, each once."""
    return sorted({name for name, _ in pairs})
