"""Who is on the browser, and what they send: the checks that every page and form passes."""

from collections.abc import Mapping

from aiohttp import web

import chassis.trace
from services.gateway.model import inputs
from services.gateway.model.people import Visit
from services.gateway.service import Portal, Watch
from services.gateway.web import cookies, forms

DOOR = "portal"


class Visitors:
    """Turns browsers' requests into visits and fields."""

    def __init__(self, *, portal: Portal, watch: Watch, origin: str) -> None:
        """Prepare; `origin` is the one under which browsers know us."""
        self._portal = portal
        self._watch = watch
        self._origin = origin

    async def visit(self, request: web.Request) -> Visit:
        """Return who is on the browser.

        Raises:
            SessionMissing: nobody who is signed in.
        """
        return await self._portal.visit(cookies.session_token(request))

    async def asked(self, request: web.Request) -> Mapping[str, str]:
        """Return the fields of the query.

        Raises:
            InvalidRequest: it is not one.
            CredentialsNotAccepted: it holds a secret of Amazon's.
        """
        return await self._passed(inputs.read_query(request.raw_path.partition("?")[2]))

    async def posted(self, request: web.Request) -> tuple[Visit, Mapping[str, str]]:
        """Return who sent a form of ours, and its fields.

        Raises:
            SessionMissing: nobody who is signed in.
            FormRefused: it did not come from our page in this browser.
            CredentialsNotAccepted: it holds a secret of Amazon's.
        """
        forms.check_origin(request, self._origin)
        visit = await self.visit(request)
        fields = inputs.read_form(await request.read())
        forms.check_token(fields.get(forms.TOKEN_FIELD, ""), visit.session_token, request.path)
        return visit, await self._passed(fields)

    async def check_first_form(self, request: web.Request) -> None:
        """Return if a form from before there is a session came from our page in this browser.

        Raises:
            FormRefused: it did not.
        """
        forms.check_origin(request, self._origin)
        secret = cookies.entry_secret(request)
        if secret is None:
            raise forms.FormRefused
        fields = inputs.read_form(await request.read())
        forms.check_token(fields.get(forms.TOKEN_FIELD, ""), secret, request.path)

    async def _passed(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        await self._watch.check(fields.values(), door=DOOR, request_id=chassis.trace.request_id())
        return fields
