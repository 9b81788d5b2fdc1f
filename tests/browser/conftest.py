"""Chromium, started once, and windows in it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from sallyport.demo.scene import Scene
from tests.browser.chromium import Window, open_chromium, open_window


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser; each window in it knows nothing of the others."""
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def window(chromium: Browser, scene: Scene) -> AsyncIterator[Window]:
    """Somebody's window, with passkeys."""
    async with open_window(chromium, scene.stack.layout.public_url) as opened:
        yield opened


@pytest.fixture
async def colleagues_window(chromium: Browser, scene: Scene) -> AsyncIterator[Window]:
    """Somebody else's window, with passkeys of their own."""
    async with open_window(chromium, scene.stack.layout.public_url) as opened:
        yield opened


@pytest.fixture
async def plain_window(chromium: Browser, scene: Scene) -> AsyncIterator[Window]:
    """The window of somebody who lets no script run."""
    async with open_window(chromium, scene.stack.layout.public_url, has_scripts=False) as opened:
        yield opened
