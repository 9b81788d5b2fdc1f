"""Amazon's endpoints, as the forwarding path asks them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from services.gateway.amazon import requests
from services.gateway.amazon.dialler import Dialler
from services.gateway.amazon.large_answers import LargeAnswers
from services.gateway.amazon.pool import Pool
from services.gateway.model.calls import Region, UpstreamAnswer, UpstreamRequest

HTTPS_PORT = 443


class Amazon:
    """Fits `forward.ports.Upstream`."""

    def __init__(self, *, base_urls: Mapping[Region, str], tls: ssl.SSLContext) -> None:
        """Take the endpoints; use `connect`, which also closes what was opened.

        Raises:
            ValueError: a base URL is not an https origin.
        """
        origins = {region: _origin(url) for region, url in base_urls.items()}
        self._loop = asyncio.get_running_loop()
        large_answers = LargeAnswers()
        pools = {
            (host, port): Pool(Dialler(host=host, port=port, tls=tls), large_answers)
            for host, port in origins.values()
        }
        self._pools = tuple(pools.values())
        self._ways = MappingProxyType(
            {region: (pools[origin], _authority(*origin)) for region, origin in origins.items()}
        )

    @classmethod
    @asynccontextmanager
    async def connect(cls, *, base_urls: Mapping[Region, str], tls: ssl.SSLContext) -> AsyncIterator[Self]:
        """Keep connections to Amazon while inside.

        Args:
            base_urls: one https origin for each region, without a path; regions may share one.
            tls: verifies Amazon's certificates, e.g. `chassis.crypto.tls.outward_context`.

        Raises:
            ValueError: a base URL is not an https origin.
        """
        amazon = cls(base_urls=base_urls, tls=tls)
        try:
            yield amazon
        finally:
            for pool in amazon._pools:
                await pool.close()

    async def send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        """Return Amazon's whole answer.

        Raises:
            UpstreamTimeout: nothing whole within `timeout_s`.
            DeadlineExceeded: neither, but because too many large answers were being read.
            UpstreamInvalid: a redirect, too large, or not HTTP as it is taken here.
            UpstreamLost: the connection broke before the answer was whole.
            UpstreamUnreachable: there never was one, so that Amazon has seen nothing.
            UpstreamBusy: too many calls wait for a connection.
            ValueError: the request cannot be written.
        """
        pool, authority = self._ways[request.region]
        encoded, now_s = requests.encode(request, authority), self._loop.time()
        until_s = now_s + timeout_s
        connection = pool.reuse(now_s) or await pool.take(until_s)
        try:
            answer = await connection.exchange(encoded, until_s)
        except BaseException:
            pool.drop(connection)
            raise
        pool.give_back(connection)
        return answer


def _origin(url: str) -> tuple[str, int]:
    """Return the host and port of an https origin."""
    parts = urlsplit(url)
    is_origin = parts.scheme == "https" and parts.path in {"", "/"} and not parts.query
    if not is_origin or parts.hostname is None or parts.username is not None:
        raise ValueError("the base URL of a region is an https origin")
    return parts.hostname, parts.port or HTTPS_PORT


def _authority(host: str, port: int) -> str:
    return host if port == HTTPS_PORT else f"{host}:{port}"
