"""A desktop's key and the proofs it makes, right ones and wrong ones."""

import base64
import hashlib
import json
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from chassis.secrecy import Secret
from fakes.clock import FakeClock
from services.gateway.nonces import Nonces

NONCE_KEY = Secret(b"k" * 32)
NAMES = {"ES256": "ES256", "EdDSA": "Ed25519", "Ed25519": "Ed25519"}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ath(access_token: str) -> str:
    return base64url(hashlib.sha256(access_token.encode()).digest())


def nonces_for(clock: FakeClock) -> Nonces:
    """Return the nonces of a replica: all that have the same clock have the same nonces."""
    nonces = Nonces(clock)
    nonces.learn(NONCE_KEY)
    return nonces


class DeviceKey:
    """One device's key pair; every proof has an id of its own and the newest nonce unless told otherwise."""

    def __init__(self, clock: FakeClock, algorithm: str = "ES256") -> None:
        self._clock = clock
        self._algorithm = algorithm
        self._made = 0
        self.key: ECKey | OKPKey = (
            ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")
        )

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    @property
    def public(self) -> dict[str, Any]:
        return dict(self.key.as_dict(private=False))

    def proof(
        self,
        method: str,
        url: str,
        access_token: str | None = None,
        *,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
    ) -> str:
        """Return a proof; `header` and `claims` replace members, None takes one out."""
        self._made += 1
        base: dict[str, Any] = {
            "jti": f"{self.thumbprint}-{self._made}",
            "htm": method,
            "htu": url,
            "iat": int(self._clock.now().timestamp()),
            "nonce": nonces_for(self._clock).newest(),
        }
        if access_token is not None:
            base["ath"] = ath(access_token)
        head = {"typ": "dpop+jwt", "alg": self._algorithm, "jwk": self.public}
        return self.sign(_replaced(head, header), json.dumps(_replaced(base, claims)).encode())

    def sign(self, header: dict[str, Any], payload: bytes) -> str:
        """Sign anything at all; the signature is right whatever the header says."""
        signing_input = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
        algorithm = jws.JWSRegistry.algorithms[NAMES[self._algorithm]]
        return f"{signing_input}.{base64url(algorithm.sign(signing_input.encode(), self.key))}"


def _replaced(base: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    merged = {**base, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}
