"""One malformed request: its bytes, and what may be concluded from how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random

HOST = "localhost"
ID_HEADER = "X-Request-Id"
ID_DIGITS = 32
# How the ids of requests begin that hide in another's body; none of them may ever be answered.
HIDDEN_MARK = "5addeedf00d"
# How the ids of all others begin.
OPEN_MARK = "0ddba11feed"


class Manner(Enum):
    """How an attempt ends.

    WHOLE: its framing is sound; it must be answered, and the connection goes on if the gateway lets it.
    AMBIGUOUS: another server could see two requests in it; a plain one follows, and must get its own answer.
    LOOSE: nobody can say where it ends; an answer may come, then the connection is left.
    CUT: the client hangs up in the middle.
    """

    WHOLE = "whole"
    AMBIGUOUS = "ambiguous"
    LOOSE = "loose"
    CUT = "cut"


@dataclass(frozen=True)
class Attempt:
    """One request as it is sent.

    Attributes:
        family: what is wrong with it.
        is_plain: it is sent without TLS.
    """

    family: str
    sent: bytes = field(repr=False)
    manner: Manner = Manner.WHOLE
    is_plain: bool = False


@dataclass(frozen=True)
class Pass:
    """What valid requests are made with.

    Attributes:
        tokens: access tokens: of a device whose seller is connected, and of one whose seller is not.
        device_id, refresh_token: of a device.
    """

    tokens: tuple[str, ...] = field(repr=False)
    device_id: str = ""
    refresh_token: str = field(default="", repr=False)


class Ids:
    """Request ids in order, so that every answer can be told whose it is."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, mark: str = OPEN_MARK) -> str:
        """Return a new id."""
        self._last += 1
        return f"{mark}{self._last:0{ID_DIGITS - len(mark)}x}"


@dataclass(frozen=True)
class Source:
    """What attempts are made from.

    Attributes:
        random: seeded; the only chance there is.
        ids: of requests.
        valid: what valid requests are made with.
    """

    random: Random
    ids: Ids
    valid: Pass

    def token(self) -> str:
        """Return an access token: mostly a good one."""
        return self.random.choice((*self.valid.tokens, *self.valid.tokens, "", "sp_at_never-was-one"))

    def noise(self, bytes_max: int) -> bytes:
        """Return up to so many bytes of anything."""
        return self.random.randbytes(self.random.randint(1, bytes_max))


def head(method: str, target: str, headers: Mapping[str, str], *, ident: str) -> bytes:
    """Return a request's head, the empty line included."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", f"{ID_HEADER}: {ident}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def whole(method: str, target: str, headers: Mapping[str, str], *, ident: str, body: bytes = b"") -> bytes:
    """Return a request with its body, if it has one."""
    length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
    return head(method, target, {**headers, **length}, ident=ident) + body
