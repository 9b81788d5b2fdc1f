"""The few pages a person sees. Every value is escaped where it enters a template."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from simulator import exchange
from simulator.applications import SHIPPING_ROLE, TAX_ROLE, Application
from simulator.exchange import Answer
from simulator.world import Seller

_FOLDER = Path(__file__).parent / "templates"
# `form-action` is left out: browsers apply it to the redirect that follows the form, and that leads
# elsewhere.
_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
_ROLE_TEXTS = {
    SHIPPING_ROLE: "Read the names and addresses of buyers, to ship their orders",
    TAX_ROLE: "Read the tax details of buyers, to write their invoices",
}


def consent(application: Application, sellers: Sequence[Seller], hidden: Mapping[str, str]) -> Answer:
    """Return the page on which a seller lets an application in.

    Args:
        application: the one that asks.
        sellers: the accounts to choose from; the first is chosen already.
        hidden: the parameters that come back with the form.
    """
    roles = [_ROLE_TEXTS[role] for role in sorted(application.roles)]
    page = _filled(
        "consent.html",
        title=f"Authorize {application.name}",
        name=application.name,
        application_id=application.application_id,
        draft="This application is a draft." if application.is_draft else "",
        parts={
            "choices": "".join(_choice(seller, is_first=not place) for place, seller in enumerate(sellers)),
            "roles": "".join(f"<li>{html.escape(text)}</li>" for text in ("Read and ship orders", *roles)),
            "fields": "".join(_field(name, value) for name, value in hidden.items()),
        },
    )
    return exchange.html_answer(200, page, *_HEADERS)


def problem(code: str, text: str, *, status: int = 400) -> Answer:
    """Return the page that says why there is no consent to give."""
    page = _filled("problem.html", title=f"Error {code}".strip(), text=text, parts={})
    return exchange.html_answer(status, page, *_HEADERS)


def _filled(template: str, *, parts: Mapping[str, str], **texts: str) -> str:
    """Return a template with `texts` escaped and `parts`, which are markup already, put in."""
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    escaped = {name: html.escape(text) for name, text in texts.items()}
    source = (_FOLDER / template).read_text(encoding="utf-8")
    return Template(source).substitute(escaped, style=style, **parts)


def _choice(seller: Seller, *, is_first: bool) -> str:
    shops = ", ".join(marketplace.channel for marketplace in seller.marketplaces)
    checked = " checked" if is_first else ""
    return (
        '<label class="choice">'
        f'<input type="radio" name="seller_id" value="{html.escape(seller.seller_id)}"{checked}>'
        f"<span><strong>{html.escape(seller.name)}</strong>"
        f"<small>{html.escape(shops)} · {html.escape(seller.seller_id)}</small></span></label>"
    )


def _field(name: str, value: str) -> str:
    return f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
