"""Connecting accounts at Amazon: from the portal, from Amazon's Appstore, once more, and no more.

Amazon's redirects carry codes in their queries. Those are neither logged nor kept, the pages that they lead
to tell nobody where the browser was (Source: SP-API, "Website Authorization Workflow"), and nothing that
came with them happens before the person says yes (T-08).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from chassis.clock import Clock
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model import consents as rules
from services.gateway.model.consents import Handover
from services.gateway.model.people import ConsentAnswer, Visit
from services.gateway.model.roles import Right
from services.gateway.service import Consents, Portal
from services.gateway.web import consent_views, cookies, navigation
from services.gateway.web.render import Renderer, see
from services.gateway.web.visitors import Visitors

# Registered at Amazon: where it hands sellers over, and where it sends them back to with a code.
LOG_IN = "/consent/login"
CALLBACK = "/consent/callback"
CONNECT = "/portal/connect"
# Amazon's pages are on many hosts, all of them https.
AMAZON_TARGETS = "https:"


class ConsentPages:
    """The pages of connections."""

    def __init__(
        self, *, portal: Portal, consents: Consents, visitors: Visitors, renderer: Renderer, clock: Clock
    ) -> None:
        self._portal = portal
        self._consents = consents
        self._visitors = visitors
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return the ways in of connections."""
        consent = "/portal/consents/{consent_id:[0-9a-f-]+}"
        rows = (
            ("GET", CONNECT, self._show_connect, "gateway.connection.viewed"),
            ("POST", CONNECT, self._connect, "gateway.consent.begun"),
            ("GET", LOG_IN, self._show_handover, "gateway.handover.viewed"),
            ("POST", LOG_IN, self._answer_handover, "gateway.handover.answered"),
            ("GET", CALLBACK, self._take_consent, "gateway.consent.answered"),
            ("POST", f"{consent}/renew", self._renew, "gateway.consent.renewed"),
            ("POST", f"{consent}/disconnect", self._disconnect, "gateway.consent.disconnected"),
        )
        return [
            Route(method, path, handler, event, render_error=self._renderer.refusal)
            for method, path, handler, event in rows
        ]

    async def _show_connect(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        if not visit.session.may(Right.CONNECT):
            return see(navigation.first_place(visit.session))
        return self._renderer.page(
            "connect",
            visit=visit,
            form_targets=AMAZON_TARGETS,
            regions=consent_views.marketplaces(),
            chosen=request.query.get("marketplace", ""),
            kinds=consent_views.ACCOUNT_KIND_NAMES,
            chosen_kind=request.query.get("kind", ""),
        )

    async def _connect(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        choice = rules.choice(fields)
        return see(await self._portal.begin_consent(visit, choice.marketplace_id, choice.account_kind))

    async def _show_handover(self, request: web.Request) -> web.Response:
        handover = rules.handover(await self._visitors.asked(request))
        await self._consents.check(handover)
        visit = await self._visitors.visit(request)
        response = self._renderer.page(
            "handover",
            visit=visit,
            form_targets=AMAZON_TARGETS,
            is_quiet=True,
            handover_fields=handover.fields(),
            selling_partner_id=handover.selling_partner_id,
            **await self._offered(visit, handover),
        )
        cookies.forget_errand(response)
        return response

    async def _answer_handover(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request, is_quiet=True)
        handover, choice = rules.handover(fields), rules.choice(fields)
        return see(await self._consents.answer(visit, handover, choice))

    async def _take_consent(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        fields = await self._visitors.asked(request)
        answer = ConsentAnswer(
            state=Secret(fields.get("state", "")),
            selling_partner_id=fields.get("selling_partner_id", ""),
            code=Secret(fields.get("spapi_oauth_code", "")),
        )
        await self._portal.complete_consent(visit, answer)
        return see(f"{navigation.HOME}?notice=connected")

    async def _renew(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        return see(await self._consents.renew(visit, request.match_info["consent_id"]))

    async def _disconnect(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        await self._consents.disconnect(visit, request.match_info["consent_id"])
        return see(f"{navigation.HOME}?notice=disconnected")

    async def _offered(self, visit: Visit, handover: Handover) -> Mapping[str, Any]:
        """Return what the page says of the account, and of connections that it would replace."""
        judged = await self._consents.judge(visit, handover)
        home = await self._portal.home(visit)
        offered = consent_views.offered(judged.marketplace_ids)
        return {
            "account_kind": judged.account_kind,
            "kind_name": consent_views.ACCOUNT_KIND_NAMES[judged.account_kind],
            "regions": offered,
            "chosen": judged.marketplace_id,
            "only": judged.marketplace_ids[0] if len(judged.marketplace_ids) == 1 else "",
            "replaced": consent_views.replaced(home.consents, offered, handover, now=self._clock.now()),
        }
