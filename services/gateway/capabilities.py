"""Capabilities: links of ours to documents, sealed so that any replica can serve them and nobody else.

A capability is what it stands for, packed, sealed under a key that the replicas share, and spelled for a
path. So no replica keeps any, and none can be made, read or changed without the key.

- Its method is bound by the seal: what was given for reading does not open for writing.
- Whatever does not open is unknown, whyever: guessed, altered, of another method, sealed under an older key.
- It ends by a clock that never goes back, so that no jump of the machine's time makes it live longer (R-14).
- It is far shorter than a request's line may be, whatever Amazon's link holds.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import orjson

import chassis.crypto.seal
from chassis.clock import Clock
from chassis.secrecy import Secret
from services.gateway.model.documents import (
    CAPABILITY_S_MAX,
    PATH,
    Capability,
    DocumentClass,
    DocumentEnded,
    DocumentUnknown,
)
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.shared_key import SharedKey

PURPOSE = "document capability"
VERSION = 1
# With "GET /_doc/" and the version of HTTP it stays within 8,190 bytes, the shortest line that servers and
# proxies commonly take. Source: Apache httpd, LimitRequestLine.
CAPABILITY_CHARS_MAX = 8_000
# No more is unpacked of one that opens, so none that holds more is made.
MEMBERS_BYTES_MAX = 16_384
# Another replica's clock may run ahead; one that is further ahead is not believed.
AHEAD_S_MAX = 60.0
# What most presigned links share, so that a packed one is little longer than its secret parts.
_DICTIONARY = (
    b"content-type-md5x-amz-server-side-encryptionaws:kmstext/xml; charset=UTF-8text/tab-separated-values; "
    b"https://tortuga-prod-fe.s3-us-west-2.amazonaws.com/https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/"
    b"https://tortuga-prod-na.s3-external-1.amazonaws.com/.amzn1.tortuga.4.na.T?X-Amz-Security-Token="
    b"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-SignedHeaders=content-type%3Bhost"
    b"&X-Amz-Expires=300&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature="
)


class Capabilities:
    """Seals and opens capabilities, while the key is fresh."""

    def __init__(self, *, key: SharedKey, clock: Clock, origin: str) -> None:
        """Prepare.

        Args:
            key: that all replicas share.
            clock: never goes back.
            origin: https, without a trailing slash, under which desktops know the gateway.
        """
        self._key = key
        self._clock = clock
        self._origin = origin

    def link(self, capability: Capability) -> str:
        """Return a capability as a link to this gateway; see `seal`."""
        return f"{self._origin}{PATH}{self.seal(capability)}"

    def seal(self, capability: Capability) -> str:
        """Return a capability as the last segment of a path; it lives for CAPABILITY_S_MAX from now.

        Raises:
            UpstreamInvalid: Amazon's link, with the headers that it wants, is too long to be carried.
            KeyServiceUnavailable: there is no key right now.
        """
        ends_at_s = self._clock.now().timestamp() + CAPABILITY_S_MAX
        packed = _packed({**_members(capability), "e": ends_at_s})
        sealed = chassis.crypto.seal.seal(self._key.current(), packed, _associated(capability.method))
        spelled = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")
        if len(spelled) > CAPABILITY_CHARS_MAX:
            raise UpstreamInvalid
        return spelled

    def open(self, spelled: str, method: str) -> Capability:
        """Return what a stranger's segment stands for, if it is for this method and lives.

        Raises:
            DocumentUnknown: it stands for nothing.
            DocumentEnded: it did, and its time is over.
            KeyServiceUnavailable: nothing can be opened right now.
        """
        key = self._key.current()
        try:
            opened = chassis.crypto.seal.open_(key, _unspelled(spelled), _associated(method))
        except chassis.crypto.seal.IntegrityFailure as error:
            raise DocumentUnknown from error
        members = _unpacked(opened)
        if not 0 < members["e"] - self._clock.now().timestamp() <= CAPABILITY_S_MAX + AHEAD_S_MAX:
            raise DocumentEnded
        return _capability(members)


def _associated(method: str) -> bytes:
    return chassis.crypto.seal.associated(purpose=PURPOSE, version=VERSION, method=method)


def _packed(members: Mapping[str, Any]) -> bytes:
    """Return members packed.

    Raises:
        UpstreamInvalid: they are more than would be unpacked again.
    """
    plain = orjson.dumps(members)
    if len(plain) > MEMBERS_BYTES_MAX:
        raise UpstreamInvalid
    packer = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS, zdict=_DICTIONARY)
    return packer.compress(plain) + packer.flush()


def _unpacked(packed: bytes) -> Mapping[str, Any]:
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=_DICTIONARY)
    members: Mapping[str, Any] = orjson.loads(unpacker.decompress(packed, MEMBERS_BYTES_MAX))
    return members


def _unspelled(spelled: str) -> bytes:
    """Return the bytes of a segment, if it is the one spelling of them.

    Raises:
        DocumentUnknown: it is none.
    """
    if not spelled.isascii() or len(spelled) > CAPABILITY_CHARS_MAX:
        raise DocumentUnknown
    try:
        sealed = base64.b64decode(spelled + "=" * (-len(spelled) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise DocumentUnknown from error
    if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii") != spelled:
        raise DocumentUnknown
    return sealed


def _members(capability: Capability) -> Mapping[str, Any]:
    return {
        "u": capability.url.reveal(),
        "m": capability.method,
        "t": capability.content_type,
        "h": [list(header) for header in capability.headers],
        "o": capability.operation,
        "p": capability.purpose,
        "c": capability.document_class,
        "d": capability.device_id,
        "s": capability.seller_id,
        "w": sorted(capability.scopes),
        "a": capability.access_token.reveal(),
        "r": capability.order_id,
    }


def _capability(members: Mapping[str, Any]) -> Capability:
    return Capability(
        url=Secret(members["u"]),
        method=members["m"],
        content_type=members["t"],
        headers=tuple((name, value) for name, value in members["h"]),
        operation=members["o"],
        purpose=members["p"],
        document_class=DocumentClass(members["c"]),
        device_id=members["d"],
        seller_id=members["s"],
        scopes=frozenset(members["w"]),
        access_token=Secret(members["a"]),
        # Replicas of an older release seal none.
        order_id=members.get("r", ""),
    )
