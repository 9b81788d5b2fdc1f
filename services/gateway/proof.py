"""Proofs of possession (DPoP): a stranger's header becomes the thumbprint of a key, or a refusal.

Owns what a proof must say and that each is taken once. Never knows whose key it is: that a token is
bound to the thumbprint is checked by whoever knows the token. Does no I/O; joserfc is used here only.

- a proof names its request's method and URL, and at resources the token it comes with;
- a proof carries a nonce of ours that still lives, which shows that it was made just now; so its own date may
  be off by IAT_OFF_S_MAX, as desktops' clocks are (R-14);
- a proof works once (`used_proofs`);
- who verifies a proof says when it is used up: once its key is known to be the caller's, where there is a way
  to know, because anybody can make a key, and the memory is for those who are somebody.

The memory is this process's own; a proof shown to another replica while its nonce lives is that replica's
first sight of it.

Source: RFC 9449, sections 4.2, 4.3, 8 and 11.1; RFC 7638 (thumbprint); RFC 9864 (Ed25519).
"""

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, thumbprint
from joserfc.util import urlsafe_b64decode

import chassis.crypto.digest
import chassis.vault
from chassis.clock import Clock
from chassis.recent import Recent
from services.gateway.model.calls import PROOF_ALGORITHMS, Proof
from services.gateway.model.faults import InvalidDpopProof, UseDpopNonce
from services.gateway.nonces import Nonces
from services.gateway.used_proofs import PROOFS_MAX, PROOFS_OF_KEY_MAX, UsedProofs

PROOF_BYTES_MAX = 4_096
HEADER_BYTES_MAX = 2_048
JTI_CHARS_MAX = 256
# Source: R-14, clocks are off by 10 minutes; the nonce says how old the proof is.
IAT_OFF_S_MAX = 600
# Signers that were shown last, ready for use; about 4 KB each, and at most a header's size more.
SIGNERS_MAX = 4_096
PROOF_HEADER = "DPoP"
NONCE_HEADER = "dpop-nonce"

TYPE = "dpop+jwt"
_REGISTRY = jws.JWSRegistry(strict_check_header=False)


class _Kind(NamedTuple):
    """What goes with an algorithm's name.

    Attributes:
        key_type: the type of its keys.
        curve: theirs.
        members: that make a public key, in the order of its thumbprint.
        key: reads those.
        verify: tells whether a key made a signature.
    """

    key_type: str
    curve: str
    members: Sequence[str]
    key: type[ECKey] | type[OKPKey]
    verify: Callable[[bytes, bytes, Any], bool]


# Source: RFC 7638, 3.2; RFC 8037, 2 (members). EdDSA is deprecated, and means the one curve it is used with.
_P256 = _Kind("EC", "P-256", ("crv", "kty", "x", "y"), ECKey, _REGISTRY.algorithms["ES256"].verify)
_ED25519 = _Kind("OKP", "Ed25519", ("crv", "kty", "x"), OKPKey, _REGISTRY.algorithms["Ed25519"].verify)
_KINDS = MappingProxyType(dict(zip(PROOF_ALGORITHMS, (_P256, _ED25519, _ED25519), strict=True)))


class _Signer(NamedTuple):
    """What a proof's header shows: a public key, and by what its signatures are verified."""

    key: ECKey | OKPKey
    verify: Callable[[bytes, bytes, Any], bool]
    thumbprint: str


class ProofVerifier:
    """Turns DPoP headers into thumbprints, each proof once."""

    def __init__(
        self,
        *,
        origins: Sequence[str],
        clock: Clock,
        nonces: Nonces,
        proofs_max: int = PROOFS_MAX,
        of_key_max: int = PROOFS_OF_KEY_MAX,
    ) -> None:
        """Prepare.

        Args:
            origins: scheme, host and port under which clients know us, and no more, the usual one first;
                proofs name no other.
            clock: how late it is where desktops are.
            nonces: makes and knows the nonces that proofs carry.
            proofs_max: how many are remembered.
            of_key_max: how many of one key.
        """
        self._usual_origin = origins[0]
        self._origins = frozenset(_origin(each) for each in origins)
        self._clock = clock
        self._nonces = nonces
        self._used = UsedProofs(clock, proofs_max=proofs_max, of_key_max=of_key_max)
        self._signers: Recent[bytes, _Signer] = Recent(SIGNERS_MAX)

    def offer(self) -> Sequence[tuple[str, str]]:
        """Return the header that brings a client its next nonce; none while no nonce can be made.

        It goes with every answer to a request that came with a proof, so a client never waits for a challenge
        that it could have been spared.
        """
        try:
            return [(NONCE_HEADER, self._nonces.newest())]
        except chassis.vault.KeyServiceUnavailable:
            return []

    def verify(
        self, headers: Sequence[str], *, method: str, path: str, access_token: str | None = None
    ) -> Proof:
        """Return the proof of a request, which is still to be used up (`Proof.use_up`).

        Args:
            headers: every DPoP header of the request; there must be one.
            method: of the request.
            path: of the request, as it came, without the query.
            access_token: what the request carries; None where it carries none (the token endpoint).

        Raises:
            InvalidDpopProof: the header is not a proof of this very request.
            UseDpopNonce: it is, but was made without a nonce that still lives.
            KeyServiceUnavailable: nothing can be proven right now.
        """
        if len(headers) != 1 or len(headers[0]) > PROOF_BYTES_MAX:
            raise InvalidDpopProof("A request carries one DPoP proof of at most 4,096 characters.")
        key_thumbprint, claims = self._open(headers[0])
        self._check_claims(claims, method=method, path=path, access_token=access_token)
        if not self._nonces.is_fresh(claims.get("nonce")):
            raise UseDpopNonce
        return Proof(key_thumbprint, functools.partial(self._used.add, key_thumbprint, claims["jti"]))

    def _open(self, header: str) -> tuple[str, Mapping[str, Any]]:
        """Return thumbprint and claims of a well-formed, well-signed proof; the claims are unchecked."""
        try:
            signed, _, signature = header.encode("ascii").rpartition(b".")
            head, _, payload = signed.partition(b".")
            signer = self._signer(head)
            if not signer.verify(signed, urlsafe_b64decode(signature), signer.key):
                raise InvalidDpopProof("The proof's signature is wrong.")
            claims = orjson.loads(urlsafe_b64decode(payload))
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidDpopProof("The proof is not a well-formed, signed token.") from error
        if not isinstance(claims, dict):
            raise InvalidDpopProof("The proof's payload is not an object.")
        return signer.thumbprint, claims

    def _signer(self, head: bytes) -> _Signer:
        """Return what a proof's header shows; a desktop shows the same one every time.

        Args:
            head: the header as it came.

        Raises:
            InvalidDpopProof: as `_kind` and `_public_members`, or it is too long.
            JoseError, ValueError, TypeError: it is no header, or the members make no key.
        """
        known = self._signers.get(head)
        if known is None:
            known = self._read_signer(head)
            self._signers.put(head, known)
        return known

    def _read_signer(self, head: bytes) -> _Signer:
        if len(head) > HEADER_BYTES_MAX:
            raise InvalidDpopProof
        header = orjson.loads(urlsafe_b64decode(head))
        kind = _kind(header)
        _REGISTRY.check_header(header)
        public = _public_members(header["jwk"], kind)
        return _Signer(kind.key.import_key(public), kind.verify, thumbprint(public))

    def _check_claims(
        self, claims: Mapping[str, Any], *, method: str, path: str, access_token: str | None
    ) -> None:
        jti, iat, htu = claims.get("jti"), claims.get("iat"), claims.get("htu")
        if not isinstance(jti, str) or not 1 <= len(jti) <= JTI_CHARS_MAX:
            raise InvalidDpopProof("The proof has no usable jti.")
        if claims.get("htm") != method:
            raise InvalidDpopProof("The proof is for another method.")
        if not isinstance(htu, str) or not self._is_here(htu, path):
            raise InvalidDpopProof("The proof is for another URL.")
        if not isinstance(iat, (int, float)):
            raise InvalidDpopProof("The proof has no usable iat.")
        if not abs(self._clock.now().timestamp() - iat) <= IAT_OFF_S_MAX:
            raise InvalidDpopProof("The proof's iat is more than 10 minutes off; set the machine's clock.")
        if access_token is not None and not _names_token(claims.get("ath"), access_token):
            raise InvalidDpopProof("The proof is for another access token.")

    def _is_here(self, htu: str, path: str) -> bool:
        """Return whether a URL is ours and names the path; its query and fragment do not count."""
        if htu == self._usual_origin + path:
            return True  # As nearly all write it.
        try:
            parts = urlsplit(htu)
            return _origin(htu) in self._origins and (parts.path or "/") == path
        except ValueError:
            return False


def _kind(header: object) -> _Kind:
    """Return what goes with the algorithm that a proof's header names.

    Raises:
        InvalidDpopProof: it is no DPoP header, or its key is not public or not the algorithm's.
    """
    if not isinstance(header, dict):
        raise InvalidDpopProof("The proof's header is not an object.")
    jwk, kind = header.get("jwk"), _KINDS.get(str(header.get("alg")))
    if header.get("typ") != TYPE or "crit" in header or not isinstance(jwk, dict) or "d" in jwk:
        raise InvalidDpopProof("The proof's header is not a DPoP header with a public key.")
    if kind is None or (jwk.get("kty"), jwk.get("crv")) != (kind.key_type, kind.curve):
        raise InvalidDpopProof("The proof's algorithm and key do not go together, or are not taken.")
    return kind


def _public_members(jwk: Mapping[str, Any], kind: _Kind) -> dict[str, Any]:
    """Return the members that make the key, and no others.

    Raises:
        InvalidDpopProof: one is missing, or no text.
    """
    if not all(isinstance(jwk.get(name), str) for name in kind.members):
        raise InvalidDpopProof("The proof's key is not whole.")
    return {name: jwk[name] for name in kind.members}


def _names_token(ath: object, access_token: str) -> bool:
    fingerprint = chassis.crypto.digest.sha256(access_token.encode("utf-8", "surrogatepass"))
    return ath == base64.urlsafe_b64encode(fingerprint).rstrip(b"=").decode("ascii")


def _origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port in one form, whatever way they were written (RFC 3986, 6.2)."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", parts.port or default
