"""The errors that cross Sallyport's seams: nine kinds, and what each edge makes of them.

    SallyportError
    ├── InvalidInput      400  the request cannot be meant (a reason may say 413, 422, 426, ...)
    ├── Unauthenticated   401  nobody, or nobody we can prove
    ├── Denied            403  somebody, but not for this
    ├── NotFound          404  absent, or foreign: both answer the same (T-07)
    ├── Gone              410  was here, its time is over
    ├── Conflict          409  two wishes that cannot both be granted
    ├── LimitExceeded     429  come back later
    ├── Unavailable       503  failing closed while something we stand on is down
    └── Internal          500  our mistake

A service subclasses a kind once per reason and sets `code` and `text`. Codes are stable; texts are
safe to show to anyone: they never hold a secret, personal data or an upstream's words.
`StartRefused` is apart from these: it ends a process before it serves anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType


class SallyportError(Exception):
    """What every error that may reach a caller has in common.

    Attributes:
        code: stable, snake_case, without prefix.
        text: one sentence, safe to show.
        http_status: what the HTTP edge answers; a reason may refine its kind's.
        retry_after_s: when asking again makes sense, if that is known.
        is_alarming: whether a person should look at it at once, whatever its kind.
    """

    code: str = "internal"
    text: str = "Something went wrong."
    http_status: int = 500
    is_alarming: bool = False

    def __init__(self, text: str | None = None, *, retry_after_s: float | None = None) -> None:
        if text is not None:
            self.text = text
        self.retry_after_s = retry_after_s
        super().__init__(self.text)


class InvalidInput(SallyportError):
    """The request is malformed or against the rules, whoever sends it."""

    code = "invalid_input"
    text = "The request is not valid."
    http_status = 400


class Unauthenticated(SallyportError):
    """The caller did not prove who it is."""

    code = "unauthenticated"
    text = "The caller is not authenticated."
    http_status = 401


class Denied(SallyportError):
    """The caller is known and may not do this."""

    code = "denied"
    text = "The caller may not do this."
    http_status = 403


class NotFound(SallyportError):
    """The thing is absent, or not the caller's to know about."""

    code = "not_found"
    text = "There is no such thing."
    http_status = 404


class Gone(SallyportError):
    """The thing existed and has ended for good."""

    code = "gone"
    text = "This has ended."
    http_status = 410


class Conflict(SallyportError):
    """The request contradicts what is already true."""

    code = "conflict"
    text = "The request contradicts the present state."
    http_status = 409


class LimitExceeded(SallyportError):
    """The caller used up what it may use for now."""

    code = "limit_exceeded"
    text = "The limit is reached."
    http_status = 429


class Unavailable(SallyportError):
    """Something this process stands on is down, so it refuses rather than guesses."""

    code = "unavailable"
    text = "The service cannot answer right now."
    http_status = 503


class Internal(SallyportError):
    """A mistake of ours; the cause is in the log under the request id."""

    code = "internal"
    text = "Something went wrong."
    http_status = 500


class StartRefused(Exception):
    """The process must not start like this.

    Attributes:
        code: stable, snake_case, e.g. "synchronous_commit_required".
        text: what to change, without any secret value.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code}: {text}")


@dataclass(frozen=True)
class Treatment:
    """What the edges do with one kind.

    Attributes:
        grpc_status: name of the gRPC status code.
        log_level: name of the level at which an edge logs it.
        is_retryable: whether the same request may succeed later, unchanged.
    """

    grpc_status: str
    log_level: str
    is_retryable: bool


# The HTTP status is on the classes, because a reason may refine it.
KINDS: Mapping[type[SallyportError], Treatment] = MappingProxyType(
    {
        InvalidInput: Treatment("INVALID_ARGUMENT", "info", is_retryable=False),
        Unauthenticated: Treatment("UNAUTHENTICATED", "info", is_retryable=False),
        Denied: Treatment("PERMISSION_DENIED", "warning", is_retryable=False),
        NotFound: Treatment("NOT_FOUND", "info", is_retryable=False),
        Gone: Treatment("FAILED_PRECONDITION", "info", is_retryable=False),
        Conflict: Treatment("ABORTED", "info", is_retryable=False),
        LimitExceeded: Treatment("RESOURCE_EXHAUSTED", "info", is_retryable=True),
        Unavailable: Treatment("UNAVAILABLE", "warning", is_retryable=True),
        Internal: Treatment("INTERNAL", "error", is_retryable=False),
    },
)


def kind_of(error: SallyportError) -> type[SallyportError]:
    """Return the kind an error belongs to; one without a kind counts as Internal."""
    return next((ancestor for ancestor in type(error).__mro__ if ancestor in KINDS), Internal)


def treatment_of(error: SallyportError) -> Treatment:
    """Return the row of KINDS that applies to an error; what is alarming is logged as an error."""
    treatment = KINDS[kind_of(error)]
    return replace(treatment, log_level="error") if error.is_alarming else treatment


def rebuild(
    kind: str, *, code: str, text: str, http_status: int, retry_after_s: float | None
) -> SallyportError:
    """Return an error that another process described, as the bare kind carrying its code and text.

    Args:
        kind: a kind's class name; an unknown one becomes Internal.
        code: the reason's code, as the other process said it.
        text: the reason's text, as the other process said it.
        http_status: the reason's HTTP status, as the other process said it.
        retry_after_s: seconds, or None.
    """
    by_name = {known.__name__: known for known in KINDS}
    error = by_name.get(kind, Internal)(text, retry_after_s=retry_after_s)
    error.code = code
    error.http_status = http_status
    return error
