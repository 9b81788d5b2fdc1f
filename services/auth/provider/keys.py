"""The provider's keys, and the ID tokens that they sign.

Keys are asked for when a token names one that is not known, at most once in AGAIN_S: a stranger's token
makes nobody fetch. Only public keys for signing are taken, and only with algorithms of ALGORITHMS, so
neither "none" nor a secret of ours used as a key passes.
"""

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

import chassis.clock
from services.auth.model.people_refusals import SignInRefused
from services.auth.provider.answers import Fetcher

# Source: OpenID Connect Core 1.0, 15.1 (RS256); RFC 8725, 3.1 and 3.2 (an allow-list).
ALGORITHMS = ("RS256", "PS256", "ES256")
HEADER_BYTES_MAX = 2_048
PAYLOAD_BYTES_MAX = 65_536
KEYS_MAX = 50
AGAIN_S = 60.0
# Source: RFC 7518, 3.3: 2,048 bits, which is 342 characters in base64url.
MODULUS_CHARS_MIN = 342
_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}

PublicKey = RSAKey | ECKey


class _Registry(jws.JWSRegistry):
    """joserfc's rules with our bounds."""

    max_header_length = HEADER_BYTES_MAX
    max_payload_length = PAYLOAD_BYTES_MAX


class Keys:
    """The keys that the provider publishes, by their ids."""

    def __init__(self, fetcher: Fetcher, clock: chassis.clock.Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)
        self._keys: dict[str | None, PublicKey] = {}
        self._again_at_s = 0.0

    async def verified_claims(self, keys_url: str, id_token: str) -> Mapping[str, Any]:
        """Return the claims of a token that one of the provider's keys signed; they are unchecked.

        Raises:
            SignInRefused: no such key signed it.
            ProviderUnavailable: the keys cannot be had.
        """
        try:
            unverified = jws.extract_compact(id_token.encode("ascii"), registry=self._registry)
            key_id = unverified.protected.get("kid")
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise SignInRefused from error
        key = await self._find(keys_url, key_id if isinstance(key_id, str) else None)
        try:
            is_signed = jws.validate_compact(unverified, key, registry=self._registry)
            claims = json.loads(unverified.payload or b"")
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise SignInRefused from error
        if not is_signed or not isinstance(claims, dict):
            raise SignInRefused
        return claims

    async def _find(self, keys_url: str, key_id: str | None) -> PublicKey:
        if key_id not in self._keys and self._clock.monotonic_s() >= self._again_at_s:
            self._again_at_s = self._clock.monotonic_s() + AGAIN_S
            self._keys = _public_keys(await self._fetcher.get(keys_url))
        if key_id not in self._keys:
            raise SignInRefused
        return self._keys[key_id]


def _public_keys(document: Mapping[str, Any]) -> dict[str | None, PublicKey]:
    """Return the keys of a key set that may sign, by id; a single one also for tokens that name none."""
    listed = document.get("keys")
    keys: dict[str | None, PublicKey] = {}
    for jwk in listed[:KEYS_MAX] if isinstance(listed, list) else ():
        key = _public_key(jwk) if isinstance(jwk, dict) else None
        if key is not None:
            keys[jwk["kid"] if isinstance(jwk.get("kid"), str) else None] = key
    if len(keys) == 1:
        keys[None] = next(iter(keys.values()))
    return keys


def _public_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    members = _MEMBERS.get(str(jwk.get("kty")), ())
    if not members or not all(isinstance(jwk.get(name), str) for name in members):
        return None
    if jwk.get("use", "sig") != "sig" or len(jwk.get("n", "n" * MODULUS_CHARS_MIN)) < MODULUS_CHARS_MIN:
        return None
    public = {name: jwk[name] for name in members}
    try:
        return RSAKey.import_key(public) if public["kty"] == "RSA" else ECKey.import_key(public)
    except (JoseError, KeyError, ValueError, TypeError):
        # A KeyError is joserfc's word for a curve that it does not know.
        return None
