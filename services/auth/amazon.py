"""HTTP to Amazon's token endpoints: Login with Amazon (LWA), and SP-API's restricted data tokens.

- Only configured hosts are called, over TLS, without redirects, cookies or proxies; answers are bounded
  in bytes and time before anything reads them (T-29).
- Every error is one of ours. An upstream's words are read for their code and dropped: they may repeat
  what was sent (T-31). Nothing here logs.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

import chassis.clock
import chassis.crypto.tls
from chassis.secrecy import Secret
from services.auth.model.consents import Credentials, Region
from services.auth.model.grantless import Scope
from services.auth.model.lending import Grant
from services.auth.model.refusals import (
    AccessTokenRefused,
    AmazonThrottled,
    ApplicationRefused,
    AuthorizationUnavailable,
    GrantRefused,
    RestrictionRefused,
    UpstreamInvalid,
)
from services.auth.model.restricted import Resource
from services.auth.model.secret_refusals import RotationRefused, RotationUnenrolled

LWA_PATH = "/auth/o2/token"
RESTRICTED_PATH = "/tokens/2021-03-01/restrictedDataToken"
# Source: SP-API, Application Management API model.
ROTATION_PATH = "/applications/2023-11-30/clientSecret"
# LWA's answers hold two tokens of at most 2,048 bytes each.
ANSWER_BYTES_MAX = 16_384
CONNECTIONS_MAX = 32
# A token that ends sooner is of no use and would be asked for again and again.
LIFE_S_MIN = 120
TOKEN_CHARS_MAX = 2_048
RETRY_AFTER_S_MAX = 300.0
# Source: SP-API, "Include a User-Agent header in all requests".
USER_AGENT = "Sallyport/0.1.0 (Language=Python)"
HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where Amazon is.

    Attributes:
        lwa_url: https origin of LWA.
        spapi_urls: https origin of SP-API by region.
        ca_file: the only authority trusted; None trusts the system's.
        timeout_s: for one whole call.
    """

    lwa_url: str
    spapi_urls: Mapping[Region, str]
    ca_file: Path | None
    timeout_s: float


@dataclass(frozen=True)
class _Answer:
    status: int
    document: Mapping[str, Any]
    retry_after_s: float | None


class Amazon:
    """Amazon's token endpoints."""

    def __init__(
        self, session: aiohttp.ClientSession, endpoints: Endpoints, clock: chassis.clock.Clock
    ) -> None:
        self._session = session
        self._endpoints = endpoints
        self._clock = clock

    async def exchange_code(self, credentials: Credentials, code: Secret[str], redirect_uri: str) -> Grant:
        """Return what a consent's code is worth."""
        form = {"grant_type": "authorization_code", "code": code.reveal(), "redirect_uri": redirect_uri}
        return await self._grant(credentials, form)

    async def refresh(self, credentials: Credentials, refresh_token: Secret[str]) -> Grant:
        """Return a fresh access token."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        return await self._grant(credentials, form)

    async def grantless(self, credentials: Credentials, scope: Scope) -> Grant:
        """Return an access token that no seller stands behind."""
        return await self._grant(credentials, {"grant_type": "client_credentials", "scope": scope})

    async def rotate_secret(self, region: Region, access_token: Secret[str]) -> None:
        """Have Amazon make a new client secret, which it sends to the vendor's queue."""
        url = self._endpoints.spapi_urls[region] + ROTATION_PATH
        headers = {**self._spapi_headers(access_token), "Content-Type": "application/json"}
        answer = await self._post(url, headers=headers)
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise RotationUnenrolled
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise RotationRefused
        if answer.status != HTTPStatus.NO_CONTENT:
            raise UpstreamInvalid

    async def restrict(self, region: Region, access_token: Secret[str], resource: Resource) -> Grant:
        """Return a restricted data token for one operation."""
        url = self._endpoints.spapi_urls[region] + RESTRICTED_PATH
        headers = self._spapi_headers(access_token)
        answer = await self._post(url, headers=headers, json=_restricted_resources(resource))
        if answer.status == HTTPStatus.FORBIDDEN:
            # A missing role is a 400. Source: SP-API, "Tokens API Use Case Guide".
            raise AccessTokenRefused
        if answer.status != 200:
            raise RestrictionRefused
        # Older documents wrap the answer. Source: SP-API, "Tokens API Use Case Guide".
        document = answer.document.get("payload", answer.document)
        if not isinstance(document, dict):
            raise UpstreamInvalid
        token = _token(document.get("restrictedDataToken"))
        return Grant(access_token=token, refresh_token=None, expires_in_s=_life_s(document.get("expiresIn")))

    async def _grant(self, credentials: Credentials, form: Mapping[str, str]) -> Grant:
        proof = {"client_id": credentials.client_id, "client_secret": credentials.client_secret.reveal()}
        answer = await self._post(self._endpoints.lwa_url + LWA_PATH, data={**form, **proof})
        if answer.status != 200:
            raise _refusal(answer)
        refresh_token = answer.document.get("refresh_token")
        return Grant(
            access_token=_token(answer.document.get("access_token")),
            refresh_token=None if refresh_token is None else _token(refresh_token),
            expires_in_s=_life_s(answer.document.get("expires_in")),
        )

    def _spapi_headers(self, access_token: Secret[str]) -> Mapping[str, str]:
        return {
            "x-amz-access-token": access_token.reveal(),
            "x-amz-date": self._clock.now().strftime("%Y%m%dT%H%M%SZ"),
        }

    async def _post(self, url: str, **request: Any) -> _Answer:
        """Return an answer that is Amazon's last word on the request.

        Raises:
            AmazonThrottled: there were too many before this one.
            AuthorizationUnavailable: no answer in time, or one that says to come back.
            UpstreamInvalid: not an answer of a token endpoint.
        """
        try:
            async with self._session.post(url, allow_redirects=False, **request) as response:
                body = await _read(response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AuthorizationUnavailable from error
        retry_after_s = _retry_after_s(headers.get("Retry-After", ""))
        if status == 429:
            raise AmazonThrottled(retry_after_s=retry_after_s)
        if status >= 500:
            raise AuthorizationUnavailable(retry_after_s=retry_after_s)
        if 300 <= status < 400:
            raise UpstreamInvalid
        document = {} if status == HTTPStatus.NO_CONTENT else _document(body)
        return _Answer(status, document, retry_after_s)


@asynccontextmanager
async def connect(endpoints: Endpoints, clock: chassis.clock.Clock) -> AsyncIterator[Amazon]:
    """Give a client of Amazon's token endpoints, and close its connections at the end."""
    tls = chassis.crypto.tls.outward_context(endpoints.ca_file)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls, limit=CONNECTIONS_MAX),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=endpoints.timeout_s),
        headers=HEADERS,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Amazon(session, endpoints, clock)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body.

    Raises:
        UpstreamInvalid: it is larger than ANSWER_BYTES_MAX.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(ANSWER_BYTES_MAX):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise UpstreamInvalid
    return bytes(body)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamInvalid from error
    if not isinstance(document, dict):
        raise UpstreamInvalid
    return document


def _restricted_resources(resource: Resource) -> Mapping[str, Any]:
    """Return what a restricted data token is asked for with. Source: Tokens API model (2021-03-01)."""
    asked = resource.restriction
    named: dict[str, Any] = {"method": asked.method, "path": asked.path}
    if asked.data_elements:
        named["dataElements"] = list(asked.data_elements)
    if resource.target_application:
        return {"restrictedResources": [named], "targetApplication": resource.target_application}
    return {"restrictedResources": [named]}


def _refusal(answer: _Answer) -> Exception:
    """Return what an error of LWA means: one seller's grant, the application, or neither."""
    match answer.document.get("error"):
        case "invalid_grant":
            return GrantRefused()
        # For a wrong or expired secret. Source: SP-API field reports.
        case "invalid_client" | "unauthorized_client":
            return ApplicationRefused()
        case "temporarily_unavailable" | "server_error":
            return AuthorizationUnavailable(retry_after_s=answer.retry_after_s)
        case _:
            return UpstreamInvalid()


def _token(value: object) -> Secret[str]:
    if not isinstance(value, str) or not 0 < len(value) <= TOKEN_CHARS_MAX:
        raise UpstreamInvalid
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise UpstreamInvalid
    return Secret(value)


def _life_s(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < LIFE_S_MIN:
        raise UpstreamInvalid
    return value


def _retry_after_s(value: str) -> float | None:
    """Return how long Amazon asks us to wait, within reason; None when it does not say."""
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value), RETRY_AFTER_S_MAX)
