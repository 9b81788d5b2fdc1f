"""The portal's home: a person connects Amazon accounts and looks after desktops.

Every change is a POST that proves where its form came from (see `forms`); every answer to one is a
redirect, except the page that shows a new device's credentials once. Queries that carry codes are
neither logged nor kept, and the pages they lead to tell no other site where the person was.
"""

from collections.abc import Sequence

from aiohttp import web

import chassis.errors
from chassis.clock import Clock
from chassis.web import Route
from services.gateway.model.roles import Right
from services.gateway.service import Portal
from services.gateway.web import consent_views, consents, views
from services.gateway.web.navigation import HOME, first_place
from services.gateway.web.render import Renderer, see
from services.gateway.web.visitors import Visitors


class PortalPages:
    """People's pages."""

    def __init__(
        self, *, portal: Portal, visitors: Visitors, renderer: Renderer, origin: str, clock: Clock
    ) -> None:
        self._portal = portal
        self._visitors = visitors
        self._renderer = renderer
        self._origin = origin
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return the portal's ways in."""
        rows = (
            ("GET", "/", self._lead_in, "gateway.portal.approached"),
            ("GET", HOME, self._show_home, "gateway.portal.viewed"),
            ("POST", "/portal/devices", self._enrol, "gateway.device.enrolled"),
            ("POST", "/portal/devices/{device_id:[0-9a-f-]+}/revoke", self._revoke, "gateway.device.revoked"),
            ("GET", "/portal/portal.css", self._show_style, "gateway.asset.viewed"),
            ("GET", "/portal/mark.svg", self._show_mark, "gateway.asset.viewed"),
            ("GET", "/portal/passkeys.js", self._show_script, "gateway.asset.viewed"),
            ("*", "/portal/{rest:.*}", self._show_nothing, "gateway.portal.missed"),
        )
        return [
            Route(method, path, handler, event, render_error=self._renderer.refusal)
            for method, path, handler, event in rows
        ]

    async def _lead_in(self, _request: web.Request) -> web.Response:
        return see(HOME)

    async def _show_home(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        if not visit.session.may(Right.VIEW):
            return see(first_place(visit.session))
        home = await self._portal.home(visit)
        now, may_connect = self._clock.now(), visit.session.may(Right.CONNECT)
        return self._renderer.page(
            "home",
            visit=visit,
            form_targets=consents.AMAZON_TARGETS if home.consents and may_connect else "",
            notice=views.NOTICES.get(request.query.get("notice", "")),
            consents=consent_views.consent_rows(home.consents, now),
            may_connect=may_connect,
            devices=[
                {**views.desktop_row(desktop), "may_change": visit.session.may_change(desktop)}
                for desktop in home.desktops
            ],
        )

    async def _enrol(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        name = fields.get("device_name", "").strip()
        credentials = await self._portal.enrol_program(visit, name)
        return self._renderer.page(
            "enrolled",
            visit=visit,
            device_name=name,
            device_id=credentials.device_id,
            refresh_token=credentials.refresh_token.reveal(),
            origin=self._origin,
            host=self._origin.removeprefix("https://"),
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        await self._portal.revoke_device(visit, request.match_info["device_id"])
        return see("/portal?notice=revoked")

    async def _show_style(self, _request: web.Request) -> web.Response:
        return self._renderer.asset("portal.css")

    async def _show_mark(self, _request: web.Request) -> web.Response:
        return self._renderer.asset("mark.svg")

    async def _show_script(self, _request: web.Request) -> web.Response:
        return self._renderer.asset("passkeys.js")

    async def _show_nothing(self, _request: web.Request) -> web.Response:
        raise chassis.errors.NotFound("There is no such page.")
