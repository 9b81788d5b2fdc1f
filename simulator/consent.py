"""The consent page: a seller lets an application act for it.

Straight (the vendor's site sends the seller with a `state`): page, Confirm, redirect URI with a code. From
the Appstore (no `state`, and the application has a log-in URI), or always when the application says so: page,
Confirm, the vendor's log-in URI, back to `/apps/authorize/confirm/<application_id>` with a `state` of the
vendor's, redirect URI with a code. The first `state`, if there was one, is not handed on.

A page never redirects to an address that the application has not registered.

Source: SP-API documentation, "Website Authorization Workflow" and "Authorization Errors".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

import simulator.events
import simulator.marketplaces
from simulator import pages
from simulator.applications import Application, Applications
from simulator.events import CodeIssued, ConsentGranted
from simulator.exchange import Answer, Request
from simulator.ledger import Ledger
from simulator.sealing import NotSealed, Sealer
from simulator.seed import Mint
from simulator.world import Seller, World

PATH = "/apps/authorize/consent"
CONFIRM_PATH = "/apps/authorize/confirm/"
# Source: SP-API documentation, "Website Authorization Workflow": exchange it within five minutes.
CODE_LIVES = timedelta(minutes=5)
LOG_IN_TAKES = timedelta(minutes=30)
STATE_SIZE_MAX = 2_048
# As many as the page lists; the others can consent too, when the form names them.
SELLERS_OFFERED_MAX = 100
_PURPOSE = "log in"
# What the page's form sends back of the page's own address.
_FIELDS = ("application_id", "state", "redirect_uri", "version")


class ConsentProblem(Exception):
    """Something is wrong with the address that brought the seller here; Amazon's code, when it has one."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class ConsentAsked:
    """A consent that an application asks for; no `state` means that the seller came from the Appstore."""

    application: Application
    redirect_uri: str
    state: str | None
    is_beta: bool


class Consents:
    """The pages between a seller and an application."""

    def __init__(
        self, *, ledger: Ledger, world: World, applications: Applications, mint: Mint, sealer: Sealer
    ) -> None:
        self._ledger = ledger
        self._world = world
        self._applications = applications
        self._mint = mint
        self._sealer = sealer

    def answer(self, request: Request, now: datetime) -> Answer:
        """Return the page, or the redirect, for a request below `/apps/authorize/`."""
        try:
            if request.path.startswith(CONFIRM_PATH) and request.method == "GET":
                return _redirect(self._confirmed(request, now))
            if request.path == PATH and request.method == "GET":
                return self._page(request)
            if request.path == PATH and request.method == "POST":
                return _redirect(self._submitted(request, now))
        except ConsentProblem as problem:
            return pages.problem(problem.code, problem.text)
        return pages.problem("", "There is no such page.", status=404)

    def asked(self, fields: Mapping[str, str]) -> ConsentAsked:
        """Return what the consent page's parameters ask for.

        Raises:
            ConsentProblem: they are not in order.
        """
        application = self._applications.by_id(fields.get("application_id", ""))
        if application is None:
            raise ConsentProblem("MD1000", "No application has this application_id.")
        is_beta = fields.get("version") == "beta"
        if application.is_draft and not is_beta:
            raise ConsentProblem("MD1000", "The application is a draft: add version=beta to the address.")
        redirect_uri = fields.get("redirect_uri") or application.redirect_uris[0]
        if "#" in redirect_uri:
            raise ConsentProblem("MD5110", "The redirect_uri contains a fragment.")
        if redirect_uri not in application.redirect_uris:
            raise ConsentProblem("MD5101", "The redirect_uri is not registered with the application.")
        state = fields.get("state") or None
        if state is None and application.log_in_uri is None:
            raise ConsentProblem("", "The state parameter is missing.")
        if state is not None and len(state) > STATE_SIZE_MAX:
            raise ConsentProblem("", "The state parameter is too long.")
        return ConsentAsked(application, redirect_uri, state, is_beta)

    def confirm(self, asked: ConsentAsked, seller: Seller, *, host: str, now: datetime) -> str:
        """Return the address the seller's browser goes to after pressing Confirm.

        Args:
            asked: the consent, checked by `asked`.
            seller: who gives it.
            host: the name by which the browser reached this page, and comes back to it.
            now: the virtual time.
        """
        application = asked.application
        if asked.state is not None and not application.logs_in_always:
            return self._granted(asked, seller, state=asked.state, now=now)
        assert application.log_in_uri is not None
        amazon_state = self._sealer.seal(
            _PURPOSE,
            {
                "application_id": application.application_id,
                "seller_id": seller.seller_id,
                "until_at": (now + LOG_IN_TAKES).isoformat(),
            },
        )
        back = {
            "amazon_callback_uri": f"https://{host}{CONFIRM_PATH}{application.application_id}",
            "amazon_state": amazon_state,
            "selling_partner_id": seller.seller_id,
        }
        return _extended(application.log_in_uri, back | ({"version": "beta"} if asked.is_beta else {}))

    def _page(self, request: Request) -> Answer:
        fields = dict(request.query)
        asked = self.asked(fields)
        hidden = {name: fields[name] for name in _FIELDS if fields.get(name)}
        return pages.consent(asked.application, self._offered(request)[:SELLERS_OFFERED_MAX], hidden)

    def _offered(self, request: Request) -> list[Seller]:
        """Return the sellers who can sign in at the host that was called; all of them where it is local."""
        region = simulator.marketplaces.region_of(request.headers.get("host", ""))
        return [seller for seller in self._world.sellers if region in (None, seller.region)]

    def _submitted(self, request: Request, now: datetime) -> str:
        try:
            fields = request.form()
        except ValueError as error:
            raise ConsentProblem("", "The form is malformed.") from error
        asked = self.asked(fields)
        seller_id = fields.get("seller_id", "")
        seller = next((seller for seller in self._offered(request) if seller.seller_id == seller_id), None)
        if seller is None:
            raise ConsentProblem("", "Choose a seller account.")
        return self.confirm(asked, seller, host=request.headers.get("host", ""), now=now)

    def _confirmed(self, request: Request, now: datetime) -> str:
        """Return the redirect URI for a seller whom the vendor's log-in page sent back."""
        fields = dict(request.query)
        try:
            sealed = self._sealer.open(_PURPOSE, fields.get("amazon_state", ""))
        except NotSealed as error:
            raise ConsentProblem("", "The amazon_state is not one that was given out here.") from error
        application_id = request.path.removeprefix(CONFIRM_PATH)
        is_late = now > datetime.fromisoformat(sealed["until_at"])
        if sealed["application_id"] != application_id or is_late or not fields.get("state"):
            raise ConsentProblem("", "The log-in took too long, or belongs to another application.")
        asked = self.asked(fields | {"application_id": application_id})
        seller = self._world.seller(sealed["seller_id"])
        assert seller is not None
        return self._granted(asked, seller, state=fields["state"], now=now)

    def _granted(self, asked: ConsentAsked, seller: Seller, *, state: str, now: datetime) -> str:
        code = self._mint.code("AN", size=18)
        granted = ConsentGranted(
            consent_id=self._mint.identifier(),
            application_id=asked.application.application_id,
            seller_id=seller.seller_id,
            granted_at=now,
        )
        issued = CodeIssued(
            code_digest=simulator.events.digest(code),
            consent_id=granted.consent_id,
            redirect_uri=asked.redirect_uri,
            expires_at=now + CODE_LIVES,
        )
        self._ledger.commit(granted, issued)
        given = {"state": state, "selling_partner_id": seller.seller_id, "spapi_oauth_code": code}
        return _extended(asked.redirect_uri, given)


def _extended(uri: str, parameters: Mapping[str, str]) -> str:
    """Return an address with more query parameters."""
    parts = urlsplit(uri)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def _redirect(location: str) -> Answer:
    headers = (("Location", location), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
    return Answer(302, b"", headers)
