"""The vendor's own identity provider: signing in by OpenID Connect, with PKCE and a nonce.

browser -> provider's authorization page -> our callback -> code for an ID token -> whose account it is

- One provider is configured; its metadata must name it (mix-up), and an answer that names an issuer must
  name this one (RFC 9207).
- An ID token counts once its signature is verified with the provider's keys, by an algorithm of ours, and
  its claims are those of this very sign-in. Nothing else in it is kept, the access token is dropped.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import chassis.clock
import chassis.crypto.digest
from chassis.secrecy import Secret
from services.auth.model.people_refusals import ProviderMissing, ProviderUnavailable, SignInRefused
from services.auth.model.provider import Account, Binding, ProviderAnswer, Trust, account
from services.auth.provider.answers import Fetcher, open_fetcher
from services.auth.provider.keys import Keys

METADATA_PATH = "/.well-known/openid-configuration"
SCOPE = "openid"
# How long what the provider says of itself is believed without asking again.
METADATA_KEPT_S = 3_600.0

SecretSource = Callable[[], Awaitable[Secret[str]]]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What the provider says of itself, as far as it is used.

    Attributes:
        is_post: whether it wants our secret in the form, because it does not take it as basic credentials.
        names_itself: whether its answers always name it (RFC 9207).
    """

    authorization_url: str
    token_url: str
    keys_url: str
    is_post: bool
    names_itself: bool


class Provider:
    """One OpenID provider, as its relying party."""

    is_offered = True

    def __init__(
        self,
        fetcher: Fetcher,
        trust: Trust,
        clock: chassis.clock.Clock,
        *,
        redirect_uri: str,
        client_secret: SecretSource,
    ) -> None:
        self._fetcher = fetcher
        self._trust = trust
        self._clock = clock
        self._redirect_uri = redirect_uri
        self._client_secret = client_secret
        self._keys = Keys(fetcher, clock)
        self._metadata: Metadata | None = None
        self._metadata_until_s = 0.0

    async def authorization_url(self, binding: Binding) -> Secret[str]:
        """Return the address where a person signs in.

        Raises:
            ProviderUnavailable: the provider does not say where.
        """
        metadata = await self._find_metadata()
        query = {
            "response_type": "code",
            "client_id": self._trust.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "state": binding.state,
            "nonce": binding.nonce,
            "code_challenge": chassis.crypto.digest.pkce_s256(binding.code_verifier.reveal()),
            "code_challenge_method": "S256",
        }
        if self._trust.strong_contexts:
            query["acr_values"] = " ".join(sorted(self._trust.strong_contexts))
        joint = "&" if urlsplit(metadata.authorization_url).query else "?"
        return Secret(metadata.authorization_url + joint + urlencode(query))

    async def account(self, answer: ProviderAnswer, binding: Binding) -> Account:
        """Return whose sign-in an answer is.

        Raises:
            SignInRefused: it is not the answer of this provider to this sign-in.
            SecondFactorMissing: the provider asked for a password only.
            ProviderUnavailable: the provider does not answer as it should.
        """
        metadata = await self._find_metadata()
        if answer.issuer != self._trust.issuer and (answer.issuer or metadata.names_itself):
            raise SignInRefused
        id_token = await self._redeem(metadata, answer.code, binding.code_verifier)
        claims = await self._keys.verified_claims(metadata.keys_url, id_token)
        return account(claims, self._trust, nonce=binding.nonce, now=self._clock.now())

    async def _redeem(self, metadata: Metadata, code: Secret[str], code_verifier: Secret[str]) -> str:
        client_secret = await self._client_secret()
        form = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": self._redirect_uri,
            "code_verifier": code_verifier.reveal(),
        }
        if metadata.is_post:
            form |= {"client_id": self._trust.client_id, "client_secret": client_secret.reveal()}
            document = await self._fetcher.post(metadata.token_url, form, None)
        else:
            document = await self._fetcher.post(
                metadata.token_url, form, (self._trust.client_id, client_secret)
            )
        id_token = document.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderUnavailable
        return id_token

    async def _find_metadata(self) -> Metadata:
        now_s = self._clock.monotonic_s()
        if self._metadata is None or now_s >= self._metadata_until_s:
            document = await self._fetcher.get(self._trust.issuer.rstrip("/") + METADATA_PATH)
            self._metadata = _metadata(document, self._trust.issuer)
            self._metadata_until_s = now_s + METADATA_KEPT_S
        return self._metadata


class NoProvider:
    """Stands where a provider would when the vendor configured none."""

    is_offered = False

    async def authorization_url(self, _binding: Binding) -> Secret[str]:
        """Refuse.

        Raises:
            ProviderMissing: always.
        """
        raise ProviderMissing

    async def account(self, _answer: ProviderAnswer, _binding: Binding) -> Account:
        """Refuse.

        Raises:
            ProviderMissing: always.
        """
        raise ProviderMissing


@asynccontextmanager
async def connect(
    trust: Trust,
    clock: chassis.clock.Clock,
    *,
    ca_file: Path | None,
    redirect_uri: str,
    client_secret: SecretSource,
) -> AsyncIterator[Provider]:
    """Give the relying party of a provider, and close its connections at the end; nothing is dialled yet."""
    async with open_fetcher(ca_file) as fetcher:
        yield Provider(fetcher, trust, clock, redirect_uri=redirect_uri, client_secret=client_secret)


def _metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Return what is used of a provider's metadata.

    Raises:
        ProviderUnavailable: it is another's, or lacks something. Source: OpenID Connect Discovery 1.0, 4.3.
    """
    if document.get("issuer") != issuer:
        raise ProviderUnavailable
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        authorization_url=_https(document.get("authorization_endpoint")),
        token_url=_https(document.get("token_endpoint")),
        keys_url=_https(document.get("jwks_uri")),
        is_post="client_secret_basic" not in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _https(value: object) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme != "https":
        raise ProviderUnavailable
    return value
