"""What goes out: pages, refusals as pages, and answers that the model composed.

Pages are templates with autoescaping; a strict policy tells the browser what they may do. Only those with
passkeys have a script, and only the one of ours. Whoever must sign in first, or set up a way to, is led
there. A browser enforces `form-action` on redirects after a form too, so a page whose form ends at another
origin names it.
"""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from aiohttp import web

import chassis.errors
import chassis.trace
from chassis.secrecy import Secret
from services.gateway.model import faults
from services.gateway.model.calls import Answer
from services.gateway.model.credentials import SIGN_IN_AGAIN
from services.gateway.model.people import CredentialNeeded, SessionMissing, Visit
from services.gateway.web import cookies, forms, navigation

PAGES = Path(__file__).parent.parent / "pages"
# A stylesheet that changed is seen within this time; its path does not change.
ASSET_AGE_S = 300

ASSETS = MappingProxyType(
    {"portal.css": "text/css", "mark.svg": "image/svg+xml", "passkeys.js": "text/javascript"}
)

_HEADINGS = MappingProxyType(
    {
        chassis.errors.InvalidInput: "That did not work",
        chassis.errors.Denied: "Not allowed",
        chassis.errors.NotFound: "Nothing is here",
        chassis.errors.Gone: "Too late",
        chassis.errors.Unauthenticated: "Not accepted",
        chassis.errors.LimitExceeded: "Too many attempts",
        chassis.errors.Unavailable: "Not right now",
    },
)
_HEADING_DEFAULT = "Something went wrong"


class Renderer:
    """Makes pages."""

    def __init__(self, *, vendor_name: str, desktop_name: str, provider_name: str = "") -> None:
        """Load the templates.

        Args:
            vendor_name: whose portal this is, as people know it.
            desktop_name: the vendor's desktop application, as people know it.
            provider_name: the vendor's identity provider, as people know it; empty when there is none.
        """
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._templates.globals.update(
            vendor_name=vendor_name, desktop_name=desktop_name, provider_name=provider_name
        )
        # A provider's own page is at another origin, where the form that leads there ends.
        self.provider_targets = "https:" if provider_name else ""
        self._assets = {name: ((PAGES / name).read_bytes(), kind) for name, kind in ASSETS.items()}

    def page(
        self,
        template: str,
        *,
        visit: Visit | None = None,
        form_secret: Secret[str] | None = None,
        form_targets: str = "",
        has_script: bool = False,
        is_quiet: bool = False,
        **values: Any,
    ) -> web.Response:
        """Return a page.

        Args:
            template: file name without its ending.
            visit: who is signed in, for the head of the page.
            form_secret: what the page's form tokens stand on; the visit's session when absent.
            form_targets: where the page's forms may end besides here, as CSP sources.
            has_script: whether the script for passkeys may run on it.
            is_quiet: its address carries codes, so nobody hears of it, not even we: see `forms.check_origin`.
            values: what the template shows; escaped there.
        """
        secret = form_secret or (visit.session_token if visit else None)
        text = self._templates.get_template(f"{template}.html").render(
            values,
            session=visit.session if visit else None,
            places=navigation.places(visit.session) if visit else (),
            form_token=lambda action: forms.token(secret, action) if secret else "",
        )
        response = web.Response(text=text, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = _policy(form_targets, has_script=has_script)
        # Forms must tell their origin; nobody else hears anything.
        response.headers["Referrer-Policy"] = "no-referrer" if is_quiet else "same-origin"
        return response

    def asset(self, name: str) -> web.Response:
        """Return one of ASSETS; the same for everybody."""
        body, content_type = self._assets[name]
        headers = {"Cache-Control": f"public, max-age={ASSET_AGE_S}"}
        return web.Response(body=body, content_type=content_type, headers=headers)

    def refusal(self, request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        """Return the page that tells a person of an error, or that leads to what they must do first."""
        if isinstance(error, SessionMissing):
            return sign_in_first(request)
        if isinstance(error, CredentialNeeded):
            return see(navigation.SECURITY)
        if error.code == SIGN_IN_AGAIN:
            return sign_in_again()
        return self._quiet(
            "refused",
            error.http_status,
            heading=_HEADINGS.get(chassis.errors.kind_of(error), _HEADING_DEFAULT),
            text=error.text,
            code=error.code,
            request_id=chassis.trace.request_id(),
        )

    def _quiet(self, template: str, status: int, **values: Any) -> web.Response:
        """Return a page without forms; the address that led to it may carry codes and is told to nobody."""
        response = self.page(template, is_quiet=True, **values)
        response.set_status(status)
        return response


def respond(answer: Answer) -> web.Response:
    """Return the HTTP response for an answer that the model composed."""
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def see(location: str) -> web.Response:
    """Return a redirect that the browser follows with GET."""
    return web.Response(status=303, headers={"Location": location})


def marked(response: web.Response, problem: chassis.errors.SallyportError | None) -> web.Response:
    """Return a page that tells of a problem by itself, with the problem's status."""
    if problem is not None:
        response.set_status(problem.http_status)
        if isinstance(problem, chassis.errors.LimitExceeded):
            response.headers["Retry-After"] = faults.retry_after(problem.retry_after_s)
    return response


def sign_in_first(request: web.Request) -> web.Response:
    """Return the redirect to the sign-in page; what can be gone on with afterwards waits."""
    had_session = cookies.session_token(request) is not None
    response = see(f"{navigation.SIGN_IN}?notice=ended" if had_session else navigation.SIGN_IN)
    if request.method == "GET":
        cookies.set_errand(response, request.raw_path)
    return response


def sign_in_again() -> web.Response:
    """Return the redirect to the sign-in page for somebody who changes what they sign in with."""
    response = see(f"{navigation.SIGN_IN}?notice=again")
    cookies.set_errand(response, navigation.SECURITY)
    return response


def _policy(form_targets: str, *, has_script: bool) -> str:
    # The script asks our own origin what a passkey is to answer.
    script = "script-src 'self'; connect-src 'self'; " if has_script else ""
    return (
        f"default-src 'none'; {script}style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {form_targets}".rstrip()
    )
