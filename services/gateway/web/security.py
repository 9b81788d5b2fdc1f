"""A person's own ways to sign in: passkeys, password with an authenticator app, the identity provider.

The one page that is open to a session which needs a credential; every other one leads here. An authenticator
app's secret is shown on the answer to the form that asked for it, and again only while it is being set.
"""

from collections.abc import Awaitable, Mapping, Sequence

import orjson
from aiohttp import web

import chassis.errors
from chassis.clock import Clock
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model import inputs
from services.gateway.model.credentials import CeremonyAnswer, Enrolment, NewPassword
from services.gateway.model.people import Visit
from services.gateway.service import Entry, Security
from services.gateway.web import cookies, people_views, pictures, views
from services.gateway.web.arrivals import Arrivals
from services.gateway.web.navigation import SECURITY
from services.gateway.web.render import Renderer, marked, see, sign_in_again
from services.gateway.web.visitors import Visitors

PASSKEYS = f"{SECURITY}/passkeys"
PASSWORD = f"{SECURITY}/password"
PROVIDER = f"{SECURITY}/provider"
# What a person can put right on the page where it happened.
TOLD_ON_THE_PAGE = (chassis.errors.InvalidInput, chassis.errors.Conflict, chassis.errors.LimitExceeded)


class SecurityPages:
    """The page of a person's credentials, and what its forms do."""

    def __init__(
        self,
        *,
        security: Security,
        entry: Entry,
        visitors: Visitors,
        arrivals: Arrivals,
        renderer: Renderer,
        clock: Clock,
    ) -> None:
        self._security = security
        self._entry = entry
        self._visitors = visitors
        self._arrivals = arrivals
        self._renderer = renderer
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return the page and its forms."""
        rows = (
            ("GET", SECURITY, self._show, "gateway.credentials.viewed"),
            ("GET", f"{SECURITY}/again", self._lead_to_sign_in, "gateway.sign_in.asked_again"),
            ("POST", PASSKEYS, self._register, "gateway.passkey.registered"),
            (
                "POST",
                PASSKEYS + "/{passkey_id:[A-Za-z0-9_-]+}/remove",
                self._remove,
                "gateway.passkey.removed",
            ),
            ("POST", f"{PASSWORD}/begin", self._begin_password, "gateway.password.begun"),
            ("POST", PASSWORD, self._set_password, "gateway.password.changed"),
            ("POST", f"{PASSWORD}/remove", self._remove_password, "gateway.password.removed"),
            ("POST", PROVIDER, self._link, "gateway.provider_link.begun"),
            ("POST", f"{PROVIDER}/unlink", self._unlink, "gateway.provider_link.ended"),
        )
        return [
            # Its answer is for the page's script, and so are its refusals.
            Route("POST", f"{PASSKEYS}/begin", self._begin_passkey, "gateway.passkey.begun"),
            *(
                Route(method, path, handler, event, render_error=self._renderer.refusal)
                for method, path, handler, event in rows
            ),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visit = await self._visitors.newcomer(request)
        return await self._page(visit, notice=views.NOTICES.get(request.query.get("notice", "")))

    async def _lead_to_sign_in(self, _request: web.Request) -> web.Response:
        return sign_in_again()

    async def _begin_passkey(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        ceremony = await self._security.begin_passkey(visit)
        told = {"ceremony": ceremony.ceremony, "options": ceremony.options_json}
        return web.Response(body=orjson.dumps(told), content_type="application/json")

    async def _register(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.newcomer_posted(request)
        answer = CeremonyAnswer(fields.get("ceremony", ""), fields.get("credential", ""))
        try:
            after = await self._security.register_passkey(visit, answer, fields.get("passkey_name", ""))
        except TOLD_ON_THE_PAGE as error:
            return await self._page(visit, problem=error)
        return self._go_on(request, visit, after, notice="passkey")

    async def _remove(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        return await self._end(visit, self._security.remove_passkey(visit, request.match_info["passkey_id"]))

    async def _begin_password(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        return await self._password_page(visit, await self._security.begin_password(visit))

    async def _set_password(self, request: web.Request) -> web.Response:
        visit, fields = await self._visitors.newcomer_posted(request)
        wish, enrolment = _new_password(fields), _enrolment(fields)
        try:
            after = await self._security.set_password(
                visit, wish, again=Secret(fields.get("password_again", ""))
            )
        except TOLD_ON_THE_PAGE as error:
            return await self._password_page(visit, enrolment, email=wish.email, problem=error)
        return self._go_on(request, visit, after, notice="password")

    async def _remove_password(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        return await self._end(visit, self._security.remove_password(visit))

    async def _link(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        secret = self._arrivals.browser_secret(request)
        response = see(await self._entry.begin_provider(secret, visit=visit))
        cookies.set_entry(response, secret)
        return response

    async def _unlink(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        return await self._end(visit, self._security.unlink_provider(visit))

    async def _end(self, visit: Visit, ending: Awaitable[None]) -> web.Response:
        try:
            await ending
        except TOLD_ON_THE_PAGE as error:
            return await self._page(visit, problem=error)
        return see(f"{SECURITY}?notice=ended_way")

    def _go_on(self, request: web.Request, before: Visit, after: Visit, *, notice: str) -> web.Response:
        """Return the answer to a new way to sign in: with a new session the person goes on to an errand."""
        if after.session_token != before.session_token:
            return self._arrivals.admit(request, after, notice=notice)
        return see(f"{SECURITY}?notice={notice}")

    async def _page(
        self,
        visit: Visit,
        *,
        notice: str | None = None,
        problem: chassis.errors.SallyportError | None = None,
    ) -> web.Response:
        credentials = await self._security.credentials(visit)
        response = self._renderer.page(
            "security",
            visit=visit,
            form_targets=self._renderer.provider_targets,
            has_script=True,
            notice=notice,
            problem=problem.text if problem else None,
            is_changeable=self._clock.now() < credentials.changeable_until,
            **people_views.credentials(credentials),
        )
        return marked(response, problem)

    async def _password_page(
        self,
        visit: Visit,
        enrolment: Enrolment,
        *,
        email: str | None = None,
        problem: chassis.errors.SallyportError | None = None,
    ) -> web.Response:
        credentials = await self._security.credentials(visit)
        uri = enrolment.otpauth_uri.reveal()
        response = self._renderer.page(
            "password",
            visit=visit,
            problem=problem.text if problem else None,
            enrolment=enrolment.enrolment,
            otpauth_uri=uri,
            app_secret=pictures.app_secret(uri),
            picture=pictures.qr_code(uri),
            email=credentials.email if email is None else email,
            has_password=credentials.has_password,
        )
        return marked(response, problem)


def _new_password(fields: Mapping[str, str]) -> NewPassword:
    return NewPassword(
        enrolment=fields.get("enrolment", ""),
        email=fields.get("email", ""),
        password=Secret(fields.get("password", "")),
        code=Secret(fields.get("code", "").replace(" ", "")),
        current=Secret(fields.get("current_password", "")),
    )


def _enrolment(fields: Mapping[str, str]) -> Enrolment:
    """Return what the form carries on, so that a mistake in it costs no second scan.

    Raises:
        InvalidRequest: it is not what our page holds.
    """
    uri = inputs.required(fields, "otpauth_uri")
    if pictures.OTPAUTH_URI.fullmatch(uri) is None:
        raise inputs.InvalidRequest
    return Enrolment(inputs.required(fields, "enrolment"), Secret(uri))
