"""The people beside oneself: a seller's own, or the vendor's staff. Whoever may, invites and removes.

An invitation is shown once, on the answer to the form that asked for it, to be handed over by whoever
invited: nothing here sends mail.
"""

from collections.abc import Sequence

from aiohttp import web

from chassis.web import Route
from services.gateway.model import inputs
from services.gateway.model.members import Invitation
from services.gateway.model.people import Visit
from services.gateway.model.roles import Right
from services.gateway.service import Team, roles_of
from services.gateway.web import people_views, views
from services.gateway.web.render import Renderer, see
from services.gateway.web.visitors import Visitors

TEAM = "/portal/team"
ONE = TEAM + "/{user_id:[0-9a-f-]+}"


class TeamPages:
    """The list of people, one page for each of them, and what its forms do."""

    def __init__(self, *, team: Team, visitors: Visitors, renderer: Renderer, origin: str) -> None:
        self._team = team
        self._visitors = visitors
        self._renderer = renderer
        self._origin = origin

    def routes(self) -> Sequence[Route]:
        """Return the pages and their forms."""
        rows = (
            ("GET", TEAM, self._show, "gateway.team.viewed"),
            ("POST", f"{TEAM}/invite", self._invite, "gateway.member.invited"),
            ("GET", ONE, self._show_one, "gateway.member.viewed"),
            ("POST", f"{ONE}/role", self._change_role, "gateway.member.given_role"),
            ("POST", f"{ONE}/invite", self._invite_again, "gateway.member.invited_again"),
            ("POST", f"{ONE}/remove", self._remove, "gateway.member.removed"),
        )
        return [
            Route(method, path, handler, event, render_error=self._renderer.refusal)
            for method, path, handler, event in rows
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        members = await self._team.members(visit)
        return self._renderer.page(
            "team",
            visit=visit,
            notice=views.NOTICES.get(request.query.get("notice", "")),
            members=[people_views.member_row(each, own_user_id=visit.session.user_id) for each in members],
            may_manage=visit.session.may(Right.MANAGE_PEOPLE),
            roles=people_views.role_choices(roles_of(visit), chosen=roles_of(visit)[-1]),
        )

    async def _show_one(self, request: web.Request) -> web.Response:
        visit = await self._visitors.visit(request)
        member = await self._team.member(visit, request.match_info["user_id"])
        return self._renderer.page(
            "member",
            visit=visit,
            member=people_views.member_row(member, own_user_id=visit.session.user_id),
            may_manage=visit.session.may(Right.MANAGE_PEOPLE),
            roles=people_views.role_choices(roles_of(visit), chosen=member.role),
        )

    async def _invite(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        name, role = inputs.required(fields, "member_name"), inputs.required(fields, "role")
        return self._show_invitation(visit, name.strip(), await self._team.invite(visit, name, role))

    async def _invite_again(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        member = await self._team.member(visit, request.match_info["user_id"])
        return self._show_invitation(visit, member.name, await self._team.invite_again(visit, member))

    async def _change_role(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.posted(request)
        role = inputs.required(fields, "role")
        await self._team.change_role(visit, request.match_info["user_id"], role)
        return see(f"{TEAM}?notice=role")

    async def _remove(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.posted(request)
        await self._team.remove(visit, request.match_info["user_id"])
        return see(f"{TEAM}?notice=removed")

    def _show_invitation(self, visit: Visit, name: str, invitation: Invitation) -> web.Response:
        return self._renderer.page(
            "invited",
            visit=visit,
            member_name=name,
            link=f"{self._origin}/portal/enter/{invitation.invitation.reveal()}",
            until=f"{views.day(invitation.expires_at)}, {invitation.expires_at:%H:%M} UTC",
        )
