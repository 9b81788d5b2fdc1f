"""The authorization endpoint: a desktop asks, the person on the browser decides.

A request is judged before anybody is asked to sign in. What a person approves is the request as the
form carries it, judged again. The answer is a redirect to the desktop on the person's own machine.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

import chassis.errors
from chassis.web import Route
from services.gateway.model.native import AuthorizationRefused, AuthorizationRequest
from services.gateway.model.people import Visit
from services.gateway.service import NativeApps
from services.gateway.web import desktop_views
from services.gateway.web.render import Renderer, see
from services.gateway.web.visitors import Visitors

AUTHORIZE = "/oauth/authorize"
DENY = "/oauth/authorize/deny"


class AuthorizePages:
    """The page on which a person lets a desktop in."""

    def __init__(self, *, apps: NativeApps, visitors: Visitors, renderer: Renderer) -> None:
        self._apps = apps
        self._visitors = visitors
        self._renderer = renderer

    def routes(self) -> Sequence[Route]:
        """Return the authorization endpoint's ways in."""
        rows = (
            ("GET", AUTHORIZE, self._show, "gateway.authorization.viewed"),
            ("POST", AUTHORIZE, self._approve, "gateway.authorization.approved"),
            ("POST", DENY, self._deny, "gateway.authorization.denied"),
        )
        return [
            Route(method, path, handler, event, render_error=self._refuse)
            for method, path, handler, event in rows
        ]

    async def _show(self, request: web.Request) -> web.Response:
        authorization = self._apps.read(await self._visitors.asked(request))
        return self._ask(await self._visitors.visit(request), authorization)

    async def _approve(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        authorization = self._apps.read(fields)
        return see(await self._apps.approve(visit, authorization, fields))

    async def _deny(self, request: web.Request) -> web.Response:
        _, fields = await self._visitors.posted(request)
        return see(self._apps.deny(self._apps.read(fields)))

    def _ask(self, visit: Visit, authorization: AuthorizationRequest) -> web.Response:
        return self._renderer.page(
            "authorize",
            visit=visit,
            form_targets=_source(authorization.redirect_uri),
            promises=desktop_views.promises(authorization.scopes),
            facts=desktop_views.facts(authorization.facts),
            request_fields=authorization.fields(),
        )

    def _refuse(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        if isinstance(error, AuthorizationRefused):
            return see(error.target)
        return self._renderer.refusal(request, error)


def _source(redirect_uri: str) -> str:
    """Return the CSP source of a loopback redirect.

    The grammar of CSP knows no IPv6 addresses, so for those the whole scheme has to stand.
    Source: Content Security Policy Level 3, 2.3.1 (host-source).
    """
    host = urlsplit(redirect_uri).netloc
    return "http:" if host.startswith("[") else f"http://{host}"
