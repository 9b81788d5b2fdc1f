"""Asking the identity provider over HTTPS: bounded in bytes and time; no redirects, cookies or proxies."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp

import chassis.crypto.tls
from chassis.secrecy import Secret
from services.auth.model.people_refusals import ProviderUnavailable, SignInRefused

# Metadata, a set of keys, or a token with some groups in it.
ANSWER_BYTES_MAX = 131_072
CONNECTIONS_MAX = 4
# Metadata, token and keys are asked one after the other within one call's deadline.
CALL_S_MAX = 4.0
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
# What the token endpoint says when the code is not, or no longer, good. Source: RFC 6749, 5.2.
CODE_REFUSED = "invalid_grant"


class Fetcher:
    """A client of the provider's endpoints."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str) -> Mapping[str, Any]:
        """Return the JSON object at an address.

        Raises:
            ProviderUnavailable: there is none.
        """
        status, document = await self._ask("GET", url)
        if status != 200:
            raise ProviderUnavailable
        return document

    async def post(
        self, url: str, form: Mapping[str, str], basic: tuple[str, Secret[str]] | None
    ) -> Mapping[str, Any]:
        """Return what a token endpoint gives for a form.

        Args:
            url: of the token endpoint.
            form: what it gets.
            basic: our name and secret, where the endpoint takes them as basic credentials.

        Raises:
            SignInRefused: the code is not good.
            ProviderUnavailable: anything else than a document of tokens.
        """
        headers = {} if basic is None else {"Authorization": _basic(*basic)}
        status, document = await self._ask("POST", url, data=form, headers=headers)
        if status == 400 and document.get("error") == CODE_REFUSED:
            raise SignInRefused
        if status != 200:
            raise ProviderUnavailable
        return document

    async def _ask(self, method: str, url: str, **request: Any) -> tuple[int, Mapping[str, Any]]:
        try:
            async with self._session.request(method, url, allow_redirects=False, **request) as response:
                body = await response.content.read(ANSWER_BYTES_MAX + 1)
                while len(body) <= ANSWER_BYTES_MAX and not response.content.at_eof():
                    body += await response.content.read(ANSWER_BYTES_MAX + 1 - len(body))
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailable from error
        if len(body) > ANSWER_BYTES_MAX:
            raise ProviderUnavailable
        return status, _document(body)


@asynccontextmanager
async def open_fetcher(ca_file: Path | None) -> AsyncIterator[Fetcher]:
    """Give a client; `ca_file` is the only authority trusted, None trusts the system's."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=chassis.crypto.tls.outward_context(ca_file), limit=CONNECTIONS_MAX
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=CALL_S_MAX),
        headers=HEADERS,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Fetcher(session)


def _basic(name: str, secret: Secret[str]) -> str:
    """Return a client's basic credentials. Source: RFC 6749, 2.3.1 (each form-encoded first)."""
    pair = f"{quote_plus(name)}:{quote_plus(secret.reveal())}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailable from error
    if not isinstance(document, dict):
        raise ProviderUnavailable
    return document
