"""Pages about desktops: letting one in that shows a code, and taking a scope away from one.

Whoever begins such a sign-in may send its link to anybody. So the page says what the code means, names the
desktop, and lets nobody in before the person compared the code and pressed the button (RFC 8628, 5.4).
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

import chassis.errors
from chassis.web import Route
from services.gateway.model import inputs
from services.gateway.model.device_grants import WaitingDesktop
from services.gateway.model.people import Visit
from services.gateway.service import Desktops
from services.gateway.web import desktop_views
from services.gateway.web.render import Renderer, marked, see
from services.gateway.web.visitors import Visitors

DEVICE = "/device"
ALLOW = "/device/allow"
DENY = "/device/deny"
WITHHOLD = "/portal/devices/{device_id:[0-9a-f-]+}/withhold"
USER_CODE = "user_code"


class DesktopPages:
    """What a person does about a desktop that is not on this machine."""

    def __init__(self, *, desktops: Desktops, visitors: Visitors, renderer: Renderer) -> None:
        self._desktops = desktops
        self._visitors = visitors
        self._renderer = renderer

    def routes(self) -> Sequence[Route]:
        """Return the ways in; they come before the portal's, whose last one takes the rest."""
        rows = (
            ("GET", DEVICE, self._show, "gateway.device_grant.viewed"),
            ("POST", DEVICE, self._find, "gateway.device_grant.found"),
            ("POST", ALLOW, self._allow, "gateway.device_grant.approved"),
            ("POST", DENY, self._deny, "gateway.device_grant.denied"),
            ("POST", WITHHOLD, self._withhold, "gateway.device.scopes_withheld"),
        )
        return [
            Route(method, path, handler, event, render_error=self._renderer.refusal)
            for method, path, handler, event in rows
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        return await self._ask(visit, await self._visitors.asked(request))

    async def _find(self, request: web.Request) -> web.Response:
        return await self._ask(*await self._visitors.posted(request))

    async def _allow(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        user_code = inputs.required(fields, USER_CODE)
        name = await self._desktops.let_in(visit, user_code, fields)
        return self._renderer.page("device_done", visit=visit, device_name=name)

    async def _deny(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        await self._desktops.turn_away(visit, inputs.required(fields, USER_CODE))
        return self._renderer.page("device_done", visit=visit, device_name="")

    async def _withhold(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        await self._desktops.withhold(visit, request.match_info["device_id"])
        return see("/portal?notice=withheld")

    async def _ask(self, visit: Visit, fields: Mapping[str, str]) -> web.Response:
        """Ask for a code, or when there is one, whether its desktop is let in."""
        user_code = fields.get(USER_CODE, "")
        if not user_code:
            return self._entry(visit)
        try:
            waiting = await self._desktops.find(visit, user_code)
        except (chassis.errors.InvalidInput, chassis.errors.LimitExceeded) as problem:
            return self._entry(visit, problem)
        return self._decision(visit, waiting)

    def _entry(self, visit: Visit, problem: chassis.errors.SallyportError | None = None) -> web.Response:
        page = self._renderer.page("device", visit=visit, problem=problem.text if problem else "")
        return marked(page, problem)

    def _decision(self, visit: Visit, waiting: WaitingDesktop) -> web.Response:
        return self._renderer.page(
            "device_ask",
            visit=visit,
            user_code=waiting.user_code,
            scope=" ".join(waiting.scopes),
            promises=desktop_views.promises(waiting.scopes),
            facts=desktop_views.facts(waiting.facts),
        )
