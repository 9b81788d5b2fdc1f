"""A browser as small as the story needs: cookies, redirects and forms, nothing else.

It sends what a browser sends (Origin, Sec-Fetch-Site) and never runs scripts: the pages work without any.
Before a page that is down it does as people do: it tries again for a while.
"""

import re
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from sallyport.demo.patience import expect_up, patiently

REDIRECTS_MAX = 10
PAGE_BYTES_MAX = 1_000_000
TIMEOUT_S = 30.0

_REASON = re.compile(r"Reason <code>([a-z_]+)</code>")


@dataclass
class Form:
    """One form of a page, with the values that it would submit untouched."""

    action: str
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What the browser shows."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]

    @property
    def reason(self) -> str:
        """The code that a refusal shows; empty on any other page."""
        shown = _REASON.search(self.text)
        return shown[1] if shown else ""

    def form(self, action: str) -> Form:
        """Return the form with this action, or the first one whose action begins with it.

        Raises:
            LookupError: the page has no such form.
        """
        fitting = [form for form in self.forms if form.action.startswith(action)]
        for form in sorted(fitting, key=lambda form: len(form.action)):
            return form
        raise LookupError(f"no form for {action} on the page at {urlsplit(self.url).path} ({self.status})")


class Browser:
    """One person's browser. Use as an async context manager."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._trust),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            requote_redirect_url=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def open(self, url: str) -> Page:
        """Return the page at `url`, after its redirects."""
        return await patiently(lambda: self._navigate("GET", url, {}, origin=None))

    async def submit(self, page: Page, form: Form, **values: str) -> Page:
        """Fill `values` into `form`, submit it and return the page that follows."""
        url = urljoin(page.url, form.action)
        filled = {**form.values, **values}
        return await patiently(
            lambda: self._navigate(form.method.upper(), url, filled, origin=_origin(page.url))
        )

    async def _navigate(self, method: str, url: str, values: dict[str, str], *, origin: str | None) -> Page:
        for _ in range(REDIRECTS_MAX):
            headers = {"Sec-Fetch-Site": _site(origin, url), "Sec-Fetch-Mode": "navigate"}
            if method == "POST" and origin is not None:
                headers["Origin"] = origin
            query = values if method == "GET" and values else None
            async with self._session.request(
                method,
                URL(url, encoded=True),
                params=query,
                data=values if method == "POST" else None,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                expect_up(answer.status)
                text = (await answer.content.read(PAGE_BYTES_MAX)).decode(errors="replace")
                if answer.status not in {301, 302, 303, 307}:
                    return Page(str(answer.url), answer.status, text, _forms(text))
                url = urljoin(str(answer.url), answer.headers["Location"])
                method, values = "GET", {}
        raise RuntimeError(f"more than {REDIRECTS_MAX} redirects")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(origin: str | None, url: str) -> str:
    if origin is None:
        return "none"
    return "same-origin" if origin == _origin(url) else "cross-site"


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get").lower()))
        elif self.forms:
            self._take_field(tag, attributes)

    def _take_field(self, tag: str, attributes: dict[str, str]) -> None:
        values, name = self.forms[-1].values, attributes.get("name", "")
        if tag == "input" and name and _is_submitted(attributes):
            values.setdefault(name, attributes.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in attributes or self._select not in values):
            values[self._select] = attributes.get("value", "")


def _is_submitted(attributes: dict[str, str]) -> bool:
    kind = attributes.get("type", "text")
    return kind not in {"submit", "button"} and (kind not in {"radio", "checkbox"} or "checked" in attributes)


def _forms(text: str) -> tuple[Form, ...]:
    reader = _FormReader()
    reader.feed(text)
    return tuple(reader.forms)
