"""What the story's steps share: the running stack, the browser, the desktops, what was learnt so far."""

import asyncio
import html
import json
import re
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import chassis.errors
import sallyport.vendor
from sallyport.access import Admin
from sallyport.demo.amazon import Amazon, Order
from sallyport.demo.browser import Browser, Page
from sallyport.demo.desktop import Desktop
from sallyport.demo.libraries.settings import Settings
from sallyport.demo.patience import patiently
from sallyport.demo.signing_in import Login, come_in
from sallyport.demo.wiretap import Wiretap
from sallyport.stack import Stack
from wire.auth.v1 import auth_pb2

LIBRARY_S_MAX = 60.0
A_DAY = timedelta(days=1)
COPIED = re.compile(r'<code class="copy">([^<]+)</code>')
REVOKE_ACTION = re.compile(r"/portal/devices/([0-9a-f-]+)/revoke")


class StepFailed(Exception):
    """A step did not show what it promises; the text says what was seen instead."""


@dataclass(frozen=True)
class Program:
    """A desktop program in the compat profile: what the portal showed once."""

    device_id: str
    refresh_token: str


@dataclass
class Scene:
    """Everything at hand while the story runs; later steps stand on what earlier ones set."""

    stack: Stack
    browser: Browser
    desktop: Desktop
    amazon: Amazon
    admin: Admin
    wiretap: Wiretap
    account: dict[str, Any]
    seller_id: str
    order: Order | None = None
    trusted: Program | None = None
    untrusted: Program | None = None
    desktop_id: str = ""
    erase_subject: str = ""

    @property
    def marketplace_id(self) -> str:
        """Where the seller sells first."""
        first: str = self.account["marketplace_ids"][0]
        return first

    @property
    def the_order(self) -> Order:
        """The order that travels."""
        if self.order is None:
            raise StepFailed("no order was chosen yet")
        return self.order

    @property
    def address_path(self) -> str:
        """Where the order's address is read."""
        return f"/orders/v0/orders/{self.the_order.order_id}/address"

    async def allow(self, device_id: str) -> None:
        """Have the vendor give a device the scope `pii`."""
        request = auth_pb2.SetDeviceScopesRequest(
            seller_id=self.seller_id,
            device_id=device_id,
            scopes=["orders", "pii"],
            reason="prints shipping labels",
        )
        await patiently(lambda: self.admin.auth.SetDeviceScopes(request))

    async def enrol_program(self, name: str) -> Program:
        """Have the person create a device for a program with an unmodified library."""
        home = await self.open("/portal")
        page = await self.submit(home, "/portal/devices", device_name=name)
        copied = COPIED.findall(page.text)
        if len(copied) != 2:
            raise StepFailed(f"the portal did not show a new device's credentials ({page.status})")
        return Program(*(html.unescape(text) for text in copied))

    async def newest_device(self) -> str:
        """Return the id of the device enrolled last."""
        found = REVOKE_ACTION.search((await self.open("/portal")).text)
        if found is None:
            raise StepFailed("the portal lists no device")
        return found[1]

    async def invite(self) -> str:
        """Return a fresh invitation's address."""
        return await patiently(lambda: sallyport.vendor.invite(self.stack, self.admin, self.seller_id))

    async def come_in(self) -> Login:
        """Have a new owner of the seller come in on this browser, and return what they sign in with."""
        return await come_in(self.browser, await self.invite())

    async def open(self, url: str) -> Page:
        """Return the page at `url`, or at a path of our own."""
        return await self.browser.open(urljoin(self.stack.layout.public_url, url))

    async def submit(self, page: Page, action: str, **values: str) -> Page:
        """Fill the form with this action, submit it and return the next page."""
        return await self.browser.submit(page, page.form(action), **values)

    async def run_library(self, module: str, program: Program, order_id: str = "") -> dict[str, Any]:
        """Return what an unmodified library, in a process of its own, made of the gateway's answers."""
        settings = Settings(
            gateway=self.stack.layout.public_url,
            ca_file=str(self.stack.ground.folder.services_ca_file),
            device_id=program.device_id,
            refresh_token=program.refresh_token,
            marketplace_id=self.the_order.marketplace_id,
            created_after=(self.the_order.placed_at - A_DAY).strftime("%Y-%m-%dT%H:%M:%SZ"),
            order_id=order_id,
        )
        return await patiently(lambda: _run_module(module, settings))


async def _run_module(module: str, settings: Settings) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"SSL_CERT_FILE": settings.ca_file, "REQUESTS_CA_BUNDLE": settings.ca_file},
    )
    try:
        output, complaint = await asyncio.wait_for(
            process.communicate(settings.to_json().encode()), LIBRARY_S_MAX
        )
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise chassis.errors.Unavailable(f"{module.rpartition('.')[2]}: {' '.join(last)}")
    returned: dict[str, Any] = json.loads(output)
    return returned
