"""What goes out: pages, refusals as pages, and answers that the model composed.

Pages are templates with autoescaping and no script; a strict policy says so to the browser as well.
A browser enforces `form-action` on redirects after a form too, so a page whose form ends at another
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
from services.gateway.model.calls import Answer
from services.gateway.model.people import SessionMissing, Visit
from services.gateway.web import forms

PAGES = Path(__file__).parent.parent / "pages"
# A stylesheet that changed is seen within this time; its path does not change.
ASSET_AGE_S = 300

ASSETS = MappingProxyType({"portal.css": "text/css", "mark.svg": "image/svg+xml"})

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

    def __init__(self, *, vendor_name: str, desktop_name: str) -> None:
        """Load the templates.

        Args:
            vendor_name: whose portal this is, as people know it.
            desktop_name: the vendor's desktop application, as people know it.
        """
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PAGES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._templates.globals.update(vendor_name=vendor_name, desktop_name=desktop_name)
        self._assets = {name: ((PAGES / name).read_bytes(), kind) for name, kind in ASSETS.items()}

    def page(
        self,
        template: str,
        *,
        visit: Visit | None = None,
        form_secret: Secret[str] | None = None,
        form_targets: str = "",
        **values: Any,
    ) -> web.Response:
        """Return a page.

        Args:
            template: file name without its ending.
            visit: who is signed in, for the head of the page.
            form_secret: what the page's form tokens stand on; the visit's session when absent.
            form_targets: where the page's forms may end besides here, as CSP sources.
            values: what the template shows; escaped there.
        """
        secret = form_secret or (visit.session_token if visit else None)
        text = self._templates.get_template(f"{template}.html").render(
            values,
            session=visit.session if visit else None,
            form_token=lambda action: forms.token(secret, action) if secret else "",
        )
        response = web.Response(text=text, content_type="text/html", charset="utf-8")
        response.headers["Content-Security-Policy"] = _policy(form_targets)
        # Forms must tell their origin; nobody else hears anything.
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    def asset(self, name: str) -> web.Response:
        """Return one of ASSETS; the same for everybody."""
        body, content_type = self._assets[name]
        headers = {"Cache-Control": f"public, max-age={ASSET_AGE_S}"}
        return web.Response(body=body, content_type=content_type, headers=headers)

    def refusal(self, _request: web.Request, error: chassis.errors.SallyportError) -> web.Response:
        """Return the page that tells a person of an error."""
        if isinstance(error, SessionMissing):
            return self._quiet("entry_needed", 403, will_continue=False)
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
        response = self.page(template, **values)
        response.set_status(status)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def respond(answer: Answer) -> web.Response:
    """Return the HTTP response for an answer that the model composed."""
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def see(location: str) -> web.Response:
    """Return a redirect that the browser follows with GET."""
    return web.Response(status=303, headers={"Location": location})


def _policy(form_targets: str) -> str:
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_targets}".rstrip()
    )
