"""A person's device that keeps passkeys: what a browser and an authenticator do together, in software.

It does what WebAuthn asks of an honest one. Its knobs make it the other kinds: one that does not verify its
person, that sits at another origin or in a frame, or whose count of uses stands still.
"""

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "https://gateway.example"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(16)
# Source: RFC 9053, 2.1 and 2.2; RFC 9052, 7.
ES256, EDDSA = -7, -8


@dataclass
class Key:
    """One passkey on the device."""

    credential_id: bytes
    user_handle: bytes
    sign_count: int = 0


@dataclass
class PasskeyDevice:
    """Everything follows from the seed, so the same run makes the same bytes with EDDSA.

    Attributes:
        counts: False for authenticators that do not count.
    """

    seed: str = "device"
    origin: str = ORIGIN
    rp_id: str = ""
    algorithm: int = EDDSA
    is_verified: bool = True
    is_framed: bool = False
    counts: bool = True
    keys: list[Key] = field(default_factory=list)

    def create(self, options_json: str) -> str:
        """Return the browser's answer to a registration, as RegistrationResponseJSON."""
        options = json.loads(options_json)
        key = Key(self._chance(len(self.keys), "id"), _unbase64url(options["user"]["id"]))
        self.keys.append(key)
        public = cbor(self._public(key))
        named = AAGUID + struct.pack(">H", len(key.credential_id)) + key.credential_id + public
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._data(options["rp"]["id"], key, ATTESTED) + named,
        }
        return self._answer(
            key,
            {
                "clientDataJSON": _base64url(self._client_data("webauthn.create", options["challenge"])),
                "attestationObject": _base64url(cbor(attestation)),
            },
        )

    def get(self, options_json: str, key: Key | None = None) -> str:
        """Return the browser's answer to a sign-in, as AuthenticationResponseJSON."""
        options, key = json.loads(options_json), key or self.keys[-1]
        key.sign_count += self.counts
        data = self._data(options["rpId"], key, 0)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signature = self._sign(key, data + hashlib.sha256(client_data).digest())
        return self._answer(
            key,
            {
                "clientDataJSON": _base64url(client_data),
                "authenticatorData": _base64url(data),
                "signature": _base64url(signature),
                "userHandle": _base64url(key.user_handle),
            },
        )

    def copy(self) -> "PasskeyDevice":
        """Return a second device with the same passkeys at the same counts."""
        return replace(self, keys=[replace(key) for key in self.keys])

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.is_framed}
        return json.dumps(data).encode()

    def _data(self, rp_id: str, key: Key, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.is_verified else 0)
        rp_digest = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return rp_digest + struct.pack(">BI", flags, key.sign_count)

    def _public(self, key: Key) -> dict[int, Any]:
        if self.algorithm == EDDSA:
            x = self._ed25519(key).public_key().public_bytes_raw()
            return {1: 1, 3: EDDSA, -1: 6, -2: x}
        numbers = self._p256(key).public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return {1: 2, 3: ES256, -1: 1, -2: x, -3: y}

    def _sign(self, key: Key, data: bytes) -> bytes:
        if self.algorithm == EDDSA:
            return self._ed25519(key).sign(data)
        return self._p256(key).sign(data, ec.ECDSA(SHA256()))

    def _ed25519(self, key: Key) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"key" + key.credential_id).digest())

    def _p256(self, key: Key) -> ec.EllipticCurvePrivateKey:
        secret = hashlib.sha256(b"key" + key.credential_id).digest()[:31]
        return ec.derive_private_key(int.from_bytes(secret, "big") + 1, ec.SECP256R1())

    def _chance(self, number: int, what: str) -> bytes:
        return hashlib.sha256(f"{self.seed} {number} {what}".encode()).digest()

    def _answer(self, key: Key, response: dict[str, str]) -> str:
        credential_id = _base64url(key.credential_id)
        return json.dumps(
            {
                "id": credential_id,
                "rawId": credential_id,
                "type": "public-key",
                "clientExtensionResults": {},
                "response": response,
            }
        )


def cbor(value: object) -> bytes:
    """Return CBOR of whole numbers, bytes, texts and maps. Source: RFC 8949, 3."""
    match value:
        case int() if value >= 0:
            return _head(0, value)
        case int():
            return _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(one) for key, one in value.items())
    raise TypeError(value)


def _head(kind: int, size: int) -> bytes:
    if size < 24:
        return bytes([kind << 5 | size])
    if size < 256:
        return bytes([kind << 5 | 24, size])
    return bytes([kind << 5 | 25]) + struct.pack(">H", size)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
