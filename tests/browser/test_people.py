"""People at their browsers: in by invitation, back by passkey or password, beside their colleagues.

Everything is real: Chromium with an authenticator, the pages' one script and their policy, the services.
"""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Route, expect

import sallyport.vendor
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene
from sallyport.demo.signing_in import Authenticator, Login
from tests.browser.chromium import Window

AUTHORIZATION = {
    "response_type": "code",
    "client_id": "desktop",
    "redirect_uri": "http://127.0.0.1:49152/callback",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "scope": "orders",
    "state": "af0ifjsldkj",
}

# As long as a name may be, and nowhere to break it.
LONG_NAME = "Donaudampfschifffahrtsgesellschaft" + "skapitaenswitwenrentenauszahlu"


async def come_in(window: Window, invitation_url: str) -> None:
    """Follow an invitation to the page that sets up a way to sign in."""
    await window.page.goto(invitation_url)
    await window.page.get_by_role("button", name="Continue").click()
    await expect(window.page.get_by_role("heading", name="Set up your sign-in")).to_be_visible()


async def add_passkey(window: Window, name: str = "My laptop") -> None:
    await window.page.get_by_label("Name of the new passkey").fill(name)
    await window.page.get_by_role("button", name="Add a passkey").click()
    await expect(window.page.get_by_text("The passkey is set up.")).to_be_visible()


async def set_up_password(window: Window) -> Login:
    page = window.page
    await page.get_by_role("button", name="Set up a password").click()
    uri = await page.locator("input[name=otpauth_uri]").get_attribute("value")
    login = Login(Authenticator(uri or ""))
    await expect(page.get_by_role("img", name="The key as a QR code")).to_be_visible()
    await page.get_by_label("E-mail address").fill(login.email)
    await page.get_by_label("New password", exact=True).fill(login.password)
    await page.get_by_label("New password, once more").fill(login.password)
    await page.get_by_label("Code that the app shows now").fill(await login.authenticator.code())
    await page.get_by_role("button", name="Set up", exact=True).click()
    await expect(page.get_by_text("Password and authenticator app are set up.")).to_be_visible()
    return login


async def sign_out(window: Window) -> None:
    await window.page.get_by_role("button", name="Sign out").click()
    await expect(window.page.get_by_text("You are signed out.")).to_be_visible()


async def sign_in_by_passkey(window: Window) -> None:
    await window.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(window.page.get_by_role("button", name="Sign out")).to_be_visible()


async def sign_in_by_password(window: Window, login: Login, code: str = "") -> None:
    await window.page.get_by_label("E-mail address").fill(login.email)
    await window.page.get_by_label("Password", exact=True).fill(login.password)
    shown = code or await login.authenticator.code()
    await window.page.get_by_label("Code from your authenticator app").fill(shown)
    await window.page.get_by_role("button", name="Sign in with a password").click()


async def test_a_passkey_is_set_up_by_invitation_and_signs_in_again(window: Window, scene: Scene) -> None:
    await come_in(window, await scene.invite())
    await add_passkey(window)
    await window.open("/portal/security")
    await expect(window.page.get_by_text("not used yet")).to_be_visible()
    await sign_out(window)
    await sign_in_by_passkey(window)
    assert urlsplit(window.page.url).path == "/portal"
    await window.open("/portal/security")
    await expect(window.page.get_by_text("last used")).to_be_visible()
    assert await window.fits()


async def test_an_authenticator_that_holds_a_passkey_gets_no_second_one(window: Window, scene: Scene) -> None:
    await come_in(window, await scene.invite())
    await add_passkey(window)
    await window.open("/portal/security")
    await window.page.get_by_label("Name of the new passkey").fill("Once more")
    await window.page.get_by_role("button", name="Add a passkey").click()
    await expect(window.page.get_by_role("alert")).to_have_text("This device has a passkey for you already.")


async def test_a_password_with_an_app_works_where_no_script_runs(plain_window: Window, scene: Scene) -> None:
    window = plain_window
    await come_in(window, await scene.invite())
    await expect(window.page.get_by_role("button", name="Add a passkey")).to_be_hidden()
    login = await set_up_password(window)
    await sign_out(window)
    await expect(window.page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    await sign_in_by_password(window, login)
    await expect(window.page.get_by_text("You are signed in.")).to_be_visible()
    await window.open("/portal/security")
    await expect(window.page.get_by_text(login.email)).to_be_visible()


async def test_a_wrong_password_is_told_in_the_words_of_every_refusal_T11(
    window: Window, scene: Scene
) -> None:
    await come_in(window, await scene.invite())
    login = await set_up_password(window)
    await sign_out(window)
    wrong = Login(login.authenticator)
    for email in (login.email, wrong.email):
        wrong.email = email
        await window.open("/portal/sign-in")
        await sign_in_by_password(window, wrong, code="000000")
        await expect(window.page.get_by_role("alert").first).to_have_text(
            "That did not work. Check what you entered, and try again."
        )
    assert await window.fits()


async def test_an_owner_invites_a_colleague_who_sees_what_a_member_may(
    window: Window, colleagues_window: Window, scene: Scene
) -> None:
    await come_in(window, await scene.invite())
    await add_passkey(window)
    await window.page.get_by_role("link", name="Team").click()
    await window.page.get_by_label("Name", exact=True).fill("Ben Ahl")
    await window.page.get_by_label("Member").check()
    await window.page.get_by_role("button", name="Make an invitation").click()
    link = await window.page.locator("code.copy").inner_text()

    await come_in(colleagues_window, link)
    await add_passkey(colleagues_window, "Ben's phone")
    await colleagues_window.page.get_by_role("link", name="Team").click()
    await expect(colleagues_window.page.get_by_text("Ben Ahl").first).to_be_visible()
    await expect(colleagues_window.page.get_by_role("link", name="Manage")).to_have_count(0)
    await expect(colleagues_window.page.get_by_role("button", name="Make an invitation")).to_have_count(0)

    await window.open("/portal/team")
    assert await window.fits()
    await window.page.get_by_role("link", name="Manage Ben Ahl").click()
    assert await window.fits()
    await window.page.get_by_role("button", name="Remove Ben Ahl").click()
    await expect(window.page.get_by_text("That person is out.")).to_be_visible()
    await colleagues_window.open("/portal")
    await expect(colleagues_window.page.get_by_text("Your session has ended.")).to_be_visible()


async def test_the_longest_names_fit_every_page_with_all_of_it_open(window: Window, scene: Scene) -> None:
    page = window.page
    await come_in(window, await scene.invite())
    await add_passkey(window, LONG_NAME)
    await window.open("/portal/team")
    await page.get_by_label("Name", exact=True).fill(LONG_NAME)
    await page.get_by_label("Member").check()
    await page.get_by_role("button", name="Make an invitation").click()
    await expect(page.get_by_role("heading", name=LONG_NAME)).to_be_visible()
    assert await window.fits()
    await window.open("/portal")
    await page.get_by_text("Enrol a program that uses an SP-API library").click()
    await page.get_by_label("Name of the desktop").fill(LONG_NAME)
    await page.get_by_role("button", name="Enrol", exact=True).click()
    await expect(page.get_by_role("heading", name=LONG_NAME)).to_be_visible()
    assert await window.fits()
    for path in ("/portal", "/portal/security", "/portal/team"):
        await window.open(path)
        await expect(page.get_by_text(LONG_NAME).first).to_be_visible()
        await page.locator("summary").evaluate_all(
            "all => all.forEach(each => each.parentElement.open = true)"
        )
        assert await window.fits(), path
    await page.get_by_role("link", name=f"Manage {LONG_NAME}").first.click()
    await expect(page.get_by_role("button", name=f"Remove {LONG_NAME}")).to_be_visible()
    assert await window.fits()


async def test_a_desktop_is_let_in_by_whoever_signs_in_for_it(window: Window, scene: Scene) -> None:
    await come_in(window, await scene.invite())
    await add_passkey(window)
    await sign_out(window)

    async def thank(route: Route) -> None:
        await route.fulfill(body="You can close this window.")

    await window.page.route("http://127.0.0.1:49152/**", thank)
    await window.open(f"/oauth/authorize?{urlencode(AUTHORIZATION)}")
    await expect(window.page.get_by_text("What you began goes on by itself")).to_be_visible()
    await window.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(window.page.get_by_role("heading", name="Allow this desktop?")).to_be_visible()
    assert await window.fits()
    await window.page.get_by_label("Name of this desktop").fill("Anna's laptop")
    await window.page.get_by_role("button", name="Approve").click()
    await window.page.wait_for_url(re.compile(r"http://127\.0\.0\.1:49152/callback\?.*"))
    answer = parse_qs(urlsplit(window.page.url).query)
    assert answer["state"] == [AUTHORIZATION["state"]]
    assert answer["iss"] == [scene.stack.layout.public_url]
    assert answer["code"][0].startswith("sp_ac_")


async def test_staff_look_at_a_seller_and_take_the_access_review(window: Window, scene: Scene) -> None:
    await scene.come_in()
    invitation = await patiently(lambda: sallyport.vendor.invite_staff(scene.stack, scene.admin))
    await come_in(window, invitation)
    await add_passkey(window)
    await window.open(f"/portal/sellers/{scene.seller_id}")
    await expect(window.page.get_by_role("heading", name="People")).to_be_visible()
    assert await window.fits()
    await window.page.get_by_role("link", name="Access review").click()
    async with window.page.expect_download() as download:
        await window.page.get_by_role("button", name="Download the table").click()
    table = (await (await download.value).path()).read_text(encoding="utf-8-sig")
    assert scene.seller_id in table
    assert table.startswith('"seller_id","seller"')
