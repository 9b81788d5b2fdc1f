"""Sellers at their browsers: from Amazon's Appstore to the portal, to Amazon and back.

Only a browser shows that the pages' policy lets their forms lead to Amazon, and what it says of where it was.
"""

from playwright.async_api import Page, expect

from sallyport.demo.scene import Scene
from tests.browser.chromium import Window
from tests.browser.test_people import add_passkey, come_in, sign_in_by_passkey, sign_out

CONSENT = "/apps/authorize/consent"
CONNECTED = "The Amazon account is connected."


async def confirm(page: Page, scene: Scene) -> None:
    """Say yes on Amazon's consent page, for the scene's account."""
    await page.locator(f"[name=seller_id][value={scene.account['seller_id']}]").check()
    await page.get_by_role("button", name="Confirm").click()


async def connect_from_the_appstore(window: Window, scene: Scene) -> None:
    page, application_id = window.page, scene.stack.application.application_id
    await page.goto(f"{scene.stack.layout.amazon_url}{CONSENT}?application_id={application_id}")
    await confirm(page, scene)
    await sign_in_by_passkey(window)
    await expect(page.get_by_text(scene.account["seller_id"])).to_be_visible()
    assert await window.fits()
    await page.get_by_label("Where does this account sell?").select_option(scene.marketplace_id)
    await page.get_by_role("button", name="Connect and go on at Amazon").click()
    await expect(page.get_by_text(CONNECTED)).to_be_visible()


async def test_a_seller_comes_from_the_appstore_renews_and_disconnects(window: Window, scene: Scene) -> None:
    page = window.page
    await come_in(window, await scene.invite())
    await add_passkey(window)
    await sign_out(window)
    await connect_from_the_appstore(window, scene)
    assert await window.fits()
    await page.get_by_role("button", name="Renew").click()
    await confirm(page, scene)
    await expect(page.get_by_text(CONNECTED)).to_be_visible()
    await page.locator("summary").filter(has_text="Disconnect").click()
    await page.get_by_role("button", name="Disconnect").click()
    await expect(page.get_by_text("disconnected", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Connect again")).to_be_visible()
    await page.get_by_role("link", name="Connect an account").click()
    await expect(page.get_by_role("button", name="Continue to Amazon")).to_be_visible()
    assert await window.fits()
