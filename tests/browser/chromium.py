"""A real browser with a person's passkeys in it, and an eye on all that it loads and complains about."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    async_playwright,
    expect,
)

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Where it is, when it is not on the path.
EXECUTABLE_KEY = "CHROMIUM"
MISSING = (
    "The browser tests need Chromium. `make browser` installs it where it may; otherwise install it by hand "
    f"(on Debian: apt-get install chromium), or name its executable in the variable {EXECUTABLE_KEY}."
)
# Nobody is asked to install, update, report or sign in; no sandbox, because tests run as root in containers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# Like the authenticator of a phone or a laptop: it keeps passkeys, and its person is at hand.
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# What Chromium says of an answer that is a refusal: the page itself is looked at instead.
REFUSED_ANSWER = "Failed to load resource: the server responded with a status of"


def executable() -> str:
    """Return where Chromium is; without one the test fails and says what to do."""
    named = os.environ.get(EXECUTABLE_KEY)
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


# Patience with a machine that does much else at the time.
expect.set_options(timeout=30_000)


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Give a browser that has just been started."""
    path = executable()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@dataclass
class Window:
    """One person's browser, with their own cookies and passkeys.

    Attributes:
        origin: the only one from which anything may be loaded.
        strangers: addresses elsewhere that pages loaded something from.
        complaints: what the browser said of the pages: errors of scripts, breaches of the policy.
    """

    page: Page
    origin: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Begin to take down what the pages do."""
        self.page.on("request", self._note_request)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", self._note_error)

    async def open(self, path: str) -> Response | None:
        """Go to a path of the gateway's."""
        return await self.page.goto(self.origin + path)

    async def fits(self) -> bool:
        """Return whether the page is as wide as the window, at a desk and on a phone."""
        widths = []
        for size in (PHONE, DESK):
            await self.page.set_viewport_size(size)  # type: ignore[arg-type] # the same two members
            widths.append(
                await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            )
        return all(width <= 0 for width in widths)

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin and not request.is_navigation_request():
            self.strangers.append(request.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSED_ANSWER):
            self.complaints.append(message.text)

    def _note_error(self, error: Error) -> None:
        self.complaints.append(str(error))


@asynccontextmanager
async def open_window(browser: Browser, origin: str, *, has_scripts: bool = True) -> AsyncIterator[Window]:
    """Give somebody's window; at its end nothing may have been loaded from elsewhere or complained about.

    The gateway's certificate is of an authority that only this machine's stack knows, so it is not judged
    here: other tests do.
    """
    context = await browser.new_context(
        ignore_https_errors=True,
        java_script_enabled=has_scripts,
        viewport=DESK,  # type: ignore[arg-type]
    )
    window = Window(await context.new_page(), origin)
    window.watch()
    if has_scripts:
        session = await context.new_cdp_session(window.page)
        await session.send("WebAuthn.enable")
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield window
    await context.close()
    assert window.strangers == []
    assert window.complaints == []
