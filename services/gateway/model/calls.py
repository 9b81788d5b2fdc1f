"""What travels through the forwarding path: a desktop's call, its answer, and the call to Amazon.

Nothing here shows a token, a body or a header in its repr: they may hold secrets or personal data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from chassis.secrecy import Secret
from services.gateway.model.fields import Fields

# How a proof may be signed. "EdDSA" is what clients said before RFC 9864 gave its curves names of their own.
PROOF_ALGORITHMS = ("ES256", "EdDSA", "Ed25519")


class Region(StrEnum):
    """Amazon's regions; one endpoint and one consent each."""

    NA = "na"
    EU = "eu"
    FE = "fe"


class Profile(StrEnum):
    """How a device proves itself: `bound` to a key (DPoP), or `compat` with unmodified libraries."""

    BOUND = "bound"
    COMPAT = "compat"


class Source(StrEnum):
    """Where an answer came from, as the desktop and the audit log are told."""

    AMAZON = "amazon"
    SAFE = "safe"
    CACHE = "cache"
    """Amazon's, and served again."""
    SHARED = "shared"
    """Amazon's or the safe's, asked for by several at once."""
    GATEWAY = "gateway"


def _nothing_left() -> None:
    """Leave a proof as it is: it is used up already."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A DPoP proof that the door verified for this very call (RFC 9449 4.3).

    Attributes:
        thumbprint: RFC 7638 thumbprint of the key that signed it.
        use_up: to be called, before anything is done for the proof's sake, by whoever knows that its key is
            the caller's; it raises InvalidDpopProof for a proof that was used before.
    """

    thumbprint: str
    use_up: Callable[[], None] = field(default=_nothing_left, repr=False, compare=False)


@dataclass(slots=True)
class Call:
    """One call of a desktop, as the door read it from the wire.

    Attributes:
        method: upper case.
        target: raw path and query, percent-encoding untouched.
        fields: its header fields.
        body: decoded from its Content-Encoding, already within the door's size cap.
        host: the Host header, in lower case, perhaps with a port; may name an Amazon endpoint.
        came_from: the network address of whoever makes it.
        access_token: what x-amz-access-token (or `Authorization: DPoP`) held; empty when absent.
        proof: None when the call came without DPoP.
        request_id: given or made by the door; echoed and audited.
    """

    method: str
    target: str = field(repr=False)
    fields: Fields = field(repr=False)
    body: bytes = field(repr=False)
    host: str
    came_from: str = field(repr=False)
    access_token: str = field(repr=False)
    proof: Proof | None
    request_id: str


@dataclass(slots=True)
class Answer:
    """What goes back to the desktop; the body is complete."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)


class Restriction(NamedTuple):
    """One operation that a restricted handle, or a restricted data token, is good for.

    A tuple, because each call looks up its token and its twins by it.

    Attributes:
        method: upper case.
        path: specific, or generic such as /orders/v0/orders/{orderId}.
        data_elements: e.g. buyerInfo; empty where the operation knows none.
        target_application: another developer's, for whose use the token is; empty for none.
    """

    method: str
    path: str
    data_elements: tuple[str, ...] = ()
    target_application: str = ""


@dataclass(frozen=True, slots=True)
class Grantless:
    """The application's own token, behind which no seller stands."""


# What a token of Amazon's is borrowed for; None: the ordinary token of the device's seller.
Loan = Restriction | Grantless | None


@dataclass(frozen=True, slots=True)
class Device:
    """What a device's access token stands for, as auth vouches for it.

    Attributes:
        scopes: "orders", and "pii" when the vendor allowed it.
        key_thumbprint: of the device's DPoP key; empty in the compat profile.
        expires_in_s: how long the access token is good from when auth was asked.
        restrictions: not empty only when the token is a restricted handle.
        regions: where the seller has an active consent.
        default_marketplace_id: decides the region when the call does not; may be empty.
        target_application: another developer's, for whose use a handle is; else empty.
    """

    device_id: str
    seller_id: str
    profile: Profile
    scopes: frozenset[str]
    key_thumbprint: str
    expires_in_s: float
    restrictions: tuple[Restriction, ...]
    regions: frozenset[Region]
    default_marketplace_id: str
    target_application: str = ""


@dataclass(frozen=True, slots=True)
class AmazonToken:
    """A token of Amazon's, lent by auth; it never leaves the process but to Amazon.

    Attributes:
        expires_in_s: how long it is good from when auth was asked.
    """

    token: Secret[str]
    expires_in_s: float


@dataclass(frozen=True, slots=True)
class SafeKey:
    """Where the safe keeps one part of one order, e.g. field set "ordersV0.getOrderAddress"."""

    seller_id: str
    order_id: str
    field_set: str


@dataclass(slots=True)
class UpstreamRequest:
    """A call to Amazon, built by us from parts we know.

    Attributes:
        path: canonical, percent-encoded, starting with a slash.
        query: without the question mark, percent-encoded; empty when there is none.
        headers: all but the token's, names in lower case.
        body: empty for GET.
    """

    region: Region
    method: str
    path: str = field(repr=False)
    query: str = field(repr=False)
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)
    token: Secret[str]


@dataclass(slots=True)
class UpstreamAnswer:
    """What Amazon said, whole and within the size cap; header names in lower case."""

    status: int
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), or an empty text."""
        for known, value in self.headers:
            if known == name:
                return value
        return ""
