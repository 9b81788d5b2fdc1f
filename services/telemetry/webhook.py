"""HTTP to the vendor's webhook receiver: one configured https address, and nowhere else.

- The receiver's certificate and name are checked; redirects, proxies and cookies are not followed or kept.
- Addresses that are not the internet's are refused when the host's name is resolved, at every connection, so
  that a name cannot point inside later (SSRF); the address that was checked is the one that is dialled.
- Of an answer only the status and Retry-After are read, within POST_S_MAX; its body is never (T-29).
"""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiohttp.abc
import aiohttp.resolver

import chassis.addresses
import chassis.crypto.tls
from services.telemetry.model.errors import WebhookMissing
from services.telemetry.model.webhooks import Answer

# Source: Standard Webhooks, "Receiving and responding to webhooks": 15 to 30 s at most.
POST_S_MAX = 10.0
RETRY_AFTER_S_MAX = 3_600.0
USER_AGENT = "Sallyport/0.1.0 (webhook)"
NO_ANSWER = Answer(0)


class Receiver:
    """The receiver that is configured."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return how the receiver answered; status 0 when it did not."""
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = Answer(response.status, _retry_after_s(response.headers.get("Retry-After", "")))
                # A connection with an unread body is of no further use, and nobody waits for its end.
                response.close()
                return answer
        except (aiohttp.ClientError, OSError, ValueError):
            return NO_ANSWER


class Nobody:
    """What stands where no receiver is configured."""

    url = ""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - the port's names
        """Say that nobody is told."""
        raise WebhookMissing


@asynccontextmanager
async def connect(url: str, ca_file: Path | None, *, allows_private: bool) -> AsyncIterator[Receiver]:
    """Give the receiver, and close its connections at the end.

    Args:
        url: https.
        ca_file: the only authority trusted; None trusts the system's.
        allows_private: whether the receiver may stand at an address that is not the internet's.
    """
    connector = aiohttp.TCPConnector(
        ssl=chassis.crypto.tls.outward_context(ca_file),
        resolver=aiohttp.resolver.ThreadedResolver() if allows_private else _PublicResolver(),
        use_dns_cache=False,
        limit=1,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=POST_S_MAX),
        headers={"User-Agent": USER_AGENT},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Receiver(session, url)


class _PublicResolver(aiohttp.resolver.ThreadedResolver):
    """Resolves names to public addresses only."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        found = await super().resolve(host, port, family)
        public = [each for each in found if chassis.addresses.is_public(each["host"])]
        if not public:
            raise OSError("the receiver has no public address")
        return public


def _retry_after_s(value: str) -> float | None:
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value[:9]), RETRY_AFTER_S_MAX)
