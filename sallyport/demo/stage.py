"""Sets the stage for the story on a running stack: wire tap, browser, desktop, operators' access."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import sallyport.access
import sallyport.engines.authority
import sallyport.vendor
from sallyport.demo.amazon import Amazon
from sallyport.demo.browser import Browser
from sallyport.demo.desktop import Desktop
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed
from sallyport.demo.wiretap import Wiretap
from sallyport.stack import Stack

TAP_CERTIFICATE = "wiretap.pem"
TAP_NAME = "localhost"
CAPTURE = "wire.bin"


@asynccontextmanager
async def set_stage(stack: Stack, *, account: int = 0) -> AsyncIterator[Scene]:
    """Give the scene in which the story starts; `account` numbers the simulated seller who plays in it.

    Raises:
        StepFailed: the simulated Amazon has fewer sellers.
    """
    trust = _trust(stack)
    async with AsyncExitStack() as things:
        amazon = await things.enter_async_context(Amazon(stack.layout.amazon_control_url))
        accounts = await amazon.sellers()
        if account >= len(accounts):
            raise StepFailed(f"the simulated Amazon has only {len(accounts)} sellers")
        admin = await things.enter_async_context(sallyport.access.open_admin(stack.access()))
        await patiently(lambda: sallyport.vendor.register_application(stack, admin))
        seller_id = await patiently(lambda: sallyport.vendor.create_seller(admin))
        yield Scene(
            stack=stack,
            wiretap=await things.enter_async_context(await _tap(stack, trust)),
            browser=await things.enter_async_context(Browser(trust)),
            desktop=await things.enter_async_context(Desktop(stack.layout.public_url, trust)),
            amazon=amazon,
            admin=admin,
            account=accounts[account],
            seller_id=seller_id,
        )


def _trust(stack: Stack) -> ssl.SSLContext:
    """Return what the people's machines trust: the gateway's authority, and for the consent page Amazon's."""
    context = ssl.create_default_context(cafile=stack.ground.folder.services_ca_file)
    context.load_verify_locations(cafile=stack.layout.amazon_ca_file)
    return context


async def _tap(stack: Stack, trust: ssl.SSLContext) -> Wiretap:
    return Wiretap(
        listen_port=stack.layout.base_port,
        gateway_port=stack.layout.gateway_port,
        certificate=await _tap_certificate(stack),
        trust=trust,
        capture=stack.layout.folder / CAPTURE,
    )


async def _tap_certificate(stack: Stack) -> Path:
    issued = await stack.ground.openbao.call("POST", "pki/issue/public", {"common_name": TAP_NAME})
    chain = "\n".join((issued["data"]["certificate"], issued["data"]["private_key"], ""))
    path = stack.layout.folder / TAP_CERTIFICATE
    sallyport.engines.authority.write_private(path, chain.encode())
    return path
