"""The vendor's staff: sellers with their connections, desktops and people, and the review of access."""

from collections.abc import Sequence
from contextlib import aclosing, suppress

from aiohttp import web

from chassis.clock import Clock
from chassis.web import Route
from services.gateway.model import inputs
from services.gateway.model.roles import Right
from services.gateway.service import Desk
from services.gateway.web import people_views, sheets, views
from services.gateway.web.render import Renderer, see
from services.gateway.web.visitors import Visitors

SELLERS = "/portal/sellers"
ONE = SELLERS + "/{seller_id:[0-9a-f-]+}"
REVIEW = "/portal/access-review"


class StaffPages:
    """What staff sees, and the two things that they do."""

    def __init__(self, *, desk: Desk, visitors: Visitors, renderer: Renderer, clock: Clock) -> None:
        self._desk = desk
        self._visitors = visitors
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return the pages and their forms."""
        rows = (
            ("GET", SELLERS, self._show, "gateway.sellers.viewed"),
            ("GET", ONE, self._show_one, "gateway.seller.viewed"),
            (
                "POST",
                ONE + "/devices/{device_id:[0-9a-f-]+}/revoke",
                self._revoke,
                "gateway.device.revoked_by_staff",
            ),
            ("GET", REVIEW, self._show_review, "gateway.access_review.viewed"),
            ("POST", REVIEW, self._review, "gateway.access_review.taken"),
        )
        return [
            Route(method, path, handler, event, render_error=self._renderer.refusal)
            for method, path, handler, event in rows
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        asked = await self._visitors.asked(request)
        after = asked.get("after", "")
        page = await self._desk.page(visit, after)
        now = self._clock.now()
        return self._renderer.page(
            "sellers",
            visit=visit,
            notice=views.NOTICES.get(asked.get("notice", "")),
            sellers=[people_views.seller_row(seller, now) for seller in page.sellers],
            is_first=not after,
            next_after=page.sellers[-1].seller_id if page.has_more else "",
        )

    async def _show_one(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        view = await self._desk.seller(visit, request.match_info["seller_id"])
        return self._renderer.page(
            "seller",
            visit=visit,
            notice=views.NOTICES.get(request.query.get("notice", "")),
            may_revoke=visit.session.may(Right.REVOKE_SELLER_DEVICE),
            **people_views.seller(view, self._clock.now()),
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        seller_id, device_id = request.match_info["seller_id"], request.match_info["device_id"]
        await self._desk.revoke(visit, seller_id, device_id, reason=inputs.required(fields, "reason"))
        return see(f"{SELLERS}/{seller_id}?notice=revoked")

    async def _show_review(self, request: web.Request) -> web.Response:
        return self._renderer.page("access_review", visit=await self._visitors.visit(request))

    async def _review(self, request: web.Request) -> web.StreamResponse:
        """Send the table row by row: it is as long as there are people and desktops."""
        visit, _ = await self._visitors.posted(request)
        response = web.StreamResponse()
        response.content_type, response.charset = "text/csv", "utf-8"
        name = f"access-review-{self._clock.now():%Y-%m-%d}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        async with aclosing(self._desk.review(visit)) as rows:
            # A refusal comes before the first row, and so before the answer begins.
            row = await anext(rows, None)
            # Whoever closes the window in the middle wants no more of it.
            with suppress(ConnectionResetError):
                await response.prepare(request)
                await response.write(sheets.MARK.encode() + sheets.line(sheets.ACCESS_HEAD))
                while row is not None:
                    await response.write(sheets.line(sheets.access_cells(row)))
                    row = await anext(rows, None)
                await response.write_eof()
        return response
