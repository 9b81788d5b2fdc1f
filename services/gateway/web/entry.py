"""The ways in and out: invitation, passkey, password, the vendor's identity provider, sign-out.

Before there is a session a random cookie stands in for it: it ties every form, and what the provider
answers, to the browser that asked. A wrong answer is told on the page itself, in the same words whatever
was wrong (T-11). What people typed is handed on and neither logged nor kept.
"""

import ipaddress
from collections.abc import Sequence

import orjson
from aiohttp import web

import chassis.errors
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model.credentials import CeremonyAnswer, PasswordLogin, ProviderAnswer, SignInRefused
from services.gateway.service import Entry, Portal
from services.gateway.web import cookies, views
from services.gateway.web.arrivals import Arrivals
from services.gateway.web.navigation import SIGN_IN
from services.gateway.web.render import Renderer, marked, see
from services.gateway.web.visitors import Visitors

WITH_PASSKEY = f"{SIGN_IN}/passkey"
WITH_PROVIDER = f"{SIGN_IN}/provider"
INVITATION = "/portal/enter/{invitation:[A-Za-z0-9_-]+}"
# Whoever has one address of an IPv6 network usually has all of it.
IPV6_PREFIX_BITS = 64
TOLD_ON_THE_PAGE = (
    chassis.errors.Unauthenticated,
    chassis.errors.Denied,
    chassis.errors.Conflict,
    chassis.errors.LimitExceeded,
)


class EntryPages:
    """How people come in and leave."""

    def __init__(
        self, *, portal: Portal, entry: Entry, visitors: Visitors, arrivals: Arrivals, renderer: Renderer
    ) -> None:
        self._portal = portal
        self._entry = entry
        self._visitors = visitors
        self._arrivals = arrivals
        self._renderer = renderer

    def routes(self) -> Sequence[Route]:
        """Return the ways in and out."""
        rows = (
            ("GET", INVITATION, self._show_invitation, "gateway.invitation.viewed"),
            ("POST", INVITATION, self._redeem, "gateway.invitation.redeemed"),
            ("GET", SIGN_IN, self._show, "gateway.sign_in.viewed"),
            ("POST", SIGN_IN, self._with_password, "gateway.sign_in.with_password"),
            ("POST", WITH_PASSKEY, self._with_passkey, "gateway.sign_in.with_passkey"),
            ("POST", WITH_PROVIDER, self._begin_provider, "gateway.sign_in.begun_at_provider"),
            ("GET", WITH_PROVIDER, self._with_provider, "gateway.sign_in.with_provider"),
            ("POST", "/portal/sign-out", self._leave, "gateway.session.ended"),
        )
        return [
            # Its answer is for the page's script, and so are its refusals.
            Route("POST", f"{WITH_PASSKEY}/begin", self._begin_passkey, "gateway.sign_in.begun_with_passkey"),
            *(
                Route(method, path, handler, event, render_error=self._renderer.refusal)
                for method, path, handler, event in rows
            ),
        ]

    async def _show_invitation(self, request: web.Request) -> web.Response:
        secret = self._arrivals.browser_secret(request)
        response = self._renderer.page("enter", form_secret=secret, action=request.path)
        cookies.set_entry(response, secret)
        return response

    async def _redeem(self, request: web.Request) -> web.Response:
        await self._visitors.first_form(request)
        visit = await self._portal.enter(Secret(request.match_info["invitation"]))
        return self._arrivals.admit(request, visit, notice="welcome")

    async def _show(self, request: web.Request) -> web.Response:
        return self._page(request, notice=views.NOTICES.get(request.query.get("notice", "")))

    async def _with_password(self, request: web.Request) -> web.Response:
        fields = await self._visitors.first_form(request)
        login = PasswordLogin(
            email=fields.get("email", ""),
            password=Secret(fields.get("password", "")),
            code=Secret(fields.get("code", "").replace(" ", "")),
            source=_source(request.remote),
        )
        try:
            visit = await self._entry.with_password(login)
        except TOLD_ON_THE_PAGE as error:
            return self._page(request, problem=error, email=login.email)
        return self._arrivals.admit(request, visit, notice="welcome")

    async def _begin_passkey(self, request: web.Request) -> web.Response:
        await self._visitors.first_form(request)
        ceremony = await self._entry.begin_passkey()
        told = {"ceremony": ceremony.ceremony, "options": ceremony.options_json}
        return web.Response(body=orjson.dumps(told), content_type="application/json")

    async def _with_passkey(self, request: web.Request) -> web.Response:
        fields = await self._visitors.first_form(request)
        answer = CeremonyAnswer(fields.get("ceremony", ""), fields.get("credential", ""))
        try:
            visit = await self._entry.with_passkey(answer)
        except TOLD_ON_THE_PAGE as error:
            return self._page(request, problem=error)
        return self._arrivals.admit(request, visit, notice="welcome")

    async def _begin_provider(self, request: web.Request) -> web.Response:
        await self._visitors.first_form(request)
        return see(await self._entry.begin_provider(self._arrivals.browser_secret(request)))

    async def _with_provider(self, request: web.Request) -> web.Response:
        """Take what the provider sent back through the browser; only the one that asked has the cookie."""
        fields, secret = await self._visitors.asked(request), cookies.entry_secret(request)
        answer = ProviderAnswer(
            state=Secret(fields.get("state", "")),
            code=Secret(fields.get("code", "")),
            issuer=fields.get("iss", ""),
        )
        if secret is None or not answer.code.reveal():
            return self._page(request, problem=SignInRefused())
        try:
            visit = await self._entry.with_provider(secret, answer)
        except TOLD_ON_THE_PAGE as error:
            return self._page(request, problem=error)
        return self._arrivals.admit(request, visit, notice="welcome")

    async def _leave(self, request: web.Request) -> web.Response:
        visit, _ = await self._visitors.newcomer_posted(request)
        await self._portal.leave(visit)
        response = see(f"{SIGN_IN}?notice=left")
        cookies.forget_session(response)
        return response

    def _page(
        self,
        request: web.Request,
        *,
        notice: str | None = None,
        problem: chassis.errors.SallyportError | None = None,
        email: str = "",
    ) -> web.Response:
        """Return the sign-in page; a problem gives it the problem's text and status."""
        secret = self._arrivals.browser_secret(request)
        response = self._renderer.page(
            "sign_in",
            form_secret=secret,
            form_targets=self._renderer.provider_targets,
            has_script=True,
            notice=notice,
            problem=problem.text if problem else None,
            email=email,
            will_continue=bool(cookies.errand(request)),
        )
        cookies.set_entry(response, secret)
        return marked(response, problem)


def _source(remote: str | None) -> str:
    """Return where a request came from, as far as it tells one person from another; empty when unknown."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), IPV6_PREFIX_BITS), strict=False))
