"""The private site: is the process alive, is it ready, and its numbers.

Plain HTTP, because probes have no certificates; it listens on a private address, shows no data and
changes nothing. Liveness never depends on other services; readiness tells the truth (R-16).
"""

import json
from http import HTTPStatus

from aiohttp import web

import chassis.env
import chassis.metrics
from chassis.web.serving import Limits, Route
from chassis.web.site import Site

BODY_BYTES_MAX = 1024
CONNECTIONS_MAX = 64
REQUESTS_MAX = 16


class Readiness:
    """Whether this process can do its work right now: the truth about each thing it stands on.

    Args:
        names: what must be true before the process is ready; more may be added by `set`.
    """

    def __init__(self, *names: str) -> None:
        self._truths = dict.fromkeys(names, False)

    def set(self, name: str, ok: bool) -> None:
        """Say whether one thing works.

        Args:
            name: fixed words, e.g. "store"; shown to whoever asks.
            ok: whether it works now.
        """
        self._truths[name] = ok

    @property
    def is_ready(self) -> bool:
        """Whether all of them work; false while nothing has been said."""
        return bool(self._truths) and all(self._truths.values())

    @property
    def truths(self) -> dict[str, bool]:
        """Each thing and whether it works."""
        return dict(self._truths)


def private_site(
    listen: chassis.env.Address,
    readiness: Readiness,
    registry: chassis.metrics.Registry,
) -> Site:
    """Return the site with /livez, /readyz and /metrics."""

    async def show_liveness(_request: web.Request) -> web.Response:
        return _as_json(HTTPStatus.OK, {"live": True})

    async def show_readiness(_request: web.Request) -> web.Response:
        status = HTTPStatus.OK if readiness.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _as_json(status, {"ready": readiness.is_ready, "truths": readiness.truths})

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(
            body=registry.render(),
            headers={"Content-Type": chassis.metrics.CONTENT_TYPE},
        )

    return Site(
        listen=listen,
        routes=[
            Route("GET", "/livez", show_liveness, "health.liveness.read", is_quiet=True),
            Route("GET", "/readyz", show_readiness, "health.readiness.read", is_quiet=True),
            Route("GET", "/metrics", show_metrics, "health.metrics.read", is_quiet=True),
        ],
        body_bytes_max=BODY_BYTES_MAX,
        limits=Limits(connections_max=CONNECTIONS_MAX, requests_max=REQUESTS_MAX),
    )


def _as_json(status: HTTPStatus, document: dict[str, object]) -> web.Response:
    return web.Response(status=status, body=json.dumps(document).encode(), content_type="application/json")
