"""Who is on the browser, and what they send: the checks that every page and form passes."""

from collections.abc import Mapping

from aiohttp import web

import chassis.trace
from chassis.secrecy import Secret
from services.gateway.model import inputs
from services.gateway.model.people import CredentialNeeded, Visit
from services.gateway.service import Portal, Watch
from services.gateway.web import cookies, forms

FACE = "portal"


class Visitors:
    """Turns browsers' requests into visits and fields."""

    def __init__(self, *, portal: Portal, watch: Watch, origin: str) -> None:
        """Prepare; `origin` is the one under which browsers know us."""
        self._portal = portal
        self._watch = watch
        self._origin = origin

    async def visit(self, request: web.Request) -> Visit:
        """Return who is on the browser, settled.

        Raises:
            SessionMissing: nobody who is signed in.
            CredentialNeeded: somebody who has nothing to sign in with yet.
        """
        visit = await self.newcomer(request)
        if visit.session.needs_credential:
            raise CredentialNeeded
        return visit

    async def newcomer(self, request: web.Request) -> Visit:
        """Return who is on the browser, also when they have nothing to sign in with yet.

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

    async def posted(
        self, request: web.Request, *, is_quiet: bool = False
    ) -> tuple[Visit, Mapping[str, str]]:
        """Return who sent a form of ours, settled, and its fields; `is_quiet`: see `forms.check_origin`.

        Raises:
            SessionMissing: nobody who is signed in.
            CredentialNeeded: somebody who has nothing to sign in with yet.
            FormRefused: it did not come from our page in this browser.
            CredentialsNotAccepted: it holds a secret of Amazon's.
        """
        forms.check_origin(request, self._origin, is_quiet=is_quiet)
        visit = await self.visit(request)
        return visit, await self._fields(request, visit.session_token)

    async def newcomer_posted(self, request: web.Request) -> tuple[Visit, Mapping[str, str]]:
        """Return who sent a form of ours, also when they have nothing to sign in with yet, and its fields.

        Raises:
            SessionMissing: nobody who is signed in.
            FormRefused: it did not come from our page in this browser.
            CredentialsNotAccepted: it holds a secret of Amazon's.
        """
        forms.check_origin(request, self._origin)
        visit = await self.newcomer(request)
        return visit, await self._fields(request, visit.session_token)

    async def first_form(self, request: web.Request) -> Mapping[str, str]:
        """Return the fields of a form from before there is a session.

        Raises:
            FormRefused: it did not come from our page in this browser.
            CredentialsNotAccepted: it holds a secret of Amazon's.
        """
        forms.check_origin(request, self._origin)
        secret = cookies.entry_secret(request)
        if secret is None:
            raise forms.FormRefused
        return await self._fields(request, secret)

    async def _fields(self, request: web.Request, secret: Secret[str]) -> Mapping[str, str]:
        fields = inputs.read_form(await request.read())
        forms.check_token(fields.get(forms.TOKEN_FIELD, ""), secret, request.path)
        return await self._passed(fields)

    async def _passed(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        await self._watch.check(fields.values(), face=FACE, request_id=chassis.trace.request_id())
        return fields
